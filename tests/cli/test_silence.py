"""Waiting: it is said how long, and a Ctrl-C asks the client, not the ledger, whether the call is on its way."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from ringonce import AsyncClient, ClientCredentials
from ringonce.cli import _end
from ringonce.cli.errand import Errand, carry_out
from ringonce.cli.errand import run as run_async
from ringonce.cli.telling import JsonTeller
from ringonce.client import transport
from ringonce.ledger import Row
from ringonce.ledger.memory import MemoryLedger
from ringonce.models import Placed
from ringonce.sandbox import Sandbox

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
PLATFORM = "http://127.0.0.1:1"


def errand(**more: Any) -> Errand:
    order = {"agent": ADA, "to": "+15559876543"}
    return Errand(intent="crm-4711", order=order, until="placed", timeout=5, platform=PLATFORM, **more)


class Waiting(AsyncClient):
    """A client that waits until it is let go, with its row in the ledger."""

    def __init__(self, ledger: MemoryLedger, *, on_wire: bool) -> None:
        super().__init__(base_url=PLATFORM, auth=ClientCredentials("id", "secret"))
        self.rows, self.on_wire, self.let_go = ledger, on_wire, asyncio.Event()
        self.cancelled = False

    def sending(self, intent: str) -> bool:
        assert intent == "crm-4711"
        return self.on_wire

    async def place_call(self, **order: Any) -> Placed:
        row = Row(
            platform=PLATFORM,
            intent=order["intent"],
            agent_id=ADA,
            mark="",
            tail="6543",
            incarnation="ours",
            armed_at=0.0,
            deadline=1e12,
        )
        self.rows.arm(row)
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            self.rows.release(row)
            raise
        return Placed(conversation_id="c-1", intent=order["intent"], agent_id=ADA, to=order["to"])


def test_ctrl_c_while_the_quota_is_waited_for_sends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = MemoryLedger()
    client = Waiting(ledger, on_wire=False)

    assert run_async(carry_out(errand(), client, ledger, JsonTeller())) == 130
    assert client.cancelled

    out, err = capsys.readouterr()
    assert err == "interrupted: nothing was sent\n"
    assert json.loads(out)["conversation_id"] is None


def test_ctrl_c_while_the_create_waits_for_a_connection_sends_nothing(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupting(MemoryLedger):
        def arm(self, row: Row) -> Row | None:
            os.kill(os.getpid(), signal.SIGINT)
            return super().arm(row)

    monkeypatch.setattr(transport, "CONNECTIONS", 1)  # the event socket's
    ledger, asked = Interrupting(), errand()
    asked.platform = sandbox.url

    async def placing() -> int:
        auth = ClientCredentials("your_client_id", "your_client_secret")
        async with AsyncClient(base_url=sandbox.url, auth=auth, ledger=ledger) as client:
            return await carry_out(asked, client, ledger, JsonTeller())

    assert run_async(placing()) == 130

    assert capsys.readouterr().err == "interrupted: nothing was sent\n"
    assert ledger.look(sandbox.url, "crm-4711") is None
    assert sandbox.calls() == []


def test_ctrl_c_while_the_create_is_on_its_way_waits_for_its_answer(capsys: pytest.CaptureFixture[str]) -> None:
    class Told(JsonTeller):
        def say(self, words: str) -> None:
            super().say(words)
            client.let_go.set()

    ledger = MemoryLedger()
    client = Waiting(ledger, on_wire=True)

    assert run_async(carry_out(errand(), client, ledger, Told())) == 130

    out, err = capsys.readouterr()
    assert "waiting for its answer" in err
    assert "the call goes on; hang up with: ringonce hangup c-1" in err
    assert json.loads(out.splitlines()[-1])["conversation_id"] == "c-1"


def test_while_a_lost_call_is_looked_for_it_is_said_so_again_and_again(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.fault(method="POST", path="/api/v2/conversations/calls*", action="drop_before")

    async def placing() -> int:
        ledger, auth = MemoryLedger(), ClientCredentials("your_client_id", "your_client_secret")
        async with AsyncClient(base_url=sandbox.url, auth=auth, ledger=ledger, settle=0.2) as client:
            return await carry_out(errand(first_news=0.02, more_news=0.02), client, ledger, JsonTeller())

    assert run_async(placing()) == 5
    assert capsys.readouterr().err.count("the request has left; still waiting for its answer, or looking for") > 1


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_placed_line_says_that_the_call_goes_on(
    sandbox: Sandbox, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, sign: signal.Signals
) -> None:
    close = AsyncClient.aclose

    async def interrupted(client: AsyncClient) -> None:
        await close(client)
        os.kill(os.getpid(), sign)
        await asyncio.sleep(0)

    monkeypatch.setattr(AsyncClient, "aclose", interrupted)
    before = signal.signal(signal.SIGTERM, _end)
    try:
        done = run("call", "--agent", "ada@example.com", "--to", "+15559876543", "--until", "placed")
    finally:
        signal.signal(signal.SIGTERM, before)

    assert done.exit_code == 128 + sign
    (call,) = sandbox.calls()
    assert f"interrupted: the call goes on; hang up with: ringonce hangup {call['conversationId']}" in done.stderr


def test_while_nothing_was_sent_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    class Slow(AsyncClient):
        async def place_call(self, **order: Any) -> Placed:
            await said.wait()
            return Placed(conversation_id="c-1", intent=order["intent"], agent_id=ADA, to=order["to"])

    class Told(JsonTeller):
        def say(self, words: str) -> None:
            super().say(words)
            said.set()

    said = asyncio.Event()
    client = Slow(base_url=PLATFORM, auth=ClientCredentials("id", "secret"))

    assert run_async(carry_out(errand(first_news=0.0), client, MemoryLedger(), Told())) == 0
    assert capsys.readouterr().err == "no answer after 0 s: this run has not sent the call yet; waiting …\n"
