"""Reading calls: one by its id, or an agent's."""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from ringonce.client import snapshots
from ringonce.client.flows.exchange import decoded, exchange, read
from ringonce.client.flows.session import Session, token_user
from ringonce.client.policy import SKEW
from ringonce.client.wishes import UNREADABLE, Flow, Now, Request
from ringonce.errors import NoAnswer, NotPermitted

DAY = 86_400.0


class _Found(msgspec.Struct, rename="camel"):
    conversation_id: str


class _Details(msgspec.Struct):
    conversations: list[_Found] = []


def calls_of(session: Session, agent_id: str, since: float) -> Flow[Iterable[snapshots.Snapshot]]:
    """Read an agent's calls that began after *since* (epoch seconds) or still live.

    The agent's own token lists his active calls. An application's has only the analytics query, which the platform
    fills some time after the fact, and then reads each call it names. Raise the errors of `exchange`.
    """
    if (yield from token_user(session)) == agent_id:
        response = yield from exchange(Request("GET", session.url("/conversations/calls")))
        try:
            return snapshots.listing(response.body) if response.ok else ()
        except UNREADABLE as wrong:
            raise NoAnswer("The agent's calls can't be read from the answer", why=str(wrong)) from wrong
    now: float = yield Now()
    query = {
        "interval": f"{_iso(since - SKEW)}/{_iso(now + DAY)}",
        "order": "desc",
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
    response = yield from exchange(Request("POST", session.url(path), body=query, repeatable=True))
    if not response.ok:
        return ()
    shown = []
    for found in decoded(response, _Details, "The agent's calls can't be listed").conversations:
        if session.board.facts(found.conversation_id).settled:
            continue
        shown.append((yield from read_call(session, found.conversation_id)))
    return shown


def read_call(session: Session, conversation_id: str) -> Flow[snapshots.Snapshot]:
    """Read a call: the nested view, or the flat one where the identity may not see that.

    Only the nested view says why a leg ended (disconnectReasons), and only it needs a permission
    (`conversation:communication:view`). Raise `NotFound`, `NoAnswer`, ….
    """
    what, fix = f"Call {conversation_id} can't be read", "check the id, and that the token belongs to its organization"
    try:
        path = "/conversations/calls/" if session.flat_only else "/conversations/"
        response = yield from read(Request("GET", session.url(path + conversation_id)), what, fix=fix)
    except NotPermitted:
        if session.flat_only:
            raise
        session.flat_only = True
        return (yield from read_call(session, conversation_id))
    try:
        return snapshots.read(response.body)
    except UNREADABLE as wrong:
        raise NoAnswer(f"The answer about call {conversation_id} is no conversation", why=str(wrong)) from wrong


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
