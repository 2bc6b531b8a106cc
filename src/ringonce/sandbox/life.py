"""The life of a call over world time: the agent's station first, then the far end, then an end told to both sides.

The order of steps and the codes are the platform's as measured on real organisations; the seconds are its usual ones.
"""

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from ringonce.sandbox.agenda import Agenda
from ringonce.sandbox.conversation import Conversation, Fault, Participant
from ringonce.sandbox.dice import Dice, named
from ringonce.sandbox.org import Org, Station, User
from ringonce.sandbox.stories import SipReason, Story, address_of, story_of

STATION_TAKES = 1.19
STATION_GIVES_UP = 60.0
DIALING_TAKES = 0.26
DIAL_PLAN_TAKES = 0.001
SETTLING_TAKES = 0.1
EDGE_GROUP = named("edge-group")

STATION_TIMEOUT = Fault("error.ininedgecontrol.connection.timeout", "The connection attempt timed out.")
NOT_REACHABLE = Fault(
    "error.ininedgecontrol.connection.dialplan.notReachable", "No dial plan entry reaches the address that was dialled."
)


class Destination(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whom a leg leads to: exactly one of a dialled address, a user and a queue."""

    dialled: str = ""
    user_id: str = ""
    queue_id: str = ""
    name: str = ""


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A call that was asked for and found valid."""

    agent: User
    station: Station
    destinations: tuple[Destination, ...]
    caller_id: str = ""
    caller_name: str = ""
    queue_id: str = ""
    attributes: dict[str, str] = {}
    uui_data: str = ""
    external_contact_id: str = ""
    tutorial: bool = False


class Exchange:
    """Places calls and plays them out.

    *station_of* tells which phone a user is at. *changed* hears of every conversation after each change of it.
    """

    def __init__(
        self,
        agenda: Agenda,
        dice: Dice,
        org: Org,
        station_of: Callable[[str], Station | None],
        changed: Callable[[Conversation], None],
    ) -> None:
        self.conversations: dict[str, Conversation] = {}
        self._running_of: dict[str, dict[str, Conversation]] = {}
        self._agenda = agenda
        self._dice = dice
        self._org = org
        self._station = station_of
        self._changed = changed

    def place(self, order: Order) -> Conversation:
        """Create a conversation: the agent's own station is called first, the far end once it has answered."""
        agenda, agent = self._agenda, order.agent
        addresses = [self._address(each) for each in order.destinations]
        caller_id = f"tel:{self._caller_id(order)}"
        conversation = Conversation(
            id=self._dice.uuid(),
            wire="tutorial" if order.tutorial else "platform",
            agent_id=agent.id,
            to=addresses[0].removeprefix("tel:"),
            address=addresses[0],
            caller_id=caller_id,
            attributes=dict(order.attributes),
            started=agenda.stamp,
            # As written: whoever asks for what began at that very millisecond must find it.
            started_at=round(agenda.now, 3),
        )
        leg = self._leg(
            purpose="agent" if order.queue_id else "user",
            address=self._station_address(order.station),
            state="contacting",
            name=agent.name,
            user_id=agent.id,
            queue_id=order.queue_id,
            ani=caller_id,
            dnis=addresses[0],
            uui_data=order.uui_data,
        )
        if order.queue_id:
            leg.wrapup_prompt = self._org.queues[order.queue_id].wrapup_prompt
        self._join(conversation, leg)
        self.conversations[conversation.id] = conversation
        self._changed(conversation)
        if order.station.auto_answer and story_of(addresses[0]).station_answers:
            agenda.after(STATION_TAKES, partial(self._dial, conversation, order))
        else:
            agenda.after(STATION_GIVES_UP, partial(self._station_gave_up, conversation, leg))
        return conversation

    def invite(self, conversation: Conversation, destination: Destination, caller: Participant) -> Participant:
        """Add a far end to a conversation and let its story begin. It is not told yet: the caller says `changed`."""
        address = self._address(destination)
        internal = destination.user_id or destination.queue_id
        leg = self._leg(
            purpose=_purpose(destination, queued=bool(caller.queue_id)),
            address=address,
            state=_first_state(destination),
            direction="inbound" if internal else "outbound",
            name=destination.name,
            user_id=destination.user_id,
            queue_id=destination.queue_id or ("" if internal else caller.queue_id),
            ani=conversation.caller_id,
            dnis=address,
            peer_id=caller.call_id,
        )
        self._join(conversation, leg)
        conversation.rang = True
        if destination.queue_id:
            leg.connected = leg.started
            self._pair(conversation, leg)
        elif destination.user_id:
            station = self._station(destination.user_id)
            if station is None:
                self._agenda.after(DIAL_PLAN_TAKES, partial(self._fail, conversation, leg, "error", NOT_REACHABLE))
            elif station.auto_answer:
                self._agenda.after(STATION_TAKES, partial(self.answer, conversation, leg))
            else:
                self._agenda.after(STATION_GIVES_UP, partial(self._station_gave_up, conversation, leg))
        else:
            leg.story = story_of(address)
            if leg.story.routable:
                self._agenda.after(DIALING_TAKES, partial(self._ring, conversation, leg))
            else:
                self._agenda.after(DIAL_PLAN_TAKES, partial(self._fail, conversation, leg, "error", NOT_REACHABLE))
        return leg

    def answer(self, conversation: Conversation, leg: Participant) -> None:
        """The far end picks up."""
        if not leg.live or leg.state == "connected":
            return
        leg.enter("connected", self._agenda.stamp)
        self._pair(conversation, leg)
        self._changed(conversation)
        if leg.story is None:
            return
        if leg.story.hangs_up is not None:
            self._agenda.after(leg.story.hangs_up, partial(self.hang_up, conversation, leg, "endpoint"))
        if leg.story.drops is not None:
            self._agenda.after(leg.story.drops, partial(self.hang_up, conversation, leg, "transport.failure"))

    def refuse(self, conversation: Conversation, leg: Participant, reason: SipReason | None) -> None:
        """The far end does not take the call; its carrier says why."""
        leg.reason = reason
        self.hang_up(conversation, leg, "endpoint")

    def hang_up(
        self, conversation: Conversation, leg: Participant, disconnect_type: str, *, everyone: bool = False
    ) -> None:
        """One party leaves; so does *everyone*, or whoever is left alone. All who are gone are told of twice."""
        if not leg.live:
            return
        stamp = self._agenda.stamp
        held_the_others = leg.held
        leg.leave(disconnect_type, stamp)
        left = list(conversation.live())
        if held_the_others:
            for other in left:
                other.confined = False
        let_go = left if everyone or len(left) == 1 else []
        # A party that is let go reads `transfer` at first and `peer` once settled: measured, and a trap for whoever
        # takes the first word for the last one.
        for other in let_go:
            other.leave("transfer", stamp)
        self._wind_up(conversation)
        self._changed(conversation)
        self._agenda.after(SETTLING_TAKES, partial(self._settle, conversation, leg, let_go))

    def active(self, user_id: str) -> list[Conversation]:
        """The conversations in which a user has a live leg, oldest first."""
        running = self._running_of.get(user_id, {}).values()
        return [each for each in running if any(leg.user_id == user_id for leg in each.live())]

    def between(self, first: float, last: float) -> Iterator[Conversation]:
        """The conversations that began from *first* to before *last* (epoch seconds), newest first."""
        for conversation in reversed(self.conversations.values()):
            if conversation.started_at < first:
                return
            if conversation.started_at < last:
                yield conversation

    def ringing(self, number: str) -> tuple[Conversation, Participant] | None:
        """The newest live far-end leg on a telephone number."""
        address = address_of(number)
        for conversation in reversed(self.conversations.values()):
            if conversation.ended:
                continue
            for leg in conversation.participants[1:]:
                if leg.live and leg.address == address:
                    return conversation, leg
        return None

    def _dial(self, conversation: Conversation, order: Order) -> None:
        agent = conversation.agent
        if not agent.live:
            return
        agent.enter("dialing", self._agenda.stamp)
        for destination in order.destinations:
            leg = self.invite(conversation, destination, agent)
            leg.attributes = dict(conversation.attributes)
            leg.ani_name = order.caller_name
            leg.uui_data = order.uui_data
            leg.external_contact_id = order.external_contact_id
            agent.peer_id = leg.call_id
        self._changed(conversation)

    def _ring(self, conversation: Conversation, leg: Participant) -> None:
        if not leg.live:
            return
        leg.enter("contacting", self._agenda.stamp)
        self._changed(conversation)
        story = leg.story or Story(title="nothing more")
        if story.answers is not None:
            self._agenda.after(story.answers, partial(self.answer, conversation, leg))
        if story.refuses is not None:
            self._agenda.after(story.refuses, partial(self._refuse_ringing, conversation, leg, story.reason))
        if story.voicemail is not None:
            self._agenda.after(story.voicemail, partial(self._roll_to_voicemail, conversation, leg, story))

    def _refuse_ringing(self, conversation: Conversation, leg: Participant, reason: SipReason | None) -> None:
        # Somebody may have answered by hand meanwhile.
        if leg.live and leg.state != "connected":
            self.refuse(conversation, leg, reason)

    def _roll_to_voicemail(self, conversation: Conversation, leg: Participant, story: Story) -> None:
        if not leg.live or leg.state == "connected":
            return
        leg.leave("transfer.noanswer", self._agenda.stamp)
        box = self._leg(
            purpose="voicemail",
            address=leg.address,
            state="connected",
            queue_id=leg.queue_id,
            ani=leg.ani,
            dnis=leg.dnis,
            peer_id=leg.peer_id,
        )
        box.connected = box.started
        box.attributes = dict(leg.attributes)
        self._join(conversation, box)
        self._pair(conversation, box)
        self._changed(conversation)
        self._agenda.after(SETTLING_TAKES, partial(self._settle, conversation, leg, []))
        self._agenda.after(story.hangs_up or 0.0, partial(self.hang_up, conversation, box, "endpoint"))

    def _fail(self, conversation: Conversation, leg: Participant, disconnect_type: str, fault: Fault) -> None:
        leg.fault = fault
        self.hang_up(conversation, leg, disconnect_type)

    def _station_gave_up(self, conversation: Conversation, leg: Participant) -> None:
        if leg.state not in {"contacting", "alerting"}:
            return
        leg.fault = STATION_TIMEOUT
        leg.leave("error", self._agenda.stamp, state="terminated")
        if len(left := list(conversation.live())) == 1:
            self.hang_up(conversation, left[0], "peer")
            return
        self._wind_up(conversation)
        self._changed(conversation)

    def _pair(self, conversation: Conversation, leg: Participant) -> None:
        """Connect the parties that were waiting for this one."""
        stamp = self._agenda.stamp
        for other in conversation.live():
            if other is not leg and other.state == "dialing" and other is conversation.agent:
                other.enter("connected", stamp)
        conversation.answered = conversation.answered or stamp

    def _settle(self, conversation: Conversation, leaver: Participant, let_go: list[Participant]) -> None:
        leaver.state = "terminated"
        for leg in let_go:
            leg.state = "terminated"
            leg.disconnect_type = leg.segments[-1].disconnect_type = "peer"
        self._changed(conversation)

    def _wind_up(self, conversation: Conversation) -> None:
        """After-call work begins with an agent's leg gone; the conversation ends with the last leg."""
        stamp = self._agenda.stamp
        for leg in conversation.participants:
            if leg.wrapup_prompt and leg.ended and leg.connected and not leg.acw_started:
                leg.acw_started = stamp
                leg.wrapup_required = leg.wrapup is None
                leg.acw_ended = "" if leg.wrapup_required else stamp
        if next(conversation.live(), None) is None:
            conversation.ended = stamp
            conversation.recording_state = "none"
            for user_id in conversation.user_ids():
                self._running_of[user_id].pop(conversation.id, None)

    def _join(self, conversation: Conversation, leg: Participant) -> None:
        conversation.participants.append(leg)
        if leg.user_id:
            self._running_of.setdefault(leg.user_id, {})[conversation.id] = conversation

    def _leg(
        self,
        *,
        purpose: str,
        address: str,
        state: str,
        name: str = "",
        user_id: str = "",
        queue_id: str = "",
        ani: str = "",
        dnis: str = "",
        peer_id: str = "",
        uui_data: str = "",
        direction: str = "outbound",
    ) -> Participant:
        return Participant(
            direction=direction,
            id=self._dice.uuid(),
            call_id=self._dice.uuid(),
            purpose=purpose,
            address=address,
            state=state,
            started=self._agenda.stamp,
            name=name,
            user_id=user_id,
            queue_id=queue_id,
            queue_name=self._org.queues[queue_id].name if queue_id else "",
            ani=ani,
            dnis=dnis,
            peer_id=peer_id,
            uui_data=uui_data,
        )

    def _caller_id(self, order: Order) -> str:
        queue = self._org.queues.get(order.queue_id)
        shown = order.caller_id or (queue.calling_party_number if queue else order.agent.caller_id)
        return shown or self._org.main_number

    def _address(self, destination: Destination) -> str:
        if destination.queue_id:
            return f"sip:{destination.queue_id}@127.0.0.1;language=en-US;user=acd"
        if destination.user_id:
            station = self._station(destination.user_id)
            return self._station_address(station) if station else f"sip:{destination.user_id}@localhost"
        return address_of(destination.dialled)

    def _station_address(self, station: Station) -> str:
        line = station.id.replace("-", "")[:24]
        org = self._org.short_name
        return f"sip:{line}+{org}.orgspan.com;tgrp={EDGE_GROUP};trunk-context={org}@localhost"


def _first_state(destination: Destination) -> str:
    if destination.queue_id:
        return "connected"
    return "alerting" if destination.user_id else "dialing"


def _purpose(destination: Destination, *, queued: bool) -> str:
    if destination.queue_id:
        return "acd"
    if destination.user_id:
        return "agent" if queued else "user"
    return "customer" if queued else "external"
