"""`/v1/lists`: the do-not-call lists that the guard asks before every ring."""

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from litestar import delete, get, post, put
from litestar.connection import Request
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import Response
from msgspec import Meta

from ringonce import numbers
from ringonce.errors import InvalidInput, NotFound
from ringonce.service.donotcall import keeping, taking
from ringonce.service.donotcall.keeping import DAY, NAME, Kept
from ringonce.service.donotcall.reading import Reader
from ringonce.service.donotcall.taking import Faulty
from ringonce.service.guard.settings import ListSettings
from ringonce.service.house import House
from ringonce.service.web.bodies import Line
from ringonce.service.web.desk import desk_of, token_of
from ringonce.service.web.problems import KINDS, MEDIA_TYPE, URN, ProblemError

Asked = Request[Any, Any, Any]
MOST_BYTES = 1 << 30
ListName = Annotated[str, PathParameter(pattern=NAME, description="Letters, digits, dots, dashes.")]
Number = Annotated[str, Meta(min_length=1, max_length=64)]


class Lists(msgspec.Struct, kw_only=True):
    """All lists."""

    lists: list[Kept]


class NumbersBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Numbers to put on a list."""

    numbers: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=1000, description="In any human form.")]


class Added(msgspec.Struct, kw_only=True):
    """A list, and how many of the numbers were not on it."""

    list: Kept
    new: int


@get("/v1/lists")
async def lists(request: Asked) -> Lists:
    """List the do-not-call lists: how old each is, and how many numbers it has; those in files of guard.toml too."""
    house = desk_of(request).house
    now = house.clock()
    kept = await house.store.look(keeping.every, now)
    return Lists(lists=[*kept, *(_of_file(one, count, now) for one, count in house.guarding.files)])


@put("/v1/lists/{name:str}", status_code=200, request_max_body_size=MOST_BYTES)
async def replace(  # noqa: PLR0917  each is a parameter of the query
    request: Asked,
    name: ListName,
    source: Annotated[Line, QueryParameter(description="Where it is from, in words.")] = "",
    taken: Annotated[
        str, QueryParameter(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", description="When it was taken from there.")
    ] = "",
    max_age_days: Annotated[
        int | None, QueryParameter(ge=1, le=36_500, description="Older than that, calls wait until it is taken anew.")
    ] = None,
    column: Annotated[
        list[Line] | None, QueryParameter(description="Of a CSV, or a field: makes up the number; may be repeated.")
    ] = None,
    prefix: Annotated[str, QueryParameter(pattern=r"^[+0-9]{0,8}$", description="Before each, such as +1.")] = "",
    country: Annotated[
        str, QueryParameter(pattern=r"^([A-Z]{2})?$", description="Of numbers without a country code.")
    ] = "",
    empty: Annotated[bool, QueryParameter(description="Take a list without any number.")] = False,
) -> Response[Any]:
    """Put a list in the place of what is there: one number a line, CSV with a header, or NDJSON. The body is the file.

    It is taken whole, in one moment, or not at all: what is wrong with it is told by line.
    """
    house, token = desk_of(request).house, token_of(request)
    if any(one.name == name for one, _ in house.guarding.files):
        raise InvalidInput(
            f"The list {name!r} is in a file", why="guard.toml names it", fix="change the file, or give another name"
        )
    what = keeping.Taken(
        name=name,
        source=source.strip() or f"token {token.name}",
        taken_at=_taken(taken, house.clock()),
        max_age=None if max_age_days is None else max_age_days * DAY,
    )
    reader = Reader(columns=column or (), prefix=prefix, country=country or house.platform.country)
    told = await taking.take(
        house.store,
        _pieces(request),
        reader,
        what,
        mark=house.ledger.mark,
        by=token.id,
        clock=house.clock,
        may_be_empty=empty,
    )
    return _faulty(told) if isinstance(told, Faulty) else Response(told)


@delete("/v1/lists/{name:str}", status_code=204)
async def drop(request: Asked, name: ListName) -> None:
    """Forget a list: its numbers may ring again, unless another list has them."""
    house, by = desk_of(request).house, token_of(request).id
    with _there():
        await taking.forget(house.store, name, by=by, now=house.clock())


@post("/v1/lists/{name:str}/numbers", status_code=200)
async def add(request: Asked, name: ListName, data: JSONBody[NumbersBody]) -> Added:
    """Put numbers on a list. It holds from this moment on; a call that is being placed is past it."""
    house, by = desk_of(request).house, token_of(request).id
    plain = [_plain(house, one) for one in data.numbers]
    marked = [(one, house.ledger.mark(one)) for one in plain]
    with _there():
        kept, new = await house.store.run(keeping.add, name, marked, by=by, now=house.clock())
    return Added(list=kept, new=new)


@delete("/v1/lists/{name:str}/numbers/{number:str}", status_code=204)
async def remove(
    request: Asked,
    name: ListName,
    number: Annotated[str, PathParameter(min_length=1, max_length=64)],
    reason: Annotated[Line, QueryParameter(description="Why; kept in the audit log.")] = "",
) -> None:
    """Take a number off a list."""
    house, by = desk_of(request).house, token_of(request).id
    plain = _plain(house, number)
    with _there():
        done = await house.store.run(
            keeping.remove, name, plain, house.ledger.mark(plain), by=by, now=house.clock(), reason=reason
        )
    if not done:
        what = f"The number is not on the list {name!r}"
        raise ProblemError("not-found", what, fix="GET /v1/number says which rules keep it from ringing")


async def _pieces(request: Asked) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        yield piece


def _plain(house: House, number: str) -> str:
    return numbers.dialable(number, country=house.platform.country, allow_premium=True)


def _taken(day: str, now: float) -> float:
    if not day:
        return now
    try:
        at = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), dt.UTC).timestamp()
    except ValueError as wrong:
        raise InvalidInput(f"{day} is no day", why=str(wrong), fix="write it as in 2026-11-22") from None
    if not 0 <= at <= now + DAY:
        raise InvalidInput(
            f"The list can't have been taken on {day}", why="that is yet to come, or too long ago", fix="correct it"
        )
    return at


def _of_file(one: ListSettings, count: int, now: float) -> Kept:
    taken = one.taken or dt.date(1970, 1, 1)  # a list with a file has a date
    age = (dt.datetime.fromtimestamp(now, dt.UTC).date() - taken).days
    return Kept(
        name=one.name,
        source=one.source,
        taken=taken,
        age_days=age,
        max_age_days=one.max_age_days,
        stale=age > one.max_age_days,
        numbers=count,
        kept_in="file",
    )


def _faulty(wrong: Faulty) -> Response[Any]:
    first, kind = wrong.faults[0], KINDS["faulty-file"]
    where = f"line {first.row}" if first.row else "the file"
    more = f" (and {wrong.faulty - 1} more)" if wrong.faulty > 1 else ""
    body = {
        "type": f"{URN}faulty-file",
        "title": kind.title,
        "status": kind.status,
        "detail": f"{where}: {first.what}: {first.why}{more}",
        "fix": first.fix,
        "report": msgspec.to_builtins(wrong),
    }
    return Response(body, status_code=kind.status, media_type=MEDIA_TYPE)


@contextmanager
def _there() -> Iterator[None]:
    try:
        yield
    except NotFound as missing:
        raise ProblemError("not-found", missing.what, why=missing.why, fix=missing.fix) from missing


DOORS: tuple[Any, ...] = (lists, replace, drop, add, remove)
