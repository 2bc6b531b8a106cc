"""Placing a call on the platform's wire: what is refused, and whom one can call."""

from typing import Any

import msgspec
import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.http import Request
from ringonce.sandbox.world import World

GRACE, JOAN, RETIRED, SALES = named("user/grace"), named("user/joan"), named("user/retired"), named("queue/sales")
CALL = f"/conversations/calls/user/{ADA}"


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        pytest.param({"phoneNumber": 5}, 400, "bad.request", "phoneNumber", id="a number that is no text"),
        pytest.param(
            {"attributes": {"a": 1}}, 400, "bad.request", "attributes[...]", id="an attribute that is no text"
        ),
        pytest.param([], 400, "bad.request", None, id="a list"),
        pytest.param(b"{", 400, "bad.request", None, id="no JSON"),
        pytest.param(b"\xff", 400, "bad.request", None, id="no text"),
        pytest.param(None, 400, "required.field.missing", "phoneNumber", id="nothing"),
        pytest.param({"phoneNumber": ""}, 400, "required.field.missing", "phoneNumber", id="an empty number"),
        pytest.param(
            {"phoneNumber": "+15559876543", "callQueueId": SALES},
            400,
            "too.many.create.conversation.parameters",
            None,
            id="two destinations",
        ),
        pytest.param(
            {"participants": [{"address": "+15559876543", "userId": GRACE}]},
            400,
            "too.many.create.conversation.parameters",
            None,
            id="two destinations for one party",
        ),
        pytest.param({"callUserId": "nobody"}, 404, "resource.not.found", None, id="an unknown user"),
        pytest.param({"callUserId": ADA}, 400, "bad.request", "callUserId", id="a call to oneself"),
        pytest.param(
            {"participants": [{"address": "+15559876543"}, {"userId": ADA}]},
            400,
            "conversation.error.cannot.create.conference",
            None,
            id="a conference with oneself",
        ),
        pytest.param(
            {"participants": [{"userId": GRACE}, {"userId": GRACE}]},
            400,
            "conversation.error.cannot.create.conference",
            None,
            id="a conference with somebody twice",
        ),
        pytest.param({"participants": [{}]}, 400, "required.field.missing", "participants", id="a party who is nobody"),
        pytest.param({"callQueueId": "none"}, 404, "resource.not.found", None, id="an unknown queue"),
        pytest.param(
            {"phoneNumber": "+15559876543", "callFromQueueId": "none"},
            404,
            "resource.not.found",
            None,
            id="from an unknown queue",
        ),
        pytest.param(
            {"conversationIds": ["a"]}, 404, "conversation.error.conversation.not.found", None, id="an unknown merge"
        ),
    ],
)
def test_a_call_that_cannot_be_placed(
    ask: Any, world: World, body: Any, status: int, code: str, field: str | None
) -> None:
    got, answer = ask("POST", CALL, body)

    assert (got, answer["code"]) == (status, code)
    assert [each["fieldName"] for each in answer["details"]] == ([field] if field else [])
    assert world.calls() == []


