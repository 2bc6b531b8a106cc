"""`/v1/events`: everything that happens, as it happens (server-sent events), and from where one left off."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from litestar import get
from litestar.connection import Request
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from ringonce.errors import RingonceError
from ringonce.service import access, feed, sessions
from ringonce.service.access import Role, Token
from ringonce.service.calls.listing import numbers_of
from ringonce.service.feed import Event
from ringonce.service.web.bodies import CALL_ID
from ringonce.service.web.desk import Desk, desk_of, token_of
from ringonce.service.web.problems import ProblemError
from ringonce.service.web.session import session_of

HEARTBEAT = 15.0
"""Seconds of silence after which a comment keeps the connection alive; one who is signed out may go on as long."""
PAGE = 200
LAST = 2**53 - 1
HEADERS = {"X-Accel-Buffering": "no"}


@get("/v1/events", opt={"role": Role.VIEWER}, media_type="text/event-stream")
async def events(
    request: Request[Any, Any, Any],
    call: Annotated[
        str, QueryParameter(pattern=f"^$|{CALL_ID}", description="Only this call's, from its beginning unless told.")
    ] = "",
    after: Annotated[
        int | None, QueryParameter(ge=0, le=LAST, description="From the event after this one; 0 for all that are kept.")
    ] = None,
    last_event_id: Annotated[
        str | None, HeaderParameter(name="Last-Event-ID", description="As `after`, and beats it; browsers send it.")
    ] = None,
) -> Stream:
    """Follow what happens. Each event has an id to go on from, a kind, and a body, as `GET /v1/calls/{id}` gives it."""
    desk = desk_of(request)
    if call:
        await desk.record(call)
    seq = after if last_event_id is None else _number(last_event_id)
    latest = await desk.house.store.look(feed.latest)
    if seq is None:
        seq = 0 if call else latest
    elif seq > latest:
        raise ProblemError(
            "unknown-event",
            f"There is no event {seq} to go on from",
            why=f"the newest is {latest}: the id is another database's, or of a time before a backup was restored",
            fix="look at /v1/now first, then begin anew without the id, or from last_event_id there",
        )
    lines = _told(desk, token_of(request), session_of(request), seq, call)
    return Stream(lines, media_type="text/event-stream; charset=utf-8", headers=HEADERS)


async def _told(desk: Desk, token: Token, session: str, seq: int, call: str) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    loop = asyncio.get_running_loop()
    looked = loop.time()
    while not desk.tail.ended:
        try:
            latest, found = await desk.house.store.look(_since, seq, call, whole_numbers=token.sees_numbers)
        except RingonceError:
            return  # the other side comes again, and goes on where this ended
        for event in found:
            yield _frame(event)
            seq = event.seq
        if not found:
            # With a filter, what is others' has been looked at too.
            seq = max(seq, latest)
        silent = not found and not await desk.tail.beyond(seq, HEARTBEAT)
        if silent or loop.time() > looked + HEARTBEAT:
            if not await _still_good(desk, token, session):
                return
            looked = loop.time()
        if silent:
            yield b": still here\n\n"


def _since(db: sa.Connection, seq: int, call: str, *, whole_numbers: bool) -> tuple[int, list[Event]]:
    """Give the last event's number and the next events, with numbers as the role sees them anywhere else."""
    # In this order: what comes in between is found, or lies beyond.
    latest = feed.latest(db)
    found = feed.since(db, seq, limit=PAGE, subject=call)
    if not (found and whole_numbers):
        return latest, found
    numbers = numbers_of(db, {event.subject for event in found if "to" in event.body})
    return latest, [
        msgspec.structs.replace(event, body=event.body | {"to": numbers[event.subject]})
        if event.subject in numbers
        else event
        for event in found
    ]


async def _still_good(desk: Desk, token: Token, session: str) -> bool:
    try:
        if session:
            return await desk.house.store.look(sessions.holder, session, desk.house.clock()) is not None
        found = await desk.house.store.look(access.by_id, token.id)
    except RingonceError:
        return False
    return found is not None and found.revoked_at is None


def _frame(event: Event) -> bytes:
    body = msgspec.json.encode(event)  # no line breaks: JSON escapes them
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.kind.encode(), body)


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= LAST:
        return int(text)
    raise ProblemError(
        "invalid", "The Last-Event-ID is no event's", why="it is no number", fix="send the id of the last event you saw"
    )


DOORS: tuple[Any, ...] = (events,)
