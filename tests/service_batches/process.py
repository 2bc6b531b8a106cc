"""A process of its own that a test may kill: `intake URL` takes a file in, slowly; `worker URL SANDBOX` dials."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator

from ringonce import AsyncClient
from ringonce.ledger.sql import SqlLedger
from ringonce.service.batches.intake import PIECE, Order, take
from ringonce.service.dialing.steps import Steps
from ringonce.service.dialing.worker import Worker
from ringonce.service.guarding import Guarding
from ringonce.service.store import Store


async def endless() -> AsyncIterator[bytes]:
    yield b"key,agent,to\n"
    row = 0
    while True:
        rows = range(row, row + PIECE // 30)
        row = rows.stop
        yield "".join(f"crm-{number},ada@example.com,+12125550006\n" for number in rows).encode()
        print(row, flush=True)  # noqa: T201
        await asyncio.sleep(0.05)


async def intake(url: str) -> None:
    await take(Store(url), endless(), Order(key="file", by="test"))


async def worker(url: str, sandbox: str) -> None:
    store = Store(url)
    async with (
        AsyncClient(base_url=sandbox, ledger=SqlLedger(store.engine), settle=5.0) as client,
        Worker(Steps(store, client, Guarding(store), time.time, asyncio.sleep)),
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(intake(sys.argv[2]) if sys.argv[1] == "intake" else worker(*sys.argv[2:4]))
