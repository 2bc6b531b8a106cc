"""What all who place calls have in common: the same order, another number each time, and how a turn is timed."""

import asyncio
import collections
import itertools
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from bench.answering import take_turns
from ringonce.sandbox.default_org import ADA

CLIENT_ID, CLIENT_SECRET = "your_client_id", "your_client_secret"
CALLER_ID = "+15551234567"
ATTRIBUTES = {"campaign": "spring"}
URL = sys.argv[1] if len(sys.argv) > 1 else ""
PATH = f"/api/v2/conversations/calls/user/{ADA}"


def numbers() -> Iterator[str]:
    """Give numbers that nobody has dialled yet, so that nobody's cache helps."""
    return (f"+1555{number:07d}" for number in itertools.count(2_000_000))


NUMBERS = numbers()


def timed(work: Callable[[], None]) -> dict[str, float]:
    """Do the work and give its CPU and wall time."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}


def on_threads(place: Callable[[str], str], look: Callable[[str], object]) -> None:
    """Take turns with blocking code: as many threads as calls in flight."""
    pools: dict[int, ThreadPoolExecutor] = {}

    def place_and_look(number: str) -> None:
        look(place(number))

    def play(calls: int, in_flight: int, looks: bool = False) -> dict[str, float]:
        mine = list(itertools.islice(NUMBERS, calls))
        work = place_and_look if looks else place
        if in_flight == 1:
            return timed(lambda: collections.deque(map(work, mine), 0).clear())
        pool = pools.setdefault(in_flight, ThreadPoolExecutor(in_flight))
        return timed(lambda: collections.deque(pool.map(work, mine), 0).clear())

    take_turns(play)


def on_loop(
    runner: asyncio.Runner, place: Callable[[str], Awaitable[str]], look: Callable[[str], Awaitable[object]]
) -> None:
    """Take turns with coroutines: as many tasks as calls in flight."""

    async def at_once(calls: int, in_flight: int, looks: bool) -> None:
        mine = itertools.islice(NUMBERS, calls)

        async def work() -> None:
            for number in mine:
                conversation_id = await place(number)
                if looks:
                    await look(conversation_id)

        await asyncio.gather(*(work() for _ in range(in_flight)))

    def play(calls: int, in_flight: int, looks: bool = False) -> dict[str, float]:
        return timed(lambda: runner.run(at_once(calls, in_flight, looks)))

    take_turns(play)
