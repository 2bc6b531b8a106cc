"""`/v1/calls`: taking calls in, once for each key, and looking at them."""

import datetime as dt
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from litestar import get, post
from litestar.connection import Request
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from litestar.response import Response

from ringonce import numbers
from ringonce.errors import InvalidInput
from ringonce.service import audit, feed
from ringonce.service import story as stories
from ringonce.service.access import Role, Token
from ringonce.service.calls import Ask, State
from ringonce.service.calls.accepting import Accepted, accept
from ringonce.service.calls.listing import Wanted, page
from ringonce.service.dialing.turns import named
from ringonce.service.guard import days
from ringonce.service.web.asking import sound_ask, sound_key
from ringonce.service.web.bodies import CALL_ID, LATEST, UUID, CallBody, CallPage, CallShown, CallStory, shown
from ringonce.service.web.desk import desk_of, token_of
from ringonce.service.web.problems import ProblemError

MOST_BYTES = 64 * 1024
LONGEST_PAGE = 500
DAY = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"
ALWAYS_SHOWN, MASKED_SHOWS, SHOWS_FOUR = 2, 4, len("+12345678901")
"""Digits that any masked number shows, that a long one shows, and how long one is that certainly does."""


@post("/v1/calls", status_code=202, opt={"role": Role.DIALER}, request_max_body_size=MOST_BYTES)
async def take_in(
    request: Request[Any, Any, Any],
    data: JSONBody[CallBody],
    key: Annotated[
        str | None,
        HeaderParameter(
            name="Idempotency-Key",
            description="Names this decision to call: the same key again gives the first answer and rings nobody. "
            "Without one, one is made. Up to 120 printable ASCII characters.",
        ),
    ] = None,
) -> Response[CallShown]:
    """Take a call in. It is dialled when it may be: once, for its agent, one call of an agent at a time."""
    desk, token = desk_of(request), token_of(request)
    now = desk.house.clock()
    key = sound_key(key)
    ask, number = sound_ask(data.ask(), country=desk.house.platform.country, token=token, now=now)
    if not token.may_call_for(ask.agent):
        # Whether the agent is one of the token's under another name is worth a question to the platform.
        await desk.check_agent(token, ask.agent, await desk.agent_id(ask.agent))
    agent_id = await desk.agent_id(ask.agent)
    mark = desk.house.ledger.mark(number)
    accepted, body = await desk.house.store.run(
        _take_in, ask, key=key, number=number, mark=mark, token=token, now=now, agent_id=agent_id
    )
    headers = {"Location": f"/v1/calls/{accepted.record.id}", "Idempotency-Key": key}
    if accepted.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(body, headers=headers)


@get("/v1/calls", opt={"role": Role.VIEWER})
async def listed(
    request: Request[Any, Any, Any],
    *,
    agent: Annotated[
        str, QueryParameter(max_length=256, description="By id, e-mail or name, as calls named the agent.")
    ] = "",
    states: Annotated[
        list[State] | None,
        QueryParameter(
            name="state",
            description="May be given more than once. Drafts, the rows of a file that is no started batch, "
            "are left out unless asked for here or by `batch`.",
        ),
    ] = None,
    waits_for: Annotated[
        str, QueryParameter(pattern=r"^[a-z]{0,20}$", description="Why it waits, as `why.for` says it: guard, say.")
    ] = "",
    outcome: Annotated[str, QueryParameter(max_length=40)] = "",
    batch: Annotated[str, QueryParameter(max_length=100)] = "",
    number: Annotated[str, QueryParameter(max_length=64, description="The whole number, in any human form.")] = "",
    intent: Annotated[str, QueryParameter(max_length=200, description="The intent's key, or an attempt's.")] = "",
    conversation: Annotated[str, QueryParameter(pattern=f"^$|{UUID}", description="The conversation's id.")] = "",
    ends: Annotated[
        str,
        QueryParameter(pattern=r"^([0-9]{2,15})?$", description="The number's last digits; not more than are shown."),
    ] = "",
    from_day: Annotated[str, QueryParameter(pattern=DAY, description="Taken in from this day on, in `zone`.")] = "",
    to_day: Annotated[str, QueryParameter(pattern=DAY, description="Taken in up to and with this day.")] = "",
    zone: Annotated[str, QueryParameter(max_length=64, description="Of the days, such as Europe/Paris.")] = "UTC",
    since: Annotated[float | None, QueryParameter(ge=0, le=LATEST, description="Taken in from then on.")] = None,
    until: Annotated[float | None, QueryParameter(ge=0, le=LATEST, description="Taken in before.")] = None,
    cursor: Annotated[str, QueryParameter(pattern=f"^$|{CALL_ID}", description="`next` of the page before.")] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=LONGEST_PAGE)] = 50,
) -> CallPage:
    """List calls, the newest first."""
    desk, token = desk_of(request), token_of(request)
    country = desk.house.platform.country
    plain = numbers.dialable(number, country=country, allow_premium=True) if number else ""
    _check_ends(ends, token)
    begin, end = _days(from_day, to_day, zone.strip())
    wanted = Wanted(
        agent=_text(agent),
        states=tuple(states or ()),
        waits_for=waits_for,
        outcome=_text(outcome),
        batch=_text(batch),
        mark=desk.house.ledger.mark(plain) if plain else "",
        key=_text(intent),
        conversation=conversation.lower(),
        ends=ends,
        shortest=0 if token.sees_numbers or len(ends) <= ALWAYS_SHOWN else SHOWS_FOUR,
        since=max((moment for moment in (since, begin) if moment is not None), default=None),
        until=min((moment for moment in (until, end) if moment is not None), default=None),
    )
    found = await desk.house.store.look(page, wanted, before=cursor, limit=limit + 1)
    calls = [shown(record, whole_number=token.sees_numbers) for record in found[:limit]]
    return CallPage(calls=calls, next=calls[-1].id if len(found) > limit else None)


