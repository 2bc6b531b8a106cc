"""World time."""

from ringonce.sandbox.agenda import Agenda, iso


def test_everything_happens_in_order_each_at_its_own_time() -> None:
    agenda, done = Agenda(100.0), list[tuple[str, float]]()
    for name, when in (("late", 103.0), ("first", 101.0), ("second", 101.0), ("past", 1.0)):
        agenda.at(when, lambda name=name: done.append((name, agenda.now)))  # type: ignore[misc] # a default, no parameter

    agenda.advance(102.0)

    assert done == [("past", 100.0), ("first", 101.0), ("second", 101.0)]
    assert (agenda.now, agenda.next_at()) == (102.0, 103.0)


def test_what_is_done_may_ask_for_more_in_the_same_stretch() -> None:
    agenda, done = Agenda(0.0), list[float]()

    def again() -> None:
        done.append(agenda.now)
        agenda.after(1.0, again)

    agenda.after(1.0, again)
    agenda.advance(3.5)

    assert done == [1.0, 2.0, 3.0]


def test_a_clock_that_steps_back_does_not_move_the_world() -> None:
    agenda = Agenda(10.0)

    agenda.advance(5.0)

    assert agenda.now == 10.0


def test_times_are_written_with_milliseconds() -> None:
    assert iso(0) == "1970-01-01T00:00:00.000Z"
    assert iso(1_767_268_800.1239) == "2026-01-01T12:00:00.124Z"
    assert Agenda(0.9996).stamp == "1970-01-01T00:00:01.000Z"
