"""What dialling does with batches: whose rows may be dialled now, pools of agents, pace, and when a batch is over."""

import msgspec
import sqlalchemy as sa

from ringonce.service import feed
from ringonce.service.calls import Record, State
from ringonce.service.calls.batch import BatchState, get, progress
from ringonce.service.calls.changing import change
from ringonce.service.dialing.sieving import in_the_ledger
from ringonce.service.store.tables import batches, calls, lines, pools

AT_ONCE = 2_000
"""Rows that one transaction lets go or takes away: others want to write, too."""
SILENT = 600.0
"""Seconds without news after which the draft of an upload that broke off is swept."""


def going(now: float | sa.BindParameter[float]) -> sa.ColumnElement[bool]:
    """Say whether a call is no batch's, or one's that runs and whose pace allows a call."""
    run = sa.exists().where(
        batches.c.id == calls.c.batch_id, batches.c.state == BatchState.RUNNING, batches.c.paced_at <= now
    )
    return sa.or_(calls.c.batch_id.is_(None), run)


# Spelled out, so that the database sees that its partial index has them all.
_POOLED = sa.text("calls.agent = '' AND calls.state = 'waiting'")


# Made once, as they are needed for every call: a statement costs more to make than to run.
_POOLS = (
    sa.select(batches.c.id, batches.c.paced_at)
    .select_from(pools.join(batches, batches.c.id == pools.c.batch_id))
    .where(pools.c.agent_id == sa.bindparam("agent"), batches.c.state == BatchState.RUNNING)
)
_DUE_POOLS = _POOLS.with_only_columns(batches.c.id).where(batches.c.paced_at <= sa.bindparam("now"))
_PACED = sa.func.coalesce(batches.c.paced_at, 0.0)
_SOONEST = (
    sa.select(sa.func.min(sa.case((calls.c.due_at < _PACED, _PACED), else_=calls.c.due_at)))
    .select_from(calls.outerjoin(batches, batches.c.id == calls.c.batch_id))
    .where(calls.c.agent_id == sa.bindparam("agent"), calls.c.state == State.WAITING)
    .where(sa.or_(batches.c.id.is_(None), batches.c.state == BatchState.RUNNING))
)


class Candidate(msgspec.Struct, frozen=True, order=True):
    """A call that may be next; the least of several is."""

    priority: int
    due_at: float
    id: str
    batch_id: str | None = None
    of_pool: bool = False


def pooled(db: sa.Connection, agent_id: str, now: float, limit: int = 1) -> list[Candidate]:
    """Give rows that are due in the pools that the agent is in: of each pool the most urgent, *limit* of them."""
    found: list[Candidate] = []
    for batch_id in db.scalars(_DUE_POOLS, {"agent": agent_id, "now": now}):
        query = sa.select(calls.c.priority, calls.c.due_at, calls.c.id, calls.c.batch_id)
        query = query.where(calls.c.batch_id == batch_id, _POOLED, calls.c.due_at <= now)
        query = query.order_by(calls.c.priority, calls.c.due_at, calls.c.id).limit(limit)
        rows = db.execute(query.with_for_update(skip_locked=True))
        found += [Candidate(*row, of_pool=True) for row in rows]
    return found


def soonest(db: sa.Connection, agent_id: str) -> float | None:
    """Give when one of the agent's own rows, or of their pools', may be next; None if nothing of them waits."""
    moments = [db.scalar(_SOONEST, {"agent": agent_id})]
    for batch_id, paced_at in db.execute(_POOLS, {"agent": agent_id}):
        first = db.scalar(sa.select(sa.func.min(calls.c.due_at)).where(calls.c.batch_id == batch_id, _POOLED))
        moments.append(None if first is None else max(first, paced_at))
    return min((moment for moment in moments if moment is not None), default=None)


def paced(db: sa.Connection, batch_id: str, now: float) -> bool:
    """Take a place in the batch's pace; False if somebody else has just taken it, or the batch was stopped."""
    this = (batches.c.id == batch_id, batches.c.state == BatchState.RUNNING)
    gap = db.scalar(sa.select(batches.c.gap).where(*this))
    if not gap:
        return gap is not None
    # Who waited for its turn at one batch could hold another's that somebody else waits for.
    free = sa.select(batches.c.id).where(*this, batches.c.paced_at <= now)
    free = free.with_for_update(skip_locked=True, key_share=True)
    return db.execute(batches.update().where(batches.c.id.in_(free)).values(paced_at=now + gap)).rowcount == 1


