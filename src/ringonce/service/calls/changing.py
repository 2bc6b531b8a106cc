"""What happens to a call: one conditional update, and the feed told of it in the same transaction."""

import functools
import time
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate

from ringonce.service import feed
from ringonce.service.calls import OPEN, Record, State, record
from ringonce.service.store.tables import calls


def change(
    db: sa.Connection, call_id: str, *, of: Collection[State] = OPEN, now: float | None = None, **became: Any
) -> Record | None:
    """Change a call that is in one of the states *of*, tell the feed, and give the call as it is then.

    None if there is no such call, or it is in another state by now: then nothing was changed.
    """
    now = time.time() if now is None else now
    if "state" in became:
        became["state"] = str(became["state"])
    became["changed_at"] = now
    given = {"this": call_id} | {f"new_{name}": value for name, value in became.items()}
    found = db.execute(_update(frozenset(became), frozenset(of)), given).mappings().first()
    if found is None:
        return None
    stands = record(found)
    feed.tell(db, "call.changed", call_id, stands.shown(), agent_id=stands.agent_id or stands.agent, now=now)
    return stands


@functools.lru_cache(maxsize=256)
def _update(names: frozenset[str], of: frozenset[State]) -> ReturningUpdate[Any]:
    """Make the statement that changes these columns: it costs more to make than to run."""
    mine = calls.update().where(
        calls.c.id == sa.bindparam("this"), sa.or_(*(calls.c.state == one for one in sorted(of)))
    )
    return mine.values({name: sa.bindparam(f"new_{name}") for name in sorted(names)}).returning(*calls.c)


def cancel(db: sa.Connection, call_id: str, *, by: str, now: float | None = None) -> Record | None:
    """Cancel a call that waits; None if it can't be any more."""
    return change(db, call_id, of={State.WAITING}, now=now, state=State.CANCELLED, why={"by": by}, ended_at=now)
