"""`AsyncClient` with many calls at once, an agent each: place them, follow each to its end, tell what it cost."""

import asyncio
import collections
import contextlib
import gc
import time
from pathlib import Path
from typing import Any

from bench.answering import take_turns
from bench.contenders.placing import CALLER_ID, CLIENT_ID, CLIENT_SECRET, URL
from bench.servers.bodies import NOT_YET, SENT_AT
from ringonce import AsyncClient, Call, ClientCredentials, Placed
from ringonce.sandbox.dice import named

AT_ONCE = 64
"""Creates on their way at the same time."""


class Crowd:
    """All followers of one run, in one client."""

    def __init__(self) -> None:
        self.client = AsyncClient(base_url=URL, auth=ClientCredentials(CLIENT_ID, CLIENT_SECRET))
        self.placed: list[Placed] = []
        self.followers: list[asyncio.Task[Call]] = []
        self.latencies: list[float] = []
        self.connected = self.over = 0
        self.progress = asyncio.Event()

    async def warm_up(self) -> dict[str, Any]:
        """Import what the first call imports, open the channel, and have nobody follow that call."""
        await self.client.place_call(agent=named("user/agent-00000"), to="+15550000000", caller_id=CALLER_ID)
        return {"rss_mib": memory()}

    async def place(self, number: str, calls: int) -> dict[str, Any]:
        """Place *calls* calls, an agent each; *number* has a field for how many there were before."""
        began = time.process_time(), time.perf_counter()
        mine = iter(range(1, calls + 1))

        async def work() -> None:
            for nth in mine:
                agent = named(f"user/agent-{nth:05d}")
                placed = await self.client.place_call(agent=agent, to=number.format(nth), caller_id=CALLER_ID)
                self.placed.append(placed)
                self.followers.append(asyncio.create_task(self._follow(placed)))

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return {"cpu": time.process_time() - began[0], "wall": time.perf_counter() - began[1]}

    async def until(self, what: str, count: int, patience: float) -> dict[str, Any]:
        """Let the followers work until *count* of them have seen *what*, or *patience* seconds are over."""
        began = time.process_time(), time.perf_counter()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._seen(what) < count:
                    self.progress.clear()
                    await self.progress.wait()
        took = {"cpu": time.process_time() - began[0], "wall": time.perf_counter() - began[1]}
        return {**took, "seen": self._seen(what), "rss_mib": memory()}

    async def told(self) -> dict[str, Any]:
        """Give the latencies in milliseconds, and how the calls that are over ended."""
        over = [task for task in self.followers if task.done()]
        outcomes = collections.Counter(str(task.result().outcome) for task in over if task.exception() is None)
        errors = collections.Counter(type(task.exception()).__name__ for task in over if task.exception())
        return {"latencies_ms": self.latencies, "outcomes": outcomes, "errors": errors}

    async def close(self) -> dict[str, Any]:
        for task in self.followers:
            task.cancel()
        await asyncio.gather(*self.followers, return_exceptions=True)
        await self.client.aclose()
        return {}

    def _seen(self, what: str) -> int:
        match what:
            case "connected":
                return self.connected
            case "timed":
                return len(self.latencies)
        return self.over

    async def _follow(self, placed: Placed) -> Call:
        try:
            return await self._heard(placed)
        finally:
            self.over += 1
            self.progress.set()

    async def _heard(self, placed: Placed) -> Call:
        sent_at, answered = NOT_YET, False
        async for call in self.client.follow(placed):
            stamp = call.attributes.get(SENT_AT, NOT_YET)
            if stamp > sent_at:
                sent_at = stamp
                self.latencies.append((time.monotonic_ns() - int(stamp)) / 1e6)
            if call.answered and not answered:
                answered = True
                self.connected += 1
            self.progress.set()
        return call


def memory() -> float:
    """Give the MiB that this process holds now."""
    gc.collect()
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


with asyncio.Runner() as runner:
    crowd: list[Crowd] = []

    async def play(step: str, **words: Any) -> dict[str, Any]:
        if not crowd:
            crowd.append(Crowd())
        given: dict[str, Any] = await getattr(crowd[0], step)(**words)
        return given

    take_turns(lambda **words: runner.run(play(**words)))
