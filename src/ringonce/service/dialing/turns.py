"""Whose turn it is: one call at a time for an agent, the most urgent that is due, once the agent is free.

Calls wait as rows and become work only when it is their turn, so a hundred thousand of them cost no more than a
table. Every agent has a line, a row that says which call has it and when it is worth looking for the next.
"""

from collections.abc import Mapping

import msgspec
import sqlalchemy as sa

from ringonce.service import stopping
from ringonce.service.calls import Record, State
from ringonce.service.calls.accepting import new_id
from ringonce.service.calls.batch import BatchState
from ringonce.service.calls.changing import change
from ringonce.service.dialing import batched
from ringonce.service.dialing.batched import Candidate
from ringonce.service.dialing.sieving import Sieve, sifted
from ringonce.service.store.inserting import insert_once
from ringonce.service.store.tables import agents, batches, calls, lines, pools

NEVER = 1e15
"""A moment that does not come: nothing of the agent's waits, or all of it is paused."""


_NOW, _MOST = sa.bindparam("now", type_=sa.Float()), sa.bindparam("most", type_=sa.Integer())
_LINE = lines.c.agent_id == sa.bindparam("this")
# Made once, as they are needed for every call: a statement costs more to make than to run.
_FREE = (
    sa.select(lines.c.agent_id)
    .where(lines.c.call_id == "", lines.c.look_at <= _NOW, lines.c.free_at <= _NOW)
    .order_by(lines.c.look_at)
    .limit(_MOST)
    .with_for_update(skip_locked=True)
)
# The sum keeps SQLite from reading all calls that are due in place of the agent's own: 70 ms of 100,000.
_OWN_DUE = (
    sa.select(calls.c.priority, calls.c.due_at, calls.c.id, calls.c.batch_id)
    .where(calls.c.agent_id == sa.bindparam("agent"), calls.c.state == State.WAITING, calls.c.due_at + 0 <= _NOW)
    .where(batched.going(_NOW))
    .order_by(calls.c.priority, calls.c.due_at, calls.c.id)
    .limit(_MOST)
)
_HOLD = (
    lines.update().where(_LINE).values(call_id=sa.bindparam("its"), run=sa.bindparam("by"), worker=sa.bindparam("at"))
)
_LOOK_AT = lines.update().where(_LINE).values(look_at=sa.bindparam("at"))
_GIVE_BACK = (
    lines.update()
    .where(_LINE, lines.c.call_id == sa.bindparam("its"))
    .values(call_id="", run="", worker="", free_at=sa.bindparam("at"), look_at=sa.bindparam("at"))
)

SIEVED = PAGE = 100
"""Calls that one transaction holds to the guard's rules, and that it does for one agent: others want to write, too."""
STOPPED = 5.0
"""Seconds after which an agent's line is looked at again while the kill switch is on."""


class Turn(msgspec.Struct, frozen=True):
    """A call that has its agent's line."""

    call_id: str
    run: str
    """The name of the workflow that has it."""
    worker: str


def unnamed(db: sa.Connection, limit: int = 50) -> dict[str, str]:
    """Give the agents, as calls name them, whose ids are not filled in yet: each with its id, or "" if nobody knows."""
    waiting = (calls.c.state == State.WAITING, calls.c.agent_id == "", calls.c.agent != "")
    found = list(db.scalars(sa.select(calls.c.agent).where(*waiting).distinct().limit(limit)))
    running = sa.exists().where(batches.c.id == pools.c.batch_id, batches.c.state == BatchState.RUNNING)
    pooled = sa.select(pools.c.name).where(pools.c.agent_id == "", pools.c.why == "", running)
    found += [name for name in db.scalars(pooled.distinct().limit(limit)) if name not in found]
    if not found:
        return {}
    names = sa.select(agents.c.name, agents.c.agent_id).where(agents.c.name.in_([name.casefold() for name in found]))
    known = {row.name: row.agent_id for row in db.execute(names)}
    return {name: known.get(name.casefold(), "") for name in found}


