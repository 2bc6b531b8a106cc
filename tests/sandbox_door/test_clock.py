"""World time: it follows the wall, or waits to be told, and never goes back."""

import dataclasses
from typing import Any

import pytest

from ringonce.sandbox.clock import Clock
from ringonce.sandbox.trouble import SandboxError


@dataclasses.dataclass
class Wall:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclasses.dataclass
class Toy:
    """A world in which nothing happens but time."""

    now: float = 50_000.0
    due: float | None = None

    def next_at(self) -> float | None:
        return self.due

    def advance(self, to: float) -> None:
        assert to >= self.now
        self.now = to


def test_real_time_runs_with_the_wall() -> None:
    wall, world = Wall(), Toy()
    clock = Clock(world, wall=wall)

    wall.now += 3
    clock.catch_up()

    assert world.now == 50_003


def test_a_faster_clock_runs_ahead_of_the_wall() -> None:
    wall, world = Wall(), Toy()
    clock = Clock(world, wall=wall, speed=60)

    wall.now += 2
    clock.catch_up()

    assert world.now == 50_120


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    wall, world = Wall(), Toy()
    clock = Clock(world, wall=wall, mode="manual")

    wall.now += 100
    clock.catch_up()
    assert world.now == 50_000
    clock.leap(7)

    assert world.now == 50_007


def test_a_leap_in_real_time_is_kept() -> None:
    wall, world = Wall(), Toy()
    clock = Clock(world, wall=wall)

    clock.leap(30)
    wall.now += 1
    clock.catch_up()

    assert world.now == 50_031


def test_time_never_goes_back_when_speed_or_mode_change() -> None:
    wall, world = Wall(), Toy()
    clock = Clock(world, wall=wall, speed=100)
    moments = [world.now]
    for change in ({"speed": 0.5}, {"mode": "manual"}, {"speed": 3}, {"mode": "real"}, {"speed": 1, "advance": 2}):
        wall.now += 1
        clock.change(change)
        moments.append(world.now)

    assert moments == [50_000, 50_100, 50_100.5, 50_100.5, 50_100.5, 50_105.5]


def test_a_wall_clock_that_steps_back_does_not_take_the_world_along() -> None:
    wall, world = Wall(), Toy()
    clock = Clock(world, wall=wall)
    wall.now -= 500

    clock.catch_up()

    assert world.now == 50_000


def test_the_clock_says_how_long_the_wall_has_to_wait() -> None:
    world = Toy(due=50_030)
    clock = Clock(world, wall=Wall(), speed=10)

    assert clock.wait() == 3
    clock.change({"mode": "manual"})
    assert clock.wait() is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(None, "a JSON object", id="nothing"),
        pytest.param({}, "one or more of advance, speed, mode", id="an empty object"),
        pytest.param({"faster": True}, "advance, speed, mode", id="an unknown field"),
        pytest.param({"mode": "slow"}, "real, manual", id="an unknown mode"),
        pytest.param({"advance": -1}, "at most 2678400", id="a bound without powers of ten"),
        pytest.param({"mode": ["real"]}, "real, manual", id="a list of modes"),
        pytest.param({"speed": 0}, "more than 0", id="a clock that stands"),
        pytest.param({"speed": "fast"}, "speed is a number", id="a speed in words"),
        pytest.param({"speed": float("inf")}, "speed is a number", id="all at once"),
        pytest.param({"speed": 10**400}, "speed is a number", id="a speed beyond every float"),
        pytest.param({"speed": float("nan")}, "speed is a number", id="no number at all"),
        pytest.param({"advance": 10**400}, "number of seconds", id="a step beyond every float"),
        pytest.param({"advance": -1}, "at least 0", id="a step back"),
        pytest.param({"advance": 1e12}, "at most", id="a step to the end of days"),
        pytest.param({"mode": "manual", "advance": True}, "number of seconds", id="half of it wrong"),
    ],
)
def test_a_clock_refuses_what_makes_no_sense_and_stays_as_it_is(body: Any, words: str) -> None:
    world = Toy()
    clock = Clock(world, wall=Wall())

    with pytest.raises(SandboxError) as refused:
        clock.change(body)

    assert words in refused.value.why
    assert (clock.mode, clock.speed, world.now) == ("real", 1.0, 50_000)
