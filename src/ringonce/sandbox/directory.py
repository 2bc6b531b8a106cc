"""What requests change about people: the station they sit at, their presence, their queues and their details.

The organisation says how everybody begins; whoever was never touched has no seat of their own here yet.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from ringonce.sandbox.agenda import Agenda
from ringonce.sandbox.conversation import LIVE_STATES, Conversation
from ringonce.sandbox.org import Org, Queue, Station, User
from ringonce.sandbox.presences import AVAILABLE, ON_QUEUE, SYSTEM_PRESENCES

"""When everything began that nobody has changed."""

OFF_QUEUE, IDLE, INTERACTING, NOT_RESPONDING, COMMUNICATING = (
    "OFF_QUEUE",
    "IDLE",
    "INTERACTING",
    "NOT_RESPONDING",
    "COMMUNICATING",
)
ROUTING_STATUSES: Final = (OFF_QUEUE, IDLE, INTERACTING, NOT_RESPONDING, COMMUNICATING)
WITHOUT_CALLS: Final = (OFF_QUEUE, IDLE, NOT_RESPONDING)
"""Those that somebody can have who is busy with nothing."""
Work = Literal["queue", "own", "acw"]
"""What a conversation is to its agent: a queue's, their own, or over but for the after-call work."""


class StationTakenError(Exception):
    """Somebody else is associated with the station."""


class WrongVersionError(Exception):
    """The user has been changed since they were read."""


class IllegalTransitionError(Exception):
    """A routing status cannot be changed so by a request."""


class Forwarding(msgspec.Struct, frozen=True):
    """Where a user's calls go: the official SDK's model CallForwarding. *routes* are target types and values."""

    enabled: bool
    routes: tuple[tuple[tuple[str, str], ...], ...]
    voicemail: str
    modified: str


class Seat(msgspec.Struct, kw_only=True):
    """How a user is now. Empty strings are stations that they do not have; times are ISO-8601.

    *work* is what their conversations are to them, by the conversation and its medium: call or callback.
    """

    station_id: str = ""
    associated: str
    default_station_id: str = ""
    last_station_id: str = ""
    presence_id: str = AVAILABLE
    message: str = ""
    present_since: str
    status: str = OFF_QUEUE
    status_since: str
    not_responding: bool = False
    version: int = 1
    addresses: list[dict[str, Any]] | None = None
    forwarding: Forwarding | None = None
    work: dict[tuple[str, str], Work] = {}


