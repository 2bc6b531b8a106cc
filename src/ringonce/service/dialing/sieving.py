"""Which of the calls that are due the guard would let through, asked of many at once and before anything is begun.

A turn costs a workflow. Of a list that may not be dialled before tomorrow every row would begin one, to be told so.
"""

from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa

from ringonce.service.calls import Record, State, record
from ringonce.service.calls.changing import change
from ringonce.service.dialing import Verdict
from ringonce.service.store.tables import calls, intents

Sieve = Callable[[sa.Connection, Sequence[Record], float], Sequence[Verdict]]
"""Says of several waiting calls what the guard would say now, and notes nothing."""

# SQLite would rather read all that wait, to find these: it has no figures of the table.
_WAITING = calls.select().where(
    calls.c.id.in_(sa.bindparam("these", expanding=True)), calls.c.state.concat("") == State.WAITING
)
# By the mark, for which there is an index: the key's own begins with the platform.
_WRITTEN = sa.select(intents.c.intent).where(
    intents.c.mark.in_(sa.bindparam("marks", expanding=True)),
    intents.c.intent.in_(sa.bindparam("keys", expanding=True)),
)
_put_off = (
    calls.update()
    .where(calls.c.id == sa.bindparam("this"), calls.c.state == State.WAITING)
    .values(due_at=sa.bindparam("until"), why=sa.bindparam("because"), changed_at=sa.bindparam("now"))
)


def sifted(db: sa.Connection, sieve: Sieve, call_ids: Sequence[str], now: float) -> set[str]:
    """Give those of the calls that may go on. The others wait until the moment that the guard names, or are refused."""
    found = db.execute(_WAITING, {"these": list(call_ids)}).mappings()
    records = [record(one) for one in found]
    told = list(zip(records, sieve(db, records, now), strict=True))
    held = [(one, verdict) for one, verdict in told if not verdict.allowed]
    if held:
        # Once its create may have left, a call is past holding back: all that is left is to find out.
        begun = in_the_ledger(db, [(one.mark, one.intent) for one, _ in held])
        held = [(one, verdict) for one, verdict in held if one.intent not in begun]
        _hold(db, held, now)
    return {one.id for one in records} - {one.id for one, _ in held}


def in_the_ledger(db: sa.Connection, asked: Sequence[tuple[str, str]]) -> set[str]:
    """Give those of the intents that the ledger has, each asked for with its number's mark."""
    marks, keys = {mark for mark, _ in asked}, {key for _, key in asked}
    return set(db.scalars(_WRITTEN, {"marks": list(marks), "keys": list(keys)}))


def _hold(db: sa.Connection, held: Sequence[tuple[Record, Verdict]], now: float) -> None:
    put_off = []
    for one, verdict in held:
        why = {"for": "guard", **verdict.why}
        if verdict.until is None:
            change(db, one.id, of={State.WAITING}, now=now, state=State.REFUSED, why=verdict.why, ended_at=now)
        elif one.batch_id is None:
            change(db, one.id, of={State.WAITING}, now=now, due_at=verdict.until, why=why)
        else:
            # The feed does not tell it of each row of a file: nothing rang.
            put_off.append({"this": one.id, "until": verdict.until, "because": msgspec.to_builtins(why), "now": now})
    if put_off:
        db.execute(_put_off, put_off)
