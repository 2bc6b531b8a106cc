"""SIGTERM to `ringonce call` at any moment: true words, and one call when it is asked for again."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from chaos.crew import Crew
from chaos.judge import Wanted, Wrong


def test_a_run_that_is_told_to_end_at_any_moment_speaks_the_truth_and_asked_again_it_is_one_call(
    crew: Crew, wants: Callable[[int], list[Wanted]], judge: Callable[[list[Wanted]], list[Wrong]]
) -> None:
    wanted = wants(5)
    moments = dict(zip(wanted, (0.1, 0.3, 0.5, 0.7, 0.9), strict=True))
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda one: crew.run_through(one, "ended", moments[one]), wanted))
        list(threads.map(lambda one: crew.lane_in_the_calm([one]), wanted))

    assert judge(wanted) == []
