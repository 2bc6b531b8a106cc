"""A worker of the service, which tells what it has cost so far.

python -m bench.contenders.dialing DATABASE PLATFORM
"""

import asyncio
import os
import sys
import threading
import time
from typing import Any

import sqlalchemy as sa

from bench.answering import take_turns
from ringonce import AsyncClient, ClientCredentials
from ringonce.ledger.sql import SqlLedger
from ringonce.service.dialing.steps import Steps
from ringonce.service.dialing.worker import Worker
from ringonce.service.guarding import Guarding
from ringonce.service.store import Store

counted = {"statements": 0, "commits": 0}


@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def _statement(*_: Any) -> None:
    counted["statements"] += 1


@sa.event.listens_for(sa.Engine, "commit")
def _commit(_: Any) -> None:
    counted["commits"] += 1


def _told() -> dict[str, Any]:
    return {"cpu": time.process_time(), **counted}


def _answer() -> None:
    take_turns(_told)
    os._exit(0)  # whoever started this process has gone


async def work(database: str, platform: str) -> None:
    store = Store(database)
    auth = ClientCredentials("your_client_id", "your_client_secret")
    async with (
        AsyncClient(base_url=platform, auth=auth, ledger=SqlLedger(store.engine), settle=5.0) as client,
        Worker(Steps(store, client, Guarding(store), time.time, asyncio.sleep)),
    ):
        threading.Thread(target=_answer, daemon=True).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
