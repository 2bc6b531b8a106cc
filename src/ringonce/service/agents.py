"""The agents as the service sees them: who has a call, who wraps up, whom calls don't reach, who is enrolled."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from ringonce.models import Outcome
from ringonce.service.calls import State
from ringonce.service.calls.listing import names_of
from ringonce.service.store.tables import attempts, calls, identities, intents, lines

UNREACHED_FOR = 900.0
"""Seconds for which an agent counts as unreachable whose own phone did not answer the last call."""


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent and the agent's line."""

    agent_id: str
    name: str
    """For people: an e-mail or a full name where calls or an enrolment have one, else the id."""
    names: tuple[str, ...] = ()
    """What calls have named the agent by."""
    state: str
    """`free`, `busy`, `wrapping_up` or `unreachable`."""
    call_id: str | None = None
    free_at: float | None = None
    """While wrapping up: until when."""
    unreached_at: float | None = None
    """While unreachable: when the call was placed that the agent's own phone did not answer."""
    waiting: int = 0
    """Calls that wait for the agent."""
    enrolled: bool = False
    """Whether calls go out as the agent."""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many agents are in which state."""

    free: int
    busy: int
    wrapping_up: int
    unreachable: int


def page(db: sa.Connection, *, after: str, limit: int, now: float) -> list[Agent]:
    """Give agents for whom calls were taken in, and those who are enrolled, by id, from the one *after* on."""
    known = sa.select(lines.c.agent_id).union(sa.select(identities.c.agent_id)).subquery()
    query = sa.select(known.c.agent_id).where(known.c.agent_id > after, known.c.agent_id != "")
    return of(db, db.scalars(query.order_by(known.c.agent_id).limit(limit)).all(), now)


def of(db: sa.Connection, ids: Sequence[str], now: float) -> list[Agent]:
    """Give these agents, in this order; one of whom nothing is known is free."""
    held = {row.agent_id: row for row in db.execute(lines.select().where(lines.c.agent_id.in_(ids)))}
    mine = (calls.c.agent_id.in_(ids), calls.c.state == State.WAITING)
    counted = db.execute(
        sa.select(calls.c.agent_id, sa.func.count().label("n")).where(*mine).group_by(calls.c.agent_id)
    )
    waiting: dict[str, int] = {row.agent_id: row.n for row in counted}
    enrolled: dict[str, str] = {
        row.agent_id: row.agent for row in db.execute(identities.select().where(identities.c.agent_id.in_(ids)))
    }
    names, unreached = names_of(db, ids), unreachable(db, now)
    found = []
    for agent_id in ids:
        line = held.get(agent_id)
        call_id = line.call_id if line else ""
        free_at = line.free_at if line and not call_id and line.free_at > now else None
        unreached_at = None if call_id or free_at else unreached.get(agent_id)
        found.append(
            Agent(
                agent_id=agent_id,
                name=enrolled.get(agent_id) or name_of(agent_id, names),
                names=tuple(names.get(agent_id, ())),
                state="busy" if call_id else "wrapping_up" if free_at else "unreachable" if unreached_at else "free",
                call_id=call_id or None,
                free_at=free_at,
                unreached_at=unreached_at,
                waiting=waiting.get(agent_id, 0),
                enrolled=agent_id in enrolled,
            )
        )
    return found


def counted(db: sa.Connection, now: float) -> Counted:
    """Count the agents for whom calls were taken in."""
    count = sa.select(sa.func.count())
    everybody = db.scalar(count.select_from(lines)) or 0
    busy = db.scalar(count.where(lines.c.call_id != "")) or 0
    wrapping_up = db.scalar(count.where(lines.c.call_id == "", lines.c.free_at > now)) or 0
    lost = list(unreachable(db, now))
    idle = (lines.c.agent_id.in_(lost), lines.c.call_id == "", lines.c.free_at <= now)
    unreached = (db.scalar(count.where(*idle)) or 0) if lost else 0
    return Counted(
        free=everybody - busy - wrapping_up - unreached, busy=busy, wrapping_up=wrapping_up, unreachable=unreached
    )


def unreachable(db: sa.Connection, now: float) -> dict[str, float]:
    """Give the agents whose own phone did not answer their last call, and when that was placed."""
    last = sa.select(intents.c.agent_id, sa.func.max(intents.c.armed_at).label("at"))
    last = last.where(intents.c.armed_at > now - UNREACHED_FOR).group_by(intents.c.agent_id)
    latest = last.subquery()
    joined = latest.join(
        intents, sa.and_(intents.c.agent_id == latest.c.agent_id, intents.c.armed_at == latest.c.at)
    ).join(attempts, attempts.c.intent == intents.c.intent)
    query = sa.select(latest.c.agent_id, latest.c.at).select_from(joined)
    return {row.agent_id: row.at for row in db.execute(query.where(attempts.c.outcome == Outcome.AGENT_UNREACHABLE))}


def name_of(agent_id: str, names: dict[str, list[str]], given: str = "") -> str:
    """Give the name to show of an agent: *given* if it is one, an e-mail, any other name, or the id."""
    if given and given != agent_id:
        return given
    known = [name for name in names.get(agent_id, ()) if name != agent_id.casefold()]
    return next((name for name in known if "@" in name), known[0] if known else agent_id)
