"""The do-not-call lists in the database. A list is replaced by pointing it at another edition of its numbers."""

import datetime as dt
import math
import re
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ringonce.errors import InvalidInput, NotFound
from ringonce.numbers import masked, shown
from ringonce.service import audit, feed
from ringonce.service.calls.accepting import new_id
from ringonce.service.store.inserting import insert_once
from ringonce.service.store.tables import listed, lists

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
DAY = 86_400.0
AT_ONCE = 5_000
"""Numbers that one transaction takes away: others want to write, too."""
ABANDONED = DAY
"""Seconds after which an edition that no list has is an upload's that broke off."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A list as it stands."""

    name: str
    source: str
    taken: dt.date
    """When it was taken from its source."""
    age_days: int
    max_age_days: int | None
    """How old it may be; null: any age."""
    stale: bool
    """Whether it is older, so that calls wait until it is taken anew."""
    numbers: int
    kept_in: str = "database"
    """`database`, or `file`: one that guard.toml names, read at the start."""
    changed_at: float | None = None


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What comes with a list."""

    name: str
    source: str
    taken_at: float
    max_age: float | None = None
    """Seconds."""


def every(db: sa.Connection, now: float) -> list[Kept]:
    """Give all lists, by name."""
    return [_kept(found, now) for found in db.execute(lists.select().order_by(lists.c.name)).mappings()]


def get(db: sa.Connection, name: str, now: float) -> Kept:
    """Give a list. Raise `NotFound` if there is none of that name."""
    return _kept(_found(db, lists.select().where(lists.c.name == name), name), now)


def sound_name(name: str) -> str:
    """Give the name as it is. Raise `InvalidInput` for one that is not fit for an address."""
    if not re.fullmatch(NAME, name):
        raise InvalidInput(
            f"{shown(name)} can't be a list's name",
            why="it has letters, digits, dots and dashes, and at most 80 of them",
            fix="name it like national-registry",
        )
    return name


def edition(now: float) -> str:
    """Name an edition that is to be staged."""
    return new_id("edition", now)


def stage(db: sa.Connection, edition_id: str, marks: Sequence[str]) -> int:
    """Put numbers into an edition; give how many were not there yet."""
    mine = (listed.c.edition == edition_id, listed.c.mark.in_(set(marks)))
    new = sorted(set(marks) - set(db.scalars(sa.select(listed.c.mark).where(*mine))))
    if new:
        db.execute(listed.insert(), [{"mark": mark, "edition": edition_id} for mark in new])
    return len(new)


def put(db: sa.Connection, edition_id: str, numbers: int, taken: Taken, *, by: str, now: float) -> Kept:
    """Have the list hold this edition from now on; what it held before is left to `sweep`."""
    row = {"source": taken.source, "taken_at": taken.taken_at, "max_age": taken.max_age}
    row |= {"edition": edition_id, "numbers": numbers, "changed_at": now}
    insert_once(db, lists, name=taken.name, **row | {"edition": "", "numbers": 0})
    before = _changing(db, taken.name)
    db.execute(lists.update().where(lists.c.name == taken.name).values(**row))
    said = {"source": taken.source, "numbers": numbers, "before": before["numbers"], "edition": edition_id}
    audit.note(db, by, "list.replaced", taken.name, now=now, **said)
    return _told(db, taken.name, now)


def add(db: sa.Connection, name: str, numbers: Sequence[tuple[str, str]], *, by: str, now: float) -> tuple[Kept, int]:
    """Put numbers (E.164, with their marks) on a list; give it, and how many were not on it. Raise `NotFound`."""
    found = _changing(db, name)
    new = stage(db, found["edition"], [mark for _, mark in numbers])
    if new:
        db.execute(lists.update().where(lists.c.name == name).values(numbers=lists.c.numbers + new, changed_at=now))
        hidden = [masked(number) for number, _ in numbers]
        audit.note(db, by, "list.added", name, now=now, numbers=hidden, new=new)
    return _told(db, name, now) if new else get(db, name, now), new


def remove(db: sa.Connection, name: str, number: str, mark: str, *, by: str, now: float, reason: str = "") -> bool:
    """Take a number off a list; False if it is not on it. Raise `NotFound` for the list."""
    found = _changing(db, name)
    gone = listed.delete().where(listed.c.mark == mark, listed.c.edition == found["edition"])
    if not db.execute(gone).rowcount:
        return False
    db.execute(lists.update().where(lists.c.name == name).values(numbers=lists.c.numbers - 1, changed_at=now))
    audit.note(db, by, "list.removed", name, now=now, number=masked(number), reason=reason)
    _told(db, name, now)
    return True


def drop(db: sa.Connection, name: str, *, by: str, now: float) -> None:
    """Forget a list. Raise `NotFound` if there is none of that name."""
    found = _changing(db, name)
    db.execute(lists.delete().where(lists.c.name == name))
    audit.note(db, by, "list.dropped", name, now=now, numbers=found["numbers"], source=found["source"])
    feed.tell(db, "list.changed", name, {"name": name, "numbers": 0, "dropped": True}, now=now)


def sweep(db: sa.Connection, now: float, edition_id: str = "") -> bool:
    """Take away some numbers of editions that no list has; say whether there may be more.

    Those that are staged right now are left alone, save the one that *edition_id* names.
    """
    held = set(db.scalars(sa.select(lists.c.edition)))
    # An id begins with its time, so what is older sorts before.
    limit, last = new_id("edition", max(0.0, now - ABANDONED)), ""
    while (found := db.scalar(sa.select(sa.func.min(listed.c.edition)).where(listed.c.edition > last))) is not None:
        if found not in held and (found < limit or found == edition_id):
            some = sa.select(listed.c.mark).where(listed.c.edition == found).limit(AT_ONCE)
            db.execute(listed.delete().where(listed.c.edition == found, listed.c.mark.in_(some)))
            return True
        last = found
    return False


def edition_of(db: sa.Connection, name: str) -> str:
    """Give the edition that a list holds; empty if there is no such list."""
    return db.scalar(sa.select(lists.c.edition).where(lists.c.name == name)) or ""


def _told(db: sa.Connection, name: str, now: float) -> Kept:
    kept = get(db, name, now)
    feed.tell(db, "list.changed", name, {"name": name, "source": kept.source, "numbers": kept.numbers}, now=now)
    return kept


def _changing(db: sa.Connection, name: str) -> sa.RowMapping:
    """Give a list to whoever changes it; others who do wait."""
    return _found(db, lists.select().where(lists.c.name == name).with_for_update(), name)


def _found(db: sa.Connection, query: sa.Select[Any], name: str) -> sa.RowMapping:
    found = db.execute(query).mappings().first()
    if found is None:
        raise NotFound(
            f"There is no do-not-call list {name[:80]!r} in the database",
            why="nobody has put one there",
            fix=f"PUT /v1/lists/{name[:80]} or `ringonce dnc load {name[:80]} FILE` makes it",
        )
    return found


def _kept(found: sa.RowMapping, now: float) -> Kept:
    taken = dt.datetime.fromtimestamp(found["taken_at"], dt.UTC).date()
    age = (dt.datetime.fromtimestamp(now, dt.UTC).date() - taken).days
    limit = None if found["max_age"] is None else max(1, math.floor(found["max_age"] / DAY))
    return Kept(
        name=found["name"],
        source=found["source"],
        taken=taken,
        age_days=age,
        max_age_days=limit,
        stale=limit is not None and age > limit,
        numbers=found["numbers"],
        changed_at=found["changed_at"],
    )
