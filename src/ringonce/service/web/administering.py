"""The doors of those who run the service: the kill switch, tokens, the audit log, and checks."""

from typing import Annotated, Any, Literal

import msgspec
import sqlalchemy as sa
from litestar import delete, get, post
from litestar.connection import Request
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from ringonce.service import access, audit, stopping
from ringonce.service.access import Role
from ringonce.service.stopping import Stop
from ringonce.service.web.bodies import (
    AuditEntry,
    AuditPage,
    Findings,
    StopBody,
    TokenBody,
    TokenMade,
    Tokens,
    TokenShown,
)
from ringonce.service.web.desk import desk_of, token_of
from ringonce.service.web.problems import ProblemError

Asked = Request[Any, Any, Any]
LAST = 2**53 - 1


@get("/v1/stop", opt={"role": Role.VIEWER})
async def stop_stands(request: Asked) -> Stop:
    """Say how the kill switch stands."""
    return await desk_of(request).house.store.look(stopping.stands)


@post("/v1/stop", status_code=200)
async def stop(request: Asked, data: JSONBody[StopBody]) -> Stop:
    """Stop: nothing new rings from now on, whoever asks. Live calls go on, and what waits stays."""
    house = desk_of(request).house
    return await house.store.run(stopping.stop, by=token_of(request).id, reason=data.reason, now=house.clock())


@delete("/v1/stop", status_code=200)
async def lift(request: Asked) -> Stop:
    """Lift the stop: what waits is dialled again."""
    house = desk_of(request).house
    return await house.store.run(stopping.lift, by=token_of(request).id, now=house.clock())


@get("/v1/tokens")
async def tokens(request: Asked) -> Tokens:
    """List all tokens; their secrets are kept nowhere."""
    found = await desk_of(request).house.store.look(access.every)
    return Tokens(tokens=[msgspec.convert(msgspec.to_builtins(one), TokenShown) for one in found])


@post("/v1/tokens", status_code=201)
async def issue(request: Asked, data: JSONBody[TokenBody]) -> TokenMade:
    """Make a token. Its secret is in this answer and nowhere else."""
    house = desk_of(request).house
    made = await house.store.run(
        access.issue, data.name, data.role, data.agents, by=token_of(request).id, now=house.clock()
    )
    return msgspec.convert(msgspec.to_builtins(made.token) | {"secret": made.secret}, TokenMade)


@delete("/v1/tokens/{token_id:str}", status_code=204)
async def revoke(request: Asked, token_id: FromPath[str]) -> None:
    """Revoke a token at once."""
    house = desk_of(request).house
    good = token_id.isprintable() and await house.store.run(
        access.revoke, token_id, by=token_of(request).id, now=house.clock()
    )
    if not good:
        what = f"There is no token {token_id[:60]!r} that is still good"
        raise ProblemError("not-found", what, fix="GET /v1/tokens lists all")


@get("/v1/audit")
async def log(
    request: Asked,
    after: Annotated[int, QueryParameter(ge=0, le=LAST, description="`next` of the page before.")] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
) -> AuditPage:
    """Read the audit log, the oldest entry first. `ringonce audit verify` goes through its chain of hashes."""

    def read(db: sa.Connection) -> list[audit.Entry]:
        return list(audit.entries(db, after=after, limit=limit + 1))

    found = await desk_of(request).house.store.look(read)
    entries = [msgspec.convert(msgspec.to_builtins(one), AuditEntry) for one in found[:limit]]
    return AuditPage(entries=entries, next=entries[-1].seq if len(found) > limit else None)


@get("/v1/check", opt={"role": Role.DIALER})
async def check(
    request: Asked,
    *,
    agent: Annotated[str, QueryParameter(min_length=1, max_length=256)],
    to: Annotated[str, QueryParameter(min_length=1, max_length=64)],
    caller_id: Annotated[str, QueryParameter(max_length=64)] = "",
    queue: Annotated[str, QueryParameter(max_length=256)] = "",
    wire: FromQuery[Literal["platform", "tutorial"]] = "platform",
) -> Findings:
    """Say what such a call would run into on the platform. Nothing rings; it spends up to 8 requests of the quota."""
    desk, token = desk_of(request), token_of(request)
    if not token.may_call_for(agent):
        await desk.check_agent(token, agent, await desk.agent_id(agent))
    found = await desk.house.client.check(agent=agent, to=to, caller_id=caller_id, queue=queue, wire=wire)
    return Findings(findings=list(found))


DOORS: tuple[Any, ...] = (stop_stands, stop, lift, tokens, issue, revoke, log, check)
