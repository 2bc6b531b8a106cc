"""The one token cache: a token for each identity, renewed by one request however many ask."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import Protocol

from ringonce.client import policy
from ringonce.client.auth import AccessGrant
from ringonce.client.flows.session import Session
from ringonce.client.wishes import Flow, closed

log = logging.getLogger("ringonce.client")


class Run(Protocol):
    """Runs a grant's flow to its result."""

    def __call__(self, flow: Flow[AccessGrant]) -> Awaitable[AccessGrant]:
        """Run *flow* and give its result."""


class Tokens:
    """Gives tokens of one client's identities: its own (no agent), and those of the agents in its pool."""

    def __init__(self, session: Session, run: Run) -> None:
        self._session, self._run = session, run
        self._renewals: dict[str, asyncio.Task[AccessGrant]] = {}

    def at_once(self, agent: str, stale: str) -> str:
        """Give a token that is not *stale* and needs no renewal; empty if there is none."""
        grant = self._session.grants.get(agent)
        if grant is None or grant.value == stale:
            return ""
        fresh = policy.need(grant.issued_at, grant.expires_at, time.time()) is policy.Need.NOTHING
        return grant.value if fresh else ""

    async def give(self, agent: str, stale: str) -> str:
        """Give a token that is not *stale*; for each identity one renewal is in flight."""
        grant = self._session.grants.get(agent)
        urgency = policy.Need.MUST
        if grant is not None and grant.value != stale:
            urgency = policy.need(grant.issued_at, grant.expires_at, time.time())
            if urgency is policy.Need.NOTHING:
                return grant.value
        renewal = self._renewals.get(agent)
        if renewal is None:
            renewal = self._renewals[agent] = asyncio.create_task(self._renew(agent, stale), name="ringonce-token")
            renewal.add_done_callback(_note_failure)
        if grant is not None and urgency is policy.Need.IF_FREE:
            return grant.value
        try:
            return (await asyncio.shield(renewal)).value
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if renewal.cancelled() and task is not None and not task.cancelling():
                raise closed() from None  # which gives every renewal up
            raise

    async def close(self) -> None:
        """Give up every renewal, save one that can't be given up any more: that is waited for."""
        renewals = tuple(self._renewals.values())
        for renewal in renewals:
            renewal.cancel()
        await asyncio.gather(*renewals, return_exceptions=True)

    async def _renew(self, agent: str, stale: str) -> AccessGrant:
        auth = self._session.auth_of(agent)
        try:
            grant = await self._run(auth.grant(self._session.endpoints, time.time(), stale))
        finally:
            del self._renewals[agent]
        self._session.grants[agent] = grant
        log.debug("a new token by %s%s", auth.name, f" for agent {agent}" if agent else "")
        return grant


def _note_failure(renewal: asyncio.Task[AccessGrant]) -> None:
    if not renewal.cancelled() and renewal.exception() is not None:
        log.info("no new token: %s", renewal.exception())
