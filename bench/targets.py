"""The figures that design has set: what is measured against what, and whether it is met."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bench.measuring import ratio

Cases = Mapping[str, Mapping[str, Any]]
MOST, LEAST = "at most", "at least"
A_TOKEN = 300 / 60
"""Requests a second that one token may make: it can't dial more."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """One figure beside its target. *figure* is None where the case was skipped, *target* where none is set; *note*
    says why."""

    what: str
    figure: float | None
    unit: str
    bound: str
    target: float | None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None if nothing was measured, or nothing is aimed at."""
        if self.figure is None or self.target is None:
            return None
        return self.figure <= self.target if self.bound == MOST else self.figure >= self.target


def verdicts(cases: Cases) -> list[Verdict]:
    """Hold what was measured against every target that concerns it."""
    judges: dict[str, Callable[[Mapping[str, Any]], Iterator[Verdict]]] = {
        "start": _start,
        "place": _place,
        "decode": _decode,
        "spending": _spending,
        "crowd": _crowd,
        "sandbox": _sandbox,
        "simulation": _simulation,
        "service": _service,
    }
    return [verdict for name, case in cases.items() for verdict in judges[name](case["rows"])]


def _start(rows: Mapping[str, Any]) -> Iterator[Verdict]:
    wall = {name: row["wall_ms"] for name, row in rows["started"].items()}
    bare, ours, sdk = wall["bare Python"], wall["import ringonce"], wall["import of the official SDK"]
    yield Verdict("`import ringonce` over bare Python", ours - bare, "ms", MOST, 100)
    yield Verdict("`import ringonce` / import of the official SDK", (ours - bare) / (sdk - bare), "", MOST, 1 / 20)
    yield Verdict("`ringonce --help` over bare Python", wall["ringonce --help"] - bare, "ms", MOST, 150)


def _place(rows: Mapping[str, Any]) -> Iterator[Verdict]:
    """Hold a call that is placed and looked at against everybody, and the create alone against the HTTP library.

    The figures beside the SDK were set from a create and a read by turns. Of a create alone, whose answer is two
    fields, bare aiohttp has a quarter of the SDK's cost or more already: there they are told without a target.
    """
    ours, alone = "AsyncClient @16", "Client @1"
    for task in ("placed and looked at", "placed"):
        row, whole = rows[task], task != "placed"
        cpu, rate = f"CPU per call {task}", f"calls a second {task}"
        yield _beside(row, cpu, (ours, "bare aiohttp @16"), MOST, 1.8)
        yield _beside(row, cpu, (alone, "bare aiohttp @1"), MOST, 1.8)
        yield _beside(row, cpu, (ours, "official SDK @16"), MOST, 0.25 if whole else None)
        yield _beside(row, cpu, (alone, "official SDK @1"), MOST, 0.5 if whole else None)
        yield _beside(row, rate, (ours, "official SDK @16"), LEAST, 5 if whole else None)


def _beside(row: Mapping[str, Any], what: str, pair: tuple[str, str], bound: str, target: float | None) -> Verdict:
    who, other = pair
    figure = "cpu_us" if what.startswith("CPU") else "calls_s"
    bare = f"bare aiohttp @{who.partition('@')[2]}"
    note = "" if target else f"no target; {bare}: {ratio(row[bare], row[other], figure):.2f}"
    return Verdict(f"{what}: {who} / {other}", ratio(row[who], row[other], figure), "", bound, target, note)


def _decode(_rows: Mapping[str, Any]) -> Iterator[Verdict]:
    yield from ()


def _spending(rows: Mapping[str, Any]) -> Iterator[Verdict]:
    for name, row in rows["spent"].items():
        if name.startswith("AsyncClient"):
            yield Verdict(f"requests a call to its end: {name}", row["requests"], "", MOST, 1.1)


def _crowd(rows: Mapping[str, Any]) -> Iterator[Verdict]:
    for size, row in rows["in flight"].items():
        skipped = row.get("skipped", "")
        late = None if skipped else row["p99_ms"]
        yield Verdict(f"event to follower, p99, {int(size):,} in flight", late, "ms", MOST, 20, skipped)
        if int(size) >= 10_000:
            held = None if skipped else row["rss_mib"] * 1.048576
            yield Verdict(f"memory of the client, {int(size):,} calls followed", held, "MB", MOST, 300, skipped)


def _sandbox(rows: Mapping[str, Any]) -> Iterator[Verdict]:
    for kind, row in rows.items():
        share = ratio(row["sandbox"], row["bare Starlette"], "requests_s")
        yield Verdict(f"sandbox / bare Starlette, requests a second: {kind}", share, "", LEAST, 0.6)
        if "life_cpu_us" in row["sandbox"]:
            whole = (row["sandbox"]["cpu_us"] + row["sandbox"]["life_cpu_us"]) / row["bare Starlette"]["cpu_us"]
            note = "no target: it falls due between requests"
            what = "sandbox / bare Starlette, CPU: a create and its call's whole life"
            yield Verdict(what, whole, "", MOST, None, note)


def _simulation(rows: Mapping[str, Any]) -> Iterator[Verdict]:
    yield Verdict("simulation", rows["simulated"]["intents"]["intents_s"], "intents/s", LEAST, 1000)


def _service(rows: Mapping[str, Any]) -> Iterator[Verdict]:
    for name, row in rows["service"].items():
        yield Verdict(f"service, {name}: calls dialled and followed", row["intents_s"], "intents/s", LEAST, A_TOKEN * 3)