def runs(db: sa.Connection, batch_id: str) -> bool:
    """Say whether the batch runs."""
    return db.scalar(sa.select(batches.c.state).where(batches.c.id == batch_id)) == BatchState.RUNNING


def to_pool(db: sa.Connection, record: Record) -> None:
    """Give a row that waits once more back to its pool, unless its attempt may have left: that one is the agent's."""
    if record.batch_id is None or record.asked.get("agent"):
        return
    this = (calls.c.id == record.id, calls.c.state == State.WAITING)
    found = db.execute(sa.select(calls.c.attempt, calls.c.due_at).where(*this)).first()
    if found is None:
        return
    intent = msgspec.structs.replace(record, attempt=found.attempt).intent
    if not in_the_ledger(db, [(record.mark, intent)]):
        db.execute(calls.update().where(*this).values(agent="", agent_id=""))


def wake_all(db: sa.Connection, batch_id: str, now: float) -> None:
    """Have every agent looked at for whom the batch has rows, or who is in its pool; after single calls that wait.

    Call it before anything else that the transaction changes: whoever takes turns holds lines first, too.
    """
    own = sa.select(calls.c.agent_id).where(calls.c.batch_id == batch_id, calls.c.state == State.WAITING)
    members = sa.select(pools.c.agent_id).where(pools.c.batch_id == batch_id)
    _look(db, lines.c.agent_id.in_(own.union(members)), now)


def _look(db: sa.Connection, which: sa.ColumnElement[bool], at: float) -> None:
    # In one order for everybody, and whatever the rows seem to say: who holds one may be about to write NEVER.
    held = sa.select(lines.c.agent_id).where(which).order_by(lines.c.agent_id).with_for_update()
    found = db.scalars(held).all()
    sooner = sa.case((lines.c.look_at > at, at), else_=lines.c.look_at)
    for start in range(0, len(found), AT_ONCE):
        some = lines.c.agent_id.in_(found[start : start + AT_ONCE])
        db.execute(lines.update().where(some).values(look_at=sooner))


def _look_at_pool(db: sa.Connection, batch_id: str) -> None:
    """Have the agents of a pool looked at when its first row is due: rows come back to it at any time."""
    first = db.scalar(sa.select(sa.func.min(calls.c.due_at)).where(calls.c.batch_id == batch_id, _POOLED))
    if first is None:
        return
    members = sa.select(pools.c.agent_id).where(pools.c.batch_id == batch_id, pools.c.agent_id != "")
    late = sa.and_(lines.c.agent_id.in_(members), lines.c.call_id == "", lines.c.look_at > first)
    _look(db, late, first)


def stirring(db: sa.Connection, now: float) -> list[str]:
    """Give the batches for which something may have to be done."""
    drafts = sa.exists().where(calls.c.batch_id == batches.c.id, calls.c.state == State.DRAFT)
    waiting = sa.exists().where(calls.c.batch_id == batches.c.id, calls.c.state == State.WAITING)
    todo = sa.or_(
        batches.c.state.in_([BatchState.RUNNING, BatchState.DRAINING]),
        sa.and_(batches.c.state == BatchState.DRAFT, batches.c.changed_at < now - SILENT),
        sa.and_(batches.c.state == BatchState.CANCELLED, sa.or_(drafts, waiting)),
    )
    return list(db.scalars(sa.select(batches.c.id).where(todo).order_by(batches.c.id)))


def tend(db: sa.Connection, batch_id: str, now: float) -> bool:
    """Do what a batch waits for, a piece at a time; say whether there is more to do at once."""
    found = db.execute(sa.select(batches.c.state, batches.c.changed_at).where(batches.c.id == batch_id)).first()
    if found is None:
        return False
    if found.state == BatchState.DRAFT:
        return found.changed_at < now - SILENT and not discard(db, batch_id)
    if found.state == BatchState.CANCELLED:
        return withdraw(db, batch_id, now)
    if found.state == BatchState.RUNNING:
        if _let_go(db, batch_id, now):
            return True
        _look_at_pool(db, batch_id)
    if found.state in {BatchState.RUNNING, BatchState.DRAINING}:
        _rest(db, batch_id, BatchState(found.state), now)
    return False


