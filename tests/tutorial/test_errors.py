"""The errors of the tutorial's last section, each by what causes it; nothing rings for any of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox import Sandbox

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
NOBODY = "00000000-0000-4000-8000-000000000000"
CREATE = {"method": "POST", "path": "/api/v2/conversations/calls"}


def body(**changes: Any) -> dict[str, Any]:
    """The tutorial's payload with some of it changed: `from_id`, `from_number`, `to` and `type`."""
    return {
        "from": {"id": changes.get("from_id", ADA), "phoneNumber": changes.get("from_number", "+15551234567")},
        "to": {"phoneNumber": changes.get("to", "+15559876543")},
        "type": changes.get("type", "pstn"),
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"to": "5559876543"}, "to.phoneNumber", id="a number without a plus"),
        pytest.param({"to": "+1 555 987 6543"}, "to.phoneNumber", id="a number with spaces"),
        pytest.param({"to": "+1555"}, "to.phoneNumber", id="a number that is too short"),
        pytest.param({"to": "+1555987654321098"}, "to.phoneNumber", id="a number that is too long"),
        pytest.param({"to": "call me"}, "to.phoneNumber", id="words"),
        pytest.param({"to": ""}, "to.phoneNumber", id="no number"),
        pytest.param({"from_number": "5551234567"}, "from.phoneNumber", id="a caller id without a plus"),
        pytest.param({"from_id": NOBODY}, "from.id", id="an unknown user"),
        pytest.param({"from_id": "ada@example.com"}, "from.id", id="an id that is no UUID"),
        pytest.param({"type": "sip"}, "type", id="another type"),
    ],
)
def test_a_bad_request_names_the_field(caller: Any, sandbox: Sandbox, changes: dict[str, Any], field: str) -> None:
    answer = caller.post(body(**changes))

    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (400, 400)
    assert problem["details"][0]["fieldName"] == field
    assert problem["message"].startswith(field)
    assert sandbox.calls() == []


@pytest.mark.parametrize("missing", ["from", "to", "type"])
def test_a_body_with_a_part_missing(caller: Any, sandbox: Sandbox, missing: str) -> None:
    whole = body()
    del whole[missing]

    answer = caller.post(whole)

    assert answer.status_code == 400
    assert f"`{missing}`" in answer.json()["message"]
    assert sandbox.calls() == []


@pytest.mark.parametrize(
    ("number", "why"),
    [
        pytest.param("+15550000000", "not a number of this organization", id="not the org's"),
        pytest.param("+15551234500", "not active", id="not active"),
        pytest.param("+15551234568", "somebody else", id="another agent's"),
    ],
)
def test_a_caller_id_that_may_not_be_shown(caller: Any, sandbox: Sandbox, number: str, why: str) -> None:
    answer = caller.post(body(from_number=number))

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (403, "not.authorized")
    assert number in problem["message"]
    assert why in problem["message"]
    assert sandbox.calls() == []


def test_a_number_that_is_nobodys_may_be_shown_by_anybody(caller: Any, sandbox: Sandbox) -> None:
    caller.make_call(from_number="+15551234599")

    assert sandbox.calls()[0]["callerId"] == "+15551234599"


def test_the_caller_class_raises_the_status_and_the_reason(caller: Any) -> None:
    with pytest.raises(RuntimeError, match=r"^400 - .*E\.164"):
        caller.make_call(to_number="5559876543")
    with pytest.raises(RuntimeError, match=r"^403 - .*not a number of this organization"):
        caller.make_call(from_number="+15550000000")


def test_a_wrong_secret(make_caller: Callable[..., Any], sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match=r"^401 - .*invalid_client.*authentication failed"):
        make_caller("your_client_id", "wrong").make_call()

    assert sandbox.calls() == []


def test_a_client_that_may_not_place_calls(make_caller: Callable[..., Any], sandbox: Sandbox) -> None:
    limited = make_caller("limited_client_id", "limited_client_secret")

    with pytest.raises(RuntimeError, match=r"^403 - .*missing.any.permissions"):
        limited.make_call()

    assert sandbox.calls() == []


def test_a_conversation_that_does_not_exist(caller: Any) -> None:
    with pytest.raises(RuntimeError, match=r"^404 - .*conversation.not.found"):
        caller.get_call_status(NOBODY)


def test_too_many_requests_say_when_to_come_back(caller: Any, sandbox: Sandbox) -> None:
    caller.authenticate()
    sandbox.do(lambda world: setattr(world, "rate_limit", 2))
    conversation_id = caller.make_call()
    caller.get_call_status(conversation_id)

    answer = caller.post(body())
    assert (answer.status_code, answer.json()["code"]) == (429, "too.many.requests.retry.after")
    assert len(sandbox.calls()) == 1

    sandbox.advance(int(answer.headers["Retry-After"]))
    assert caller.post(body()).status_code == 201


def test_ten_looks_are_well_within_the_limit(caller: Any, sandbox: Sandbox) -> None:
    assert caller.poll(caller.make_call(to_number="+15559870009"), sandbox)[-1] == "ringing"


@pytest.mark.parametrize(
    ("status", "retry_after"), [pytest.param(429, 7, id="by a limit"), pytest.param(500, None, id="by trouble")]
)
def test_a_refusal_by_fault_and_the_next_try(
    caller: Any, sandbox: Sandbox, status: int, retry_after: int | None
) -> None:
    sandbox.fault(**CREATE, action="status", status=status, retry_after=retry_after, times=1)

    refused = caller.post(body())

    assert (refused.status_code, json.loads(refused.text)["status"]) == (status, status)
    assert refused.headers.get("Retry-After") == (str(retry_after) if retry_after else None)
    assert sandbox.calls() == []
    assert caller.make_call()
