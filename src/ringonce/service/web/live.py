"""What a page begins with: what goes on now, the agents, and what a number is before it is dialled."""

from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.connection import Request
from litestar.params import QueryParameter

from ringonce import numbers
from ringonce.service import agents as people
from ringonce.service import foreseeing, now
from ringonce.service.access import Role
from ringonce.service.calls import Ask
from ringonce.service.calls.listing import known_agent
from ringonce.service.foreseeing import Foreseen
from ringonce.service.now import Now
from ringonce.service.web.bodies import AgentPage
from ringonce.service.web.desk import desk_of, token_of

Asked = Request[Any, Any, Any]


@get("/v1/now", opt={"role": Role.VIEWER})
async def at_once(
    request: Asked,
    most: Annotated[
        int, QueryParameter(ge=0, le=now.MOST_CALLS, description="Calls in flight that are told, the latest first.")
    ] = now.MOST_CALLS,
) -> Now:
    """Say what goes on right now, all of one moment: calls in flight, agents, quota, dials, kill switch, workers.

    Follow /v1/events from its `last_event_id` on, and nothing is missed.
    """
    house = desk_of(request).house
    return await house.store.look(
        now.snapshot,
        platform=house.platform.api,
        sandbox=house.platform.sandbox,
        now=house.clock(),
        whole_numbers=token_of(request).sees_numbers,
        most=most,
    )


@get("/v1/agents", opt={"role": Role.VIEWER})
async def agents(
    request: Asked,
    cursor: Annotated[str, QueryParameter(max_length=100, pattern=r"^[0-9A-Za-z-]*$")] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
) -> AgentPage:
    """List the agents for whom calls were taken in, or who are enrolled: free, busy, wrapping up or unreachable."""
    house = desk_of(request).house
    found = await house.store.look(people.page, after=cursor, limit=limit + 1, now=house.clock())
    return AgentPage(agents=found[:limit], next=found[limit - 1].agent_id if len(found) > limit else None)


@get("/v1/number", opt={"role": Role.DIALER})
async def number(
    request: Asked,
    *,
    to: Annotated[str, QueryParameter(min_length=1, max_length=64, description="The number, in any human form.")],
    agent: Annotated[str, QueryParameter(max_length=256, description="For whom it would be dialled.")] = "",
    caller_id: Annotated[str, QueryParameter(max_length=64)] = "",
    zone: Annotated[str, QueryParameter(max_length=64, description="The callee's time zone, if it is known.")] = "",
) -> Foreseen:
    """Say what a number is, what the clocks show there, and whether it may be called now, or from when on.

    Nothing rings, and the platform is not asked; `GET /v1/check` does that.
    """
    desk, token = desk_of(request), token_of(request)
    house = desk.house
    name = agent.strip().replace("\x00", "\ufffd")  # PostgreSQL looks for no text with NUL in it
    agent_id = await house.store.look(known_agent, name) if name else ""
    if name and not token.may_call_for(name):
        await desk.check_agent(token, name, agent_id)
    plain = numbers.dialable(to, country=house.platform.country, allow_premium=True)
    ask = Ask(agent=name, to=to, caller_id=caller_id.strip(), zone=zone.strip())
    found = await foreseeing.foresee(
        house.guarding, ask, plain, mark=house.ledger.mark(plain), by=token.id, now=house.clock()
    )
    return msgspec.structs.replace(found, agent_id=agent_id)


DOORS: tuple[Any, ...] = (at_once, agents, number)
