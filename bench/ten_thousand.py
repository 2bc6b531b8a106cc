"""Ten thousand calls in flight in one process: placed, followed to their end, and counted.

    python bench/ten_thousand.py                    10,000 calls for 10,000 agents against a sandbox process of its own
    python bench/ten_thousand.py --latency 500      all of them ring, 500 are answered by hand: how soon is it told?
    python bench/ten_thousand.py --trouble all      the same with mute, evicted and closed channels, and a restart

While the calls are placed the sandbox's clock goes at a twentieth of its pace, so that none of them is over before
the last one is there; then it goes on at `--pace`. It prints one JSON object, and exits with 1 if an outcome was not
true or a limit was passed.
"""

import argparse
import asyncio
import base64
import collections
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
import tracemalloc
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp

from ringonce import AsyncClient, Call, ClientCredentials, NotFound, Placed, RingonceError
from ringonce.client.transport import Transport

STORIES = {
    "6543": "answered",
    "0001": "no_answer",
    "0002": "busy",
    "0003": "declined",
    "0004": "unroutable",
    "0005": "voicemail",
    "0006": "answered",
    "0008": "answered",
}
"""Outcomes by the last four digits dialled (docs/sandbox.md)."""
SLOW = 0.05
MOST_REQUESTS, MOST_MEGABYTES = 1.1, 300


class Wire:
    """What leaves the client, by kind of request and by status."""

    def __init__(self) -> None:
        self.kinds: collections.Counter[str] = collections.Counter()
        self.statuses: collections.Counter[int] = collections.Counter()
        send = Transport.send

        async def counted(transport: Transport, request: Any, *rest: Any) -> Any:
            path = request.url.partition("/api/v2")[2].partition("?")[0] or "/oauth/token"
            words = "/".join(part for part in path.split("/") if part.isalpha() and part.islower())
            self.kinds[f"{request.method} /{words}"] += 1
            answer = await send(transport, request, *rest)
            self.statuses[answer.status] += 1
            return answer

        Transport.send = counted  # type: ignore[method-assign,assignment]  # the one place that every request passes


