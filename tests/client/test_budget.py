"""Processes that share one token keep to its quota and use it up, whoever asks for what."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rationed import BEGINS, ROUNDINGS, Process, Sliding, Window, World
from ringonce.client.wishes import Lane
from ringonce.ledger.sqlite import SqliteLedger

MINUTES = 5


def busy(world: World, processes: int, lane: Lane = Lane.DIAL) -> list[Process]:
    """Processes that want to send more than they may for all of the time."""
    running = [Process(world) for _ in range(processes)]
    for process in running:
        for _ in range(world.limit.allowed * (MINUTES + 1) // processes):
            process.request(lane)
    return running


def every_second(world: World, process: Process, lane: Lane, *, first: float = 1.0, last: float = 290.0) -> None:
    for second in range(int(first), int(last)):
        world.at(BEGINS + second, lambda: process.request(lane))


@pytest.mark.parametrize("rounding", list(ROUNDINGS))
@pytest.mark.parametrize("processes", [1, 2, 4])
def test_the_limit_is_used_up_and_never_passed(processes: int, rounding: str) -> None:
    world = World(Window(rounding=rounding))
    busy(world, processes)

    world.run(MINUTES * 60)

    assert world.refused == []
    assert world.rate(0, MINUTES * 60) >= 0.97


@settings(max_examples=30, deadline=None)
@given(
    allowed=st.integers(20, 400),
    rounding=st.sampled_from(sorted(ROUNDINGS)),
    processes=st.integers(1, 4),
    slow=st.floats(0.01, 1.5),
    lanes=st.lists(st.sampled_from(list(Lane)), min_size=1, max_size=3),
    crash_at=st.floats(0, 150),
    seed=st.integers(0, 10_000),
)
def test_no_mixture_of_lanes_crashes_and_latency_passes_the_limit(
    allowed: int, rounding: str, processes: int, slow: float, lanes: list[Lane], crash_at: float, seed: int
) -> None:
    world = World(Window(allowed, rounding), Random(seed), (slow / 10, slow))
    running = [process for lane in lanes for process in busy(world, processes, lane)]
    world.at(BEGINS + crash_at, running[0].crash)

    world.run(180)

    assert world.refused == []
    # Of the few requests of a small limit, the one that is lost at a window's edge is a larger share.
    assert len(running) == 1 or world.rate(0, 180) >= (0.97 if allowed >= 100 else 0.9)


def test_a_limit_that_slides_is_not_passed_either() -> None:
    world = World(Sliding())
    busy(world, 2)

    world.run(MINUTES * 60)

    assert world.refused == []
    assert world.rate(0, MINUTES * 60) >= 0.97


def test_reads_without_end_do_not_keep_creates_waiting() -> None:
    world = World(Window())
    busy(world, 1, Lane.READ)
    dialing = Process(world)
    every_second(world, dialing, Lane.DIAL)

    world.run(MINUTES * 60)

    assert world.lanes()["DIAL"] == 289
    assert max(wait for _, wait in dialing.waits) < 5
    assert world.rate(0, MINUTES * 60) >= 0.97


def test_a_read_after_many_creates_does_not_wait_for_the_next_minute() -> None:
    world = World(Window())
    dialing, reading = Process(world), Process(world)
    for _ in range(225):
        dialing.request(Lane.DIAL)
    world.at(BEGINS + 5, lambda: reading.request(Lane.READ))

    world.run(10)

    assert [lane for lane, wait in reading.waits if wait < 2] == [Lane.READ]


def test_reads_leave_room_for_creates_that_are_yet_to_come() -> None:
    world = World(Window())
    reading, dialing = Process(world), Process(world)
    for _ in range(400):
        reading.request(Lane.READ)
    for _ in range(70):
        world.at(BEGINS + 2, lambda: dialing.request(Lane.DIAL))

    world.run(4)

    assert len([wait for _, wait in dialing.waits if wait < 1]) == 70


def test_creates_without_end_leave_reads_their_tenth() -> None:
    world = World(Window())
    process = busy(world, 1)[0]
    for _ in range(600):
        process.request(Lane.READ)

    world.run(MINUTES * 60)

    assert 0.08 <= world.lanes()["READ"] / len(world.admitted) <= 0.12


def test_reads_of_one_process_get_through_beside_the_creates_of_another() -> None:
    world = World(Window())
    busy(world, 1)
    reading = busy(world, 1, Lane.READ)[0]

    world.run(MINUTES * 60)

    assert 0.04 <= len(reading.waits) / len(world.admitted) <= 0.12


def test_a_hang_up_waits_for_seconds_not_for_the_next_minute() -> None:
    world = World(Window())
    steering = busy(world, 2)[0]
    every_second(world, steering, Lane.URGENT, first=5)

    world.run(MINUTES * 60)

    assert max(wait for lane, wait in steering.waits if lane is Lane.URGENT) < 5


def test_looking_for_lost_calls_takes_seconds_beside_creates_and_reads_without_end() -> None:
    world = World(Window())
    looking, reading = busy(world, 2)
    for _ in range(600):
        reading.request(Lane.READ)
    # A sweep is a list and a read for each call that it names, one after the other, every five seconds.
    for second in range(10, 280, 5):
        world.at(BEGINS + second, lambda: looking.request(Lane.URGENT))
        world.at(BEGINS + second + 2, lambda: looking.request(Lane.URGENT))

    world.run(MINUTES * 60)

    waits = [wait for lane, wait in looking.waits if lane is Lane.URGENT]
    assert len(waits) == 108
    assert max(waits) < 5


def test_a_process_with_one_create_does_not_stand_behind_the_thousand_of_another() -> None:
    world = World(Window())
    busy(world, 1)
    late = Process(world)
    world.at(BEGINS + 90, lambda: late.request(Lane.DIAL))

    world.run(120)

    assert [lane for lane, wait in late.waits if wait < 5] == [Lane.DIAL]


def test_what_a_crashed_process_held_is_back_with_the_next_window() -> None:
    world = World(Window())
    crashing, working = busy(world, 1)[0], busy(world, 1)[0]
    world.at(BEGINS + 0.5, crashing.crash)

    world.run(MINUTES * 60)

    assert len(working.waits) > 1200
    assert world.refused == []
    assert world.rate(0, MINUTES * 60) >= 0.97


def test_a_process_with_nothing_to_do_gives_back_what_it_took_in_advance() -> None:
    world = World(Window())
    for _ in range(10):
        Process(world).request(Lane.DIAL)
        world.run(2)
    working = Process(world)
    for _ in range(300):
        working.request(Lane.DIAL)

    world.run(40)

    assert len(world.admitted) == 300


def test_a_process_that_ends_gives_it_back_at_once() -> None:
    world = World(Window(40))
    first = Process(world)
    first.request(Lane.READ)
    world.run(1)
    first.request(Lane.READ)
    world.run(0.1)
    assert first.budget.lease == 1

    first.close()

    assert world.ledger.meter("platform", "token", lambda meter: (meter, meter.taken)) == 2


@pytest.mark.parametrize("at_once", [1, 200])
def test_somebody_elses_use_costs_waiting_and_no_call(at_once: int) -> None:
    world = World(Window())
    ours = busy(world, 2)
    for number in range(200 * MINUTES):
        second = number // 200 * 60 + (20 if at_once > 1 else number % 200 * 0.3)
        world.at(BEGINS + second, world.foreign)

    world.run(MINUTES * 60)

    assert len(world.refused) <= 2 * MINUTES
    assert world.rate(0, MINUTES * 60) >= 0.97
    assert all(process.turned_away == [] for process in ours)


def test_who_can_not_have_a_turn_in_time_is_told_at_once() -> None:
    world = World(Window())
    process = Process(world)
    for _ in range(400):
        process.request(Lane.DIAL, patience=30)

    world.run(31)

    # 225 at once, and 36 more of the 75 that are spread over the minute.
    assert len(process.waits) + len(process.turned_away) == 400
    assert 255 <= len(process.waits) <= 263
    assert max(waited for waited, _ in process.turned_away) < 1
    error = process.turned_away[0][1]
    assert "nothing was sent" in error.what
    assert error.retry_after > 25


def test_requests_in_quick_succession_cost_one_look_at_the_store_for_many() -> None:
    world = World(Window(300_000))
    process = Process(world)
    for number in range(60_000):
        world.at(BEGINS + number / 1000, lambda: process.request(Lane.DIAL))

    world.run(61)

    assert len(world.admitted) == 60_000
    assert process.transactions < 600


def test_a_clock_that_is_set_back_forgets_what_was_known() -> None:
    world = World(Window())
    busy(world, 1)
    world.run(10)
    late = Process(world)

    world.now -= 3600
    late.request(Lane.DIAL)
    world.run(5)

    assert [lane for lane, _ in late.waits] == [Lane.DIAL]


def test_the_file_of_the_ledger_is_a_store_like_any_other(tmp_path: Path) -> None:
    world = World(Window(100), ledger=SqliteLedger(tmp_path / "ledger.sqlite3"))
    busy(world, 2)

    world.run(120)

    assert world.refused == []
    assert world.rate(0, 120) >= 0.97
