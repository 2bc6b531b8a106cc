"""The sandbox beside a bare app of the same framework with the same bodies: requests a second, and CPU for each.

Each agent is called for once in a turn. The sandbox's clock stands still meanwhile; then it leaps over the calls' whole
lives, and what those cost is told by itself: it falls due while nobody asks for anything.
"""

import contextlib
from collections.abc import Mapping
from typing import Any

from bench.measuring import Measured, Turn, contender, fetch, interleave, server

KINDS = ("token", "read", "create")
LINES = 16
"""Connections that are kept busy."""
LIFETIME = 60.0
"""Seconds after which every call is over."""


def measure(*, quick: bool) -> dict[str, Any]:
    times, rounds = (480, 3) if quick else (3_200, 9)
    with contextlib.ExitStack() as stack:
        servers = {
            "sandbox": stack.enter_context(server("sandbox", str(times), "1")),
            "bare Starlette": stack.enter_context(server("bare")),
        }
        pounders = {
            name: stack.enter_context(contender("pounding", one.url, str(times))) for name, one in servers.items()
        }
        clock = f"{servers['sandbox'].url}/_sandbox/clock"
        fetch(clock, {"mode": "manual"})
        rows = {}
        for kind in KINDS:
            turns = {name: _later(servers[name], pounders[name], kind, times) for name in servers}
            if kind == "create":
                turns["sandbox"] = _and_live(turns["sandbox"], servers["sandbox"], clock, times)
            rows[kind] = interleave(rounds, turns)
    return {"rounds": rounds, "connections": LINES, "rows": rows}


def _later(one: Measured, pounder: Measured, kind: str, times: int) -> Turn:
    def turn() -> Mapping[str, float]:
        before = one.ask()["cpu"]
        took = pounder.ask(kind=kind, times=times, lines=LINES)["wall"]
        return {"requests_s": times / took, "cpu_us": (one.ask()["cpu"] - before) / times * 1e6}

    return turn


def _and_live(creates: Turn, sandbox: Measured, clock: str, times: int) -> Turn:
    def turn() -> Mapping[str, float]:
        created = creates()
        before = sandbox.ask()["cpu"]
        fetch(clock, {"advance": LIFETIME})
        return {**created, "life_cpu_us": (sandbox.ask()["cpu"] - before) / times * 1e6}

    return turn