def withdraw(db: sa.Connection, batch_id: str, now: float) -> bool:
    """Cancel rows of a cancelled batch that have not been dialled; say whether there may be more."""
    waits = calls.c.state.in_([State.DRAFT, State.WAITING])
    some = _free(sa.select(calls.c.id).where(calls.c.batch_id == batch_id, waits))
    became = {"state": str(State.CANCELLED), "why": {"by": "batch"}, "ended_at": now, "changed_at": now}
    # The batch's own event tells it for all of them: they never rang.
    return db.execute(calls.update().where(calls.c.id.in_(some)).values(**became)).rowcount >= AT_ONCE


def discard(db: sa.Connection, batch_id: str, *, keep: bool = False) -> bool:
    """Take away rows that were staged, and then their batch unless it is to *keep*; say whether all is gone."""
    some = sa.select(calls.c.id).where(calls.c.batch_id == batch_id, calls.c.state == State.DRAFT).limit(AT_ONCE)
    if db.execute(calls.delete().where(calls.c.id.in_(some))).rowcount == AT_ONCE:
        return False
    if not keep:
        db.execute(pools.delete().where(pools.c.batch_id == batch_id))
        untaken = batches.c.state.in_([BatchState.DRAFT, BatchState.INVALID])
        db.execute(batches.delete().where(batches.c.id == batch_id, untaken))
    return True


def became(db: sa.Connection, batch_id: str, of: set[BatchState], state: BatchState, now: float) -> bool:
    """Move a batch on, if it is in one of the states *of*, and tell the feed."""
    update = batches.update().where(batches.c.id == batch_id, batches.c.state.in_(sorted(of)))
    if db.execute(update.values(state=str(state), changed_at=now)).rowcount != 1:
        return False
    batch = get(db, batch_id)
    if batch is not None:
        body = batch.shown(progress(db, batch_id)) | {"report": {}}
        feed.tell(db, "batch.changed", batch_id, body, now=now)
    return True


def nobody(db: sa.Connection, name: str, why: str, now: float) -> None:
    """Strike an agent off every pool, whom the platform does not know; refuse rows that nobody is left for."""
    this = (pools.c.name == name, pools.c.agent_id == "")
    struck = db.scalars(sa.select(pools.c.batch_id).where(*this, pools.c.why == "")).all()
    db.execute(pools.update().where(*this).values(why=why))
    for batch_id in struck:
        left = sa.select(pools.c.name).where(pools.c.batch_id == batch_id, pools.c.why == "").limit(1)
        if db.scalar(left) is None:
            rows = sa.select(calls.c.id).where(calls.c.batch_id == batch_id, calls.c.agent == "")
            for call_id in db.scalars(rows).all():
                said = {"rule": "agent", "said": why}
                waits = {State.DRAFT, State.WAITING}
                change(db, call_id, of=waits, now=now, state=State.REFUSED, why=said, ended_at=now)


def _let_go(db: sa.Connection, batch_id: str, now: float) -> bool:
    """Let staged rows of a running batch wait for their turn; say whether there were any."""
    some = _free(sa.select(calls.c.id).where(calls.c.batch_id == batch_id, calls.c.state == State.DRAFT))
    update = calls.update().where(calls.c.id.in_(some))
    if not db.execute(update.values(state=str(State.WAITING), why={}, changed_at=now)).rowcount:
        return False
    wake_all(db, batch_id, now)
    return True


def _free(rows: sa.Select[str]) -> sa.Select[str]:
    """Give some of the rows that nobody holds: those who take turns hold several, in an order of their own."""
    return rows.limit(AT_ONCE).with_for_update(skip_locked=True)


def _rest(db: sa.Connection, batch_id: str, state: BatchState, now: float) -> None:
    open_ = sa.select(calls.c.state).where(calls.c.batch_id == batch_id)
    if db.scalar(open_.where(calls.c.state.in_([State.DIALING, State.LIVE])).limit(1)) is not None:
        return
    left = db.scalar(open_.where(calls.c.state.in_([State.DRAFT, State.WAITING])).limit(1)) is not None
    if not left:
        became(db, batch_id, {state}, BatchState.DONE, now)
    elif state is BatchState.DRAINING:
        became(db, batch_id, {state}, BatchState.PAUSED, now)
