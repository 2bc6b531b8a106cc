"""What is one agent's trouble is no other's, and what a database took down with it is found again."""

import asyncio
import os
import sqlite3
import time
from collections import Counter

import pytest
import sqlalchemy as sa

from ringonce import AsyncClient
from ringonce.client.auth import RefreshToken
from ringonce.errors import NoAnswer
from ringonce.ledger.sql import SqlLedger
from ringonce.sandbox import Sandbox
from ringonce.service.calls import State
from ringonce.service.dialing import durable, turns
from ringonce.service.dialing import worker as worker_module
from ringonce.service.dialing.steps import Steps
from ringonce.service.dialing.worker import Worker
from ringonce.service.store import Store, StoreDown
from ringonce.service.store.tables import identities, lines, workers
from ringonce.service.vault import KEY, Vault, VaultSafe
from service_dialing.conftest import ADA, Open, Working, ask, comes_true, every, until

ADA_ID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
GRACE = "agent-00002@example.com"
CREATES = "/api/v2/conversations/calls*"
SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def enrolled(store: Store) -> None:
    VaultSafe(store, Vault([os.urandom(KEY)])).keep("your_client_id/grant", "a refresh token")
    with store.write() as db:
        db.execute(identities.update().values(agent_id=ADA_ID, agent=ADA))


@SQLITE
def test_a_refusal_of_an_agents_own_token_makes_no_worker_pause(
    store: Store, sandbox: Sandbox, working: Working
) -> None:
    enrolled(store)
    sandbox.fault(method="POST", path=CREATES, action="status", status=401)
    for number in range(1, 6):
        ask(store, f"crm-{number}", to=f"+1555987{number:04}")

    async def play() -> None:
        async with working() as worker:
            await comes_true(lambda: all(call.why.get("for") == "credentials" for call in every(store)))
            assert worker.healthy
            assert worker._steps.refusals == 0

    asyncio.run(play())
    assert {call.attempt for call in every(store)} == {2}


