"""The feed: everything that happened, in one order, for pages that follow it and for webhooks."""

import time
from typing import Any

import msgspec
import sqlalchemy as sa

from ringonce.service.store import last
from ringonce.service.store.tables import events

LOCK = 7_464_646_624
"""The PostgreSQL advisory lock of whoever tells. Numbers are handed out before a commit: without turns, a reader
could see a later event first and never come back for the earlier one."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    seq: int
    at: float
    kind: str
    subject: str
    agent_id: str
    body: dict[str, Any]


def tell(
    db: sa.Connection, kind: str, subject: str, body: dict[str, Any], *, agent_id: str = "", now: float | None = None
) -> None:
    """Add an event to the transaction: it is told if and only if that is committed.

    It is written last, for whoever has the feed's turn must not wait for anything but the disk.
    """
    at = time.time() if now is None else now
    last.put(db, _tell, {"at": at, "kind": kind, "subject": subject, "agent_id": agent_id, "body": body})


def _tell(db: sa.Connection, told: list[dict[str, Any]]) -> None:
    if db.dialect.name == "postgresql":
        db.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    db.execute(_INSERT, told)


_INSERT = events.insert()


def since(db: sa.Connection, seq: int, *, limit: int = 500, subject: str = "") -> list[Event]:
    """Give the events after number *seq*, in order; of one call or batch alone, if *subject* names it."""
    query = events.select().where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
    if subject:
        query = query.where(events.c.subject == subject)
    return [
        msgspec.convert({str(name): value for name, value in found.items()}, Event)
        for found in db.execute(query).mappings()
    ]


def latest(db: sa.Connection) -> int:
    """Give the last event's number; 0 if there is none."""
    return db.scalar(sa.select(sa.func.coalesce(sa.func.max(events.c.seq), 0))) or 0
