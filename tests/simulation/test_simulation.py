"""The judge finds nothing wrong with the real thing, and something wrong as soon as any protection is off."""

from collections import Counter
from typing import Any

import pytest

from simulation.__main__ import play
from simulation.stage import Stage

TROUBLES = (
    "unreachable", "lost_before", "lost_after", "cut_off", "late_5xx", "early_5xx", "storm_429", "late",
    "expired_token", "straggler", "created after the client gave up waiting", "the platform said 401",
    "the platform said 429", "a token's life was over, or nearly", "schedules with racing processes",
    "schedules with two intents for one number", "crash", "killed while it waited", "nap of one thread",
    "nap of the whole process", "nap right before a create", "a socket broke", "events kept back by a mute socket",
    "events told twice", "a person said that it was not placed", "events in the wrong order",
    "calls adopted after a lost answer",
)  # fmt: skip


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_no_schedule_rings_twice_loses_an_intent_or_tells_a_false_outcome(first: int) -> None:
    assert play(first, 50).failed is None


def test_every_trouble_comes_up() -> None:
    met: Counter[str] = play(1000, 400).met

    assert [trouble for trouble in TROUBLES if not met[trouble]] == []


def test_one_seed_is_one_schedule() -> None:
    def played(seed: int) -> tuple[list[str], list[dict[str, Any]]]:
        stage = Stage(seed)
        stage.play()
        return stage.timeline(), stage.world.calls()

    assert played(7) == played(7)
    assert played(7) != played(8)


@pytest.mark.parametrize(
    ("protection", "fault"),
    [
        ("arming", "calls"),
        ("no-repeat", "calls"),
        ("fencing", "a create left"),
        ("stamp", "unknown, though"),
        ("stamp-and-rivals", "another call"),
        ("settle", "given up"),
    ],
)
def test_a_protection_that_is_off_is_found_out(protection: str, fault: str) -> None:
    failed = play(0, 10_000, protection).failed

    assert failed is not None
    assert any(fault in line for line in failed[1])