@get("/v1/calls/{call_id:str}", opt={"role": Role.VIEWER})
async def one(request: Request[Any, Any, Any], call_id: FromPath[str]) -> CallShown:
    """Say how a call stands."""
    desk = desk_of(request)
    return shown(await desk.record(call_id), whole_number=token_of(request).sees_numbers)


@get("/v1/calls/{call_id:str}/story", opt={"role": Role.VIEWER})
async def story(request: Request[Any, Any, Any], call_id: FromPath[str]) -> CallStory:
    """Tell a call's whole story in order: its changes, its creates, what the guard said.

    What people did to it is told to admins, as in the audit log.
    """
    desk, token = desk_of(request), token_of(request)
    record = await desk.record(call_id)
    told = await desk.house.store.look(stories.of, record, audited=token.role is Role.ADMIN)
    call = shown(record, whole_number=token.sees_numbers)
    return CallStory(call=call, story=told.entries, more=told.more, who=told.who)


def _take_in(
    db: sa.Connection, ask: Ask, *, key: str, number: str, mark: str, token: Token, now: float, agent_id: str
) -> tuple[Accepted, CallShown]:
    if agent_id:
        # The line comes first, for workers hold it before anything else, too: the feed's turn is taken after it.
        named(db, ask.agent, agent_id)
    accepted = accept(db, ask, key=key, number=number, mark=mark, by=token.id, now=now, agent_id=agent_id)
    record = accepted.record
    if not accepted.replayed and ask.override is not None:
        rules = sorted(ask.override.rules)
        audit.note(db, token.id, "call.override", record.id, now=now, rules=rules, reason=ask.override.reason)
    # A replay is told what was told the first time; how the call stands now is at its Location.
    first = feed.since(db, 0, limit=1, subject=record.id) if accepted.replayed else []
    told = first[0].body if first and first[0].kind == "call.accepted" else record.shown()
    told |= {"to": number} if token.sees_numbers else {}
    return accepted, msgspec.convert(told, CallShown)


def _check_ends(ends: str, token: Token) -> None:
    if len(ends) > MASKED_SHOWS and not token.sees_numbers:
        raise ProblemError(
            "not-allowed",
            f"Token {token.name!r} may not look for {len(ends)} digits",
            why="one could find out a number that is masked",
            fix=f"give the last {MASKED_SHOWS} digits, or the whole number as `number`",
        )


def _days(first: str, last: str, zone: str) -> tuple[float | None, float | None]:
    """Give the moments at which the *first* day begins and the *last* is over."""
    days.zone(zone)
    return _midnight(first, zone, 0), _midnight(last, zone, 1)


def _midnight(day: str, zone: str, plus: int) -> float | None:
    if not day:
        return None
    try:
        date = dt.date.fromisoformat(day) + dt.timedelta(days=plus)
        return dt.datetime(date.year, date.month, date.day, tzinfo=days.zone(zone)).timestamp()
    except (ValueError, OverflowError) as wrong:
        raise InvalidInput(f"{day} is no day", why=str(wrong), fix="write it as in 2026-11-22") from None


def _text(value: str) -> str:
    """Give what can be compared with a text in the database: PostgreSQL knows none with NUL in it."""
    return value.strip().replace("\x00", "\ufffd")


DOORS: tuple[Any, ...] = (take_in, listed, one, story)
