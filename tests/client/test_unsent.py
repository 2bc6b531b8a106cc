"""What is too late or not wanted any more does not leave, over real sockets and a real ledger."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from unittest import mock

import pytest
from aiohttp.abc import AbstractStreamWriter

from ringonce import AsyncClient, Client, ClientCredentials, TooLate
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


class Watched(MemoryLedger):
    """Does something as soon as a row has been armed."""

    def __init__(self, then: Callable[[], object]) -> None:
        super().__init__()
        self.then = then

    def arm(self, row: Row) -> Row | None:
        there = super().arm(row)
        self.then()
        return there


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the event socket have the only connection, so that no create finds one."""
    monkeypatch.setattr(transport, "CONNECTIONS", 1)


@pytest.mark.usefixtures("crowded")
def test_who_is_cancelled_while_the_create_waits_for_a_connection_leaves_the_intent_free(sandbox: Sandbox) -> None:
    async def cancel() -> None:
        async with aconnect(sandbox, ledger) as genesys:
            order = genesys.place_call(agent="ada@example.com", to="+15559876543", intent="crm-4711")
            placing = asyncio.create_task(order)
            await asyncio.wait_for(armed.wait(), 30)
            assert not genesys.sending("crm-4711")
            placing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await placing

    armed = asyncio.Event()
    ledger = Watched(armed.set)
    asyncio.run(cancel())

    assert creates(sandbox) == 0
    assert ledger.look(sandbox.url, "crm-4711") is None


@pytest.mark.usefixtures("crowded")
def test_ctrl_c_while_the_create_waits_for_a_connection_leaves_the_intent_free(sandbox: Sandbox) -> None:
    ledger = Watched(interrupt)
    auth = ClientCredentials("your_client_id", "your_client_secret")

    with Client(base_url=sandbox.url, auth=auth, ledger=ledger) as genesys, pytest.raises(KeyboardInterrupt):
        genesys.place_call(agent="ada@example.com", to="+15559876543", intent="crm-4711")

    assert creates(sandbox) == 0
    assert ledger.look(sandbox.url, "crm-4711") is None


def test_a_body_that_was_withdrawn_does_not_go_out_when_its_writer_gets_round_to_it() -> None:
    asked: list[str] = []
    body = transport._Guarded(b"{}", lambda: asked.append("ready"))
    writer = mock.create_autospec(AbstractStreamWriter)

    body.withdraw()
    with pytest.raises(ConnectionAbortedError):
        asyncio.run(body.write_with_length(writer, 2))

    assert asked == []
    assert writer.mock_calls == []


def test_at_whatever_moment_a_placing_is_cancelled_no_call_rings_whose_intent_is_free(sandbox: Sandbox) -> None:
    intents = [f"crm-{turns}" for turns in range(30)]
    left: list[str] = []

    async def cancel_each() -> None:
        loop = asyncio.get_running_loop()

        def cancel_in(turns: int, placing: "asyncio.Task[object]") -> None:
            if turns:
                loop.call_soon(cancel_in, turns - 1, placing)
            else:
                placing.cancel()

        async with aconnect(sandbox, ledger) as genesys:
            await genesys.place_call(agent="ada@example.com", to="+15559876543")  # what needs a first time is done
            for turns, intent in enumerate(intents):
                order = genesys.place_call(agent="ada@example.com", to="+15559876543", intent=intent)
                placing = asyncio.create_task(order)
                ledger.then = partial(cancel_in, turns, placing)
                await asyncio.wait({placing})
                left.extend([intent] if genesys.sending(intent) else [])
            ledger.then = lambda: None
            await genesys.place_call(agent="ada@example.com", to="+15559876543")  # what had left has long arrived

    ledger = Watched(lambda: None)
    asyncio.run(cancel_each())

    rang = {call["attributes"]["ringonce.intent"] for call in sandbox.calls()}
    free = {intent for intent in intents if ledger.look(sandbox.url, intent) is None}
    assert free
    assert left
    assert rang & set(intents)
    assert not free & rang
    assert not free & set(left)