class Platform:
    """A sandbox in a process of its own."""

    def __init__(self, agents: int) -> None:
        self._agents, self._port = agents, 0
        self._start()

    def _start(self) -> None:
        command = ["-m", "ringonce.cli", "sandbox", "--json", "--rate-limit", "0", "--port", str(self._port)]
        command += ["--agents", str(self._agents)]
        self._process = subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONWARNINGS": "ignore"}
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        self.url: str = json.loads(line)["url"]
        self._port = int(self.url.rpartition(":")[2])

    def restart(self) -> None:
        """Kill it and start another on the same port: every call, token and channel is gone."""
        self.stop(signal.SIGKILL)
        self._start()

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        self._process.send_signal(sign)
        self._process.wait(30)
        if self._process.stdout:
            self._process.stdout.close()

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """Ask what is below `/_sandbox`."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/_sandbox{path}", data=data, method=method, headers={"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
            return json.loads(content) if content else None

    def agents(self) -> list[str]:
        """Give the ids of the agents that `--agents` added."""
        token = self.token()
        ids: list[str] = []
        for page in range(1, self._agents // 100 + 3):
            url = f"{self.url}/api/v2/users?pageSize=100&pageNumber={page}"
            request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                entities = json.load(answer)["entities"]
            ids += [one["id"] for one in entities if one["email"].startswith("agent-")]
        return ids

    async def evict(self) -> None:
        """Open 20 channels more for the same identity, as another program would: every older one goes silent."""
        headers = {"authorization": f"Bearer {self.token()}"}
        async with aiohttp.ClientSession(self.url, headers=headers) as other:
            sockets = []
            for _ in range(20):
                async with other.post("/api/v2/notifications/channels") as answer:
                    sockets.append(await other.ws_connect((await answer.json())["connectUri"]))

    def token(self) -> str:
        """Get a token of the client's identity, which every sandbox has."""
        request = urllib.request.Request(
            f"{self.url}/oauth/token",
            data=b"grant_type=client_credentials",
            headers={"authorization": "Basic " + base64.b64encode(b"your_client_id:your_client_secret").decode()},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            token: str = json.load(answer)["access_token"]
            return token


def megabytes() -> float:
    """Give the memory that this process has now (RSS)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Run:
    """One run: its calls, their ends, and what they cost."""

    def __init__(self, arguments: argparse.Namespace, platform: Platform, agents: list[str]) -> None:
        self.arguments, self.platform, self.agents = arguments, platform, agents
        self.ends: dict[int, Call | RingonceError] = {}
        self.placed: dict[int, Placed] = {}
        self.lags: list[float] = []
        self.cpu: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        self.in_flight, self.peak = 0, 0.0

    def number(self, n: int) -> str:
        """Give what the *n*-th agent dials."""
        tail = list(STORIES)[n % len(STORIES)]
        return f"+1555{n // 1000 % 1000 + 200:03d}{tail}" if len(tail) == 4 else tail

    async def play(self) -> None:
        """Place all calls, follow each to its end, and bring trouble in between."""
        auth = ClientCredentials("your_client_id", "your_client_secret")
        async with AsyncClient(base_url=self.platform.url, auth=auth) as genesys, asyncio.TaskGroup() as tasks:
            lane = asyncio.Semaphore(self.arguments.at_once)
            self.platform.ask("/clock", {"speed": SLOW})
            tasks.create_task(self._watch())
            cpu, began = time.process_time(), time.monotonic()
            placing = [tasks.create_task(self._one(genesys, n, lane, tasks)) for n in range(len(self.agents))]
            await asyncio.gather(*placing)
            self.seconds["placing"], self.cpu["placing"] = time.monotonic() - began, time.process_time() - cpu
            self.in_flight = len(self.placed) - len(self.ends)
            await asyncio.to_thread(self.platform.ask, "/clock", {"speed": self.arguments.pace})
            if self.arguments.trouble != "none":
                tasks.create_task(self._trouble())

    async def _one(self, genesys: AsyncClient, n: int, lane: asyncio.Semaphore, tasks: asyncio.TaskGroup) -> None:
        async with lane:
            try:
                self.placed[n] = await genesys.place_call(agent=self.agents[n], to=self.number(n))
            except RingonceError as error:
                self.ends[n] = error
                return
        tasks.create_task(self._follow(genesys, n))

    async def _follow(self, genesys: AsyncClient, n: int) -> None:
        last: Call | None = None
        try:
            async for call in genesys.follow(self.placed[n]):
                last = call
        except RingonceError as error:
            self.ends[n] = error
        else:
            if last is not None:
                self.ends[n] = last

    async def latency(self) -> None:
        """Have all calls ring, answer some one after another, and note how long it takes until a follower knows."""
        auth = ClientCredentials("your_client_id", "your_client_secret")
        told: asyncio.Queue[float] = asyncio.Queue()
        ringing: set[str] = set()
        all_ring = asyncio.Event()

        async def follow(placed: Placed) -> None:
            async for call in genesys.follow(placed):
                if call.state == "ringing":
                    ringing.add(call.conversation_id)
                    if len(ringing) == len(self.agents):
                        all_ring.set()
                if call.state == "connected":
                    told.put_nowait(time.perf_counter())

        async def place(n: int) -> None:
            async with lane:
                placed = await genesys.place_call(agent=self.agents[n], to=f"+1555{n % 800 + 200:03d}0009")
            followers.append(asyncio.create_task(follow(placed)))

        async with AsyncClient(base_url=self.platform.url, auth=auth) as genesys, aiohttp.ClientSession() as hand:
            lane, followers = asyncio.Semaphore(self.arguments.at_once), list[asyncio.Task[None]]()
            await asyncio.gather(*map(place, range(len(self.agents))))
            await all_ring.wait()
            self.peak = megabytes()
            for n in range(self.arguments.latency):
                asked = time.perf_counter()
                async with hand.post(f"{self.platform.url}/_sandbox/phones/+1555{n % 800 + 200:03d}0009/answer"):
                    self.lags.append(await told.get() - asked)
                await asyncio.sleep(0.02)
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)

    async def _watch(self) -> None:
        """Note the highest memory while all calls are in flight."""
        while len(self.ends) < len(self.agents):
            self.peak = max(self.peak, megabytes())
            await asyncio.sleep(0.2)

    async def _trouble(self) -> None:
        kinds = ["close", "mute", "evict", "restart"] if self.arguments.trouble == "all" else [self.arguments.trouble]
        for kind in kinds:
            await asyncio.sleep(self.arguments.trouble_after)
            print(f"{kind} with {len(self.ends)} calls ended", file=sys.stderr)
            await self._do(kind)

    async def _do(self, kind: str) -> None:
        ask = self.platform.ask
        if kind == "close":
            await asyncio.to_thread(ask, "/faults", {"action": "close_socket"})
        elif kind == "mute":
            fault = await asyncio.to_thread(ask, "/faults", {"action": "mute_socket"})
            await asyncio.sleep(self.arguments.mute_for)
            await asyncio.to_thread(ask, f"/faults/{fault['id']}", None, "DELETE")
        elif kind == "evict":
            await self.platform.evict()
        elif kind == "restart":
            await asyncio.to_thread(self.platform.restart)

    def truths(self) -> collections.Counter[str]:
        """Say how many ends are true: the story's outcome, or NotFound for a call that the platform forgot."""
        told: collections.Counter[str] = collections.Counter()
        gone = self.arguments.trouble in {"restart", "all"}
        for n, end in self.ends.items():
            expected = STORIES[self.number(n)[-4:]]
            if isinstance(end, Call):
                told["true" if end.outcome == expected else f"FALSE: {expected} told as {end.outcome}"] += 1
            elif gone and isinstance(end, NotFound):
                told["true (forgotten by the platform)"] += 1
            else:
                told[f"FALSE: {type(end).__name__}: {end}"[:120]] += 1
        return told


def quantile(values: list[float], share: float) -> float | None:
    """Give a quantile in milliseconds."""
    return round(1000 * sorted(values)[min(int(share * len(values)), len(values) - 1)], 1) if values else None


@contextlib.contextmanager
def platform_of(agents: int) -> Iterator[Platform]:
    """Have a sandbox while this lasts."""
    platform = Platform(agents)
    try:
        yield platform
    finally:
        platform.stop()


def main() -> int:
    """Run it and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=64, help="creates on their way at once")
    parser.add_argument("--pace", type=float, default=0.6, help="of the sandbox's clock, once all calls are placed")
    parser.add_argument("--trouble", choices=["none", "close", "mute", "evict", "restart", "all"], default="none")
    parser.add_argument("--trouble-after", type=float, default=8.0, metavar="S")
    parser.add_argument("--mute-for", type=float, default=20.0, metavar="S")
    parser.add_argument("--latency", type=int, default=0, metavar="N", help="measure only that, on N events")
    parser.add_argument("--profile", metavar="FILE", help="write a cProfile of the client")
    parser.add_argument("--malloc", action="store_true", help="tell what holds memory at the end")
    arguments = parser.parse_args()
    with platform_of(arguments.calls) as platform:
        wire, agents = Wire(), platform.agents()[: arguments.calls]
        asked_before, empty = platform.ask("/requests?last=1")["total"], megabytes()
        run = Run(arguments, platform, agents)
        if arguments.latency:
            asyncio.run(run.latency())
            lag = {"p50": quantile(run.lags, 0.5), "p99": quantile(run.lags, 0.99)}
            print(json.dumps({"calls": len(agents), "lag_ms": lag, "rss_mb": round(run.peak, 1)}))
            return 0
        began, cpu = time.monotonic(), time.process_time()
        if arguments.malloc:
            tracemalloc.start()
        if arguments.profile:
            import cProfile

            profile = cProfile.Profile()
            profile.enable()
        asyncio.run(run.play())
        if arguments.profile:
            profile.disable()
            profile.dump_stats(arguments.profile)
        if arguments.malloc:
            for line in tracemalloc.take_snapshot().statistics("lineno")[:25]:
                print(line, file=sys.stderr)
        spent_cpu, took = time.process_time() - cpu, time.monotonic() - began
        asked = platform.ask("/requests?last=1")["total"] - asked_before
    calls, sent, truths = len(agents), sum(wire.kinds.values()), run.truths()
    told = {
        "calls": calls,
        "trouble": arguments.trouble,
        "outcomes": dict(truths),
        "requests_per_call": round(sent / calls, 4),
        "requests": dict(wire.kinds.most_common()),
        "requests_the_sandbox_counted": asked,
        "statuses": {str(status): count for status, count in wire.statuses.items()},
        "rss_mb_before": round(empty, 1),
        "rss_mb_peak": round(run.peak, 1),
        "rss_mb_max": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "in_flight": run.in_flight,
        "seconds": {"placing": round(run.seconds["placing"], 1), "all": round(took, 1)},
        "cpu_us_per_call": {
            "placing": round(1e6 * run.cpu["placing"] / calls),
            "following": round(1e6 * (spent_cpu - run.cpu["placing"]) / calls),
        },
    }
    print(json.dumps(told, indent=1))
    bounded = arguments.trouble != "none" or told["requests_per_call"] <= MOST_REQUESTS
    good = not any(one.startswith("FALSE") for one in truths) and bounded and not wire.statuses[429]
    return 0 if good and run.peak <= MOST_MEGABYTES and len(run.ends) == calls else 1


if __name__ == "__main__":
    sys.exit(main())
