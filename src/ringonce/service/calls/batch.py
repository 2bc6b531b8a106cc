"""Batches: files of calls that were taken in whole, and how far they have come."""

import enum
import math
from typing import Any

import msgspec
import sqlalchemy as sa

from ringonce.client.flows.directory import NAMED_BY, clean
from ringonce.errors import InvalidInput
from ringonce.service.calls import LEAST_URGENT, MOST_URGENT, Retry, State
from ringonce.service.guard import days
from ringonce.service.store.tables import batches, calls

MOST_POOLED = 1000
FASTEST_PACE = 60_000.0


class BatchState(enum.StrEnum):
    """How far a batch has come. From the last two it goes nowhere."""

    DRAFT = "draft"
    """Its file is not whole yet; if it never will be, the draft is swept."""
    INVALID = "invalid"
    """Its file has faults: nothing of it was taken, and the report says what is wrong where."""
    READY = "ready"
    """All of it is there and nothing rings before it is started."""
    RUNNING = "running"
    PAUSED = "paused"
    """Nothing new rings; what is live goes on."""
    DRAINING = "draining"
    """As paused, and it comes to rest once nothing is live: as paused if rows are left, else as done."""
    DONE = "done"
    CANCELLED = "cancelled"
    """What had not rung was cancelled."""


class BatchSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for all rows of a batch; a row's own value goes before."""

    agents: tuple[str, ...] = ()
    """The pool: each row without an agent of its own goes to whichever of these is free first."""
    caller_id: str = ""
    caller_name: str = ""
    queue: str = ""
    zone: str = ""
    """The callees' time zone."""
    priority: int = 0
    not_before: float = 0.0
    expires_at: float | None = None
    retry: Retry = Retry()
    pace: float = 0.0
    """Calls a minute at the most; 0: as fast as agents and the quota permit."""
    skip_bad: bool = False
    """Take the good rows of a file that has bad ones too; else one bad row refuses the file."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `batches`."""

    id: str
    key: str
    digest: str
    name: str
    state: BatchState
    settings: BatchSettings
    rows: int
    report: dict[str, Any]
    gap: float
    paced_at: float
    created_by: str
    created_at: float
    changed_at: float

    def shown(self, counted: dict[str, Any] | None = None) -> dict[str, Any]:
        """Give what the outside sees, with what `progress` counted."""
        return {
            "id": self.id,
            "key": self.key,
            "name": self.name,
            "state": self.state,
            "rows": self.rows,
            "settings": msgspec.to_builtins(self.settings),
            "report": self.report,
            "created_at": self.created_at,
            "changed_at": self.changed_at,
        } | ({"progress": counted} if counted is not None else {})


def checked(settings: BatchSettings) -> BatchSettings:
    """Give the settings as they are. Raise `InvalidInput` for what can't be kept; `retry` is checked by who dials."""
    if not (math.isfinite(settings.pace) and 0 <= settings.pace <= FASTEST_PACE):
        raise InvalidInput(
            f"A pace of {settings.pace:g} calls a minute can't be kept",
            why=f"it is above 0 and at most {FASTEST_PACE:g}",
            fix="leave pace out to go as fast as agents and the quota permit",
        )
    if len(settings.agents) > MOST_POOLED or any(not name.strip() for name in settings.agents):
        raise InvalidInput(
            "The pool of agents can't be used",
            why=f"it has an empty name, or more than {MOST_POOLED} agents",
            fix="name each agent by e-mail or id",
        )
    if not MOST_URGENT <= settings.priority <= LEAST_URGENT:
        raise InvalidInput(
            f"{settings.priority} is no priority",
            why=f"that is a whole number from {MOST_URGENT} to {LEAST_URGENT}",
            fix="give one of them; the lower goes first",
        )
    _check_names(settings)
    return settings


def _check_names(settings: BatchSettings) -> None:
    """Refuse what no row could be dialled with, whoever and whatever the platform knows."""
    if settings.zone:
        try:
            days.zone(settings.zone)
        except InvalidInput as wrong:
            raise InvalidInput(f"zone can't be used: {wrong.what}", why=wrong.why, fix=wrong.fix) from None
    for agent in settings.agents:
        clean(agent, "agent", NAMED_BY)
    if settings.queue:
        clean(settings.queue, "queue", "a name or an id")


def get(db: sa.Connection, batch_id: str) -> Batch | None:
    """Give a batch by its id."""
    return _one(db, batches.c.id == batch_id)


def by_key(db: sa.Connection, key: str) -> Batch | None:
    """Give a batch by its Idempotency-Key."""
    return _one(db, batches.c.key == key)


def every(db: sa.Connection, *, before: str = "", limit: int = 50) -> list[Batch]:
    """Give batches, the newest first, from the one *before* which they were made."""
    query = batches.select().order_by(batches.c.id.desc()).limit(limit)
    if before:
        query = query.where(batches.c.id < before)
    return [_read(found) for found in db.execute(query).mappings()]


def progress(db: sa.Connection, batch_id: str) -> dict[str, Any]:
    """Count a batch's rows by state and those that have ended by outcome, in one query over an index."""
    counted = sa.select(calls.c.state, calls.c.outcome, sa.func.count().label("rows"))
    counted = counted.where(calls.c.batch_id == batch_id).group_by(calls.c.state, calls.c.outcome)
    states = dict.fromkeys((str(state) for state in State if state is not State.DRAFT), 0)
    outcomes: dict[str, int] = {}
    for state, outcome, rows in db.execute(counted):
        # A row that has not been let go waits like the others.
        name = str(State.WAITING) if state == State.DRAFT else state
        states[name] += rows
        if state == State.ENDED:
            outcomes[outcome] = outcomes.get(outcome, 0) + rows
    return {"states": states, "outcomes": outcomes, "open": sum(states[name] for name in _OPEN)}


_OPEN = (State.WAITING, State.DIALING, State.LIVE)


def _one(db: sa.Connection, which: sa.ColumnElement[bool]) -> Batch | None:
    found = db.execute(batches.select().where(which)).mappings().first()
    return _read(found) if found else None


def _read(found: sa.RowMapping) -> Batch:
    return msgspec.convert({str(name): value for name, value in found.items()}, Batch)
