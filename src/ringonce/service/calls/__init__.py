"""Calls as the service keeps them: what was asked for, how far it has come, and what became of it."""

import enum
from typing import Any

import msgspec
import sqlalchemy as sa

from ringonce.models import Wire
from ringonce.numbers import masked
from ringonce.service.store.tables import calls

MOST_URGENT, LEAST_URGENT = -1000, 1000
"""Between them is every call's priority."""


class State(enum.StrEnum):
    """How far a call has come. From the last five it goes nowhere, save that a person settles an unknown one."""

    DRAFT = "draft"
    """A row of a batch that is not whole or not started: nothing rings."""
    WAITING = "waiting"
    """For its time, its agent, the quota, or a batch that is paused: `why` says."""
    DIALING = "dialing"
    """A worker has it, and its agent's line; it may ring from now on."""
    LIVE = "live"
    """Placed, and followed."""
    ENDED = "ended"
    REFUSED = "refused"
    """By the guard for good, or by the platform: nothing rang."""
    UNKNOWN = "unknown"
    """It may have rung, and is not dialled again."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """It was not its turn in time: nothing rang."""


OPEN = frozenset({State.WAITING, State.DIALING, State.LIVE})


class Retry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an attempt that came to nothing is followed by another. Never after declined, never after unknown."""

    attempts: int = 1
    """In all, the first included; 1 to 10."""
    gap: float = 3600.0
    """Seconds between the end of one and the next, at the least."""
    outcomes: tuple[str, ...] = ("no_answer", "busy")
    """After which of no_answer, busy, voicemail, agent_unreachable and failed."""


class Override(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules of the guard that a person sets aside for one call."""

    rules: tuple[str, ...]
    reason: str


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One call as it is asked for."""

    agent: str
    to: str
    caller_id: str = ""
    caller_name: str = ""
    queue: str = ""
    attributes: dict[str, str] = {}
    external_contact: str = ""
    uui: str = ""
    wire: Wire = Wire.PLATFORM
    zone: str = ""
    """The callee's time zone, such as Europe/Paris; else every zone that the number may be in."""
    priority: int = 0
    """The lower goes first."""
    not_before: float = 0.0
    expires_at: float | None = None
    retry: Retry = Retry()
    override: Override | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `calls`."""

    id: str
    key: str
    fingerprint: str
    created_by: str
    created_at: float
    batch_id: str | None
    row: int | None
    agent: str
    agent_id: str
    number: str
    mark: str
    zone: str
    asked: dict[str, Any]
    priority: int
    not_before: float
    expires_at: float | None
    state: State
    due_at: float
    why: dict[str, Any]
    attempt: int
    conversation_id: str
    progress: str
    outcome: str
    told: dict[str, Any]
    placed_at: float | None
    ended_at: float | None
    changed_at: float

    @property
    def ask(self) -> Ask:
        """What was asked for."""
        return msgspec.convert(self.asked, Ask)

    @property
    def intent(self) -> str:
        """The ledger's key of the latest attempt: the call's own, and from the second attempt on numbered."""
        return self.key if self.attempt <= 1 else f"{self.key}~{self.attempt}"

    def shown(self, *, whole_number: bool = False) -> dict[str, Any]:
        """Give what the outside sees; the number is masked unless *whole_number*."""
        return {
            "id": self.id,
            "key": self.key,
            "agent": self.agent,
            "agent_id": self.agent_id,
            "to": self.number if whole_number else masked(self.number),
            "state": self.state,
            "progress": self.progress,
            "outcome": self.outcome,
            "conversation_id": self.conversation_id,
            "attempt": self.attempt,
            "why": self.why,
            "evidence": self.told.get("evidence"),
            "due_at": self.due_at if self.state is State.WAITING else None,
            "batch_id": self.batch_id,
            "row": self.row,
            "created_at": self.created_at,
            "placed_at": self.placed_at,
            "ended_at": self.ended_at,
            "changed_at": self.changed_at,
            "held": self.state is State.LIVE and bool(self.told.get("held")),
            "muted": self.state is State.LIVE and bool(self.told.get("muted")),
        }


def record(found: sa.RowMapping) -> Record:
    """Read a row."""
    return msgspec.convert({str(name): value for name, value in found.items()}, Record)


def get(db: sa.Connection, call_id: str) -> Record | None:
    """Give a call by its id."""
    found = db.execute(_BY_ID, {"this": call_id}).mappings().first()
    return record(found) if found else None


_BY_ID = calls.select().where(calls.c.id == sa.bindparam("this"))
"""Made once: a statement of 27 columns costs more to make than to run."""


def by_key(db: sa.Connection, key: str) -> Record | None:
    """Give a call by its intent's key."""
    found = db.execute(calls.select().where(calls.c.key == key)).mappings().first()
    return record(found) if found else None
