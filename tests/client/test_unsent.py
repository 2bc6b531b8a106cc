"""What is too late or not wanted any more does not leave, over real sockets and a real ledger."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringonce import AsyncClient, ClientCredentials, TooLate
from ringonce.client import transport
from ringonce.ledger import Ledger, Row
from ringonce.ledger.memory import MemoryLedger
from ringonce.ledger.sqlite import SqliteLedger
from ringonce.sandbox import Sandbox

CREATE = {"method": "POST", "path": "/api/v2/conversations/calls*"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, speed=50) as running:
        yield running


def aconnect(sandbox: Sandbox, ledger: Ledger) -> AsyncClient:
    auth = ClientCredentials("your_client_id", "your_client_secret")
    return AsyncClient(base_url=sandbox.url, auth=auth, ledger=ledger)


def creates(sandbox: Sandbox) -> int:
    return sum(one["path"].startswith("/api/v2/conversations/calls") for one in sandbox.requests())


async def until(true: Callable[[], bool]) -> None:
    for _ in iter(true, True):
        await asyncio.sleep(0.01)


def test_a_create_that_waited_for_a_free_connection_past_its_deadline_is_not_sent(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "CONNECTIONS", 2)  # one is the event socket's
    ledger = MemoryLedger()

    async def wait_too_long() -> None:
        async with aconnect(sandbox, ledger) as genesys:
            for agent in ("ada@example.com", "grace@example.com"):
                await genesys.place_call(agent=agent, to="+15559876543")
            sandbox.fault(**CREATE, action="delay", delay_s=5_000, times=1)
            first = asyncio.create_task(genesys.place_call(agent="ada@example.com", to="+15559876543"))
            await until(lambda: creates(sandbox) == 3)
            late = genesys.place_call(agent="grace@example.com", to="+15559876543", intent="late", timeout=0.1)
            second = asyncio.create_task(late)
            await until(lambda: (row := ledger.look(sandbox.url, "late")) is not None and time.time() > row.deadline)
            sandbox.advance(5_000)
            await first
            with pytest.raises(TooLate):
                await second

    asyncio.run(wait_too_long())

    assert len(sandbox.calls()) == 3
    assert ledger.look(sandbox.url, "late") is None


def test_who_is_cancelled_while_the_row_is_being_written_leaves_the_intent_free(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class SlowDisk(SqliteLedger):
        def arm(self, row: Row) -> Row | None:
            begun.set()
            go_on.wait()
            return super().arm(row)

    ledger = SlowDisk(tmp_path / "ledger.sqlite3")

    async def cancel() -> None:
        async with aconnect(sandbox, ledger) as genesys:
            order = genesys.place_call(agent="ada@example.com", to="+15559876543", intent="crm-4711")
            placing = asyncio.create_task(order)
            await asyncio.to_thread(begun.wait)
            placing.cancel()
            asyncio.get_running_loop().call_soon(go_on.set)
            with pytest.raises(asyncio.CancelledError):
                await placing

    asyncio.run(cancel())

    assert sandbox.calls() == []
    assert ledger.look(sandbox.url, "crm-4711") is None
    ledger.close()