@SQLITE
def test_an_agent_who_can_not_be_looked_up_now_waits_and_holds_up_nobody_else(
    store: Store, working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_agent, down = AsyncClient.find_agent, True

    async def found(client: AsyncClient, agent: str) -> str:
        if down and agent == ADA:
            raise NoAnswer("the platform has trouble with Ada")
        return await find_agent(client, agent)

    monkeypatch.setattr(AsyncClient, "find_agent", found)
    monkeypatch.setattr(worker_module, "AGAIN", 0.02)
    ask(store, "crm-1", agent=ADA)
    ask(store, "crm-2", agent=GRACE)

    async def play() -> None:
        nonlocal down
        async with working():
            await until(store, "crm-2", State.LIVE)
            assert every(store)[0].state is State.WAITING
            down = False
            await until(store, "crm-1", State.LIVE)

    asyncio.run(play())


@SQLITE
def test_a_call_whose_agents_token_the_vault_does_not_open_waits_and_says_why(
    store: Store, sandbox: Sandbox, guard: Open
) -> None:
    enrolled(store)
    ask(store, "ada", to="+15559870006")
    ask(store, "grace", to="+15550100006", agent=GRACE)

    async def play() -> None:
        async with AsyncClient(base_url=sandbox.url, ledger=SqlLedger(store.engine), settle=3.0) as client:
            other_key = Vault([os.urandom(KEY)])
            grant = RefreshToken("your_client_id", store_as="your_client_id/grant")
            client.use_agents({ADA_ID: grant}, VaultSafe(store, other_key))
            async with Worker(Steps(store, client, guard, time.time, asyncio.sleep)) as worker:
                await until(store, "grace", State.ENDED)
                await comes_true(lambda: bool(every(store)[0].why))
                assert worker.healthy

    asyncio.run(play())
    ada = every(store)[0]
    assert (ada.state, ada.why["for"], ada.attempt) == (State.WAITING, "credentials", 1)
    assert "RINGONCE_VAULT_KEY" in ada.why["said"]
    assert Counter(call["to"] for call in sandbox.calls()) == {"+15550100006": 1}


def test_a_turn_whose_commit_came_through_without_an_answer_is_done_all_the_same(
    store: Store, sandbox: Sandbox, guard: Open
) -> None:
    ask(store, "crm-1", to="+15559870006")
    with store.write() as db:
        turns.named(db, ADA, ADA_ID)

    async def play() -> None:
        async with (
            AsyncClient(base_url=sandbox.url, ledger=SqlLedger(store.engine), settle=3.0) as client,
            Worker(Steps(store, client, guard, time.time, asyncio.sleep), beat=0.2) as worker,
        ):
            # Taken in the worker's name, which has not heard of it.
            with store.write() as db:
                assert turns.take(db, worker.id, time.time(), 1)
            await until(store, "crm-1", State.ENDED)

    asyncio.run(play())
    assert len(sandbox.calls()) == 1


@SQLITE
def test_the_turns_of_a_worker_that_falls_silent_are_taken_over(
    store: Store, sandbox: Sandbox, working: Working, guard: Open
) -> None:
    ask(store, "crm-1", to="+15559870006")
    with store.write() as db:
        turns.named(db, ADA, ADA_ID)
        (turn,) = turns.take(db, "far-away", time.time() + 1, 1)
        far = {"id": "far-away", "host": "another", "process": "1@1", "state": "running"}
        db.execute(workers.insert().values(**far, started_at=0.0, beat_at=time.time()))

    async def play() -> None:
        async with AsyncClient(base_url=sandbox.url, ledger=SqlLedger(store.engine), settle=3.0) as client:
            steps = Steps(store, client, guard, time.time, asyncio.sleep)
            async with Worker(steps, beat=0.1, dead_after=0.5) as worker:
                await until(store, "crm-1", State.ENDED)
                assert worker.id != "far-away"

    asyncio.run(play())
    assert turn.worker == "far-away"
    with store.read() as db:
        assert db.scalars(sa.select(lines.c.worker)).all() == [""]


@SQLITE
def test_a_turn_that_the_engine_could_not_write_down_ends_by_itself(
    store: Store, sandbox: Sandbox, guard: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk is full while a turn that was begun anew breaks off: its work dies without a word to whoever waits."""
    full = {"engine": False}
    opened = durable._ahead

    def filling(url: str) -> sa.Engine:
        made = opened(url)

        @sa.event.listens_for(made, "commit")
        def refuse(_: sa.Connection) -> None:
            if full["engine"]:
                raise sa.exc.OperationalError("COMMIT", {}, sqlite3.OperationalError("database or disk is full"))

        return made

    follow = Steps._follow

    async def broken(self: Steps, call_id: str, conversation_id: str) -> None:
        if len(broke) < 2:
            broke.append(call_id)
            full["engine"] = True
            raise StoreDown("The database can't be used", why="database or disk is full")
        await follow(self, call_id, conversation_id)

    broke: list[str] = []
    monkeypatch.setattr(durable, "_ahead", filling)
    monkeypatch.setattr(Steps, "_follow", broken)
    monkeypatch.setattr(worker_module, "AGAIN", 0.1)
    ask(store, "crm-1", to="+15559870006")

    async def play() -> None:
        async with AsyncClient(base_url=sandbox.url, ledger=SqlLedger(store.engine), settle=3.0) as client:
            steps = Steps(store, client, guard, time.time, asyncio.sleep)
            async with Worker(steps, beat=0.2) as worker:
                await until(store, "crm-1", State.LIVE)
                await comes_true(lambda: len(broke) == 1 and not durable._at_work)
                # As after a restart: nobody waits for it here, and the line says that this worker has it.
                for doing in list(worker._doing.values()):
                    doing.cancel()
                full["engine"] = False
                await comes_true(lambda: len(broke) == 2 and not durable._at_work)
                full["engine"] = False
                ended = await until(store, "crm-1", State.ENDED)
                assert ended.outcome

    asyncio.run(play())
    assert len(sandbox.calls()) == 1


@SQLITE
def test_a_turn_that_nobody_is_at_work_on_is_begun_anew_once_however_often_it_is_looked_at(
    store: Store, sandbox: Sandbox, guard: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, begun = durable.run, list[str]()

    async def lost_at_first(turn: turns.Turn) -> None:
        begun.append(turn.run)
        await (asyncio.Event().wait() if len(begun) == 1 else run(turn))

    monkeypatch.setattr(durable, "run", lost_at_first)
    monkeypatch.setattr(worker_module, "AGAIN", 0.5)  # ten looks
    ask(store, "crm-1", to="+15559870006")

    async def play() -> None:
        async with (
            AsyncClient(base_url=sandbox.url, ledger=SqlLedger(store.engine), settle=3.0) as client,
            Worker(Steps(store, client, guard, time.time, asyncio.sleep), beat=0.05),
        ):
            await until(store, "crm-1", State.ENDED)

    asyncio.run(play())
    assert len(begun) == 2
    assert len(sandbox.calls()) == 1
