"""`/v1/batches`: files of calls, taken in as they stream, steered as a whole, and told row by row."""

import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa
from litestar import get, post
from litestar.connection import Request
from litestar.params import FromPath, HeaderParameter, QueryParameter
from litestar.response import Response, Stream

from ringonce.errors import InvalidInput, NotFound
from ringonce.service.access import Role, Token
from ringonce.service.batches import results, steering
from ringonce.service.batches.intake import Order, Taken, take
from ringonce.service.batches.preview import Preview, preview
from ringonce.service.batches.wording import moment
from ringonce.service.calls import LEAST_URGENT, MOST_URGENT, Retry
from ringonce.service.calls import batch as batching
from ringonce.service.calls.batch import Batch, BatchSettings, BatchState
from ringonce.service.dialing import batched
from ringonce.service.web.bodies import LATEST, Line, Name
from ringonce.service.web.desk import Desk, desk_of, token_of
from ringonce.service.web.problems import KINDS, MEDIA_TYPE, URN, ProblemError

Asked = Request[Any, Any, Any]
BatchId = FromPath[str]
MOST_BYTES = 1 << 30
"""Of a file; each of its rows is held to a limit of its own while it streams."""
BATCH_ID = r"^batch_[0-9a-f]{8,40}$"
_SEEING, _STEERING = {"role": Role.VIEWER}, {"role": Role.DIALER}
_WHEN = "Seconds since the epoch, or like 2026-11-22T09:00:00+01:00."


class BatchShown(msgspec.Struct, kw_only=True):
    """A batch as it stands."""

    id: str
    key: str
    name: str
    state: BatchState
    rows: int
    settings: BatchSettings
    report: dict[str, Any]
    created_at: float
    changed_at: float
    progress: dict[str, Any] = {}


class BatchPage(msgspec.Struct, kw_only=True):
    """A page of batches, the newest first."""

    batches: list[BatchShown]
    next: str | None


class BatchTaken(msgspec.Struct, kw_only=True):
    """A batch that was taken in, or with `dry_run` what would become of it."""

    batch: BatchShown
    preview: Preview | None = None


@post("/v1/batches", status_code=201, opt=_STEERING, request_max_body_size=MOST_BYTES)
async def take_in(  # noqa: PLR0917  each is a parameter of the query
    request: Asked,
    key: Annotated[
        str | None,
        HeaderParameter(
            name="Idempotency-Key", description="The same file under it is the same batch; made if not given."
        ),
    ] = None,
    name: Annotated[Line, QueryParameter(description="For people.")] = "",
    agents: Annotated[
        list[Name] | None, QueryParameter(name="agent", description="The pool, for rows without an agent; repeated.")
    ] = None,
    caller_id: Line = "",
    caller_name: Line = "",
    queue: Line = "",
    zone: Annotated[Line, QueryParameter(description="The callees' time zone, such as Europe/Paris.")] = "",
    priority: Annotated[int, QueryParameter(ge=MOST_URGENT, le=LEAST_URGENT, description="The lower goes first.")] = 0,
    not_before: Annotated[str, QueryParameter(max_length=40, description=_WHEN)] = "",
    expires_at: Annotated[str, QueryParameter(max_length=40, description=_WHEN)] = "",
    attempts: Annotated[int, QueryParameter(ge=1, le=10, description="For each row, the first included.")] = 1,
    gap: Annotated[float, QueryParameter(ge=60, le=LATEST, description="Seconds between two of them.")] = 3600.0,
    retry_after: Annotated[
        list[str] | None, QueryParameter(description="Outcomes that are tried again; repeated. no_answer and busy.")
    ] = None,
    pace: Annotated[
        float, QueryParameter(ge=0, le=60_000, description="Calls a minute at the most; 0: no limit.")
    ] = 0.0,
    skip_bad: Annotated[bool, QueryParameter(description="Take the good rows of a file that has bad ones.")] = False,
    start: Annotated[bool, QueryParameter(description="Start it once it is whole.")] = False,
    dry_run: Annotated[bool, QueryParameter(description="Say what would happen, and keep nothing.")] = False,
) -> Response[Any]:
    """Take a file of calls in: CSV with a header, or one JSON object a line. The body is the file itself.

    It is taken whole or not at all; what is wrong with it is told by row and column. Nothing rings before the start.
    """
    desk, token = desk_of(request), token_of(request)
    settings = BatchSettings(
        agents=tuple(agents or ()),
        caller_id=caller_id,
        caller_name=caller_name,
        queue=queue,
        zone=zone,
        priority=priority,
        not_before=_moment("not_before", not_before, zone) or 0.0,
        expires_at=_moment("expires_at", expires_at, zone),
        retry=Retry(attempts=attempts, gap=gap, outcomes=tuple(retry_after or Retry().outcomes)),
        pace=pace,
        skip_bad=skip_bad,
    )
    for agent in settings.agents:
        await desk.check_agent(token, agent, "")
    given = (key or "").strip() or f"made-{uuid.uuid4().hex}"
    order = Order(
        key=given,
        by=token.id,
        name=name,
        settings=settings,
        country=desk.house.platform.country,
        may_call_for=token.may_call_for,
        clock=desk.house.clock,
        dry_run=dry_run,
    )
    taken = await take(desk.house.store, _pieces(request), order)
    if dry_run:
        return await _foreseen(desk, taken)
    if taken.batch.state is BatchState.INVALID:
        return _faulty(taken.batch)
    if start and taken.batch.state is BatchState.READY:
        await _steered(desk, token, taken.batch.id, "start")
    headers = {"Location": f"/v1/batches/{taken.batch.id}", "Idempotency-Key": given}
    if taken.replayed:
        headers["Idempotency-Replayed"] = "true"
    body = BatchTaken(batch=await _shown(desk, taken.batch.id))
    return Response(body, status_code=200 if taken.replayed else 201, headers=headers)


