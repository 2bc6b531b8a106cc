"""Placing calls: who spends how much CPU on one, and how many a second.

`placed` is the create alone; `placed and looked at` also reads the conversation once and turns it into what the
contender's user would work with. Both against a server that costs next to nothing; and against the real sandbox,
which has the calls live, and announces that to whoever listens.
"""

import contextlib
import operator
from collections.abc import Mapping
from typing import Any

from bench.measuring import Measured, Turn, contender, interleave, server

FIELD = (
    ("AsyncClient", "ringonce_async", (1, 16, 64)),
    ("bare aiohttp", "bare_aiohttp", (1, 16, 64)),
    ("Client", "ringonce_sync", (1, 16)),
    ("bare urllib3", "bare_urllib3", (1, 16)),
    ("official SDK", "official_sdk", (1, 16)),
    ("tutorial", "tutorial", (1,)),
)
AGAINST_SANDBOX = ("AsyncClient", "official SDK", "bare aiohttp")
WARM_UP = 64
FEWEST, WAVES = 200, 4
"""A turn is of so many calls at least, and of so many times those in flight."""


def measure(*, quick: bool) -> dict[str, Any]:
    rounds = 3 if quick else 25
    with contextlib.ExitStack() as stack:
        cheap = stack.enter_context(server("canned"))
        field = {name: stack.enter_context(contender(module, cheap.url)) for name, module, _ in FIELD}
        rows = {
            "placed": interleave(rounds, _turns(field, looks=False)),
            "placed and looked at": interleave(rounds, _turns(field, looks=True)),
        }
    with contextlib.ExitStack() as stack:
        sandbox = stack.enter_context(server("sandbox", "0", "1"))
        field = {
            name: stack.enter_context(contender(module, sandbox.url))
            for name, module, _ in FIELD
            if name in AGAINST_SANDBOX
        }
        rows["placed in the sandbox"] = interleave(rounds // 2, _turns(field, looks=False, only=16))
    return {"rounds": rounds, "rows": rows}


def _turns(field: Mapping[str, Measured], *, looks: bool, only: int = 0) -> dict[str, Turn]:
    """Have those who are compared take their turns one after the other."""
    turns: dict[str, Turn] = {}
    those = [(in_flight, name) for name, _, flights in FIELD if name in field for in_flight in flights]
    for in_flight, name in sorted(those, key=operator.itemgetter(0)):
        if only in {0, in_flight}:
            _turn(field[name], WARM_UP, in_flight, looks)
            calls = max(FEWEST, WAVES * in_flight)
            turns[f"{name} @{in_flight}"] = _later(field[name], calls, in_flight, looks)
    return turns


def _later(process: Measured, calls: int, in_flight: int, looks: bool) -> Turn:
    return lambda: _turn(process, calls, in_flight, looks)


def _turn(process: Measured, calls: int, in_flight: int, looks: bool) -> Mapping[str, float]:
    took = process.ask(calls=calls, in_flight=in_flight, looks=looks)
    return {"cpu_us": took["cpu"] / calls * 1e6, "calls_s": calls / took["wall"]}
