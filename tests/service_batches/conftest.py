"""Files of calls, taken in by a database of either kind."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ringonce import AsyncClient
from ringonce.ledger.sql import SqlLedger
from ringonce.sandbox import Sandbox
from ringonce.service.batches.intake import Order, Taken, take
from ringonce.service.batches.steering import steer
from ringonce.service.calls import Record, State, record
from ringonce.service.calls.batch import Batch, BatchSettings, BatchState, get, progress
from ringonce.service.dialing.steps import Steps
from ringonce.service.dialing.worker import Worker
from ringonce.service.guarding import Guarding
from ringonce.service.store import Store
from ringonce.service.store.tables import calls
from service_dialing.conftest import ADA, sandbox

__all__ = ["ADA", "Working", "sandbox", "working"]
HEADER = "key,agent,to"
ENDS_AT_ONCE, TALKS_ON = "0006", "0000"

Working = Callable[..., Any]


async def pieces(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def taken(store: Store, content: str | bytes, key: str = "file", **options: Any) -> Taken:
    order = {name: options.pop(name) for name in ("name", "may_call_for", "clock") if name in options}
    whole = content.encode() if isinstance(content, str) else content
    settings = BatchSettings(**options)
    return asyncio.run(take(store, pieces(whole), Order(key=key, by="test", settings=settings, **order)))


def csv_of(rows: int, story: str = ENDS_AT_ONCE, agents: int = 1, key: str = "crm", *, pool: bool = False) -> str:
    def agent(row: int) -> str:
        return "" if pool else f"agent-{row % agents + 1:05}@example.com"

    lines = [f"{key}-{row},{agent(row)},+1212555{story}" for row in range(rows)]
    return "\n".join([HEADER, *lines]) + "\n"


def rows_of(store: Store) -> list[Record]:
    with store.read() as db:
        return [record(found) for found in db.execute(sa.select(calls).order_by(calls.c.row)).mappings()]


def act(store: Store, batch_id: str, what: str) -> Batch:
    with store.write() as db:
        return steer(db, batch_id, what, by="test", now=time.time())


def stands(store: Store, batch_id: str) -> tuple[BatchState, dict[str, int]]:
    """Give the batch's state and how many of its rows are in which."""
    with store.read() as db:
        batch = get(db, batch_id)
        counted = progress(db, batch_id)["states"]
    assert batch is not None
    return batch.state, {state: rows for state, rows in counted.items() if rows}


async def reaches(store: Store, batch_id: str, state: BatchState) -> None:
    async with asyncio.timeout(120):
        while True:
            found = await store.look(get, batch_id)
            if found is not None and found.state is state:
                return
            await asyncio.sleep(0.05)


async def some_are(store: Store, batch_id: str, state: State, rows: int) -> None:
    async with asyncio.timeout(120):
        while True:
            counted = await store.look(progress, batch_id)
            if counted["states"][state] >= rows:
                return
            await asyncio.sleep(0.02)


@pytest.fixture
def working(store: Store, sandbox: Sandbox) -> Working:
    """`async with working()`: a worker dials what waits."""

    @asynccontextmanager
    async def work() -> AsyncIterator[Worker]:
        async with AsyncClient(base_url=sandbox.url, ledger=SqlLedger(store.engine), settle=3.0) as client:
            steps = Steps(store, client, Guarding(store), time.time, asyncio.sleep)
            async with Worker(steps) as worker:
                yield worker

    return work


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """A database for tests of what no database has a say in."""
    opened = Store(f"sqlite:///{tmp_path}/rows.db")
    yield opened
    opened.close()
