"""What answers tell of the quota, and what that means."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringonce.client.quota import (
    Heard,
    Quota,
    Wanted,
    current,
    free_at,
    gauged,
    heard,
    learn,
    room,
    settle,
)
from ringonce.client.wishes import Lane, Response
from ringonce.ledger import Meter

NOW = 1_800_000_000.0


def told(count: int, allowed: int = 300, reset: float = 42) -> Response:
    values = {"count": count, "allowed": allowed, "reset": reset}
    return Response(200, {f"inin-ratelimit-{name}": str(value) for name, value in values.items()}, b"")


def running(taken: int = 0, allowed: int = 300, left: float = 60.0) -> Meter:
    return Meter(allowed=allowed, taken=taken, began=NOW - 60 + left, ends=NOW + left, known=True)


def of(answer: Response, *, refused: bool = False) -> Heard | None:
    return heard(answer, NOW, NOW + 0.5, refused=refused)


def test_the_headers_tell_when_the_window_ends_as_well_as_whole_seconds_can() -> None:
    news = of(told(7, reset=42))

    assert news == Heard(sent_at=NOW, allowed=300, count=7, ends_after=NOW + 41, ends_by=NOW + 43.5)


@pytest.mark.parametrize(
    "headers",
    [
        {"inin-ratelimit-count": "many", "inin-ratelimit-allowed": "300", "inin-ratelimit-reset": "42"},
        {"inin-ratelimit-count": "1", "inin-ratelimit-allowed": "0", "inin-ratelimit-reset": "42"},
        {"inin-ratelimit-count": "-1", "inin-ratelimit-allowed": "300", "inin-ratelimit-reset": "42"},
        {"inin-ratelimit-count": "1", "inin-ratelimit-allowed": "300", "inin-ratelimit-reset": "86400"},
        {"inin-ratelimit-count": "1"},
        {},
    ],
    ids=["words", "none allowed", "negative", "a day", "cut short", "absent"],
)
def test_headers_that_make_no_sense_tell_of_no_limit(headers: dict[str, str]) -> None:
    accepted = of(Response(200, headers, b""))

    assert accepted == Heard(sent_at=NOW)
    assert of(Response(503, headers, b"")) is None
    assert of(Response(401, headers, b"")) is None


def test_where_no_limit_is_told_everybody_goes_at_once() -> None:
    meter = learn(Meter(), Heard(sent_at=NOW))

    assert settle(meter, Wanted(waiting=(1, 500, 500)), NOW)[1].turns == (1, 500, 500)


def test_where_nothing_is_known_one_goes_ahead_and_after_silence_twice_as_many() -> None:
    turns, meter = [], Meter()
    for second in range(4):
        meter, granted = settle(meter, Wanted(waiting=(0, 99, 9)), NOW + second * 1.01)
        turns.append(sum(granted.turns))
        assert sum(settle(meter, Wanted(waiting=(0, 99, 9)), NOW + second * 1.01 + 0.5)[1].turns) == 0

    assert turns == [1, 2, 4, 8]


def test_once_an_answer_has_told_three_quarters_go_at_once() -> None:
    meter, _ = settle(Meter(), Wanted(waiting=(0, 400, 0)), NOW)
    news = heard(told(1, reset=60), NOW, NOW + 0.1)

    _, granted = settle(meter, Wanted(waiting=(0, 399, 0), news=news), NOW + 0.1)

    assert granted.turns == (0, 224, 0)


def test_a_refusal_that_tells_of_a_spent_quota_shuts_the_door_for_all() -> None:
    spent = told(301, reset=9)
    news = of(Response(429, {**spent.headers, "retry-after": "9"}, b""), refused=True)

    meter, granted = settle(running(taken=10), Wanted(waiting=(1, 1, 1), news=news), NOW + 1)

    assert granted.turns == (0, 0, 0)
    assert meter.shut_until == NOW + 9.5


def test_a_refusal_that_tells_nothing_is_not_about_a_quota_that_has_room() -> None:
    news = of(Response(429, {"retry-after": "3000"}, b""), refused=True)

    meter, granted = settle(running(taken=10), Wanted(waiting=(0, 1, 0), news=news), NOW + 1)

    assert granted.turns == (0, 1, 0)
    assert meter.shut_until == 0


def test_where_no_limit_is_told_a_refusal_makes_everybody_wait_but_a_minute_at_most() -> None:
    meter = learn(Meter(), Heard(sent_at=NOW))
    news = of(Response(429, {"retry-after": "3000"}, b""), refused=True)

    meter, granted = settle(meter, Wanted(waiting=(0, 5, 0), news=news), NOW + 1)
    _, later = settle(meter, Wanted(waiting=(0, 5, 0)), NOW + 61)

    assert (granted.turns, later.turns) == ((0, 0, 0), (0, 1, 0))


def test_an_answer_about_a_window_that_is_over_says_nothing_about_this_one() -> None:
    meter = current(running(taken=300, left=0.0), NOW + 1)

    assert learn(meter, Heard(sent_at=NOW - 1, allowed=300, count=300, ends_after=NOW - 1, ends_by=NOW + 1)) == meter


def test_an_answer_about_a_window_that_nobody_had_heard_of_begins_it() -> None:
    meter = learn(running(taken=290, left=3.0), Heard(sent_at=NOW + 1, allowed=300, count=4, ends_after=NOW + 60))

    assert (meter.taken, meter.began) == (4, NOW + 1)


def test_what_was_taken_in_advance_goes_back_to_its_own_window_only() -> None:
    meter = running(taken=50)

    same, _ = settle(meter, Wanted(returned=7, of=meter.began), NOW)
    other, _ = settle(meter, Wanted(returned=7, of=meter.began - 60), NOW)

    assert (same.taken, other.taken) == (43, 50)


def test_seconds_for_a_batch() -> None:
    quota = Quota(allowed=300, used=0, resets_in=60.0, waiting=0)

    assert quota.left == 300
    assert [round(quota.seconds_for(batch)) for batch in (0, 1, 225, 300, 301, 525, 1000)] == [0, 0, 0, 58, 60, 60, 180]


def test_a_batch_waits_behind_those_that_wait_already() -> None:
    quota = Quota(allowed=300, used=300, resets_in=12.0, waiting=225)

    assert round(quota.seconds_for(1)) == 13
    assert Quota(allowed=300, used=0, resets_in=0.0, waiting=0, shut_for=7.0).seconds_for(1) == 7.0


def test_without_a_limit_no_batch_has_to_wait() -> None:
    assert Quota(allowed=None, used=0, resets_in=0.0, waiting=0).seconds_for(10_000) == 0.0
    assert Quota(allowed=None, used=0, resets_in=0.0, waiting=0).left is None


def test_a_quota_is_told_without_what_was_only_taken_in_advance() -> None:
    quota = gauged(running(taken=57, left=20.0), NOW, lease=7, waiting=(0, 3, 9))

    assert quota == Quota(allowed=300, used=50, resets_in=20.0, waiting=3)
    assert gauged(Meter(), NOW, lease=0, waiting=(0, 0, 0)) is None


@given(
    taken=st.integers(0, 400),
    allowed=st.integers(1, 400),
    left=st.floats(0.1, 63),
    waiting=st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500)),
    dials_elsewhere=st.booleans(),
    credit=st.integers(0, 300),
)
def test_no_more_is_given_out_than_there_is_room_for(
    taken: int, allowed: int, left: float, waiting: tuple[int, int, int], dials_elsewhere: bool, credit: int
) -> None:
    before = msgspec.structs.replace(
        running(taken, allowed, left), dials_until=NOW + 9 if dials_elsewhere else 0.0, credit=credit
    )

    meter, granted = settle(before, Wanted(waiting=waiting), NOW)

    given_out = sum(granted.turns) + granted.lease
    assert meter.taken == taken + given_out
    assert meter.taken <= max(taken, room(before, NOW, Lane.URGENT)) <= max(taken, allowed)
    assert all(0 <= turns <= wanted for turns, wanted in zip(granted.turns, waiting, strict=True))
    if granted.turns != waiting:
        assert granted.lease == 0
        assert NOW < granted.again_at <= NOW + 6


@given(taken=st.integers(0, 300), left=st.floats(0.1, 63), nth=st.integers(1, 900))
def test_the_forecast_is_when_there_is_room(taken: int, left: float, nth: int) -> None:
    meter = running(taken, left=left)
    at = free_at(meter, NOW, nth)

    assert at <= free_at(meter, NOW, nth + 1)
    if taken + nth <= 300:
        assert room(meter, at, Lane.DIAL) >= taken + nth
        assert at == NOW or room(meter, at - 0.8, Lane.DIAL) < taken + nth
    else:
        assert at >= meter.ends


@given(counts=st.lists(st.integers(1, 300), min_size=1, max_size=5), resets=st.lists(st.integers(1, 59), min_size=5))
def test_merging_what_answers_told_loses_nothing_that_matters(counts: list[int], resets: list[int]) -> None:
    answers = [
        heard(told(count, reset=reset), NOW + number, NOW + number + 0.1)
        for number, (count, reset) in enumerate(zip(counts, resets, strict=False))
    ]
    one_by_one, merged = Meter(), None
    for news in answers:
        assert news is not None
        one_by_one = learn(one_by_one, news)
        merged = news if merged is None else merged.and_then(news)
    assert merged is not None

    at_once = learn(Meter(), merged)

    assert at_once.known
    assert math.isclose(at_once.ends, one_by_one.ends) or at_once.ends < NOW + 65
