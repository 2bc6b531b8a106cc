"""The sandbox beside a bare app of the same framework with the same bodies: requests a second, and CPU for each.

The calls that are created live as well, 200 times as fast as life, so that a create pays for a whole life. Each turn
has one call for every agent.
"""

import contextlib
from collections.abc import Mapping
from typing import Any

from bench.measuring import Measured, Turn, contender, interleave, server

KINDS = ("token", "read", "create")
LINES = 16
"""Connections that are kept busy."""


def measure(*, quick: bool) -> dict[str, Any]:
    times, rounds = (480, 3) if quick else (3_200, 9)
    with contextlib.ExitStack() as stack:
        servers = {
            "sandbox": stack.enter_context(server("sandbox", str(times), "200")),
            "bare Starlette": stack.enter_context(server("bare")),
        }
        pounders = {
            name: stack.enter_context(contender("pounding", one.url, str(times))) for name, one in servers.items()
        }
        rows = {}
        for kind in KINDS:
            turns = {name: _later(servers[name], pounders[name], kind, times) for name in servers}
            rows[kind] = interleave(rounds, turns)
    return {"rounds": rounds, "connections": LINES, "rows": rows}


def _later(one: Measured, pounder: Measured, kind: str, times: int) -> Turn:
    def turn() -> Mapping[str, float]:
        before = one.ask()["cpu"]
        took = pounder.ask(kind=kind, times=times, lines=LINES)["wall"]
        return {"requests_s": times / took, "cpu_us": (one.ask()["cpu"] - before) / times * 1e6}

    return turn
