"""A worker with the real guard, whose clock stands where a test wants it."""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ringonce import AsyncClient
from ringonce.ledger.sql import SqlLedger
from ringonce.sandbox import Sandbox
from ringonce.service import guard
from ringonce.service.dialing.steps import Steps
from ringonce.service.dialing.worker import Worker
from ringonce.service.guarding import Guarding
from ringonce.service.store import Store
from service_dialing.conftest import sandbox

__all__ = ["Guarded", "monday", "sandbox", "working"]

Guarded = Callable[..., Any]


def monday(clock: str) -> float:
    """Give that time of Monday, 2026-11-23, in New York."""
    return dt.datetime.fromisoformat(f"2026-11-23T{clock}-05:00").timestamp()


@pytest.fixture
def working(store: Store, sandbox: Sandbox) -> Guarded:
    """`async with working(toml, at) as guarding`: the clock goes on from *at*."""

    @asynccontextmanager
    async def work(toml: str, at: float) -> AsyncIterator[Guarding]:
        ahead = at - time.time()
        guarding = Guarding(store, guard.parse(toml))
        async with AsyncClient(base_url=sandbox.url, ledger=SqlLedger(store.engine), settle=3.0) as client:
            steps = Steps(store, client, guarding, lambda: time.time() + ahead, asyncio.sleep)
            async with Worker(steps):
                yield guarding

    return work
