"""A conversation and its participants: what they are, and the changes of state a leg can go through.

None of them refers back to what holds it, so they are kept from the cycle collector: it would look at every call
that ever was, again and again, which took longer than placing one.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from ringonce.sandbox.stories import SipReason, Story

LIVE_STATES = frozenset({"alerting", "contacting", "dialing", "offering", "connected", "scheduled"})
RINGING_STATES = frozenset({"alerting", "contacting"})
SEGMENT_OF_STATE = {
    "contacting": "Contacting",
    "dialing": "Dialing",
    "alerting": "Alert",
    "connected": "Interact",
    "scheduled": "Scheduled",
}
# What the platform files by itself when an agent's time for after-call work is over; every organisation has this code.
TIMED_OUT_CODE = "7fb334b0-0e9e-11e4-9191-0800200c9a66"


class Fault(msgspec.Struct, gc=False):
    """What broke a leg: the platform's `errorInfo`."""

    code: str
    message: str


class Segment(msgspec.Struct, gc=False):
    """A stretch of a leg's life. Times are ISO-8601; *end* is empty while it lasts."""

    type: str
    start: str
    end: str = ""
    how_ended: str = ""
    disconnect_type: str = ""


class WrapUp(msgspec.Struct, gc=False):
    """What an agent filed about a call."""

    code: str | None
    notes: str | None
    tags: list[str] | None
    seconds: int
    at: str


class Callback(msgspec.Struct, gc=False):
    """What somebody asked for: to be called. *due* is when, empty for as soon as possible; all its legs share it."""

    id: str
    numbers: list[str]
    user_name: str
    due: str
    caller_id: str
    caller_name: str
    script_id: str
    preferred_agent_ids: list[str]


class Participant(msgspec.Struct, kw_only=True, gc=False):
    """One party and its only leg: a call's, or a *callback*'s.

    Empty strings are times that have not come and words that nobody said; timeouts are in seconds. A party to a
    consult was *consulted_by* the participant with that id, about the one whose id is *consult_object*. The
    participant whose id is *replaces* goes when this one answers.
    """

    id: str
    call_id: str
    purpose: str
    address: str
    state: str
    started: str
    name: str = ""
    initial_state: str = ""
    direction: str = "outbound"
    user_id: str = ""
    queue_id: str = ""
    queue_name: str = ""
    ani: str = ""
    ani_name: str = ""
    dnis: str = ""
    peer_id: str = ""
    connected: str = ""
    ended: str = ""
    alerted: str = ""
    disconnect_type: str = ""
    fault: Fault | None = None
    reason: SipReason | None = None
    muted: bool = False
    held: bool = False
    held_since: str = ""
    confined: bool = False
    recording_state: str = "none"
    alerting_timeout: float = 0.0
    consulted_by: str = ""
    consult_object: str = ""
    replaces: str = ""
    callback: Callback | None = None
    uui_data: str = ""
    external_contact_id: str = ""
    attributes: dict[str, str] = {}
    wrapup_prompt: str = ""
    wrapup_timeout: float = 0.0
    wrapup_required: bool = False
    wrapup_skipped: bool = False
    wrapup: WrapUp | None = None
    provisional: WrapUp | None = None
    acw_started: str = ""
    acw_ended: str = ""
    digits: str = ""
    flagged: str = ""
    story: Story | None = None
    segments: list[Segment] = []

    def __post_init__(self) -> None:
        self.initial_state = self.initial_state or self.state
        self.segments.append(Segment(SEGMENT_OF_STATE.get(self.state, "System"), self.started))

    @property
    def live(self) -> bool:
        """Whether this leg is still there."""
        return self.state in LIVE_STATES

    def enter(self, state: str, at: str) -> None:
        """Go on to a live *state*."""
        self.state = state
        if state == "connected" and not self.connected:
            self.connected = at
        if state in {"contacting", "alerting"} and not self.alerted:
            self.alerted = at
        self._turn(SEGMENT_OF_STATE[state], at)

    def leave(self, disconnect_type: str, at: str, *, state: str = "disconnected") -> None:
        """End this leg."""
        self.state = state
        self.ended = at
        self.disconnect_type = disconnect_type
        self.held = self.confined = False
        self.held_since, self.recording_state = "", "none"
        last = self.segments[-1]
        last.end = at
        last.how_ended = "Disconnect"
        last.disconnect_type = disconnect_type

    def hold(self, on: bool, at: str) -> None:
        """Put the other side on hold, or take it back."""
        self.held = on
        self.held_since = at if on else ""
        self._turn("Hold" if on else "Interact", at)

    @property
    def recording(self) -> bool:
        """Whether what is said is being recorded now."""
        return self.recording_state == "active"

    def begin_after_call_work(self, at: str) -> bool:
        """Begin it if this leg was an agent's for a queue that wants it, and has just ended; say whether it goes on."""
        worked = self.ended and self.connected and not self.acw_started
        if not worked or self.wrapup_prompt in {"", "agentRequested"}:
            return False
        self.acw_started = at
        self.wrapup_required = self.wrapup is None
        if not self.wrapup_required and self.wrapup_prompt != "forcedTimeout":
            self.acw_ended = at
        return not self.acw_ended

    def time_out_wrapup(self, at: str) -> None:
        """End the after-call work because its time is over; if the agent filed no code, the platform files its own."""
        self.acw_ended = at
        self.wrapup_required = False
        self.wrapup = self.wrapup or WrapUp(TIMED_OUT_CODE, None, None, round(self.wrapup_timeout), at)

    def _turn(self, segment: str, at: str) -> None:
        last = self.segments[-1]
        last.end = at
        if segment == "Interact":
            last.how_ended = segment
        self.segments.append(Segment(segment, at))