@get("/v1/batches", opt=_SEEING)
async def listed(
    request: Asked,
    cursor: Annotated[str, QueryParameter(pattern=f"^$|{BATCH_ID}", description="`next` of the page before.")] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 50,
) -> BatchPage:
    """List batches, the newest first."""
    found = await desk_of(request).house.store.look(batching.every, before=cursor, limit=limit + 1)
    page = [msgspec.convert(batch.shown(), BatchShown) for batch in found[:limit]]
    return BatchPage(batches=page, next=page[-1].id if len(found) > limit else None)


@get("/v1/batches/{batch_id:str}", opt=_SEEING)
async def one(request: Asked, batch_id: BatchId) -> BatchShown:
    """Say how a batch stands: its report, and how many of its rows are in which state and had which outcome."""
    return await _shown(desk_of(request), batch_id)


@get("/v1/batches/{batch_id:str}/preview", opt=_SEEING)
async def foreseen(request: Asked, batch_id: BatchId) -> Preview:
    """Say what would be dialled when, and what is refused and why, if the batch went on now. Nothing rings."""
    desk = desk_of(request)
    batch = await _shown(desk, batch_id)
    return await preview(desk.house.store, desk.house.guarding, batch.id, desk.house.clock())


@get("/v1/batches/{batch_id:str}/results.csv", opt=_SEEING, media_type="text/csv")
async def told(request: Asked, batch_id: BatchId) -> Stream:
    """Give every row and what became of it so far, as CSV. Numbers are masked unless the token is an admin's."""
    desk, token = desk_of(request), token_of(request)
    batch = await _shown(desk, batch_id)
    lines = results.lines(desk.house.store, batch.id, whole_numbers=token.sees_numbers)
    headers = {"Content-Disposition": f'attachment; filename="{batch.id}.csv"'}
    return Stream(lines, media_type="text/csv; charset=utf-8", headers=headers)


@post("/v1/batches/{batch_id:str}/start", status_code=200, opt=_STEERING)
async def start_it(request: Asked, batch_id: BatchId) -> BatchShown:
    """Start it: its rows are dialled when they may be, each for its agent or whoever of the pool is free."""
    return await _act(request, batch_id, "start")


