"""What can be done to a running call. Nothing happens at once: the platform says yes first, and acts a moment later."""

from collections.abc import Callable
from functools import partial

from ringonce.sandbox.agenda import Agenda
from ringonce.sandbox.conversation import Conversation, Participant, WrapUp
from ringonce.sandbox.life import Exchange
from ringonce.sandbox.lines import Destination

REACTION_TAKES = 0.05
HOLD_ECHOES_AFTER = 0.15


class CallControl:
    """Puts every change on the agenda. Each checks again that its leg is still there when its time comes."""

    def __init__(self, agenda: Agenda, exchange: Exchange, changed: Callable[[Conversation], None]) -> None:
        self._agenda = agenda
        self._exchange = exchange
        self._changed = changed

    def hang_up(
        self, conversation: Conversation, leg: Participant, disconnect_type: str = "client", *, everyone: bool = False
    ) -> None:
        """End one leg, or the whole conversation in its name. An agent who leaves a consult hands the call over."""
        self._agenda.after(REACTION_TAKES, partial(self._hang_up, conversation, leg, disconnect_type, everyone))

    def pick_up(self, conversation: Conversation, leg: Participant) -> None:
        """Answer a ringing leg, if its phone can be told to."""
        self._agenda.after(REACTION_TAKES, partial(self._exchange.pick_up, conversation, leg))

    def uui(self, conversation: Conversation, leg: Participant, data: str) -> None:
        """Set a leg's SIP User-to-User data."""
        self._soon(conversation, leg, partial(_set_uui, leg, data))

    def hold(self, conversation: Conversation, leg: Participant, on: bool) -> None:
        """Put everybody else on hold, or take them back. Told twice with the same flags, as on the platform."""
        self._soon(conversation, leg, partial(self._hold, conversation, leg, on))

    def mute(self, conversation: Conversation, leg: Participant, on: bool) -> None:
        """Silence a leg's microphone."""
        self._soon(conversation, leg, partial(_set_muted, leg, on))

    def confine(self, conversation: Conversation, leg: Participant, on: bool) -> None:
        """Let a leg neither hear nor be heard."""
        self._soon(conversation, leg, partial(_set_confined, leg, on))

    def record(self, conversation: Conversation, leg: Participant, on: bool) -> None:
        """Record a leg."""
        self._soon(conversation, leg, partial(_set_recording, conversation, leg, on))

    def recording_state(self, conversation: Conversation, state: str) -> None:
        """Start, pause or end the recording of the conversation: none, active or paused."""
        self._agenda.after(REACTION_TAKES, partial(self._recording_state, conversation, state))

    def dial_digits(self, conversation: Conversation, leg: Participant, digits: str) -> None:
        """Send DTMF tones to a leg."""
        self._soon(conversation, leg, partial(_append_digits, leg, digits))

    def attributes(self, conversation: Conversation, leg: Participant, changes: dict[str, str]) -> None:
        """Set some attributes of a participant; an ended one too."""
        self._agenda.after(REACTION_TAKES, partial(self._attributes, conversation, leg, changes))

    def tag(self, conversation: Conversation, external_tag: str) -> None:
        """Set the conversation's external tag."""
        self._agenda.after(REACTION_TAKES, partial(self._tag, conversation, external_tag))

    def flag(self, conversation: Conversation, leg: Participant, reason: str) -> None:
        """Mark a participant's call as bad, or take the mark away; an ended one too."""
        self._agenda.after(REACTION_TAKES, partial(self._flag, conversation, leg, reason))

    def wrap_up(
        self,
        conversation: Conversation,
        leg: Participant,
        *,
        code: str | None,
        notes: str | None,
        tags: list[str] | None,
        seconds: int | None,
        provisional: bool,
    ) -> None:
        """File what a call came to. A provisional word does not end the after-call work."""
        filed = WrapUp(code, notes, tags, seconds or 0, "")
        self._agenda.after(REACTION_TAKES, partial(self._wrap_up, conversation, leg, filed, provisional))

    def skip_wrap_up(self, conversation: Conversation, leg: Participant) -> None:
        """End the after-call work with nothing filed."""
        self._agenda.after(REACTION_TAKES, partial(self._skip_wrap_up, conversation, leg))

    def replace(
        self, conversation: Conversation, leg: Participant, destination: Destination, *, attended: bool = False
    ) -> None:
        """Transfer: a new party is called, and this one goes; at once, or *attended*: when the new one has answered."""
        self._agenda.after(REACTION_TAKES, partial(self._replace, conversation, leg, destination, attended))

    def _soon(self, conversation: Conversation, leg: Participant, do: Callable[[], None]) -> None:
        self._agenda.after(REACTION_TAKES, partial(self._if_live, conversation, leg, do))

    def _if_live(self, conversation: Conversation, leg: Participant, do: Callable[[], None]) -> None:
        if leg.live:
            do()
            self._changed(conversation)

    def _hold(self, conversation: Conversation, leg: Participant, on: bool) -> None:
        if leg.held == on:
            return
        leg.hold(on, self._agenda.stamp)
        conversation.confine_by(leg)
        self._agenda.after(HOLD_ECHOES_AFTER, partial(self._if_live, conversation, leg, _nothing))

    def _recording_state(self, conversation: Conversation, state: str) -> None:
        if conversation.ended:
            return
        conversation.recording_state = state
        for leg in conversation.live():
            leg.recording_state = state
        self._changed(conversation)

    def _attributes(self, conversation: Conversation, leg: Participant, changes: dict[str, str]) -> None:
        leg.attributes = {**leg.attributes, **changes}
        self._changed(conversation)

    def _flag(self, conversation: Conversation, leg: Participant, reason: str) -> None:
        leg.flagged = reason
        self._changed(conversation)

    def _tag(self, conversation: Conversation, external_tag: str) -> None:
        conversation.external_tag = external_tag
        self._changed(conversation)

    def _wrap_up(self, conversation: Conversation, leg: Participant, filed: WrapUp, provisional: bool) -> None:
        filed.at = self._agenda.stamp
        if provisional:
            leg.provisional = filed
        else:
            leg.wrapup = filed
            self._end_after_call_work(leg)
        self._changed(conversation)

    def _skip_wrap_up(self, conversation: Conversation, leg: Participant) -> None:
        leg.wrapup_skipped = True
        self._end_after_call_work(leg)
        self._changed(conversation)

    def _end_after_call_work(self, leg: Participant) -> None:
        leg.wrapup_required = False
        if leg.acw_started and not leg.acw_ended and leg.wrapup_prompt != "forcedTimeout":
            leg.acw_ended = self._agenda.stamp

    def _hang_up(self, conversation: Conversation, leg: Participant, disconnect_type: str, everyone: bool) -> None:
        consulted = conversation.consulted
        hands_over = consulted is not None and consulted.consulted_by == leg.id and consulted.state == "connected"
        if hands_over and not everyone and disconnect_type == "client":
            disconnect_type = "transfer.consult"
        self._exchange.hang_up(conversation, leg, disconnect_type, everyone=everyone)

    def _replace(self, conversation: Conversation, leg: Participant, destination: Destination, attended: bool) -> None:
        if not leg.live:
            return
        successor = self._exchange.invite(conversation, destination, leg)
        successor.replaces = leg.id if attended else ""
        if attended and successor.state != "connected":
            self._changed(conversation)
        else:
            self._exchange.hang_up(conversation, leg, "transfer")


def _nothing() -> None:
    """Only tell again."""


def _set_muted(leg: Participant, on: bool) -> None:
    leg.muted = on


def _set_confined(leg: Participant, on: bool) -> None:
    leg.confined = on


def _set_recording(conversation: Conversation, leg: Participant, on: bool) -> None:
    leg.recording_state = "active" if on else "none"
    conversation.recording_state = "active" if any(each.recording for each in conversation.live()) else "none"


def _set_uui(leg: Participant, data: str) -> None:
    leg.uui_data = data


def _append_digits(leg: Participant, digits: str) -> None:
    leg.digits += digits