@pytest.mark.parametrize("path", [CALL, "/conversations/calls"], ids=["for an agent", "as an agent"])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"a":' * 50_000, id="objects nested too deep"),
        pytest.param(b"[" * 50_000, id="lists nested too deep"),
        pytest.param(b'{"from":{},"to":{},"type":"pstn","x":' + b"[" * 50_000, id="the tutorial's nested too deep"),
        pytest.param(b'{"phoneNumber":"\xed\xa0\x80"}', id="half a character"),
        pytest.param(b'{"phoneNumber":"\\ud800"}', id="half a character, escaped"),
        pytest.param(b'{"phoneNumber":' + b"9" * 400 + b"}", id="an endless integer"),
        pytest.param(b'{"phoneNumber":1e999}', id="an infinite number"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(ask_as: Any, world: World, path: str, body: bytes) -> None:
    status, answer = ask_as(ADA)("POST", path, body)

    assert (status, answer["status"]) == (400, 400)
    assert answer["message"].startswith(("The request could not be understood", "The request body does not fit"))
    assert world.calls() == []


def test_attributes_are_bounded_by_the_body_alone(ask: Any, world: World) -> None:
    attributes = {f"{n} {'n' * 300}": "v" * 300 for n in range(60)}

    assert ask("POST", CALL, {"phoneNumber": "+15559876543", "attributes": attributes})[0] == 202
    assert world.calls()[0]["attributes"] == attributes


@pytest.mark.parametrize("agent", [JOAN, RETIRED], ids=["who has no station", "who has left"])
def test_an_agent_who_cannot_call(ask: Any, agent: str) -> None:
    status, answer = ask("POST", f"/conversations/calls/user/{agent}", {"phoneNumber": "+15559876543"})

    assert (status, answer["code"]) == (400, "conversation.error.no.user.station")


def test_an_agent_who_does_not_exist(ask: Any) -> None:
    assert ask("POST", "/conversations/calls/user/nobody", {"phoneNumber": "+15559876543"})[0] == 404


def test_several_destinations_make_a_conference(ask: Any, world: World) -> None:
    parties = [{"address": "+15559870000"}, {"address": "+15559876543", "name": "Jo"}, {"userId": GRACE}]

    call = ask("POST", CALL, {"participants": parties})[1]["id"]
    world.advance(world.now + 20)

    assert [state for _, state, _ in ask.legs(call)] == ["connected", "connected", "terminated", "connected"]


def test_a_user_is_called_and_one_without_a_phone_is_not_reached(ask: Any, world: World) -> None:
    reached = ask("POST", CALL, {"callUserId": GRACE})[1]["id"]
    missed = ask("POST", CALL, {"callUserId": JOAN})[1]["id"]
    waiting = ask("POST", CALL, {"callQueueId": SALES})[1]["id"]
    world.advance(world.now + 5)

    assert ask.legs(reached) == [("user", "connected", None), ("user", "connected", None)]
    assert ask.legs(missed) == [("user", "terminated", "peer"), ("user", "terminated", "error")]
    assert ask.legs(waiting) == [("user", "connected", None), ("acd", "connected", None)]


@pytest.mark.parametrize("number", ["\0", "+1555\n9876543", "1" * 100_000], ids=["nul", "line break", "endless"])
def test_what_no_telephone_could_dial_is_refused(world: World, ask: Any, number: str) -> None:
    status, answer = ask("POST", f"/conversations/calls/user/{ADA}", {"phoneNumber": number})

    assert (status, answer["code"]) == (400, "invalid.value")
    assert len(answer["message"]) < 200
    assert world.calls() == []


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/jsonp", 415),
        ("Application/JSON; charset=utf-8", 202),
        ("application/merge-patch+json", 202),
        ("", 202),
    ],
)
def test_a_body_is_sent_as_json_or_refused(ask: Any, world: World, kind: str, status: int) -> None:
    headers = {"authorization": f"Bearer {ask.token}", "content-type": kind}

    reply = ask.desk.handle(Request("POST", f"/api/v2{CALL}", {}, headers, b'{"phoneNumber":"+15559876543"}'))

    assert reply.status == status
    assert len(world.calls()) == (status == 202)
    if status == 415:
        assert msgspec.json.decode(reply.body)["code"] == "unsupported.media.type"


def test_where_nothing_is_sent_it_does_not_matter_as_what(ask: Any) -> None:
    headers = {"authorization": f"Bearer {ask.token}", "content-type": "text/plain"}

    assert ask.desk.handle(Request("POST", "/api/v2/notifications/channels", {}, headers)).status == 200


def test_half_a_character_is_told_as_that(ask: Any) -> None:
    assert "half a surrogate pair" in ask("POST", CALL, b'{"phoneNumber":"\\ud800"}')[1]["message"]
    assert "truncated" in ask("POST", CALL, b'{"phoneNumber":"')[1]["message"]
