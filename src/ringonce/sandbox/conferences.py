"""Ad-hoc conferences: calls that are merged into one, and parties that are called into a running one."""

from collections.abc import Callable, Sequence
from functools import partial

from ringonce.sandbox.agenda import Agenda, to_the_millisecond
from ringonce.sandbox.call_control import REACTION_TAKES
from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.life import SETTLING_TAKES, Exchange
from ringonce.sandbox.lines import Destination, Lines
from ringonce.sandbox.one_at_a_time import is_on


class Conferences:
    """Merges conversations. Each party's leg ends where it was and goes on in the conference, whatever it was up to."""

    def __init__(
        self, agenda: Agenda, lines: Lines, exchange: Exchange, changed: Callable[[Conversation], None]
    ) -> None:
        self._agenda = agenda
        self._lines = lines
        self._exchange = exchange
        self._changed = changed

    def create(self, user_id: str, calls: Sequence[Conversation]) -> Conversation:
        """A new conference of a user's calls. It exists at once, and its parties join a moment later."""
        first = calls[0]
        conference = Conversation(
            id=self._lines.dice.uuid(),
            wire="platform",
            agent_id=user_id,
            to=first.to,
            address=first.address,
            caller_id=first.caller_id,
            attributes={},
            started=self._agenda.stamp,
            started_at=to_the_millisecond(self._agenda.now),
        )
        self._exchange.open(conference)
        self.merge(user_id, conference, calls)
        return conference

    def merge(self, user_id: str, into: Conversation, calls: Sequence[Conversation]) -> None:
        """Let the parties of *calls* go on in *into*, with the user in it once."""
        self._agenda.after(REACTION_TAKES, partial(self._merge, user_id, into, calls))

    def invite(self, conversation: Conversation, caller: Participant, destinations: Sequence[Destination]) -> None:
        """Call more parties into a running call, in the caller's name."""
        for destination in destinations:
            leg = self._exchange.invite(conversation, destination, caller)
            leg.attributes = dict(conversation.attributes)
        conversation.conference = True
        self._changed(conversation)

    def _merge(self, user_id: str, into: Conversation, calls: Sequence[Conversation]) -> None:
        into.conference = True
        # Whoever else keeps these calls on hold is in another one, and stays there.
        back = {user_id} | {leg.user_id for call in (into, *calls) for leg in call.live() if is_on(leg)}
        here = {leg.user_id for leg in into.live() if leg.user_id and leg.callback is None}
        for call in calls:
            gone = []
            for leg in [each for each in call.live() if each.callback is None]:
                if leg.state != "connected" or leg.user_id in here:
                    leg.leave("transfer.conference", self._agenda.stamp)
                else:
                    self._move(leg, into, holding=leg.held and leg.user_id not in back)
                    here |= {leg.user_id} - {""}
                call.end_consult(leg)
                gone.append(leg)
            self._exchange.wind_up(call)
            self._changed(call)
            self._agenda.after(SETTLING_TAKES, partial(self._settle, call, gone))
        for leg in into.live():
            leg.confined = False
            if leg.held and leg.user_id in back:
                leg.hold(False, self._agenda.stamp)
        into.answered = into.answered or self._agenda.stamp
        self._exchange.wind_up(into)  # all of them may have gone meanwhile
        self._changed(into)

    def _move(self, leg: Participant, into: Conversation, *, holding: bool) -> None:
        successor = self._lines.leg(
            purpose=leg.purpose,
            address=leg.address,
            state="connected",
            name=leg.name,
            user_id=leg.user_id,
            queue_id=leg.queue_id,
            ani=leg.ani,
            dnis=leg.dnis,
            uui_data=leg.uui_data,
            direction=leg.direction,
        )
        successor.connected = successor.started
        successor.attributes = dict(leg.attributes)
        if holding:
            successor.hold(True, self._agenda.stamp)
        # Whoever is in the call owes their after-call work once, where the call goes on.
        successor.wrapup_prompt, successor.wrapup_timeout = leg.wrapup_prompt, leg.wrapup_timeout
        leg.wrapup_prompt = ""
        leg.leave("transfer.conference", self._agenda.stamp)
        self._exchange.moved(leg, into, successor)

    def _settle(self, call: Conversation, gone: list[Participant]) -> None:
        for leg in gone:
            leg.state = "terminated"
        self._changed(call)
