"""The wire of the tutorial: its ids and numbers, its 201, its statuses and its refusals."""

from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.world import World

GRACE = named("user/grace")


def body(number: str = "+15559876543", /, **changes: Any) -> dict[str, Any]:
    """The tutorial's own payload."""
    whole = {
        "from": {"id": ADA, "name": "John Doe", "phoneNumber": "+15551234567"},
        "to": {"phoneNumber": number},
        "type": "pstn",
    }
    return whole | changes


def sender(**changes: str) -> dict[str, Any]:
    return body(**{"from": {"id": ADA, "phoneNumber": "+15551234567"} | changes})


def test_the_tutorials_call_goes_from_queued_to_disconnected(ask: Any, world: World) -> None:
    status, answer = ask("POST", "/conversations/calls", body())
    assert (status, answer["status"]) == (201, "queued")
    seen: list[str] = []
    for _ in range(160):
        now = ask("GET", f"/conversations/{answer['id']}")[1]["status"]
        if not seen or seen[-1] != now:
            seen.append(now)
        world.advance(world.now + 0.1)

    assert seen == ["queued", "initiated", "ringing", "connected", "disconnected"]
    call = world.calls()[0]
    assert (call["wire"], call["to"], call["callerId"]) == ("tutorial", "+15559876543", "+15551234567")


@pytest.mark.parametrize(
    ("digits", "status"),
    [
        ("0001", "failed"),
        ("0002", "failed"),
        ("0003", "failed"),
        ("0004", "failed"),
        ("0005", "disconnected"),
        ("0006", "disconnected"),
        ("0007", "failed"),
        ("0008", "disconnected"),
    ],
)
def test_how_each_story_ends_in_one_word(ask: Any, world: World, digits: str, status: str) -> None:
    call = ask("POST", "/conversations/calls", body(f"+1555987{digits}"))[1]["id"]

    world.advance(world.now + 90)

    assert ask("GET", f"/conversations/{call}")[1]["status"] == status


def test_the_number_may_be_named_id(ask: Any) -> None:
    assert ask("POST", "/conversations/calls", body(to={"id": "+15559876543"}))[0] == 201


def test_a_platform_call_has_no_status(ask: Any) -> None:
    assert "status" not in ask("GET", f"/conversations/{ask.place()}")[1]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        pytest.param(body("5559876543"), "to.phoneNumber", id="a number that is not E.164"),
        pytest.param(body(to={}), "to.phoneNumber", id="no number"),
        pytest.param(body(type="sip"), "type", id="another type"),
        pytest.param(sender(id="ada"), "from.id", id="an id that is no UUID"),
        pytest.param(sender(id=named("nobody")), "from.id", id="an unknown user"),
        pytest.param(sender(phoneNumber="home"), "from.phoneNumber", id="a caller id that is no number"),
        pytest.param(body(**{"from": {"id": ADA}}), "from", id="no caller id"),
        pytest.param({"type": "pstn"}, None, id="nobody at all"),
    ],
)
def test_a_bad_request(ask: Any, world: World, asked: dict[str, Any], field: str | None) -> None:
    status, answer = ask("POST", "/conversations/calls", asked)

    assert status == 400
    assert [each["fieldName"] for each in answer["details"]] == ([field] if field else [])
    assert world.calls() == []


@pytest.mark.parametrize(
    ("number", "why"),
    [
        pytest.param("+15550009999", "not a number of this organization", id="not the organization's"),
        pytest.param("+15551234500", "not active", id="not active"),
        pytest.param("+15551234568", "somebody else", id="another agent's"),
    ],
)
def test_a_caller_id_that_is_forbidden(ask: Any, world: World, number: str, why: str) -> None:
    status, answer = ask("POST", "/conversations/calls", sender(phoneNumber=number))

    assert status == 403
    assert why in answer["message"]
    assert world.calls() == []


def test_a_caller_id_that_nobody_has_is_free_to_use(ask: Any) -> None:
    assert ask("POST", "/conversations/calls", sender(phoneNumber="+15551234599"))[0] == 201


def test_a_users_token_speaks_for_that_user_only(ask_as: Callable[[str], Any]) -> None:
    assert ask_as(ADA)("POST", "/conversations/calls", body())[0] == 201
    assert ask_as(GRACE)("POST", "/conversations/calls", body())[0] == 403


def test_an_agent_without_a_station_cannot_call(ask: Any) -> None:
    status, answer = ask("POST", "/conversations/calls", sender(id=named("user/joan"), phoneNumber="+15551234599"))

    assert (status, answer["code"]) == (400, "conversation.error.no.user.station")


def test_the_permission_is_needed_here_too(ask_limited: Any) -> None:
    assert ask_limited("POST", "/conversations/calls", body())[0] == 403
