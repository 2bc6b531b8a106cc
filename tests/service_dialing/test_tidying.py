"""The engine's tables don't grow with what is over."""

import asyncio

import pytest
import sqlalchemy as sa
from dbos import DBOS

from ringonce.service.calls import State
from ringonce.service.dialing import durable, worker
from ringonce.service.store import Store
from ringonce.service.store.tables import lines
from service_dialing.conftest import Working, ask, until

TALKS_ON, ENDS_AT_ONCE = "+15559870000", "+15559870006"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "KEEP_TIDY", 0.0)


async def workflows() -> set[str]:
    return {one.workflow_id for one in await DBOS.list_workflows_async()}


async def run_of(store: Store, key: str) -> str:
    call = await until(store, key, State.LIVE)
    return str(await store.look(lambda db: db.scalar(sa.select(lines.c.run).where(lines.c.call_id == call.id))))


async def are_gone(*runs: str) -> None:
    """Wait until none of *runs* is left; none at all, if none is named."""
    async with asyncio.timeout(30):
        while True:
            left = await workflows()
            if not (left & set(runs) if runs else left):
                return
            await asyncio.sleep(0.05)


def test_a_turn_that_a_dead_worker_left_behind_is_deleted_and_a_live_one_is_not(store: Store, working: Working) -> None:
    async def play() -> None:
        ask(store, "left", to=TALKS_ON)
        async with working():
            left = await run_of(store, "left")
            # As it stands if a worker dies after it has freed the line, and before the engine was told so.
            freed = lines.update().values(call_id="", run="", worker="", look_at=0.0)
            await store.run(lambda db: db.execute(freed).rowcount)
        ask(store, "live", to=TALKS_ON)
        async with working():
            live = await run_of(store, "live")
            assert left in await workflows()
            await are_gone(left)
            assert live in await workflows()

    asyncio.run(play())


def test_every_turn_that_is_over_is_deleted_however_many_there_are(
    store: Store, working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "AT_ONCE", 2)
    monkeypatch.setattr(durable, "KEPT", 0.0)

    async def play() -> None:
        async with working():
            for number in range(1, 6):
                ask(store, f"crm-{number}", agent=f"agent-{number:05}@example.com", to=ENDS_AT_ONCE)
            for number in range(1, 6):
                await until(store, f"crm-{number}", State.ENDED)
            await are_gone()

    asyncio.run(play())
