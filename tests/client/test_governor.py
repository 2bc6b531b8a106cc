"""Clients over sockets keep to the quota of their token, and share it through their ledger."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringonce import (
    AccessToken,
    AsyncClient,
    Client,
    MemoryLedger,
    NoAnswer,
    Placed,
    RateLimited,
    SqliteLedger,
)
from ringonce.errors import LedgerError
from ringonce.ledger import Ledger, Meter
from ringonce.sandbox import Sandbox

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
NUMBER = "+15559870002"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0) as running:
        yield running


@pytest.fixture
def token(sandbox: Sandbox) -> str:
    return sandbox.do(lambda world: world.issue_user_token(ADA))


def limit(sandbox: Sandbox, requests: int | None) -> None:
    sandbox.do(lambda world: setattr(world, "rate_limit", requests))


def spend(sandbox: Sandbox, token: str, *, seconds_left: float) -> None:
    """Somebody else spends the whole minute of the token, and it is over soon."""

    def change(world: Any) -> None:
        found = world.tokens.find(token)
        found.window_began, found.spent = world.now - 60 + seconds_left, world.rate_limit

    sandbox.do(change)


def connect(sandbox: Sandbox, token: str, ledger: Ledger | None = None) -> AsyncClient:
    return AsyncClient(base_url=sandbox.url, auth=AccessToken(token), ledger=ledger)


async def place(client: AsyncClient, count: int, seconds: float = 4.0) -> Counter[type]:
    """Place calls all at once, each with a short deadline."""
    await client.plan_call(agent=ADA, to=NUMBER)  # whose token it is, is asked once
    wanted = (client.place_call(agent=ADA, to=NUMBER, timeout=seconds) for _ in range(count))
    return Counter(type(one) for one in await asyncio.gather(*wanted, return_exceptions=True))


def statuses(sandbox: Sandbox) -> Counter[int]:
    return Counter(one["status"] for one in sandbox.requests() if one["path"].startswith("/api/v2/"))


def test_more_calls_than_the_quota_has_meet_no_refusal_and_know_at_once(sandbox: Sandbox, token: str) -> None:
    limit(sandbox, 40)

    async def work() -> Counter[type]:
        async with connect(sandbox, token) as genesys:
            return await asyncio.wait_for(place(genesys, 60), 30)

    found = asyncio.run(work())

    assert set(found) == {Placed, RateLimited}
    assert 20 <= found[Placed] <= 30
    assert statuses(sandbox)[429] == 0
    assert len(sandbox.calls()) == found[Placed]


def test_two_clients_with_one_token_and_one_file_share_its_quota(sandbox: Sandbox, token: str, tmp_path: Path) -> None:
    limit(sandbox, 40)
    ledgers = [SqliteLedger(tmp_path / "ledger.sqlite3") for _ in range(2)]

    async def work() -> tuple[Counter[type], Counter[type]]:
        one, two = (connect(sandbox, token, ledger) for ledger in ledgers)
        async with one, two:
            return await asyncio.wait_for(asyncio.gather(place(one, 40), place(two, 40)), 30)

    first, second = asyncio.run(work())
    for ledger in ledgers:
        ledger.close()

    assert statuses(sandbox)[429] == 0
    assert 20 <= first[Placed] + second[Placed] <= 32
    assert set(first + second) == {Placed, RateLimited}


def test_somebody_elses_use_of_the_token_is_waited_out(sandbox: Sandbox, token: str) -> None:
    async def work() -> Placed:
        async with connect(sandbox, token) as genesys:
            await genesys.active_calls(agent=ADA)
            spend(sandbox, token, seconds_left=1)
            return await genesys.place_call(agent=ADA, to=NUMBER, timeout=10)

    placed = asyncio.run(work())

    assert [call["conversationId"] for call in sandbox.calls()] == [placed.conversation_id]
    assert statuses(sandbox)[429] >= 1


def test_whoever_waits_is_in_the_log_and_hears_of_a_close(
    sandbox: Sandbox, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    limit(sandbox, 4)
    caplog.set_level(logging.DEBUG, "ringonce.client")

    async def work() -> Counter[type]:
        genesys = connect(sandbox, token)
        placing = asyncio.create_task(place(genesys, 6, seconds=3600))
        quota = await genesys.quota()
        while quota.waiting == 0:
            await asyncio.sleep(0)
            quota = await genesys.quota()
        assert quota.allowed == 4
        assert quota.waiting > 0
        assert quota.seconds_for(1) > 0
        await genesys.aclose()
        return await asyncio.wait_for(placing, 30)

    found = asyncio.run(work())

    assert NoAnswer in found
    assert any(one.startswith("waiting ") and one.endswith(" s for the quota") for one in caplog.messages)


def test_the_quota_is_asked_for_once_if_nothing_is_known(sandbox: Sandbox, token: str) -> None:
    with Client(base_url=sandbox.url, auth=AccessToken(token)) as genesys:
        first, second = genesys.quota(), genesys.quota()

    assert sum(statuses(sandbox).values()) == 1
    assert (first.allowed, first.used, first.left) == (300, 1, 299)
    assert 0 < second.resets_in <= 61
    assert first.seconds_for(100) == 0


def test_a_platform_without_a_limit_makes_nobody_wait(sandbox: Sandbox, token: str) -> None:
    limit(sandbox, None)

    async def work() -> tuple[Counter[type], int | None]:
        async with connect(sandbox, token) as genesys:
            return await place(genesys, 50, seconds=20), (await genesys.quota()).left

    found, left = asyncio.run(work())

    assert found == {Placed: 50}
    assert left is None


def test_what_was_taken_in_advance_is_back_in_the_store_when_a_client_closes(sandbox: Sandbox, token: str) -> None:
    ledger = MemoryLedger()

    async def work() -> None:
        async with connect(sandbox, token, ledger) as genesys:
            for _ in range(3):
                await genesys.active_calls(agent=ADA)

    asyncio.run(work())

    api = sandbox.url
    assert ledger.meter(api, token, lambda meter: (meter, meter.taken)) == sum(statuses(sandbox).values())


class Unwritable(MemoryLedger):
    """Rows can be written, meters can't."""

    def meter(self, platform: str, token: str, change: Callable[[Meter], tuple[Meter, Any]]) -> Any:
        raise LedgerError("The ledger can't be written (the disk is full)", why="nothing was sent by this run")


def test_a_store_that_fails_costs_the_sharing_and_not_the_calls(
    sandbox: Sandbox, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    limit(sandbox, 40)

    async def work() -> Counter[type]:
        async with connect(sandbox, token, Unwritable()) as genesys:
            return await asyncio.wait_for(place(genesys, 60), 30)

    found = asyncio.run(work())

    assert found[Placed] >= 20
    assert statuses(sandbox)[429] == 0
    said = [one for one in caplog.messages if "not shared" in one]
    assert said[0].endswith("can't be written (the disk is full)")
    assert not [one for one in said if "was sent" in one]
