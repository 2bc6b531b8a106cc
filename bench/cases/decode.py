"""From a conversation's bytes to what a program works with."""

from typing import Any

from bench.measuring import Measured, Turn, contender, interleave


def measure(*, quick: bool) -> dict[str, Any]:
    times, rounds = (200, 3) if quick else (1000, 9)
    with contender("decoding", "ours") as ours, contender("decoding", "sdk") as sdk:
        turns = {
            "ringonce, as it came": _later(ours, "snapshot", times),
            "ringonce, folded into a Call": _later(ours, "call", times),
            "official SDK, Conversation": _later(sdk, "Conversation", times),
        }
        return {"rounds": rounds, "bytes": ours.ready["size"], "rows": {"decoded": interleave(rounds, turns)}}


def _later(process: Measured, kind: str, times: int) -> Turn:
    return lambda: {"cpu_us": process.ask(kind=kind, times=times)["cpu"] / times * 1e6}