def named(db: sa.Connection, name: str, agent_id: str, at: float = 0.0) -> None:
    """Fill in the id of an agent wherever calls name them, and give them a line, to be looked at *at* the latest."""
    insert_once(db, agents, name=name.casefold(), agent_id=agent_id)
    db.execute(calls.update().where(calls.c.agent == name, calls.c.agent_id == "").values(agent_id=agent_id))
    db.execute(pools.update().where(pools.c.name == name.casefold()).values(agent_id=agent_id))
    insert_once(db, lines, agent_id=agent_id, call_id="", run="", worker="", free_at=0.0, look_at=at)
    look(db, agent_id, at)


def nobody(db: sa.Connection, name: str, why: str, now: float, limit: int = 500) -> int:
    """Refuse calls of an agent whom the platform does not know, *limit* of them at once; give how many."""
    query = sa.select(calls.c.id).where(calls.c.agent == name, calls.c.agent_id == "", calls.c.state == State.WAITING)
    found = db.scalars(query.limit(limit)).all()
    for call_id in found:
        said = {"rule": "agent", "said": why}
        change(db, call_id, of={State.WAITING}, now=now, state=State.REFUSED, why=said, ended_at=now)
    batched.nobody(db, name.casefold(), why, now)
    return len(found)


def look(db: sa.Connection, agent_id: str, at: float) -> None:
    """Have the agent's waiting calls looked at, at the moment *at* at the latest."""
    # The row has to be waited for whatever it seems to say: a worker that holds it may be about to write NEVER.
    sooner = sa.case((lines.c.look_at > at, at), else_=lines.c.look_at)
    db.execute(lines.update().where(lines.c.agent_id == agent_id).values(look_at=sooner))


def take(db: sa.Connection, worker: str, now: float, limit: int, sieve: Sieve | None = None) -> list[Turn]:
    """Give the next call of each free agent its line, for *worker* to dial; *limit* agents at most.

    Calls that the *sieve* does not let through are passed over, and looked at again when they may be.
    """
    agent_ids = db.scalars(_FREE, {"now": now, "most": limit}).all()
    if not agent_ids:
        return []
    taken, left, stopped = [], SIEVED, stopping.stands(db).stopped
    for agent_id in agent_ids:
        if stopped:
            _stand_still(db, agent_id, now)
            continue
        found, looked = _let_through(db, agent_id, now, sieve)
        turn = None if found is None else _taken(db, worker, agent_id, found, now)
        if turn is not None:
            taken.append(turn)
        left -= looked
        if left <= 0:
            break
    return taken


def _let_through(db: sa.Connection, agent_id: str, now: float, sieve: Sieve | None) -> tuple[Candidate | None, int]:
    """Give the agent's next call, if there is one, and how many had to be looked at to find it."""
    looked = 0
    for many in (1, PAGE):
        found = _due(db, agent_id, now, many)
        if not found:
            soonest = batched.soonest(db, agent_id)
            db.execute(_LOOK_AT, {"this": agent_id, "at": NEVER if soonest is None else soonest})
            return None, looked
        looked += len(found)
        if sieve is None:
            return found[0], looked
        free = sifted(db, sieve, [one.id for one in found], now)
        first = next((one for one in found if one.id in free), None)
        if first is not None:
            return first, looked
    # There may be more of them; it is the others' turn before that.
    db.execute(_LOOK_AT, {"this": agent_id, "at": now})
    return None, looked


def _taken(db: sa.Connection, worker: str, agent_id: str, found: Candidate, now: float) -> Turn | None:
    if found.batch_id is not None and not batched.paced(db, found.batch_id, now):
        return None
    turn = Turn(found.id, new_id("run", now), worker)
    # A row of a pool is this agent's from now on.
    whose = {"agent": agent_id, "agent_id": agent_id} if found.of_pool else {}
    if change(db, found.id, of={State.WAITING}, now=now, state=State.DIALING, why={}, **whose) is None:
        return None
    _hold(db, {agent_id: turn})
    return turn


