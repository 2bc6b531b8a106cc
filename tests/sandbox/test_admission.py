"""Who gets in and what is refused at the door: tokens, permissions, limits, unknown paths, gateways."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.http import Reply, Request
from ringonce.sandbox.world import World

CALL = f"/conversations/calls/user/{ADA}"


def token_request(desk: Desk, *, basic: str | None = "your_client_id:your_client_secret", form: str = "") -> Reply:
    headers = {} if basic is None else {"authorization": "Basic " + base64.b64encode(basic.encode()).decode()}
    return desk.handle(Request("POST", "/oauth/token", {}, headers, (form or "grant_type=client_credentials").encode()))


def test_a_client_gets_a_token_for_a_day(desk: Desk) -> None:
    reply = token_request(desk, form="grant_type=client_credentials&scope=conversation%3Acall%3Awrite")

    answer = json.loads(reply.body)
    assert reply.status == 200
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 86_400)


@pytest.mark.parametrize(
    ("basic", "form", "status", "error", "words"),
    [
        pytest.param("nobody:x", "", 400, "invalid_client", "client not found", id="an unknown client"),
        pytest.param("your_client_id:x", "", 401, "invalid_client", "authentication failed", id="a wrong secret"),
        pytest.param(None, "", 400, "invalid_request", "Authorization: Basic", id="no credentials"),
        pytest.param(
            None,
            "grant_type=client_credentials&client_id=your_client_id&client_secret=your_client_secret",
            400,
            "invalid_request",
            "not in the form",
            id="credentials in the form",
        ),
        pytest.param("no-colon", "", 400, "invalid_request", "base64", id="credentials without a colon"),
        pytest.param("a:b", "grant_type=password", 400, "unsupported_grant_type", "client_credentials", id="a grant"),
        pytest.param("a:b", "x=y", 400, "unsupported_grant_type", "missing", id="no grant"),
    ],
)
def test_how_a_token_is_refused(desk: Desk, basic: str | None, form: str, status: int, error: str, words: str) -> None:
    reply = token_request(desk, basic=basic, form=form)

    answer = json.loads(reply.body)
    assert (reply.status, answer["error"]) == (status, error)
    assert words in answer["error_description"]
    assert answer["description"] == answer["error_description"]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "authentication.required"),
        ({"authorization": "Bearer "}, "authentication.required"),
        ({"authorization": "Basic abc"}, "authentication.required"),
        ({"authorization": "Bearer made-up"}, "bad.credentials"),
    ],
)
def test_no_entry_without_a_token(desk: Desk, header: dict[str, str], code: str) -> None:
    reply = desk.handle(Request("GET", "/api/v2/users", {}, header))

    answer = json.loads(reply.body)
    assert (reply.status, answer["code"]) == (401, code)
    assert dict(reply.headers)["ININ-Correlation-Id"] == answer["contextId"]


def test_a_token_ends_with_world_time_and_by_request(ask: Any, world: World, desk: Desk) -> None:
    assert ask("HEAD", "/tokens/me") == (200, None)
    world.advance(world.now + 86_399)
    assert ask("GET", "/tokens/me")[1]["OAuthClient"]["id"] == "your_client_id"
    world.advance(world.now + 1)
    assert ask("GET", "/tokens/me")[1]["code"] == "credentials.expired"

    ask.token = json.loads(token_request(desk).body)["access_token"]
    assert ask("DELETE", "/tokens/me") == (200, None)
    assert ask("GET", "/tokens/me")[1]["code"] == "bad.credentials"


def test_a_client_that_may_only_look_is_told_what_it_lacks(ask_limited: Any) -> None:
    status, answer = ask_limited("POST", CALL, {"phoneNumber": "+15559876543"})

    assert (status, answer["code"]) == (403, "missing.any.permissions")
    assert "[conversation:agentlessCall:add, conversation:call:add]" in answer["message"]
    assert ask_limited("GET", f"/users/{ADA}")[0] == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users/me"),
        ("GET", "/conversations/calls"),
        ("GET", "/conversations"),
        ("GET", "/conversations/calls/history"),
        ("POST", "/conversations/calls"),
    ],
)
def test_what_only_a_user_may_ask(ask: Any, ask_as: Callable[[str], Any], method: str, path: str) -> None:
    body = {"phoneNumber": "+15559876543"} if method == "POST" else None

    status, answer = ask(method, path, body)

    assert (status, answer["code"]) == (400, "not.a.user")
    assert ask_as(ADA)(method, path, body)[0] in {200, 202}


def test_a_token_has_three_hundred_requests_a_minute(ask: Any, world: World, desk: Desk) -> None:
    world.advance(world.now + 20)
    for _ in range(300):
        assert ask("HEAD", "/tokens/me")[0] == 200
    assert ask.header("inin-ratelimit-count") == ask.header("inin-ratelimit-allowed") == "300"

    status, answer = ask("GET", "/tokens/me")
    assert (status, answer["code"]) == (429, "too.many.requests.retry.after")
    assert ask.header("retry-after") == ask.header("inin-ratelimit-reset") == "40"

    other = json.loads(token_request(desk).body)["access_token"]
    assert desk.handle(Request("GET", "/api/v2/tokens/me", {}, {"authorization": f"Bearer {other}"})).status == 200
    world.advance(world.now + 40)
    assert ask("GET", "/tokens/me")[0] == 200


def test_a_limit_can_be_switched_off(ask: Any, world: World) -> None:
    world.rate_limit = None

    assert all(ask("HEAD", "/tokens/me")[0] == 200 for _ in range(400))
    assert ask.header("inin-ratelimit-count") is None


def test_an_unknown_path_names_the_nearest_known_one(ask: Any) -> None:
    status, answer = ask("POST", f"/conversation/call/users/{ADA}")

    assert (status, answer["code"]) == (404, "not.found")
    assert "/api/v2/conversations/calls/user/{userId}" in answer["message"]


def test_an_unknown_path_is_named_to_strangers_too(desk: Desk) -> None:
    assert desk.handle(Request("GET", "/api/v2/convresations")).status == 404
    assert desk.handle(Request("GET", "/nowhere")).status == 404
    assert desk.handle(Request("GET", "/oauth/tokens")).status == 404
    assert desk.handle(Request("GET", "/oauth/token")).status == 405


def test_a_body_over_the_limit_is_refused(ask: Any) -> None:
    status, answer = ask("POST", CALL, b" " * 512_001)

    assert (status, answer["code"]) == (413, "request.entity.too.large")


def test_a_wrong_method_is_told_the_right_ones(ask: Any) -> None:
    status, answer = ask("PUT", "/conversations/calls")

    assert (status, answer["code"]) == (405, "method.not.allowed")
    assert "GET, POST" in answer["message"]
    assert ask.header("allow") == "GET, POST"


@pytest.mark.parametrize("prefix", ["", "/gateway", "/api", "/a/b/c"])
def test_whatever_a_gateway_puts_before_the_path_is_ignored(ask: Any, prefix: str) -> None:
    ask.prefix = prefix

    assert ask("GET", "/tokens/me")[0] == 200
    assert ask("GET", "/users?pageSize=2")[1]["nextUri"] == "/api/v2/users?pageSize=2&pageNumber=2"


def test_a_reset_world_is_as_new(ask: Any, world: World, desk: Desk) -> None:
    ask.place("0000")

    world.reset()

    assert world.calls() == []
    assert ask("GET", "/tokens/me")[0] == 401
    assert world.next_at() is None
    assert token_request(desk).status == 200
