"""What every door of one server shares, and the questions that several of them ask."""

import asyncio
import contextlib
import dataclasses
from typing import Any

from litestar.connection import Request

from ringonce.errors import Ambiguous, NotFound, RingonceError
from ringonce.service.access import Token
from ringonce.service.calls import Record, get
from ringonce.service.calls.listing import known_agent, names_of
from ringonce.service.dialing.turns import named
from ringonce.service.house import House
from ringonce.service.metrics import Requests
from ringonce.service.web.health import Health
from ringonce.service.web.pace import Pace
from ringonce.service.web.problems import ProblemError
from ringonce.service.web.tail import Tail

QUICKLY = 2.0
"""Seconds that looking up an agent may hold up an answer; past them the worker finds out."""
TOKEN = "ringonce.token"  # noqa: S105  a key in the scope
"""Where a request's token is, once it was let in."""


@dataclasses.dataclass
class Desk:
    """One server's."""

    house: House
    tail: Tail
    health: Health
    document: dict[str, Any]
    """The OpenAPI document."""
    pace: Pace = dataclasses.field(default_factory=Pace)
    behind_tls: bool = False
    """Whether browsers reach this server by TLS alone."""
    requests: Requests = dataclasses.field(default_factory=Requests)

    async def record(self, call_id: str) -> Record:
        """Give the call, or raise that there is none."""
        found = await self.house.store.look(get, call_id) if call_id.isprintable() else None
        if found is None:
            what = f"There is no call {call_id[:60]!r}"
            raise ProblemError("not-found", what, fix="GET /v1/calls lists those that there are")
        return found

    async def agent_id(self, name: str) -> str:
        """Give an agent's id if it is known or quickly found out; else nothing.

        Raise that there is no such agent, or more than one.
        """
        store = self.house.store
        if known := await store.look(known_agent, name):
            return known
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(QUICKLY):
                try:
                    found = await self.house.client.find_agent(name)
                except (NotFound, Ambiguous) as wrong:
                    raise ProblemError("unknown-agent", wrong.what, why=wrong.why, fix=wrong.fix) from wrong
                except RingonceError:
                    return ""  # the platform is away or busy, which says nothing of the agent
                await store.run(named, name, found)
                return found
        return ""

    async def check_agent(self, token: Token, name: str, agent_id: str) -> None:
        """Raise unless the token may call for the agent."""
        names = [name, agent_id]
        if agent_id and not token.may_call_for(*names):
            names += (await self.house.store.look(names_of, [agent_id])).get(agent_id, [])
        if not token.may_call_for(*names):
            raise ProblemError(
                "not-allowed",
                f"Token {token.name!r} may not call for agent {name[:80]}",
                why=f"it is a dialer's for {', '.join(token.agents[:5])}{' …' if len(token.agents) > 5 else ''}",  # noqa: PLR2004
                fix="name the agent as the token does, or use a token that is for this agent",
            )


def token_of(request: Request[Any, Any, Any]) -> Token:
    """Give the token with which the request was let in."""
    found: Token = request.scope[TOKEN]  # type: ignore[literal-required]  # the doorkeeper's own key in the scope
    return found


def desk_of(request: Request[Any, Any, Any]) -> Desk:
    """Give what the request's server shares."""
    found: Desk = request.app.state.desk
    return found
