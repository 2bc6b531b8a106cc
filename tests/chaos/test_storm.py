"""The short form of `make chaos`: one ring an intent, whatever befalls those who ask for it."""

from pathlib import Path

import pytest

from chaos.storm import Storm, Weather

# A slow machine is no failure; nor are the 75 s that a client waits which saw an agent's phone ring before the death.
pytestmark = pytest.mark.timeout(600)


def test_two_hundred_intents_through_kills_stops_signals_and_lost_answers_ring_at_most_once_each(
    tmp_path: Path,
) -> None:
    storm = Storm(tmp_path, Weather(seed=1, intents=200, by_command_line=4, kills=2))

    wrong = storm.blow()

    assert wrong == [], "\n".join(storm.story(one.intent) for one in wrong[:3])
    assert storm.figures.kills >= 4
    assert storm.figures.lost_answers > 20


def test_a_platform_that_dies_and_forgets_everything_is_not_called_twice_for_one_intent(tmp_path: Path) -> None:
    storm = Storm(tmp_path, Weather(seed=2, intents=40, by_command_line=0, kills=0, restarts=1))

    wrong = storm.blow()

    assert wrong == [], "\n".join(storm.story(one.intent) for one in wrong[:3])
    assert storm.figures.sandbox_restarts == 1
