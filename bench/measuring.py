"""Processes that are measured, turns taken in interleaved rounds, and what came of them."""

import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parent.parent
SERVER_CORE, CLIENT_CORE = -1, 0
"""Servers run on the last core, contenders on the first, so that neither waits for the other."""

Row = dict[str, Any]
Turn = Callable[[], Mapping[str, float]]


class Measured:
    """A process of ours: `python -m module arguments`, that answers a JSON line with a JSON line."""

    def __init__(self, module: str, *arguments: str, core: int | None = None) -> None:
        self._process = subprocess.Popen(  # our own modules
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
        )
        if core is not None:
            pin(self._process.pid, core)
        self.ready = self._hear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where a server listens."""
        return str(self.ready["url"])

    def ask(self, **words: Any) -> dict[str, Any]:
        """Have the process take a turn."""
        self._to.write(json.dumps(words) + "\n")
        self._to.flush()
        return self._hear()

    def close(self) -> None:
        """End the process."""
        self._to.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def _to(self) -> Any:
        return self._process.stdin

    def _hear(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait()} instead of an answer")
        heard: dict[str, Any] = json.loads(line)
        return heard


def server(module: str, *arguments: str) -> Measured:
    """Start a server on the servers' core."""
    return Measured(f"bench.servers.{module}", *arguments, core=SERVER_CORE)


def contender(module: str, *arguments: str) -> Measured:
    """Start a contender on the contenders' core."""
    return Measured(f"bench.contenders.{module}", *arguments, core=CLIENT_CORE)


def pin(pid: int, core: int) -> None:
    """Keep a process on one core, where the system can do that and has more than one."""
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(pid, {cores[core]})


def environment() -> dict[str, str]:
    """Give this environment without what would send a contender elsewhere, or have it compile anew what it imports."""
    ours = ("genesyscloud_", "ringonce_", "pythondontwritebytecode")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.lower().startswith(ours)
    }


def interleave(rounds: int, turns: Mapping[str, Turn]) -> dict[str, Row]:
    """Play A B C, A B C, …: whatever disturbs the machine disturbs everybody. Give medians, and every turn."""
    seen: dict[str, list[Mapping[str, float]]] = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            seen[name].append(turn())
    return {name: summed_up(each) for name, each in seen.items()}


def summed_up(turns: Sequence[Mapping[str, float]]) -> Row:
    """Give the median of each figure over the turns, and in `turns` what each of them gave."""
    figures = {figure: [round(turn[figure], 3) for turn in turns] for figure in turns[0]}
    return {figure: round(statistics.median(values), 3) for figure, values in figures.items()} | {"turns": figures}


def ratio(ours: Row, other: Row, figure: str) -> float:
    """Give the median of the rounds' own ratios: the machine's speed changes less within a round than between them."""
    pairs = zip(ours["turns"][figure], other["turns"][figure], strict=True)
    return float(statistics.median(mine / theirs for mine, theirs in pairs))


def yardstick() -> float:
    """Give the ms of CPU that a loop of a million additions takes here and now."""

    def once() -> float:
        total, began = 0, time.process_time()
        for number in range(1_000_000):
            total += number
        return time.process_time() - began

    return min(once() for _ in range(5)) * 1e3


def fetch(url: str, body: object = None) -> Any:
    """Ask a server's control desk: POST where there is a body, else GET."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})  # loopback
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        return json.loads(answer.read())
