"""What a leg is when it begins: whose it is, its address, what it shows as its caller, and which phone it leads to."""

import dataclasses
from collections.abc import Callable

import msgspec

from ringonce.sandbox.agenda import Agenda
from ringonce.sandbox.conversation import Callback, Participant
from ringonce.sandbox.dice import Dice, named
from ringonce.sandbox.org import Org, Station, User
from ringonce.sandbox.stories import address_of

EDGE_GROUP = named("edge-group")
_HAS_MANY_LINES = "inin_webrtc"
_NEEDS_A_CONNECTION = ("inin_webrtc", "inin_remote")


class Destination(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whom a leg leads to: exactly one of a dialled address, a user and a queue; a user's *voicemail* if asked for."""

    dialled: str = ""
    user_id: str = ""
    queue_id: str = ""
    name: str = ""
    voicemail: bool = False


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


@dataclasses.dataclass(frozen=True, slots=True)
class Lines:
    """Makes legs for an organisation. *station* tells which phone a user is at."""

    agenda: Agenda
    dice: Dice
    org: Org
    station: Callable[[str], Station | None]

    def leg(
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
        callback: Callback | None = None,
    ) -> Participant:
        """One party with one new leg."""
        return Participant(
            direction=direction,
            id=self.dice.uuid(),
            call_id=self.dice.uuid(),
            purpose=purpose,
            address=address,
            state=state,
            started=self.agenda.stamp,
            name=name,
            user_id=user_id,
            queue_id=queue_id,
            queue_name=self.org.queues[queue_id].name if queue_id else "",
            ani=ani,
            dnis=dnis,
            peer_id=peer_id,
            uui_data=uui_data,
            callback=callback,
        )

    def prompt(self, leg: Participant) -> None:
        """Say what the queue of an agent's leg wants after it."""
        queue = self.org.queues[leg.queue_id]
        leg.wrapup_prompt = queue.wrapup_prompt
        leg.wrapup_timeout = queue.wrapup_timeout

    def caller_id(self, order: Order) -> str:
        """The number that a call shows: as asked for, else the queue's, the agent's or the organisation's."""
        queue = self.org.queues.get(order.queue_id)
        shown = order.caller_id or (queue.calling_party_number if queue else order.agent.caller_id)
        return shown or self.org.main_number

    def address(self, destination: Destination) -> str:
        """Where a leg to *destination* goes."""
        if destination.queue_id:
            return f"sip:{destination.queue_id}@127.0.0.1;language=en-US;user=acd"
        if destination.user_id:
            station = self.station(destination.user_id)
            return self.station_address(station) if station else f"sip:{destination.user_id}@localhost"
        return address_of(destination.dialled)

    def station_address(self, station: Station) -> str:
        """The address of a phone."""
        line = station.id.replace("-", "")[:24]
        org = self.org.short_name
        return f"sip:{line}+{org}.orgspan.com;tgrp={EDGE_GROUP};trunk-context={org}@localhost"

    def has_many_lines(self, user_id: str) -> bool:
        """Whether a user's phone can ring while its user talks: a browser can, a phone on a desk is busy."""
        station = self.station(user_id)
        return station is not None and station.type.startswith(_HAS_MANY_LINES)

    def answers_by_request(self, user_id: str, *, connection_is_up: bool) -> bool:
        """Whether a request can make a user's phone go off-hook.

        A browser or a remote phone does so only while its connection to the platform is up, which the user's other
        call shows.
        """
        station = self.station(user_id)
        return station is not None and (connection_is_up or not station.type.startswith(_NEEDS_A_CONNECTION))
