"""The life of a call over world time: the agent's station first, then the far end, then an end told to both sides.

The order of steps and the codes are the platform's as measured on real organisations; the seconds are its usual ones.
"""

from collections.abc import Callable, Iterator
from functools import partial

from ringonce.sandbox.agenda import Agenda, to_the_millisecond
from ringonce.sandbox.conversation import Conversation, Fault, Participant
from ringonce.sandbox.lines import Destination, Lines, Order
from ringonce.sandbox.stories import SipReason, Story, address_of

STATION_TAKES = 1.19
STATION_GIVES_UP = 60.0
DIALING_TAKES = 0.26
DIAL_PLAN_TAKES = 0.001
SETTLING_TAKES = 0.1
ANSWER_TAKES = 0.02

STATION_TIMEOUT = Fault("error.ininedgecontrol.connection.timeout", "The connection attempt timed out.")
NOT_REACHABLE = Fault(
    "error.ininedgecontrol.connection.dialplan.notReachable", "No dial plan entry reaches the address that was dialled."
)
BUSY = SipReason(486, "Busy Here")


class Exchange:
    """Places calls and plays them out.

    *changed* hears of every conversation after each change of it, *retold* where the change is none of its users'
    business: they are as busy as before. *queued* hears of every leg that waits in a queue.
    """

    conversations: dict[str, Conversation]
    _running_of: dict[str, dict[str, Conversation]]
    _moved: dict[str, tuple[Conversation, Participant]]

    def __init__(
        self,
        agenda: Agenda,
        lines: Lines,
        changed: Callable[[Conversation], None],
        retold: Callable[[Conversation], None],
        queued: Callable[[Conversation, Participant], None],
    ) -> None:
        self.conversations = {}
        self._running_of = {}
        self._moved = {}
        self._agenda = agenda
        self._lines = lines
        self._changed = changed
        self._retold = retold
        self._queued = queued

    def open(self, conversation: Conversation) -> None:
        """Let a conversation exist. It is not told yet."""
        self.conversations[conversation.id] = conversation

    def place(self, order: Order) -> Conversation:
        """Create a conversation: the agent's own station is called first, the far end once it has answered."""
        address = self._lines.address(order.destinations[0])
        conversation = Conversation(
            id=self._lines.dice.uuid(),
            wire="tutorial" if order.tutorial else "platform",
            agent_id=order.agent.id,
            to=address.removeprefix("tel:"),
            address=address,
            caller_id=f"tel:{self._lines.caller_id(order)}",
            attributes=dict(order.attributes),
            started=self._agenda.stamp,
            # As written: whoever asks for what began at that very millisecond must find it.
            started_at=to_the_millisecond(self._agenda.now),
        )
        self.open(conversation)
        leg = self.call_out(conversation, order)
        if order.queue_id:
            self._lines.prompt(leg)
        if _tells_before_the_answer(conversation):
            self._changed(conversation)
        else:
            self._agenda.after(ANSWER_TAKES, partial(self._changed, conversation))
        return conversation

    def call_out(self, conversation: Conversation, order: Order) -> Participant:
        """Call the agent's own station for *conversation*, and then the destinations. It is not told yet."""
        leg = self._lines.leg(
            purpose="agent" if order.queue_id else "user",
            address=self._lines.station_address(order.station),
            state="contacting",
            name=order.agent.name,
            user_id=order.agent.id,
            queue_id=order.queue_id,
            ani=conversation.caller_id,
            dnis=conversation.address,
            uui_data=order.uui_data,
        )
        self.join(conversation, leg)
        if order.station.auto_answer and self._lines.org.story_of(conversation.address).station_answers:
            self._agenda.after(STATION_TAKES, partial(self._dial, conversation, leg, order))
        else:
            self._agenda.after(STATION_GIVES_UP, partial(self.give_up, conversation, leg))
        return leg

    def invite(self, conversation: Conversation, destination: Destination, caller: Participant) -> Participant:
        """Add a far end to a conversation and let its story begin. It is not told yet: the caller says `changed`."""
        internal = destination.user_id or destination.queue_id
        address = self._lines.address(destination)
        leg = self._lines.leg(
            purpose=_purpose(destination, queued=bool(caller.queue_id)),
            address=address,
            state=_first_state(destination),
            direction="inbound" if internal else "outbound",
            name=destination.name,
            user_id="" if destination.voicemail else destination.user_id,
            queue_id=destination.queue_id or ("" if internal else caller.queue_id),
            ani=conversation.caller_id,
            dnis=address,
            peer_id=caller.call_id,
        )
        self.join(conversation, leg)
        conversation.rang = True
        if destination.queue_id or destination.voicemail:
            leg.connected = leg.started
            self._pair(conversation, leg)
            if destination.queue_id:
                self._queued(conversation, leg)
        elif destination.user_id:
            self.ring(conversation, leg)
        else:
            leg.story = self._lines.org.story_of(address)
            if leg.story.routable:
                self._agenda.after(DIALING_TAKES, partial(self._ring, conversation, leg))
            else:
                self._agenda.after(DIAL_PLAN_TAKES, partial(self._fail, conversation, leg, "error", NOT_REACHABLE))
        return leg

    def ring(self, conversation: Conversation, leg: Participant, patience: float = STATION_GIVES_UP) -> None:
        """Let the phone of a leg's user ring for *patience* seconds. A desk phone in use is busy."""
        station = self._lines.station(leg.user_id)
        busy = self._talks_elsewhere(leg.user_id, conversation)
        leg.alerting_timeout = patience
        if station is None:
            self._agenda.after(DIAL_PLAN_TAKES, partial(self._fail, conversation, leg, "error", NOT_REACHABLE))
        elif busy and not self._lines.has_many_lines(leg.user_id):
            self._agenda.after(DIALING_TAKES, partial(self._refuse_ringing, conversation, leg, BUSY))
        elif station.auto_answer and not busy:
            self._agenda.after(STATION_TAKES, partial(self.answer, conversation, leg))
        else:
            self._agenda.after(patience, partial(self.give_up, conversation, leg))

    def pick_up(self, conversation: Conversation, leg: Participant) -> None:
        """A request asks a user's ringing phone to go off-hook; not every phone obeys."""
        up = self._talks_elsewhere(leg.user_id, conversation)
        if leg.state == "alerting" and (
            leg.callback is not None or self._lines.answers_by_request(leg.user_id, connection_is_up=up)
        ):
            self.answer(conversation, leg)

    def answer(self, conversation: Conversation, leg: Participant) -> None:
        """The far end picks up."""
        if not leg.live or leg.state == "connected":
            return
        leg.enter("connected", self._agenda.stamp)
        self._pair(conversation, leg)
        if leg.user_id:
            self._relieve_the_queue(conversation, leg)
        self._changed(conversation)
        if leg.replaces and (replaced := conversation.participant(leg.replaces)) is not None:
            self.hang_up(conversation, replaced, "transfer")
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
        if leg.call_id in self._moved:
            conversation, leg = self._moved[leg.call_id]
            self.hang_up(conversation, leg, disconnect_type, everyone=everyone)
            return
        if not leg.live:
            return
        stamp = self._agenda.stamp
        held_the_others = leg.held
        leg.leave(disconnect_type, stamp)
        left = list(conversation.live()) if everyone else list(conversation.beside(leg))
        if held_the_others:
            conversation.confine_by(leg)
        conversation.end_consult(leg)
        let_go = left if everyone or len(left) == 1 or not any(map(_keeps_it_going, left)) else []
        # A party that is let go reads `transfer` at first and `peer` once settled: measured, and a trap for whoever
        # takes the first word for the last one.
        for other in let_go:
            other.leave("transfer", stamp)
        self.wind_up(conversation)
        self._changed(conversation)
        self._agenda.after(SETTLING_TAKES, partial(self.settle, conversation, leg, let_go))

    def moved(self, leg: Participant, conversation: Conversation, successor: Participant) -> None:
        """Whoever was on *leg* is on *successor* now: what they would have done there, they do here."""
        self._moved[leg.call_id] = conversation, successor
        self.join(conversation, successor)

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
            for leg in conversation.participants:
                if leg.live and leg.address == address and leg.callback is None:
                    return conversation, leg
        return None

    def join(self, conversation: Conversation, leg: Participant) -> None:
        """Add a leg to a conversation."""
        conversation.participants.append(leg)
        if leg.user_id:
            self._running_of.setdefault(leg.user_id, {})[conversation.id] = conversation

    def give_up(self, conversation: Conversation, leg: Participant) -> None:
        """Nobody has answered a user's phone in time."""
        if leg.state not in {"contacting", "alerting"}:
            return
        if leg.consulted_by:
            leg.leave("transfer.noanswer", self._agenda.stamp, state="terminated")
        else:
            leg.fault = STATION_TIMEOUT
            leg.leave("error", self._agenda.stamp, state="terminated")
        conversation.end_consult(leg)
        if len(left := list(conversation.beside(leg))) == 1:
            self.hang_up(conversation, left[0], "peer")
            return
        self.wind_up(conversation)
        self._changed(conversation)

    def settle(self, conversation: Conversation, leaver: Participant, let_go: list[Participant]) -> None:
        """Tell a second time of those who are gone, now in the last word."""
        leaver.state = "terminated"
        for leg in let_go:
            leg.state = "terminated"
            leg.disconnect_type = leg.segments[-1].disconnect_type = "peer"
        self._retold(conversation)

    def wind_up(self, conversation: Conversation) -> None:
        """After-call work begins with an agent's leg gone; the conversation ends with the last leg."""
        stamp = self._agenda.stamp
        for leg in conversation.participants:
            if leg.wrapup_prompt and leg.begin_after_call_work(stamp) and leg.wrapup_timeout:
                self._agenda.after(leg.wrapup_timeout, partial(self._time_out_wrapup, conversation, leg))
        if not conversation.goes_on:
            conversation.ended = stamp
            conversation.recording_state = "none"
            for user_id in conversation.user_ids():
                self._running_of[user_id].pop(conversation.id, None)

    def _time_out_wrapup(self, conversation: Conversation, leg: Participant) -> None:
        if not leg.acw_ended:
            leg.time_out_wrapup(self._agenda.stamp)
            self._changed(conversation)

    def _dial(self, conversation: Conversation, caller: Participant, order: Order) -> None:
        if not caller.live:
            return
        caller.enter("dialing", self._agenda.stamp)
        for destination in order.destinations:
            leg = self.invite(conversation, destination, caller)
            leg.attributes = dict(conversation.attributes)
            leg.ani_name = order.caller_name
            leg.uui_data = order.uui_data
            leg.external_contact_id = order.external_contact_id
            caller.peer_id = leg.call_id
        self._changed(conversation)

    def _ring(self, conversation: Conversation, leg: Participant) -> None:
        if not leg.live:
            return
        leg.enter("contacting", self._agenda.stamp)
        self._retold(conversation)
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
        box = self._lines.leg(
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
        self.join(conversation, box)
        self._pair(conversation, box)
        self._changed(conversation)
        self._agenda.after(SETTLING_TAKES, partial(self.settle, conversation, leg, []))
        self._agenda.after(story.hangs_up or 0.0, partial(self.hang_up, conversation, box, "endpoint"))

    def _fail(self, conversation: Conversation, leg: Participant, disconnect_type: str, fault: Fault) -> None:
        leg.fault = fault
        self.hang_up(conversation, leg, disconnect_type)

    def _pair(self, conversation: Conversation, leg: Participant) -> None:
        """Connect the agent who was waiting for this party."""
        stamp = self._agenda.stamp
        for other in conversation.participants:
            if other.state == "dialing" and other is not leg and other.user_id:
                other.enter("connected", stamp)
        if leg.callback is None:
            conversation.answered = conversation.answered or stamp

    def _relieve_the_queue(self, conversation: Conversation, leg: Participant) -> None:
        """Whoever waited in a queue is with an agent now: the queue's leg goes, and its part in a consult passes on."""
        for queue in conversation.beside(leg):
            if queue.purpose == "acd" and queue.queue_id == leg.queue_id:
                leg.consulted_by, leg.consult_object = queue.consulted_by, queue.consult_object
                queue.consulted_by = ""
                queue.leave("transfer", self._agenda.stamp, state="terminated")

    def _talks_elsewhere(self, user_id: str, here: Conversation) -> bool:
        return any(
            leg.user_id == user_id and leg.callback is None and leg.state != "alerting"
            for each in self.active(user_id)
            if each is not here
            for leg in each.live()
        )


def _tells_before_the_answer(conversation: Conversation) -> bool:
    """Whether the first event of a call overtakes the answer to its POST: by its id, so the seed decides."""
    return conversation.id[0] in "02468ace"


def _keeps_it_going(leg: Participant) -> bool:
    """Whether a conversation goes on for this leg's sake: somebody talks, or an agent still calls. A queue does not."""
    return leg.purpose != "acd" and (leg.state == "connected" or bool(leg.user_id and leg.direction == "outbound"))


def _first_state(destination: Destination) -> str:
    if destination.queue_id or destination.voicemail:
        return "connected"
    return "alerting" if destination.user_id else "dialing"


def _purpose(destination: Destination, *, queued: bool) -> str:
    if destination.queue_id:
        return "acd"
    if destination.voicemail:
        return "voicemail"
    if destination.user_id:
        return "agent" if queued else "user"
    return "customer" if queued else "external"
