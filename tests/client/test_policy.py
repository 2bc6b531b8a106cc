"""What may be sent again, and how long to wait."""

import pytest

from ringonce.client import policy
from ringonce.client.policy import Need
from ringonce.client.wishes import Lost, Request, Response

READ = Request("GET", "/x")
CREATE = Request("POST", "/x")
SEARCH = Request("POST", "/x", repeatable=True)


def answer(status: int, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


@pytest.mark.parametrize(
    ("request_", "outcome", "again"),
    [
        pytest.param(READ, Lost("", sent=True), True, id="a lost read"),
        pytest.param(SEARCH, Lost("", sent=True), True, id="a lost search"),
        pytest.param(CREATE, Lost("", sent=True), False, id="a lost call may be ringing"),
        pytest.param(CREATE, Lost("", sent=False), True, id="a call that never left"),
        pytest.param(CREATE, answer(429), True, id="a call refused at the door"),
        pytest.param(CREATE, answer(500), False, id="a call with 500"),
        pytest.param(CREATE, answer(503, retry_after="0"), False, id="a call with 503 that invites a retry"),
        pytest.param(CREATE, answer(504), False, id="a call with 504"),
        pytest.param(CREATE, answer(408), False, id="a call with 408"),
        pytest.param(READ, answer(503), True, id="a read with 503"),
        pytest.param(READ, answer(404), False, id="a read of nothing"),
        pytest.param(READ, answer(403), False, id="a forbidden read"),
        pytest.param(CREATE, answer(202), False, id="a placed call"),
    ],
)
def test_what_may_be_sent_again(request_: Request, outcome: Response | Lost, again: bool) -> None:
    assert policy.may_repeat(request_, outcome) is again


@pytest.mark.parametrize(
    ("status", "proof"),
    [(400, True), (401, True), (403, True), (404, True), (408, False), (409, False), (413, True), (429, True),
     (500, False), (503, False), (302, False), (200, False)],
)  # fmt: skip
def test_what_proves_that_nothing_was_placed(status: int, proof: bool) -> None:
    assert policy.proves_nothing_was_placed(answer(status)) is proof


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0", 0.0), ("soon", None), ("-1", None), ("nan", None), ("inf", None)]
)
def test_retry_after_is_read_in_seconds_and_nothing_else(header: str, seconds: float | None) -> None:
    assert policy.retry_after({"retry-after": header}) == seconds


def test_waits_double_up_to_a_bound_and_the_platforms_word_wins() -> None:
    assert [policy.pause(tries, Lost("", sent=True)) for tries in (1, 2, 3, 9)] == [0.25, 0.5, 1.0, 4.0]
    assert policy.pause(1, answer(429, retry_after="11")) == 11.0
    assert policy.pause(1, answer(429, retry_after="0")) == 0.25


@pytest.mark.parametrize(
    ("life", "age", "need"),
    [
        pytest.param(86_400, 0, Need.NOTHING, id="a fresh token"),
        pytest.param(86_400, 86_400 - 299, Need.IF_FREE, id="five minutes before its end"),
        pytest.param(86_400, 86_400 - 59, Need.MUST, id="in its last minute"),
        pytest.param(86_400, 90_000, Need.MUST, id="past its end"),
        pytest.param(300, 0, Need.NOTHING, id="a fresh short token"),
        pytest.param(300, 230, Need.IF_FREE, id="a short token in its last quarter"),
        pytest.param(300, 275, Need.MUST, id="a short token in its last tenth"),
    ],
)
def test_how_urgent_a_new_token_is(life: float, age: float, need: Need) -> None:
    assert policy.need(0.0, life, age) is need


def test_a_token_without_a_known_end_is_used_until_it_is_refused() -> None:
    assert policy.need(0.0, None, 1e9) is Need.NOTHING
