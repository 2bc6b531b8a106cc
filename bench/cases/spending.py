"""Requests spent on a call that is followed to its end, counted by the sandbox: by events, and by looking again.

The calls ring for 30 s and nobody answers, so that the tutorial's loop, a look a second, has to look 30 times.
"""

from typing import Any

from bench.measuring import Measured, Row, contender, fetch, server

NOBODY_ANSWERS = "+15559870001"
PATIENCE = 180.0


def measure(*, quick: bool) -> dict[str, Any]:
    calls, looking, speed = (100, 5, 10.0) if quick else (1_000, 10, 1.0)
    rows = {
        f"AsyncClient, {calls} in flight": _by_events(calls, speed),
        "tutorial, a look a second": _by_looking(looking, speed * (10 if quick else 4)),
    }
    return {"rows": {"spent": rows}}


def _by_events(calls: int, speed: float) -> Row:
    with server("sandbox", str(calls), str(speed)) as sandbox, contender("following", sandbox.url) as client:
        client.ask(step="place", number="+155{:04d}0001", calls=calls)
        client.ask(step="until", what="over", count=calls, patience=PATIENCE)
        told = client.ask(step="told")
        row = _counted(sandbox, calls)
        client.ask(step="close")
    if told["errors"] or told["outcomes"] != {"no_answer": calls}:
        raise RuntimeError(f"nobody answered {calls} calls; followers say {told['outcomes']}, {told['errors']}")
    return row


def _by_looking(calls: int, speed: float) -> Row:
    with server("sandbox", "0", str(speed)) as sandbox, contender("tutorial", sandbox.url) as tutorial:
        tutorial.ask(calls=calls, number=NOBODY_ANSWERS, every=1.0 / speed)
        return _counted(sandbox, calls)


def _counted(sandbox: Measured, calls: int) -> Row:
    asked = [entry["path"] for entry in fetch(f"{sandbox.url}/_sandbox/requests")["requests"]]
    reads = sum("/conversations/" in path and "/calls/user/" not in path for path in asked)
    channels = sum("/notifications/" in path for path in asked)
    return {
        "requests": round(len(asked) / calls, 3),
        "reads": round(reads / calls, 3),
        "subscriptions": round(channels / calls, 3),
        "calls": calls,
    }