class Conversation(msgspec.Struct, kw_only=True, gc=False):
    """One conversation that a POST created. *participants* holds every leg there ever was, oldest first.

    *agent_id* is whom its calls were placed for, and *to* the number; both are empty while a callback waits for one.
    """

    id: str
    wire: Literal["platform", "tutorial"]
    agent_id: str
    to: str
    address: str
    caller_id: str
    attributes: dict[str, str]
    started: str
    started_at: float
    ended: str = ""
    answered: str = ""
    external_tag: str = ""
    recording_state: str = "none"
    secure_pause: bool = False
    rang: bool = False
    conference: bool = False
    participants: list[Participant] = []

    def live(self) -> Iterator[Participant]:
        """The legs that are still there."""
        return (leg for leg in self.participants if leg.state in LIVE_STATES)

    @property
    def goes_on(self) -> bool:
        """Whether any leg is still there."""
        for leg in self.participants:  # noqa: SIM110  # any() costs thrice as much for two legs
            if leg.state in LIVE_STATES:
                return True
        return False

    def beside(self, leg: Participant) -> Iterator[Participant]:
        """The legs that are still there and are of the same medium as *leg*."""
        is_call = leg.callback is None
        return (each for each in self.participants if each.state in LIVE_STATES and (each.callback is None) is is_call)

    def has(self, media: str) -> bool:
        """Whether there has been a leg of a medium: call or callback."""
        return any((leg.callback is None) == (media == "call") for leg in self.participants)

    def of_media(self, media: str) -> list[Participant]:
        """Every leg of a medium: call or callback."""
        return [leg for leg in self.participants if (leg.callback is None) == (media == "call")]

    def confine_by(self, leg: Participant) -> None:
        """*leg* has put the others on hold, or taken them back: whoever another one keeps on hold stays there."""
        for other in self.live():
            if other is not leg:
                other.confined = any(each.held for each in self.live() if each is not other)

    @property
    def consulted(self) -> Participant | None:
        """Whoever is being consulted about a transfer."""
        return next((leg for leg in self.live() if leg.consulted_by), None)

    def end_consult(self, leaver: Participant) -> None:
        """A consult is over when one of its three leaves: those who stay hear each other."""
        for leg in self.participants:
            if leg.consulted_by and leaver.id in {leg.id, leg.consulted_by, leg.consult_object}:
                leg.consulted_by = ""
                for each in self.live():
                    each.confined = False

    def participant(self, participant_id: str) -> Participant | None:
        """The participant with this id."""
        return next((leg for leg in self.participants if leg.id == participant_id), None)

    def user_ids(self) -> list[str]:
        """Every user with a leg in this conversation, each once."""
        return list({leg.user_id: None for leg in self.participants if leg.user_id})

    def queue_ids(self) -> list[str]:
        """Every queue that a leg of this conversation is of, each once."""
        return list({leg.queue_id: None for leg in self.participants if leg.queue_id})
