"""A worker on a database of either kind, dialling a sandbox that lives ten times as fast."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from ringonce import AsyncClient
from ringonce.ledger.sql import SqlLedger
from ringonce.sandbox import Sandbox
from ringonce.service.calls import Ask, Record, State, by_key, record
from ringonce.service.calls.accepting import accept
from ringonce.service.dialing import Verdict
from ringonce.service.dialing.steps import Steps
from ringonce.service.dialing.worker import Worker
from ringonce.service.store import Store
from ringonce.service.store.tables import calls

ADA = "ada@example.com"


class Open:
    """A guard that lets pass, unless told otherwise."""

    def __init__(self) -> None:
        self.verdict = Verdict(allowed=True)
        self.asked: list[str] = []

    async def check(self, record: Record, now: float) -> Verdict:
        self.asked.append(record.key)
        return self.verdict

    def foretell(self, db: sa.Connection, records: Sequence[Record], now: float) -> list[Verdict]:
        self.asked += [record.key for record in records]
        return [self.verdict] * len(records)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, speed=10, agents=20) as running:
        yield running


@pytest.fixture
def guard() -> Open:
    return Open()


Working = Callable[..., Any]


@pytest.fixture
def working(store: Store, sandbox: Sandbox, guard: Open) -> Working:
    """`async with working() as worker`."""

    @asynccontextmanager
    async def work(**options: Any) -> AsyncIterator[Worker]:
        async with AsyncClient(base_url=sandbox.url, ledger=SqlLedger(store.engine), settle=3.0) as client:
            steps = Steps(store, client, guard, time.time, asyncio.sleep, **options)
            async with Worker(steps) as worker:
                yield worker

    return work


def ask(store: Store, key: str, to: str = "+15559876543", agent: str = ADA, **options: Any) -> Record:
    mark = SqlLedger(store.engine).mark(to)
    with store.write() as db:
        return accept(db, Ask(agent=agent, to=to, **options), key=key, number=to, mark=mark, by="test").record


async def until(store: Store, key: str, *states: State) -> Record:
    """Wait for the call to come to one of *states*."""
    async with asyncio.timeout(120):
        while True:
            found = await store.look(by_key, key)
            if found is not None and found.state in states:
                return found
            await asyncio.sleep(0.02)


def every(store: Store) -> list[Record]:
    with store.read() as db:
        return [record(found) for found in db.execute(sa.select(calls).order_by(calls.c.key)).mappings()]


async def comes_true(condition: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(120):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)
