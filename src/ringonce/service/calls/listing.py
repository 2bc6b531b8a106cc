"""Looking through the calls: a page at a time, the newest first."""

import re
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from ringonce.service.calls import Record, State, record
from ringonce.service.store.tables import agents, calls

_NUMBERED = re.compile(r"~\d+$")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls; what is empty filters nothing."""

    agent: str = ""
    """By id, or as calls name the agent, in any case."""
    states: tuple[State, ...] = ()
    waits_for: str = ""
    """Why it waits, as `why` says it: `guard`, `agent`, `stop`."""
    outcome: str = ""
    batch: str = ""
    mark: str = ""
    """The ledger's of a number."""
    since: float | None = None
    until: float | None = None
    """Calls taken in from *since* on and before *until*."""
    key: str = ""
    """The intent's key, or the ledger's of one of its attempts."""
    conversation: str = ""
    ends: str = ""
    """The number's last digits."""
    shortest: int = 0
    """Characters of a number that *ends* is looked for in, at the least."""


def page(db: sa.Connection, wanted: Wanted, *, before: str = "", limit: int = 50) -> list[Record]:
    """Give up to *limit* calls that came before the one with the id *before*, the newest first.

    An id begins with the time at which its call was taken in, so a page stays what it is while calls come in.
    """
    query = calls.select().where(*_filters(wanted)).order_by(calls.c.id.desc()).limit(limit)
    if before:
        query = query.where(calls.c.id < before)
    return [record(found) for found in db.execute(query).mappings()]


def names_of(db: sa.Connection, agent_ids: Iterable[str]) -> dict[str, list[str]]:
    """Give what calls have named each of the agents by, in lower case."""
    query = sa.select(agents.c.name, agents.c.agent_id).where(agents.c.agent_id.in_(list(agent_ids)))
    found: dict[str, list[str]] = {}
    for name, agent_id in db.execute(query.order_by(agents.c.name)):
        found.setdefault(agent_id, []).append(name)
    return found


def numbers_of(db: sa.Connection, call_ids: Iterable[str]) -> dict[str, str]:
    """Give the whole numbers (E.164) of calls, for those who may see them."""
    query = sa.select(calls.c.id, calls.c.number).where(calls.c.id.in_(list(call_ids)))
    return {row.id: row.number for row in db.execute(query)}


def known_agent(db: sa.Connection, name: str) -> str:
    """Give the id of an agent who was looked up before; empty if nobody was by that name."""
    found: str | None = db.scalar(sa.select(agents.c.agent_id).where(agents.c.name == name.casefold()))
    return found or ""


def _filters(wanted: Wanted) -> Iterable[sa.ColumnElement[bool]]:
    if wanted.agent:
        known = sa.select(agents.c.agent_id).where(agents.c.name == wanted.agent.casefold())
        named = (calls.c.agent == wanted.agent, calls.c.agent_id == wanted.agent, calls.c.agent_id.in_(known))
        yield sa.or_(*named)
    yield from _stands(wanted)
    for column, value in (
        (calls.c.outcome, wanted.outcome),
        (calls.c.batch_id, wanted.batch),
        (calls.c.mark, wanted.mark),
        (calls.c.conversation_id, wanted.conversation),
    ):
        if value:
            yield column == value
    if wanted.key:
        yield calls.c.key.in_([wanted.key, _NUMBERED.sub("", wanted.key)])
    if wanted.ends:
        yield calls.c.number.endswith(wanted.ends, autoescape=True)
        yield sa.func.length(calls.c.number) >= wanted.shortest
    if wanted.since is not None:
        yield calls.c.created_at >= wanted.since
    if wanted.until is not None:
        yield calls.c.created_at < wanted.until


def _stands(wanted: Wanted) -> Iterable[sa.ColumnElement[bool]]:
    if wanted.states:
        yield calls.c.state.in_([str(state) for state in wanted.states])
    elif not wanted.batch:
        # A file that is only looked at has rows too, and rows that no batch was started for are no calls yet.
        yield calls.c.state != str(State.DRAFT)
    if wanted.waits_for:
        yield calls.c.why["for"].as_string() == wanted.waits_for