@post("/v1/batches/{batch_id:str}/pause", status_code=200, opt=_STEERING)
async def pause(request: Asked, batch_id: BatchId) -> BatchShown:
    """Pause it: nothing new rings, what is live goes on."""
    return await _act(request, batch_id, "pause")


@post("/v1/batches/{batch_id:str}/resume", status_code=200, opt=_STEERING)
async def resume(request: Asked, batch_id: BatchId) -> BatchShown:
    """Go on where it was paused."""
    return await _act(request, batch_id, "resume")


@post("/v1/batches/{batch_id:str}/drain", status_code=200, opt=_STEERING)
async def drain(request: Asked, batch_id: BatchId) -> BatchShown:
    """Let it come to rest: nothing new rings, and once nothing is live it is paused, or done if no rows are left."""
    return await _act(request, batch_id, "drain")


@post("/v1/batches/{batch_id:str}/cancel", status_code=200, opt=_STEERING)
async def cancel(request: Asked, batch_id: BatchId) -> BatchShown:
    """Cancel what has not rung; what is live goes on."""
    return await _act(request, batch_id, "cancel")


async def _pieces(request: Asked) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        yield piece


async def _act(request: Asked, batch_id: str, act: str) -> BatchShown:
    desk, token = desk_of(request), token_of(request)
    batch = await desk.house.store.look(_found, batch_id)
    if token.agents and batch.created_by != token.id:
        raise ProblemError(
            "not-allowed",
            f"Token {token.name!r} may not steer this batch",
            why="it is a dialer's for certain agents, and another token made the batch",
            fix="use the token that made it, or an admin's",
        )
    await _steered(desk, token, batch_id, act)
    return await _shown(desk, batch_id)


async def _steered(desk: Desk, token: Token, batch_id: str, act: str) -> None:
    await desk.house.store.run(steering.steer, batch_id, act, by=token.id, now=desk.house.clock())


async def _shown(desk: Desk, batch_id: str) -> BatchShown:
    return await desk.house.store.look(_show, batch_id)


def _show(db: sa.Connection, batch_id: str) -> BatchShown:
    batch = _found(db, batch_id)
    return msgspec.convert(batch.shown(batching.progress(db, batch.id)), BatchShown)


def _found(db: sa.Connection, batch_id: str) -> Batch:
    try:
        if batch_id.isprintable():
            return steering.found(db, batch_id)
    except NotFound:
        pass
    fix = "GET /v1/batches lists those that there are"
    raise ProblemError("not-found", f"There is no batch {batch_id[:60]!r}", fix=fix)


async def _foreseen(desk: Desk, taken: Taken) -> Response[Any]:
    house, batch = desk.house, taken.batch
    try:
        if batch.state is BatchState.INVALID:
            return _faulty(batch)
        said = await preview(house.store, house.guarding, batch.id, house.clock())
        shown = await _shown(desk, batch.id)
    finally:
        while not (taken.replayed or await house.store.run(batched.discard, batch.id)):
            pass
    return Response(BatchTaken(batch=shown, preview=said), status_code=200)


def _faulty(batch: Batch) -> Response[Any]:
    first = batch.report["faults"][0]
    row = f"row {first['row']}" if first["row"] else "the file"
    where = f"{first['column']} of {row}" if first["column"] else row
    more = f" (and {batch.report['faulty'] - 1} more)" if batch.report["faulty"] > 1 else ""
    body = {
        "type": f"{URN}faulty-file",
        "title": KINDS["faulty-file"].title,
        "status": KINDS["faulty-file"].status,
        "detail": f"{where}: {first['what']}: {first['why']}{more}",
        "fix": first["fix"],
        "batch": batch.id,
        "report": batch.report,
    }
    return Response(body, status_code=KINDS["faulty-file"].status, media_type=MEDIA_TYPE)


def _moment(name: str, text: str, zone: str) -> float | None:
    if not text:
        return None
    try:
        return moment(text, zone)
    except ValueError as wrong:
        raise InvalidInput(f"{name} can't be used", why=str(wrong), fix=_WHEN) from None


DOORS: tuple[Any, ...] = (take_in, listed, one, foreseen, told, start_it, pause, resume, drain, cancel)
