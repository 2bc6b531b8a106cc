"""The audit log: who did what, each entry hashed together with the one before, so that a change shows."""

import hashlib
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from ringonce.service.store.tables import audit

LOCK = 7_464_646_625
"""The PostgreSQL advisory lock of whoever adds an entry: each needs the hash of the one before."""
FIRST = "0" * 64
PAGE = 1000


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody did."""

    seq: int
    at: float
    who: str
    """A token's id, or `system`."""
    what: str
    subject: str
    details: str
    """JSON."""
    before: str
    hash: str


class Broken(msgspec.Struct, frozen=True):
    """Where the chain does not hold."""

    seq: int
    why: str


def note(
    db: sa.Connection, who: str, what: str, subject: str = "", *, now: float | None = None, **details: Any
) -> Entry:
    """Add an entry to the transaction, such as `note(db, token.id, "call.override", call.id, reason=…)`."""
    if db.dialect.name == "postgresql":
        db.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    last = db.execute(sa.select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    seq, before = (last.seq + 1, last.hash) if last else (1, FIRST)
    at = time.time() if now is None else now
    said = msgspec.json.encode(details, order="sorted").decode()
    link = _hash(seq, at, who, what, subject, said, before)
    entry = Entry(seq=seq, at=at, who=who, what=what, subject=subject, details=said, before=before, hash=link)
    db.execute(audit.insert().values(msgspec.structs.asdict(entry)))
    return entry


def entries(db: sa.Connection, *, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
    """Give the entries after number *after*, the oldest first, a page at a time."""
    left = limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        page = db.execute(audit.select().where(audit.c.seq > after).order_by(audit.c.seq).limit(size)).mappings().all()
        if not page:
            return
        for found in page:
            yield msgspec.convert({str(name): value for name, value in found.items()}, Entry)
        after = page[-1]["seq"]
        left = None if left is None else left - len(page)


def verify(db: sa.Connection) -> tuple[int, Broken | None]:
    """Go through the whole chain; give how many entries hold, and where it breaks, if it does.

    An attacker who can write the table can build a new chain from the place of a change on: compare the last hash with
    one that was exported before.
    """
    before, count = FIRST, 0
    for entry in entries(db):
        if entry.seq != count + 1:
            return count, Broken(count + 1, f"entry {count + 1} is missing")
        if entry.before != before:
            return count, Broken(entry.seq, "it does not follow from the entry before")
        said = _hash(entry.seq, entry.at, entry.who, entry.what, entry.subject, entry.details, before)
        if entry.hash != said:
            return count, Broken(entry.seq, "its words are not those that were hashed")
        before, count = entry.hash, count + 1
    return count, None


def _hash(seq: int, at: float, *texts: str) -> str:
    return hashlib.sha256(msgspec.json.encode([seq, at.hex(), *texts])).hexdigest()
