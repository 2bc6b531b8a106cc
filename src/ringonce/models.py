"""The nouns: a call, its legs, what became of it, and why we say so."""

import enum
from datetime import datetime

import msgspec


class State(enum.StrEnum):
    """Where a call stands; it only ever moves down this list."""

    REQUESTED = "requested"
    """The platform took the request and is reaching the agent's own station."""
    DIALING = "dialing"
    """The agent's station answered; the number is being dialled."""
    RINGING = "ringing"
    """The far end is ringing (or its voicemail has taken the call)."""
    CONNECTED = "connected"
    """The far end answered."""
    ENDED = "ended"
    """No leg is left. `Call.outcome` says how it went."""


class Outcome(enum.StrEnum):
    """What became of a call, once it has ended."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    VOICEMAIL = "voicemail"
    UNROUTABLE = "unroutable"
    AGENT_UNREACHABLE = "agent_unreachable"
    """The agent's own station never answered, so the number was never dialled."""
    ABANDONED = "abandoned"
    """The agent's side ended the call before the far end answered."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The call ended and nothing observed says how."""


class Wire(enum.StrEnum):
    """Which shape of the create request is spoken."""

    PLATFORM = "platform"
    TUTORIAL = "tutorial"


class Participant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One leg of a call, as everything observed adds up to. Words are the platform's own, unknown ones included."""

    id: str
    purpose: str = ""
    """`agent` or `user` for the agent's leg; `customer` or `external` for the far end; `voicemail`, `acd`, …"""
    state: str = ""
    user_id: str = ""
    queue_id: str = ""
    address: str = ""
    held: bool = False
    muted: bool = False
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    disconnect_types: tuple[str, ...] = ()
    """Every disconnectType seen on the leg: the platform changes it between snapshots."""
    error_code: str = ""
    sip_codes: tuple[int, ...] = ()
    wrapup_required: bool = False
    wrapup_code: str = ""


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Why an outcome is what it is: the leg, and what was seen on it."""

    because: str
    """One sentence for people."""
    participant_id: str = ""
    purpose: str = ""
    state: str = ""
    disconnect_type: str = ""
    error_code: str = ""
    error_message: str = ""
    sip_code: int = 0
    q850_code: int = 0
    at: datetime | None = None


class Call(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The truth about one call, folded from everything observed. Times are UTC."""

    conversation_id: str
    state: State
    outcome: Outcome | None = None
    """Set once the call has ended."""
    evidence: Evidence | None = None
    held: bool = False
    muted: bool = False
    recording: bool = False
    agent_id: str = ""
    to: str = ""
    """The dialled number (DNIS), where it was observed."""
    intent: str = ""
    """The key of the intent that the call is stamped with, where it was observed."""
    attributes: dict[str, str] = {}
    started_at: datetime | None = None
    connected_at: datetime | None = None
    """When the far end answered."""
    ended_at: datetime | None = None
    participants: tuple[Participant, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether no leg is left."""
        return self.state is State.ENDED

    @property
    def answered(self) -> bool:
        """Whether the far end answered, now or earlier."""
        return self.state is State.CONNECTED or self.outcome is Outcome.ANSWERED


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was placed: the platform has it, or had it."""

    conversation_id: str
    intent: str
    agent_id: str
    to: str
    """The number in E.164."""
    replayed: bool = False
    """True if the intent had been placed before, so that nothing was sent now."""
    adopted: bool = False
    """True if the answer was lost and the call was found by looking for it."""
    evidence: str = ""
    """How an adopted call was recognised."""


class Verdict(enum.StrEnum):
    """What a finding of `check` means for the call."""

    PASS = "pass"  # noqa: S105  a verdict
    WARN = "warn"
    """It may go wrong, or it can't be known."""
    FAIL = "fail"
    """The call would not be placed, or could not reach anybody."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that `check` looked at before a call."""

    name: str
    """`host`, `clock`, `token`, `permission`, `agent`, `station`, `queue`, `caller id`, `number` or `quota`."""
    verdict: Verdict
    evidence: str
    """What was seen, in words."""
    remedy: str = ""
    """What to do about it; empty where there is nothing to do."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What a token stands for and what it may do. What the platform doesn't tell this token is empty."""

    grant: str
    """Which grant gave the token, in words."""
    user_id: str = ""
    """Empty for an application's token."""
    name: str = ""
    """The user's, or the OAuth client's."""
    email: str = ""
    organization: str = ""
    client_id: str = ""
    scopes: tuple[str, ...] = ()
    """How far a user's token reaches; an application's has none and needs none."""
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    """As `domain:entity:action`, sorted; `*` stands for all."""
    expires_at: float | None = None
    """Seconds since the epoch; None if that is not known."""
