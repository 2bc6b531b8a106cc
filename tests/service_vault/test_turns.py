"""One at a time, on one machine or on many."""

import asyncio
import contextlib

import pytest

from ringonce.errors import ConfigError
from ringonce.service.store import Store
from ringonce.service.store.alone import Turns


def test_two_who_share_a_database_take_turns(store: Store) -> None:
    inside, most = 0, 0

    async def visit(turns: Turns, name: str) -> None:
        nonlocal inside, most
        async with turns.alone(name, 20.0):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    async def all_visit() -> None:
        one, other = Turns(store), Turns(store)
        await asyncio.gather(*(visit(turns, "ada") for turns in (one, other) * 5))

    asyncio.run(all_visit())

    assert most == 1
    assert inside == 0


def test_another_name_does_not_wait_and_patience_ends(store: Store) -> None:
    async def visit() -> None:
        one, other = Turns(store), Turns(store)
        async with one.alone("ada", 1.0), other.alone("grace", 1.0):
            with pytest.raises(ConfigError, match="busy with the same login"):
                async with other.alone("ada", 0.05):
                    pytest.fail("two were in")
        async with other.alone("ada", 1.0):
            pass

    asyncio.run(visit())


def test_a_turn_that_was_given_up_while_waiting_is_not_held(store: Store) -> None:
    async def visit() -> None:
        turns = Turns(store)
        for _ in range(5):
            waiting = asyncio.create_task(_hold(turns))
            await asyncio.sleep(0)
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting
        async with turns.alone("ada", 5.0):
            pass

    asyncio.run(visit())


async def _hold(turns: Turns) -> None:
    async with turns.alone("ada", 5.0):
        await asyncio.Event().wait()
