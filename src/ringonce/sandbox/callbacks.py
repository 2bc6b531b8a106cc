"""Callbacks: somebody asks to be called. The request waits in a queue for an agent, who then calls."""

import dataclasses
from collections.abc import Callable
from functools import partial

from ringonce.sandbox.agenda import Agenda, iso, to_the_millisecond
from ringonce.sandbox.call_control import REACTION_TAKES
from ringonce.sandbox.conversation import Callback, Conversation, Participant
from ringonce.sandbox.floor import Floor
from ringonce.sandbox.life import Exchange
from ringonce.sandbox.lines import Lines, Order
from ringonce.sandbox.stories import address_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A callback that was asked for and found valid. *due* is epoch seconds; None is as soon as possible."""

    queue_id: str
    numbers: list[str]
    user_name: str = ""
    due: float | None = None
    caller_id: str = ""
    caller_name: str = ""
    script_id: str = ""
    data: dict[str, str] = dataclasses.field(default_factory=dict)
    preferred_agent_ids: list[str] = dataclasses.field(default_factory=list)


class Callbacks:
    """Keeps callbacks until they are due, and hands them to the floor."""

    def __init__(
        self,
        agenda: Agenda,
        lines: Lines,
        exchange: Exchange,
        floor: Floor,
        changed: Callable[[Conversation], None],
    ) -> None:
        self._agenda = agenda
        self._lines = lines
        self._exchange = exchange
        self._floor = floor
        self._changed = changed

    def create(self, wish: Wish) -> Conversation:
        """A conversation with the one who wants to be called; the queue joins when it is due."""
        lines, waits = self._lines, wish.due is not None and wish.due > self._agenda.now
        callback = Callback(
            id=lines.dice.uuid(),
            numbers=wish.numbers,
            user_name=wish.user_name,
            due=iso(wish.due) if wish.due is not None else "",
            caller_id=wish.caller_id,
            caller_name=wish.caller_name,
            script_id=wish.script_id,
            preferred_agent_ids=wish.preferred_agent_ids,
        )
        conversation = Conversation(
            id=lines.dice.uuid(),
            wire="platform",
            agent_id="",
            to="",
            address=address_of(wish.numbers[0]),
            caller_id=f"tel:{wish.caller_id or lines.org.queues[wish.queue_id].calling_party_number}",
            attributes=dict(wish.data),
            started=self._agenda.stamp,
            started_at=to_the_millisecond(self._agenda.now),
        )
        self._exchange.open(conversation)
        customer = lines.leg(
            purpose="customer",
            address=conversation.address,
            state="scheduled" if waits else "connected",
            name=wish.user_name,
            queue_id=wish.queue_id,
            direction="inbound",
            callback=callback,
        )
        customer.attributes = dict(wish.data)
        customer.connected = "" if waits else customer.started
        self._exchange.join(conversation, customer)
        self._changed(conversation)
        self._agenda.at(wish.due if wish.due is not None else self._agenda.now, partial(self._due, conversation))
        return conversation

    def reschedule(
        self, conversation: Conversation, *, due: float | None, numbers: list[str], queue_id: str, agent_id: str
    ) -> None:
        """Change when, where, by whom or through which queue somebody is called who still waits for the time."""
        customer = conversation.participants[0]
        if customer.callback is not None and customer.state == "scheduled":
            if numbers:
                customer.callback.numbers = numbers
                conversation.address = customer.address = address_of(numbers[0])
            if queue_id:
                customer.queue_id, customer.queue_name = queue_id, self._lines.org.queues[queue_id].name
            if agent_id:
                customer.callback.preferred_agent_ids = [agent_id]
            if due is not None:
                customer.callback.due = iso(due)
                self._agenda.at(due, partial(self._due, conversation))
        self._changed(conversation)

    def call(self, conversation: Conversation, agent: Participant, order: Order) -> None:
        """Call the one who wants to be called, from the phone of the agent who took the callback."""
        self._agenda.after(REACTION_TAKES, partial(self._call, conversation, agent, order))

    def _due(self, conversation: Conversation) -> None:
        customer = conversation.participants[0]
        callback = customer.callback
        early = callback is not None and callback.due > self._agenda.stamp
        if callback is None or not customer.live or early or len(conversation.participants) > 1:
            return
        if customer.state == "scheduled":
            customer.enter("connected", self._agenda.stamp)
        queue = self._lines.leg(
            purpose="acd",
            address=f"sip:{customer.queue_id}@127.0.0.1;language=en-US;user=acd",
            state="connected",
            queue_id=customer.queue_id,
            name=customer.queue_name,
            direction="inbound",
            peer_id=customer.call_id,
            callback=callback,
        )
        queue.connected = queue.started
        self._exchange.join(conversation, queue)
        self._changed(conversation)
        self._floor.wait(conversation, queue)

    def _call(self, conversation: Conversation, agent: Participant, order: Order) -> None:
        if not agent.live:
            return
        conversation.agent_id = order.agent.id
        conversation.address = address_of(order.destinations[0].dialled)
        conversation.to = conversation.address.removeprefix("tel:")
        conversation.caller_id = f"tel:{self._lines.caller_id(order)}"
        self._exchange.call_out(conversation, order)
        self._changed(conversation)
