"""The judge finds nothing wrong with the real thing, and something wrong as soon as any protection is off."""

from collections.abc import Callable
from typing import Any

import pytest

from ringonce.client import policy
from ringonce.client.flows import placing, reconciling
from ringonce.client.fold import Facts
from ringonce.client.wishes import Flow, Lost, Request, Response
from ringonce.ledger import Row
from ringonce.ledger.memory import MemoryLedger
from simulation.judge import faults_of
from simulation.stage import Stage

MOST = 3000
"""Schedules within which a missing protection has to show."""


def judged(seed: int, **options: Any) -> list[str]:
    stage = Stage(seed, **options)
    stage.play()
    return list(faults_of(stage))


@pytest.mark.parametrize("seed", range(0, 150, 3))
def test_no_schedule_rings_twice_loses_an_intent_or_tells_a_false_outcome(seed: int) -> None:
    assert judged(seed) == []


def test_one_seed_is_one_schedule() -> None:
    def played(seed: int) -> tuple[list[str], list[dict[str, Any]]]:
        stage = Stage(seed)
        stage.play()
        return stage.network.log, stage.world.calls()

    assert played(7) == played(7)
    assert played(7) != played(8)


def first_fault(**options: Callable[[], Any] | Any) -> list[str]:
    for seed in range(MOST):
        given = {name: option() if callable(option) else option for name, option in options.items()}
        if found := judged(seed, **given):
            return found
    return []


class Unarmed(MemoryLedger):
    """A ledger that lets everybody send."""

    def arm(self, row: Row) -> Row | None:
        """Write the row, whether or not there was one."""
        self._rows[row.platform, row.intent] = row
        return None

    def look(self, platform: str, intent: str) -> Row | None:
        """Know of nothing while a call is placed."""
        row = super().look(platform, intent)
        return None if row is not None and row.settled_at is None else row


def test_without_arming_it_finds_a_second_ring() -> None:
    assert any("2 calls" in fault or "3 calls" in fault for fault in first_fault(ledger=Unarmed))


def test_with_a_create_sent_again_after_a_lost_answer_it_finds_a_second_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = policy.may_repeat

    def careless(request: Request, outcome: Response | Lost) -> bool:
        return isinstance(outcome, Lost) or honest(request, outcome)

    monkeypatch.setattr(policy, "may_repeat", careless)
    monkeypatch.setattr(placing._Careful, "again", nothing_shows)
    assert any("calls" in fault for fault in first_fault())


def nothing_shows(_: object) -> Flow[None]:
    yield from ()


def test_without_fencing_it_finds_a_create_that_left_too_late() -> None:
    assert any("left" in fault for fault in first_fault(fencing=False, crash_rate=0.05))


def test_without_the_stamp_it_finds_a_call_told_of_as_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Facts, "stamp", "")
    assert first_fault()


def test_without_a_settle_window_it_finds_an_intent_given_up_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "STATION_PATIENCE", 0.0)
    assert any("given up" in fault for fault in first_fault(settle=0.0))
