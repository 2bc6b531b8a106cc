"""What goes on right now, in one look: whoever follows the feed begins with this, and goes on without a gap."""

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa

from ringonce.client.quota import gauged
from ringonce.ledger import Meter
from ringonce.numbers import masked
from ringonce.service import agents, feed, stopping
from ringonce.service.agents import Counted, name_of
from ringonce.service.calls import Record, State, record
from ringonce.service.calls.listing import names_of
from ringonce.service.lifesigns import alive
from ringonce.service.stopping import Stop
from ringonce.service.store.tables import calls, intents, lines, meters, workers

MOST_CALLS = 2_500
MOST_WRAPPING, MOST_TOKENS, MOST_WORKERS = 500, 50, 100
MINUTES = 10
_FLYING = (State.DIALING, State.LIVE)


class Flight(msgspec.Struct, frozen=True, kw_only=True):
    """A call in flight."""

    id: str
    agent_id: str
    agent: str
    """The agent's name, for people."""
    to: str
    """The number; its middle is masked unless the token is an admin's."""
    state: State
    phase: str
    """`requested`, `dialing`, `ringing`, `connected`, `held` or `ended`."""
    since: float
    """When this phase was first seen; muting and the like may move it."""
    muted: bool
    attempt: int
    why: dict[str, Any]
    conversation_id: str
    batch_id: str | None
    placed_at: float | None
    changed_at: float


class Wrapping(msgspec.Struct, frozen=True, kw_only=True):
    """An agent whose next call waits for the after-call work."""

    agent_id: str
    agent: str
    free_at: float


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """One platform token's quota, as all processes that share the database know it."""

    mark: str
    """Stands for the token, which is not kept."""
    limit: int | None
    """Requests a minute; null where no answer has told."""
    used: int
    """That were sent in this window, or taken in advance to be sent."""
    left: int | None
    resets_at: float | None
    shut_until: float | None
    """The platform wants nothing before."""
    heard_at: float


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """The creates that left, or were about to, in one minute."""

    at: float
    dials: int


class Working(msgspec.Struct, frozen=True, kw_only=True):
    """A worker that gives signs of life."""

    id: str
    host: str
    started_at: float
    beat_at: float


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """What goes on."""

    at: float
    last_event_id: int
    """The last event that is in this; give it as `Last-Event-ID` to /v1/events to go on from here."""
    sandbox: bool
    """Whether nothing real rings."""
    platform: str
    stop: Stop
    calls: list[Flight]
    """In flight, the latest first."""
    more_calls: int
    """In flight, and left out of `calls`."""
    states: dict[str, int]
    """Calls in the database by state."""
    agents: Counted
    wrapping_up: list[Wrapping]
    quota: list[Spent]
    """The fullest first."""
    dials: list[Minute]
    """By minute, the oldest first; the last one is still running."""
    workers: list[Working]


def snapshot(
    db: sa.Connection, *, platform: str, sandbox: bool, now: float, whole_numbers: bool = False, most: int = MOST_CALLS
) -> Now:
    """Take the look: all of it is of one moment, with *most* calls of those in flight."""
    if db.dialect.name == "postgresql":
        db.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    latest = feed.latest(db)
    counted = db.execute(sa.select(calls.c.state, sa.func.count().label("n")).group_by(calls.c.state))
    states: dict[str, int] = dict.fromkeys(map(str, State), 0) | {row.state: row.n for row in counted}
    query = calls.select().where(calls.c.state.in_(_FLYING)).order_by(calls.c.changed_at.desc()).limit(most)
    flying = [record(found) for found in db.execute(query).mappings()]
    names = names_of(db, {one.agent_id for one in flying})
    return Now(
        at=now,
        last_event_id=latest,
        sandbox=sandbox,
        platform=platform,
        stop=stopping.stands(db),
        calls=[_flight(one, name_of(one.agent_id, names, one.agent), whole_numbers) for one in flying],
        more_calls=max(0, sum(states[state] for state in _FLYING) - len(flying)),
        states=states,
        agents=agents.counted(db, now),
        wrapping_up=_wrapping(db, now),
        quota=_quota(db, now),
        dials=_dials(db, now),
        workers=_workers(db, now),
    )


def _flight(call: Record, agent: str, whole_number: bool) -> Flight:
    told = call.told if call.state is State.LIVE else {}
    phase = call.progress if call.state is State.LIVE and call.progress else "requested"
    since = call.changed_at
    if phase == "connected" and told.get("connected_at"):
        # By the platform's clock, which need not be ours.
        seen = dt.datetime.fromisoformat(told["connected_at"]).timestamp()
        since = min(max(seen, call.placed_at or seen), since)
    if phase == "connected" and told.get("held"):
        phase, since = "held", call.changed_at
    return Flight(
        id=call.id,
        agent_id=call.agent_id,
        agent=agent,
        to=call.number if whole_number else masked(call.number),
        state=call.state,
        phase=phase,
        since=since,
        muted=bool(told.get("muted")),
        attempt=call.attempt,
        why=call.why,
        conversation_id=call.conversation_id,
        batch_id=call.batch_id,
        placed_at=call.placed_at if call.state is State.LIVE else None,
        changed_at=call.changed_at,
    )


def _wrapping(db: sa.Connection, now: float) -> list[Wrapping]:
    query = sa.select(lines.c.agent_id, lines.c.free_at).where(lines.c.call_id == "", lines.c.free_at > now)
    found = db.execute(query.order_by(lines.c.free_at).limit(MOST_WRAPPING)).all()
    names = names_of(db, [row.agent_id for row in found])
    return [Wrapping(agent_id=row.agent_id, agent=name_of(row.agent_id, names), free_at=row.free_at) for row in found]


def _quota(db: sa.Connection, now: float) -> list[Spent]:
    found = []
    for row in db.execute(meters.select().order_by(meters.c.at.desc()).limit(MOST_TOKENS)):
        quota = gauged(msgspec.convert(row.meter, Meter), now, lease=0, waiting=(0, 0, 0))
        if quota is None:
            continue
        found.append(
            Spent(
                mark=row.mark[:12],
                limit=quota.allowed,
                used=quota.used,
                left=quota.left,
                resets_at=now + quota.resets_in if quota.resets_in else None,
                shut_until=now + quota.shut_for if quota.shut_for else None,
                heard_at=row.at,
            )
        )
    return sorted(found, key=lambda spent: -spent.used)


def _dials(db: sa.Connection, now: float) -> list[Minute]:
    begins = [(now // 60 - back) * 60 for back in reversed(range(MINUTES))]
    armed = intents.c.armed_at
    # One number for each minute in one row: databases round to whole minutes in ways of their own.
    sums = [
        sa.func.coalesce(sa.func.sum(sa.case((sa.and_(armed >= at, armed < at + 60), 1), else_=0)), 0) for at in begins
    ]
    found = db.execute(sa.select(*sums).where(armed >= begins[0])).one()
    return [Minute(at=at, dials=int(number)) for at, number in zip(begins, found, strict=True)]


def _workers(db: sa.Connection, now: float) -> list[Working]:
    query = workers.select().where(alive(now)).order_by(workers.c.started_at).limit(MOST_WORKERS)
    return [
        Working(id=row.id, host=row.host, started_at=row.started_at, beat_at=row.beat_at) for row in db.execute(query)
    ]
