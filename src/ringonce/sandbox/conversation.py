"""A conversation and its participants: what they are, and the changes of state a leg can go through.

None of them refers back to what holds it, so they are kept from the cycle collector: it would look at every call
that ever was, again and again, which took longer than placing one.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from ringonce.sandbox.stories import SipReason, Story

LIVE_STATES = frozenset({"alerting", "contacting", "dialing", "offering", "connected"})
RINGING_STATES = frozenset({"alerting", "contacting"})
SEGMENT_OF_STATE = {"contacting": "Contacting", "dialing": "Dialing", "alerting": "Alert", "connected": "Interact"}


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


class Participant(msgspec.Struct, kw_only=True, gc=False):
    """One party and its only leg. Empty strings are times that have not come and words that nobody said."""

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
    recording: bool = False
    uui_data: str = ""
    external_contact_id: str = ""
    attributes: dict[str, str] = {}
    wrapup_prompt: str = ""
    wrapup_required: bool = False
    wrapup_skipped: bool = False
    wrapup: WrapUp | None = None
    acw_started: str = ""
    acw_ended: str = ""
    digits: str = ""
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
        self.held = self.confined = self.recording = False
        self.held_since = ""
        self.segments[-1].end = at
        self.segments[-1].how_ended = "Disconnect"
        self.segments[-1].disconnect_type = disconnect_type

    def hold(self, on: bool, at: str) -> None:
        """Put the other side on hold, or take it back."""
        self.held = on
        self.held_since = at if on else ""
        self._turn("Hold" if on else "Interact", at)

    def _turn(self, segment: str, at: str) -> None:
        self.segments[-1].end = at
        if segment == "Interact":
            self.segments[-1].how_ended = segment
        self.segments.append(Segment(segment, at))


class Conversation(msgspec.Struct, kw_only=True, gc=False):
    """One conversation that a POST created. *participants* holds every leg there ever was, oldest first."""

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
    participants: list[Participant] = []

    @property
    def agent(self) -> Participant:
        """The agent whom the call was placed for: the first leg."""
        return self.participants[0]

    def live(self) -> Iterator[Participant]:
        """The legs that are still there."""
        return (leg for leg in self.participants if leg.live)

    def participant(self, participant_id: str) -> Participant | None:
        """The participant with this id."""
        return next((leg for leg in self.participants if leg.id == participant_id), None)

    def user_ids(self) -> list[str]:
        """Every user with a leg in this conversation, each once."""
        return list(dict.fromkeys(leg.user_id for leg in self.participants if leg.user_id))

    def queue_ids(self) -> list[str]:
        """Every queue that a leg of this conversation is of, each once."""
        return list(dict.fromkeys(leg.queue_id for leg in self.participants if leg.queue_id))
