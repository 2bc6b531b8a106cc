"""Reading calls: one by its id, or an agent's."""

from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec

from ringonce.client import snapshots
from ringonce.client.flows.exchange import decoded, read
from ringonce.client.flows.session import Session, token_user
from ringonce.client.policy import SKEW
from ringonce.client.wishes import UNREADABLE, Flow, Lane, Now, Request
from ringonce.errors import NoAnswer, NotPermitted, RingonceError

DAY = 86_400.0


class _Found(msgspec.Struct, rename="camel"):
    conversation_id: str


class _Details(msgspec.Struct):
    conversations: list[_Found] = []


class _Had(msgspec.Struct):
    id: str


class _History(msgspec.Struct):
    entities: list[_Had] = []


LIST = "The agent's calls can't be listed"


def calls_of(
    session: Session, agent_id: str, since: float, lane: Lane = Lane.READ, *, until: float | None = None
) -> Flow[Iterable[snapshots.Snapshot]]:
    """Read an agent's calls that began after *since* (epoch seconds) or still live: the newest, where there are many.

    With *until*, the oldest of those that began in between.

    The agent's own token, the client's or one from the pool, lists his active calls and his history at once. An
    application's has only the analytics query, which the platform fills some time after the fact. Calls that a
    list merely names are read. Raise the errors of `exchange`.
    """
    own = agent_id if session.own.get(agent_id) else ""
    if own or (yield from token_user(session, lane=lane)) == agent_id:
        try:
            return (yield from _as_the_agent(session, own, since, until, lane))
        except RingonceError:
            if not own:
                raise
    return (yield from _as_anybody(session, agent_id, since, until, lane))


def _as_the_agent(
    session: Session, own: str, since: float, until: float | None, lane: Lane
) -> Flow[Iterable[snapshots.Snapshot]]:
    active = yield from read(Request("GET", session.url("/conversations/calls")), LIST, agent=own, lane=lane)
    try:
        shown = snapshots.listing(active.body)
    except UNREADABLE as wrong:
        raise NoAnswer("The agent's calls can't be read from the answer", why=str(wrong)) from wrong
    path = f"/conversations/calls/history?pageSize=50&interval={quote((yield from _interval(since, until)))}"
    try:
        told = yield from read(Request("GET", session.url(path)), LIST, agent=own, lane=lane)
        ended = decoded(told, _History, LIST)
    except RingonceError:
        return shown  # what is going on now is known, and worth having
    live = {one.conversation_id for one in shown}
    over = [one.id for one in ended.entities if one.id not in live]
    return (*shown, *(yield from _each(session, over, lane)))


def _as_anybody(
    session: Session, agent_id: str, since: float, until: float | None, lane: Lane
) -> Flow[Iterable[snapshots.Snapshot]]:
    query = {
        "interval": (yield from _interval(since, until)),
        "order": "desc" if until is None else "asc",
        "paging": {"pageSize": 25, "pageNumber": 1},
        "segmentFilters": [
            {
                "type": "and",
                "predicates": [
                    {"dimension": "userId", "value": agent_id},
                    {"dimension": "mediaType", "value": "voice"},
                ],
            }
        ],
    }
    path = "/analytics/conversations/details/query"
    response = yield from read(Request("POST", session.url(path), body=query, repeatable=True), LIST, lane=lane)
    found = decoded(response, _Details, LIST).conversations
    return (yield from _each(session, [one.conversation_id for one in found], lane))


def _each(session: Session, named: Iterable[str], lane: Lane) -> Flow[list[snapshots.Snapshot]]:
    """Read the calls of which not everything is known yet."""
    shown = []
    for conversation_id in named:
        if session.board.settled(conversation_id):
            continue
        shown.append((yield from read_call(session, conversation_id, lane)))
    return shown


def _interval(since: float, until: float | None) -> Flow[str]:
    now: float = yield Now()
    return f"{_iso(since - SKEW)}/{_iso(now + DAY if until is None else until + SKEW)}"


def read_call(
    session: Session, conversation_id: str, lane: Lane = Lane.READ, *, deadline: float | None = None
) -> Flow[snapshots.Snapshot]:
    """Read a call: the nested view, or the flat one where the identity may not see that.

    Only the nested view says why a leg ended (disconnectReasons), and only it needs a permission
    (`conversation:communication:view`). *deadline* is that of `exchange`. Raise `NotFound`, `NoAnswer`, ….
    """
    what, fix = f"Call {conversation_id} can't be read", "check the id, and that the token belongs to its organization"
    try:
        path = "/conversations/calls/" if session.flat_only else "/conversations/"
        request = Request("GET", session.url(path + conversation_id))
        response = yield from read(request, what, fix=fix, deadline=deadline, lane=lane)
    except NotPermitted:
        if session.flat_only:
            raise
        session.flat_only = True
        return (yield from read_call(session, conversation_id, lane, deadline=deadline))
    try:
        return snapshots.read(response.body)
    except UNREADABLE as wrong:
        raise NoAnswer(f"The answer about call {conversation_id} is no conversation", why=str(wrong)) from wrong


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