class Directory:
    """Everybody's seat. *told* hears a user's id and the last words of the topic that has news of them.

    *member_told* hears of a queue and a user who joined or left it.
    """

    begun: str
    """Since when everybody has been as their organisation says."""
    _seats: dict[str, Seat]
    _left: set[tuple[str, str]]
    _holders: dict[str, str]
    _defaults: dict[str, str]
    _queues_of: dict[str, list[Queue]]

    def __init__(
        self,
        agenda: Agenda,
        org: Org,
        told: Callable[[str, str], None],
        member_told: Callable[[str, str], None],
    ) -> None:
        self._agenda = agenda
        self._org = org
        self._told = told
        self._member_told = member_told
        self.begun = agenda.stamp
        self._seats = {}
        self._left = set()
        # Where two share a station, the first one has it.
        self._holders = {user.station_id: user.id for user in reversed(org.users.values()) if user.station_id}
        self._defaults = dict(self._holders)
        self._queues_of = {}
        for queue in org.queues.values():
            for user_id in queue.member_ids:
                self._queues_of.setdefault(user_id, []).append(queue)

    def seat(self, user_id: str) -> Seat:
        """How a user is now; KeyError for nobody."""
        seat = self._seats.get(user_id)
        if seat is None:
            person = self._org.users[user_id]
            station_id = person.station_id if self._holders.get(person.station_id or "") == user_id else ""
            on_queue = person.routing_status != OFF_QUEUE
            seat = self._seats[user_id] = Seat(
                station_id=station_id or "",
                default_station_id=station_id or "",
                last_station_id=station_id or "",
                presence_id=ON_QUEUE if on_queue else AVAILABLE,
                status=person.routing_status,
                not_responding=person.routing_status == NOT_RESPONDING,
                associated=self.begun,
                present_since=self.begun,
                status_since=self.begun,
            )
        return seat

    # Stations.

    def station_of(self, user_id: str) -> Station | None:
        """The phone that a user can be reached at: the associated one, else the default, if nobody else sits there."""
        seat = self.seat(user_id)
        station_id = seat.station_id
        if not station_id and self._holders.get(seat.default_station_id, user_id) == user_id:
            station_id = seat.default_station_id
        return self._org.stations.get(station_id)

    def holder_of(self, station_id: str) -> User | None:
        """Whoever is associated with a station."""
        return self._org.users.get(self._holders.get(station_id, ""))

    def default_user_of(self, station_id: str) -> User | None:
        """Whose default a station is."""
        return self._org.users.get(self._defaults.get(station_id, ""))

    def associate(self, user_id: str, station_id: str) -> None:
        """Sit down at a station and leave the one before; StationTakenError when somebody else is there."""
        seat = self.seat(user_id)
        if self._holders.get(station_id, user_id) != user_id:
            raise StationTakenError
        if seat.station_id == station_id:
            return
        self._holders.pop(seat.station_id, None)
        self._holders[station_id] = user_id
        seat.station_id = seat.last_station_id = station_id
        seat.associated = self._agenda.stamp
        self._told(user_id, "station")

    def dissociate(self, user_id: str) -> None:
        """Leave the associated station."""
        seat = self.seat(user_id)
        if seat.station_id:
            del self._holders[seat.station_id]
            seat.station_id = ""
            self._told(user_id, "station")

    def set_default(self, user_id: str, station_id: str) -> None:
        """Have a station to fall back on; an empty *station_id* is none. A station is one user's default at most."""
        seat = self.seat(user_id)
        if station_id and self._defaults.get(station_id, user_id) != user_id:
            self.seat(self._defaults[station_id]).default_station_id = ""
        self._defaults.pop(seat.default_station_id, None)
        if station_id:
            self._defaults[station_id] = user_id
        seat.default_station_id = station_id
        self._told(user_id, "station")

    # Presence and routing status.

    def be(self, user_id: str, presence_id: str, message: str | None = None) -> None:
        """Change a user's presence. On Queue is what lets queues send them work; every other presence ends that."""
        seat = self.seat(user_id)
        if presence_id not in SYSTEM_PRESENCES:
            raise KeyError(presence_id)
        changed = seat.presence_id != presence_id
        if changed or (message is not None and message != seat.message):
            seat.presence_id = presence_id
            seat.present_since = self._agenda.stamp
            seat.message = seat.message if message is None else message
            self._told(user_id, "presence")
        self._reconsider(user_id, seat)

    def route(self, user_id: str, status: str) -> None:
        """Change a user's routing status by request.

        IDLE ends NOT_RESPONDING, which a change of presence does not (measured). What a user is busy with is the
        platform's to say, and whoever is off queue comes back by their presence: `IllegalTransitionError`.
        """
        seat = self.seat(user_id)
        if status == seat.status:
            return
        if status != IDLE or seat.status != NOT_RESPONDING:
            raise IllegalTransitionError
        seat.not_responding = False
        self._reconsider(user_id, seat)

    def is_free(self, queue_id: str, user_id: str) -> bool:
        """Whether a queue may send a user work now."""
        return self.seat(user_id).status == IDLE and self.joined(queue_id, user_id)

    def did_not_respond(self, user_id: str) -> None:
        """A queue's call was not taken: no more of them until the user says that they are back."""
        seat = self.seat(user_id)
        seat.not_responding = seat.presence_id == ON_QUEUE
        self._reconsider(user_id, seat)

    def note(self, conversation: Conversation) -> None:
        """Take in what a conversation is to its users now."""
        work: dict[tuple[str, str], Work | None] = {}
        for leg in conversation.participants:
            if not leg.user_id:
                continue
            whose = leg.user_id, "call" if leg.callback is None else "callback"
            if leg.state in LIVE_STATES:
                work[whose] = "queue" if leg.queue_id else "own"
            elif leg.wrapup_required and leg.acw_started and not leg.acw_ended:
                work[whose] = work.get(whose) or "acw"
            else:
                work.setdefault(whose, None)
        for (user_id, medium), now in work.items():
            seat, key = self._seats.get(user_id) or self.seat(user_id), (conversation.id, medium)
            if seat.work.get(key) == now:
                continue
            if now is None:
                del seat.work[key]
            else:
                seat.work[key] = now
            self._told(user_id, "conversationsummary")
            self._reconsider(user_id, seat)

    def _reconsider(self, user_id: str, seat: Seat) -> None:
        if seat.presence_id != ON_QUEUE:
            status = OFF_QUEUE
        elif seat.not_responding:
            status = NOT_RESPONDING
        else:
            kinds = set(seat.work.values())
            status = INTERACTING if kinds & {"queue", "acw"} else COMMUNICATING if kinds else IDLE
        if status != seat.status:
            seat.status, seat.status_since = status, self._agenda.stamp
            self._told(user_id, "routingStatus")

    # Queues.

    def queues_of(self, user_id: str) -> list[Queue]:
        """The queues that a user is a member of, joined or not."""
        return self._queues_of.get(user_id, [])

    def joined(self, queue_id: str, user_id: str) -> bool:
        """Whether a member of a queue takes its work."""
        return (queue_id, user_id) not in self._left

    def join(self, queue_id: str, user_id: str, *, joined: bool) -> None:
        """Let a member take a queue's work, or not."""
        if joined == self.joined(queue_id, user_id):
            return
        if joined:
            self._left.discard((queue_id, user_id))
        else:
            self._left.add((queue_id, user_id))
        self._member_told(queue_id, user_id)

    # Details.

    def change(
        self, user_id: str, version: int, *, addresses: list[dict[str, Any]] | None = None, **changes: Any
    ) -> User:
        """Change what is known of a user; WrongVersionError unless *version* is the present one."""
        seat = self.seat(user_id)
        if version != seat.version:
            raise WrongVersionError
        person = dataclasses.replace(self._org.users[user_id], **changes)
        self._org.put(person)
        seat.addresses = addresses if addresses is not None else seat.addresses
        seat.version += 1
        return person

    def forward(
        self, user_id: str, *, enabled: bool, routes: tuple[tuple[tuple[str, str], ...], ...], voicemail: str
    ) -> None:
        """Say where a user's calls go. It is kept and told, and no call of this sandbox is forwarded."""
        self.seat(user_id).forwarding = Forwarding(enabled, routes, voicemail, self._agenda.stamp)
        self._told(user_id, "callforwarding")