def _hold(db: sa.Connection, turns: Mapping[str, Turn]) -> None:
    """Give each agent's line to a turn."""
    held = [{"this": agent, "its": turn.call_id, "by": turn.run, "at": turn.worker} for agent, turn in turns.items()]
    if held:
        db.execute(_HOLD, held)


def _stand_still(db: sa.Connection, agent_id: str, now: float) -> None:
    """Have the agent's next call say that the kill switch is on."""
    for one in _due(db, agent_id, now, 1):
        if db.scalar(sa.select(calls.c.why["for"].as_string()).where(calls.c.id == one.id)) != "stop":
            change(db, one.id, of={State.WAITING}, now=now, why={"for": "stop"})
    db.execute(lines.update().where(lines.c.agent_id == agent_id).values(look_at=now + STOPPED))


def _due(db: sa.Connection, agent_id: str, now: float, limit: int) -> list[Candidate]:
    """Give the most urgent calls that are due, the agent's own or their pools'."""
    own = db.execute(_OWN_DUE, {"agent": agent_id, "now": now, "most": limit})
    found = [Candidate(*one) for one in own]
    return sorted([*found, *batched.pooled(db, agent_id, now, limit)])[:limit]


def give_back(db: sa.Connection, record: Record, free_at: float) -> None:
    """Free the line of the call's agent, from *free_at* on; another call's hold of it is left alone.

    Call it before anything else that the transaction changes: everybody holds lines first.
    """
    db.execute(_GIVE_BACK, {"this": record.agent_id, "its": record.id, "at": free_at})


def of_worker(db: sa.Connection, worker: str) -> list[Turn]:
    """Give the turns that a worker has."""
    query = sa.select(lines.c.call_id, lines.c.run, lines.c.worker).where(lines.c.worker == worker)
    return [Turn(*found) for found in db.execute(query)]


def runs(db: sa.Connection) -> set[str]:
    """Give the names of all turns that somebody has."""
    return set(db.scalars(sa.select(lines.c.run).where(lines.c.call_id != "")))


def inherit(db: sa.Connection, dead: str, heir: str, now: float) -> list[Turn]:
    """Have a worker take over what turns of a dead one nobody else has taken over; give them as they are begun anew."""
    held = sa.select(lines.c.agent_id, lines.c.call_id).where(lines.c.worker == dead, lines.c.call_id != "")
    found = db.execute(held.order_by(lines.c.agent_id).with_for_update()).all()  # held in one order by everybody
    theirs = {line.agent_id: Turn(line.call_id, new_id("run", now), heir) for line in found}
    _hold(db, theirs)
    return list(theirs.values())


def anew(db: sa.Connection, turn: Turn, now: float) -> Turn | None:
    """Begin a turn's work anew, under another name; None if the worker doesn't have it any more."""
    mine = (lines.c.call_id == turn.call_id, lines.c.run == turn.run, lines.c.worker == turn.worker)
    run = new_id("run", now)
    if db.execute(lines.update().where(*mine).values(run=run)).rowcount != 1:
        return None
    return Turn(turn.call_id, run, turn.worker)


def expire(db: sa.Connection, now: float, limit: int = 200) -> int:
    """Give up waiting calls whose time is over; give how many."""
    # Nor shall it read all that wait, to find the few that expire.
    waits = calls.c.state.concat("") == State.WAITING
    late = sa.select(calls.c.id).where(calls.c.expires_at <= now, waits).limit(limit)
    # Whoever takes turns holds calls in an order of its own, so what it holds is left for the next time.
    found = db.scalars(late.with_for_update(skip_locked=True)).all()
    for call_id in found:
        change(db, call_id, of={State.WAITING}, now=now, state=State.EXPIRED, ended_at=now)
    return len(found)
