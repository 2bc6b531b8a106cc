"""The set-ups that people break, each as the default organization lets one meet it: the table of docs/sandbox.md."""

from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.dice import named
from ringonce.sandbox.world import World
from signing_in import ask_for_token

TO = {"phoneNumber": "+15559870000"}
FOR_ADA = f"/conversations/calls/user/{ADA}"


@pytest.mark.parametrize(
    ("basic", "status", "error", "words"),
    [
        pytest.param("your_client_id:wrong", 401, "invalid_client", "authentication failed", id="a wrong secret"),
        pytest.param("nobody:x", 400, "invalid_client", "client not found", id="an unknown client"),
        pytest.param(
            "disabled_client_id:disabled_client_secret",
            401,
            "invalid_client",
            "client is disabled, not active",
            id="a disabled client",
        ),
        pytest.param(
            "narrow_client_id:narrow_client_secret",
            400,
            "unauthorized_client",
            "not registered for client_credentials",
            id="a client of another grant",
        ),
    ],
)
def test_what_gets_no_token(desk: Desk, basic: str, status: int, error: str, words: str) -> None:
    answer = ask_for_token(desk, basic=basic, grant_type="client_credentials")

    assert (answer[0], answer[1]["error"]) == (status, error)
    assert words in answer[1]["error_description"]


def service(desk: Desk, _world: World, name: str) -> str:
    basic = f"{name}_client_id:{name}_client_secret"
    token: str = ask_for_token(desk, basic=basic, grant_type="client_credentials")[1]["access_token"]
    return token


def an_expired_token(desk: Desk, world: World) -> str:
    token = service(desk, world, "brief")
    world.advance(world.now + 300)
    return token


def a_revoked_token(desk: Desk, world: World) -> str:
    token = service(desk, world, "your")
    found = world.tokens.find(token)
    assert found is not None
    world.tokens.revoke(found)
    return token


def a_spent_token(desk: Desk, world: World) -> str:
    world.rate_limit = 0
    return service(desk, world, "your")


def an_agents_token(name: str, *scopes: str, client: str = "your_client_id") -> Callable[[Desk, World], str]:
    return lambda _desk, world: world.issue_user_token(named(f"user/{name}"), client, scopes=scopes or None)


def adas_token_without_the_scope(_desk: Desk, world: World) -> str:
    return world.issue_user_token(ADA, "narrow_client_id")


@pytest.mark.parametrize(
    ("token", "path", "body", "status", "code"),
    [
        pytest.param(
            lambda desk, world: service(desk, world, "limited"),
            FOR_ADA,
            TO,
            403,
            "missing.any.permissions",
            id="a client without permission",
        ),
        pytest.param(
            adas_token_without_the_scope, "/conversations/calls", TO, 403, "insufficient.scope", id="no scope"
        ),
        pytest.param(
            an_agents_token("hedy"),
            "/conversations/calls",
            TO,
            403,
            "missing.any.permissions",
            id="an agent without permission",
        ),
        pytest.param(
            lambda desk, world: service(desk, world, "your"),
            "/conversations/calls",
            TO,
            400,
            "not.a.user",
            id="a service at the agents' endpoint",
        ),
        pytest.param(
            an_agents_token("joan"),
            "/conversations/calls",
            TO,
            400,
            "conversation.error.no.user.station",
            id="an agent without a station",
        ),
        pytest.param(
            lambda desk, world: service(desk, world, "your"),
            f"/conversations/calls/user/{named('user/retired')}",
            TO,
            400,
            "conversation.error.no.user.station",
            id="somebody who left",
        ),
        pytest.param(an_expired_token, FOR_ADA, TO, 401, "credentials.expired", id="an expired token"),
        pytest.param(a_revoked_token, FOR_ADA, TO, 401, "bad.credentials", id="a revoked token"),
        pytest.param(a_spent_token, FOR_ADA, TO, 429, "too.many.requests.retry.after", id="no requests left"),
    ],
)
def test_what_places_no_call(
    desk: Desk,
    world: World,
    ask: Any,
    token: Callable[[Desk, World], str],
    path: str,
    body: Any,
    status: int,
    code: str,
) -> None:
    ask.token = token(desk, world)

    answer = ask("POST", path, body)

    assert (answer[0], answer[1]["code"]) == (status, code)
    assert world.calls() == []


@pytest.mark.parametrize("agent", ["katherine", "margaret"])
def test_whose_phone_never_goes_off_hook(world: World, ask: Any, agent: str) -> None:
    ask.place("0000", agent=named(f"user/{agent}"))

    world.advance(world.now + 60)

    assert [(call["rang"], call["state"]) for call in world.calls()] == [(False, "ended")]


def test_who_is_in_which_queue_can_be_asked(ask: Any) -> None:
    members = ask("GET", f"/routing/queues/{named('queue/support')}/members")[1]["entities"]
    mine = ask("GET", f"/users/{named('user/linus')}/queues")[1]["entities"]

    assert named("user/linus") not in {each["id"] for each in members}
    assert [each["name"] for each in mine] == ["Sales"]


def test_whose_number_it_is_can_be_asked(ask: Any) -> None:
    def of(number: str) -> list[tuple[str, str | None]]:
        found = ask("GET", "/telephony/providers/edges/dids", phoneNumber=number)[1]["entities"]
        return [(each["state"], each.get("owner", {}).get("name")) for each in found]

    assert of("+15551234567") == [("active", "Ada Lovelace")]
    assert of("+15551234568") == [("active", "Grace Hopper")]
    assert of("+15551234500") == [("inactive", "Ada Lovelace")]
    assert of("+15551234599") == [("active", None)]
    assert of("+15550000000") == []
