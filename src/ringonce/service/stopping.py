"""The kill switch: while it is on, nothing new rings; live calls go on."""

from typing import Any

import msgspec
import sqlalchemy as sa

from ringonce.service import audit, feed
from ringonce.service.store.inserting import insert_once
from ringonce.service.store.tables import settings

STOP = "stop"
"""The setting: what it holds is true while the switch is on."""


_VALUE = sa.select(settings.c.value).where(settings.c.name == STOP)


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """How the switch stands, and who put it so."""

    stopped: bool
    by: str = ""
    """A token's id."""
    reason: str = ""
    since: float | None = None


def stands(db: sa.Connection) -> Stop:
    """Say how the switch stands."""
    found: dict[str, Any] | bool | None = db.scalar(_VALUE)
    if isinstance(found, dict):
        return msgspec.convert({"stopped": True} | found, Stop)
    return Stop(stopped=bool(found))


def stop(db: sa.Connection, *, by: str, reason: str, now: float) -> Stop:
    """Put the switch on. Where it was on already, who did that first stands."""
    before = stands(db)
    if before.stopped:
        return before
    _put(db, {"by": by, "reason": reason, "since": now}, now)
    audit.note(db, by, "stop", now=now, reason=reason)
    feed.tell(db, "stop", "", {"stopped": True, "reason": reason}, now=now)
    return stands(db)


def lift(db: sa.Connection, *, by: str, now: float) -> Stop:
    """Take it off again."""
    if stands(db).stopped:
        _put(db, None, now)
        audit.note(db, by, "stop.lifted", now=now)
        feed.tell(db, "stop", "", {"stopped": False}, now=now)
    return Stop(stopped=False)


def _put(db: sa.Connection, value: dict[str, Any] | None, now: float) -> None:
    this = settings.c.name == STOP
    if value is None:
        db.execute(settings.delete().where(this))
    elif not db.execute(settings.update().where(this).values(value=value, changed_at=now)).rowcount:
        insert_once(db, settings, name=STOP, value=value, changed_at=now)
