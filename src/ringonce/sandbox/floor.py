"""The floor: what waits in the queues, and the agents who are free to take it."""

from collections.abc import Callable
from functools import partial

from ringonce.sandbox.agenda import Agenda
from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.life import Exchange
from ringonce.sandbox.lines import Lines

ROUTING_TAKES = 0.1
AGENT_GIVES_UP = 30.0


class Floor:
    """Offers what waits, oldest first, to one free agent after another.

    *free* says whether a queue may send a user work now; *silent* hears of a user who let an offer pass. Whoever
    changes what *free* says calls `look`.
    """

    _waiting: list[tuple[Conversation, Participant]]

    def __init__(
        self,
        agenda: Agenda,
        lines: Lines,
        exchange: Exchange,
        changed: Callable[[Conversation], None],
        *,
        free: Callable[[str, str], bool],
        silent: Callable[[str], None],
    ) -> None:
        self._agenda = agenda
        self._lines = lines
        self._exchange = exchange
        self._changed = changed
        self._free = free
        self._silent = silent
        self._waiting = []

    def wait(self, conversation: Conversation, queue: Participant) -> None:
        """Let a conversation wait with the leg of its queue."""
        self._waiting.append((conversation, queue))
        self._agenda.after(ROUTING_TAKES, self.look)

    def look(self) -> None:
        """Offer what waits to whoever is free now."""
        waiting, self._waiting = self._waiting, []
        for conversation, queue in waiting:
            if not queue.live:
                continue
            agent_id = self._choose(conversation, queue)
            if agent_id is None:
                self._waiting.append((conversation, queue))
            else:
                self._offer(conversation, queue, agent_id)

    def assign(self, conversation: Conversation, user_id: str) -> bool:
        """Offer what a conversation waits with to a user, free or not; False if it does not wait."""
        for each, queue in self._waiting:
            if each is conversation and queue.live:
                self._waiting.remove((each, queue))
                self._offer(conversation, queue, user_id)
                return True
        return False

    @property
    def busy(self) -> bool:
        """Whether anything waits."""
        return bool(self._waiting)

    def _choose(self, conversation: Conversation, queue: Participant) -> str | None:
        members = self._lines.org.queues[queue.queue_id].member_ids
        wanted = queue.callback.preferred_agent_ids if queue.callback else []
        present = {leg.user_id for leg in conversation.live()}
        for user_id in [*(each for each in wanted if each in members), *members]:
            if user_id not in present and self._free(queue.queue_id, user_id) and not self._exchange.active(user_id):
                return user_id
        return None

    def _offer(self, conversation: Conversation, queue: Participant, user_id: str) -> None:
        station = self._lines.station(user_id)
        leg = self._lines.leg(
            purpose="agent",
            address=self._lines.station_address(station) if station else f"sip:{user_id}@localhost",
            state="alerting",
            direction="inbound",
            name=self._lines.org.users[user_id].name,
            user_id=user_id,
            queue_id=queue.queue_id,
            ani=conversation.caller_id,
            dnis=queue.address,
            peer_id=queue.call_id,
            callback=queue.callback,
        )
        self._lines.prompt(leg)
        self._exchange.join(conversation, leg)
        self._agenda.after(AGENT_GIVES_UP, partial(self._let_pass, conversation, queue, leg))
        if queue.callback is None:
            self._exchange.ring(conversation, leg, AGENT_GIVES_UP)
        leg.alerting_timeout = AGENT_GIVES_UP
        self._changed(conversation)

    def _let_pass(self, conversation: Conversation, queue: Participant, leg: Participant) -> None:
        if leg.state != "alerting":
            return
        leg.leave("transfer.noanswer", self._agenda.stamp, state="terminated")
        self._silent(leg.user_id)
        self._changed(conversation)
        if queue.live:
            self.wait(conversation, queue)
