"""A worker's process: `python -m service_chaos.hand DATABASE PLATFORM`. It ends when its input does, or by SIGTERM."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Sequence

import sqlalchemy as sa

from ringonce import AsyncClient, ClientCredentials
from ringonce.ledger.sql import SqlLedger
from ringonce.service.calls import Record
from ringonce.service.dialing import Verdict
from ringonce.service.dialing.steps import Steps
from ringonce.service.dialing.worker import Worker
from ringonce.service.store import Store, StoreDown

SETTLE = 4.0
"""Seconds after a lost answer; the sandbox of a storm lives fifty times as fast."""


class Open:
    """A guard that lets everything pass."""

    async def check(self, record: Record, now: float) -> Verdict:
        return Verdict(allowed=True)

    def foretell(self, db: sa.Connection, records: Sequence[Record], now: float) -> list[Verdict]:
        return [Verdict(allowed=True)] * len(records)


def opened(url: str) -> Store:
    while True:
        try:
            return Store(url)
        except StoreDown:
            time.sleep(0.2)


async def work(database: str, platform: str) -> None:
    store = opened(database)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    auth = ClientCredentials("your_client_id", "your_client_secret")
    client = AsyncClient(base_url=platform, auth=auth, ledger=SqlLedger(store.engine), settle=SETTLE)
    async with client, Worker(Steps(store, client, Open(), time.time, asyncio.sleep)):
        await stop.wait()
    store.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(work(*sys.argv[1:]))
