"""Many calls in flight in one client, an agent each: what each costs, how late its follower hears, how much memory.

The server announces what the sandbox once did for one call, to every call: the agent's leg, the far end's ringing,
the answer, the end. In between it announces single events that bring along the moment when they left.
"""

import statistics
from typing import Any

from bench.measuring import Measured, Row, contender, fetch, server

SIZES = (1, 100, 1_000, 10_000)
ANSWERED_BY = 4
"""Events of a recorded call until the far end has answered."""
PATIENCE = 120.0
TIMED_PATIENCE = 3.0
"""Seconds in which the last timed event has to arrive; in ten of silence a follower would read its call."""
SEEN = 0.9
RATE = 400
"""Timed events a second."""


def measure(*, quick: bool) -> dict[str, Any]:
    sizes = (1, 100, 500) if quick else SIZES
    return {"rows": {"in flight": {str(size): run(size, timed=200 if quick else 4_000) for size in sizes}}}


def run(size: int, timed: int) -> Row:
    """Have *size* calls in flight; give what they cost, or `skipped` with the reason."""
    with server("canned") as platform, contender("following", platform.url) as client:
        rss = client.ask(step="warm_up")["rss_mib"]
        fetch(f"{platform.url}/bench/reset", {})
        placing = client.ask(step="place", number="+1555{:07d}", calls=size)
        counts = fetch(f"{platform.url}/bench/counts")
        if counts["heard"] < counts["calls"]:
            client.ask(step="close")
            return {"skipped": f"this client has events of {counts['heard']} of {size} agents' calls"}
        answered = _announce(client, platform, size, "connected", first=0, last=ANSWERED_BY)
        fetch(f"{platform.url}/bench/ping", {"events": timed, "rate": RATE})
        client.ask(step="until", what="timed", count=timed, patience=timed / RATE + TIMED_PATIENCE)
        ended = _announce(client, platform, size, "over", first=ANSWERED_BY, last=99)
        told = client.ask(step="told")
        requests = sum(fetch(f"{platform.url}/bench/counts")["asked"].values())
        client.ask(step="close")
    if told["errors"] or told["outcomes"] != {"answered": size}:
        raise RuntimeError(f"{size} calls were answered; followers say {told['outcomes']}, {told['errors']}")
    late = sorted(told["latencies_ms"])
    # A follower gets the latest truth, never a backlog: where events of one call overtake it, it tells one of them.
    if size > 1 and len(late) < SEEN * timed:
        raise RuntimeError(f"{len(late)} of {timed} timed events arrived")
    return {
        "place_cpu_us": round(placing["cpu"] / size * 1e6, 1),
        "whole_cpu_us": round((placing["cpu"] + answered["cpu"] + ended["cpu"]) / size * 1e6, 1),
        "requests": round(requests / size, 3),
        "rss_mib": round(answered["rss_mib"], 1),
        "rss_grew_kib": round((answered["rss_mib"] - rss) * 1024 / size, 2),
        "timed": len(late),
        "p50_ms": round(statistics.median(late), 3),
        "p99_ms": round(late[int(len(late) * 0.99)], 3),
    }


def _announce(client: Measured, platform: Measured, size: int, what: str, *, first: int, last: int) -> dict[str, Any]:
    fetch(f"{platform.url}/bench/push", {"first": first, "last": last, "each": 0})
    seen = client.ask(step="until", what=what, count=size, patience=PATIENCE)
    if seen["seen"] < size:
        raise RuntimeError(f"only {seen['seen']} of {size} followers saw their call {what}")
    return seen
