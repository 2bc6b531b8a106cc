"""Agents, queues and wrap-up codes by the names people use for them."""

import re
from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from ringonce.client.flows.exchange import decoded, read
from ringonce.client.flows.session import Session
from ringonce.client.wishes import Flow, Request, Share
from ringonce.errors import Ambiguous, InvalidInput, NotFound

_FOUR = "[0-9A-Fa-f]{4}"
UUID = re.compile(f"[0-9A-Fa-f]{{8}}-{_FOUR}-{_FOUR}-{_FOUR}-[0-9A-Fa-f]{{12}}")
"""Written out: a repeated group costs three times as much, and every call is matched twice."""
_GONE = {"inactive", "deleted"}
"""States of users who can't call (official SDK model User); one that nobody has heard of yet stops nobody."""
MOST_NAMED = 5
"""Candidates that an error names."""
LONGEST_NAME = 200
NAMED_BY = "an e-mail, an id or a full name"
"""What names an agent."""


class _Entity(msgspec.Struct):
    id: str
    name: str = ""
    email: str = ""
    state: str = "active"


class _Users(msgspec.Struct):
    results: list[_Entity] = []


class _Entities(msgspec.Struct):
    entities: list[_Entity] = []


def agent_id(session: Session, agent: str, deadline: float | None = None) -> Flow[str]:
    """Give an agent's id by id, e-mail or full name. Raise `NotFound` or `Ambiguous`; remembered once found.

    *deadline* is that of `exchange`, in epoch seconds.
    """
    wanted = clean(agent, "agent", NAMED_BY)
    if known := known_id(session, wanted):
        return known
    found: str = yield Share(f"agent {wanted.casefold()}", _find_agent(session, wanted, deadline))
    return found


def _find_agent(session: Session, wanted: str, deadline: float | None) -> Flow[str]:
    by_mail = "@" in wanted
    search = Request(
        "POST",
        session.url("/users/search"),
        body={
            "pageSize": 25,
            "query": [
                {
                    "fields": ["email" if by_mail else "name"],
                    "value": wanted,
                    "type": "EXACT" if by_mail else "CONTAINS",
                }
            ],
        },
        repeatable=True,
    )
    what = f"Agent {wanted!r} can't be looked up"
    found = decoded((yield from read(search, what, deadline=deadline)), _Users, what).results
    same = [one for one in found if (one.email if by_mail else one.name).casefold() == wanted.casefold()]
    one = _the_one(same, found, "agent", wanted)
    if one.state in _GONE:
        raise NotFound(
            f"Agent {wanted!r} can't place calls",
            why=f"the user is {one.state}",
            fix="name an active user",
        )
    session.agents[wanted.casefold()] = one.id
    return one.id


def known_id(session: Session, agent: str) -> str:
    """Give an agent's id if that takes no question to the platform; else empty."""
    wanted = agent.strip()
    return wanted.lower() if UUID.fullmatch(wanted) else session.agents.get(wanted.casefold(), "")


def queue_id(session: Session, queue: str, deadline: float | None = None) -> Flow[str]:
    """Give a queue's id by id or name, as `agent_id` does an agent's."""
    wanted = clean(queue, "queue", "a name or an id")
    if UUID.fullmatch(wanted):
        return wanted.lower()
    known = session.queues.get(wanted.casefold())
    if known:
        return known
    found: str = yield Share(f"queue {wanted.casefold()}", _find_queue(session, wanted, deadline))
    return found


def _find_queue(session: Session, wanted: str, deadline: float | None) -> Flow[str]:
    url = session.url(f"/routing/queues?pageSize=100&name={quote(wanted, safe='')}")
    what = f"Queue {wanted!r} can't be looked up"
    found = decoded((yield from read(Request("GET", url), what, deadline=deadline)), _Entities, what).entities
    same = [one for one in found if one.name.casefold() == wanted.casefold()]
    session.queues[wanted.casefold()] = one_id = _the_one(same, found, "queue", wanted).id
    return one_id


def wrapup_code_id(session: Session, conversation: str, participant: str, code: str) -> Flow[str]:
    """Give a wrap-up code's id by id or by its name among those the participant may choose from."""
    wanted = clean(code, "wrap-up code", "a name or an id")
    if UUID.fullmatch(wanted):
        return wanted.lower()
    url = session.url(f"/conversations/calls/{conversation}/participants/{participant}/wrapupcodes")
    what = "The call's wrap-up codes can't be read"
    found = decoded((yield from read(Request("GET", url), what)), list[_Entity], what)
    same = [one for one in found if one.name.casefold() == wanted.casefold()]
    return _the_one(same, found, "wrap-up code", wanted).id


def _the_one(same: Sequence[_Entity], found: Sequence[_Entity], kind: str, wanted: str) -> _Entity:
    active = [one for one in same if one.state == "active"]
    if len(active) == 1 or len(same) == 1:
        return (active or same)[0]
    near = [one for one in found if wanted.casefold() in f"{one.name} {one.email}".casefold()]
    if same or len(near) > 1:
        fits = same or near
        raise Ambiguous(
            f"{kind.capitalize()} {wanted!r} is ambiguous",
            why=f"it fits {len(fits)}: {_list(fits)}",
            fix="give the full name or the id",
        )
    if found:
        raise NotFound(
            f"There is no {kind} {wanted!r}",
            why=f"there is {_list(near or found)}",
            fix=f"give the {kind}'s full name or id",
        )
    raise NotFound(
        f"There is no {kind} {wanted!r}",
        why="the platform's search finds nothing",
        fix="check the spelling, and that the token belongs to the right organization and region",
    )


def _list(entities: Sequence[_Entity]) -> str:
    named = [f"{one.name} <{one.email}> {one.id}" if one.email else f"{one.name} {one.id}" for one in entities]
    more = len(named) - MOST_NAMED
    return "; ".join(named[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def clean(name: str, kind: str, give: str) -> str:
    """Give a name that can be looked for. Raise `InvalidInput` for one that is empty, too long or not printable."""
    wanted = name.strip()
    if not wanted or len(wanted) > LONGEST_NAME or not wanted.isprintable():
        raise InvalidInput(
            f"{name[:40]!r} is no {kind}",
            why="it is empty" if not wanted else "it is too long or has control characters",
            fix=f"give {give}",
        )
    return wanted
