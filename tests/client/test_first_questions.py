"""What many callers ask at the same moment is asked once."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from ringonce import AsyncClient, NotFound, Placed
from ringonce.sandbox import Sandbox

SEARCH = "/api/v2/users/search"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, speed=50) as running:
        yield running


def asked(sandbox: Sandbox, path: str) -> int:
    return sum(one["path"].startswith(path) for one in sandbox.requests())


def place(genesys: AsyncClient, number: int, **rest: Any) -> asyncio.Task[Placed]:
    order = {"agent": "ada@example.com", "to": f"+1555987{number:04d}", **rest}
    return asyncio.create_task(genesys.place_call(**order))


def test_fifty_first_calls_of_an_agent_look_the_agent_and_the_queue_up_once(sandbox: Sandbox) -> None:
    async def crowd() -> None:
        async with AsyncClient(base_url=sandbox.url) as genesys:
            await asyncio.gather(*(place(genesys, number, queue="Sales") for number in range(50)))

    asyncio.run(crowd())

    assert asked(sandbox, SEARCH) == 1
    assert asked(sandbox, "/api/v2/routing/queues") == 1
    assert len(sandbox.calls()) == 50


def test_one_who_gives_up_takes_the_answer_from_nobody(sandbox: Sandbox) -> None:
    async def two() -> Placed:
        async with AsyncClient(base_url=sandbox.url) as genesys:
            first, second = place(genesys, 1), place(genesys, 2)
            await asyncio.sleep(0)  # both ask
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            return await second

    assert asyncio.run(two()).to == "+15559870002"
    assert asked(sandbox, SEARCH) == 1
    assert len(sandbox.calls()) == 1


def test_all_who_asked_hear_the_same_refusal_and_the_next_asks_anew(sandbox: Sandbox) -> None:
    async def three() -> None:
        async with AsyncClient(base_url=sandbox.url) as genesys:
            both = await asyncio.gather(
                *(place(genesys, number, agent="nobody@example.com") for number in (1, 2)), return_exceptions=True
            )
            assert [type(one) for one in both] == [NotFound, NotFound]
            with pytest.raises(NotFound):
                await place(genesys, 3, agent="nobody@example.com")

    asyncio.run(three())

    assert asked(sandbox, SEARCH) == 2
    assert sandbox.calls() == []
