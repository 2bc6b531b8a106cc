"""What a token may do: the roles of services and agents, the scopes of a token, and who may show which number."""

from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA, EVERYTHING
from ringonce.sandbox.desk import TABLE, Desk
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.dice import named
from ringonce.sandbox.permissions import holds_any
from ringonce.sandbox.scopes import SCOPES, UnknownScopeError, granted
from ringonce.sandbox.world import World
from signing_in import CALLBACK, ask_for_token, code_for

HEDY, GRACE, LINUS, KATHERINE = (named(f"user/{name}") for name in ("hedy", "grace", "linus", "katherine"))
TO = {"phoneNumber": "+15559876543"}


@pytest.fixture
def ask_with(desk: Desk, world: World, ask: Any) -> Callable[..., Any]:
    """Ada's token with some scopes only."""

    def asker(*scopes: str) -> Any:
        ask.token = world.issue_user_token(ADA, scopes=scopes)
        return ask

    return asker


def test_an_agents_token_may_do_what_the_agent_may_whatever_the_client_may(ask_as: Any, world: World) -> None:
    status, problem = ask_as(HEDY)("POST", "/conversations/calls", TO)

    assert (status, problem["code"]) == (403, "missing.any.permissions")
    assert "conversation:call:add" in problem["messageParams"]["permissions"]
    assert ask_as(ADA)("POST", "/conversations/calls", TO)[0] == 202
    assert ask_as(ADA)("GET", "/telephony/providers/edges/dids")[0] == 403


@pytest.mark.parametrize(
    ("scopes", "method", "path", "wanted"),
    [
        pytest.param(["users:readonly"], "POST", "/conversations/calls", ["conversations"], id="to call"),
        pytest.param(["conversations:readonly"], "POST", "/conversations/calls", ["conversations"], id="not to look"),
        pytest.param(
            ["notifications"], "GET", "/conversations/calls", ["conversations", "conversations:readonly"], id="to look"
        ),
        pytest.param(
            ["conversations"], "GET", "/users/me", ["user-basic-info", "users", "users:readonly"], id="to say who"
        ),
        pytest.param(["conversations"], "POST", "/users/search", ["users", "users:readonly"], id="to search"),
        pytest.param(["notifications:readonly"], "POST", "/notifications/channels", ["notifications"], id="to listen"),
    ],
)
def test_a_token_that_does_not_reach_so_far_is_told_what_would(
    ask_with: Any, scopes: list[str], method: str, path: str, wanted: list[str]
) -> None:
    status, problem = ask_with(*scopes)(method, path, TO if method == "POST" else None)

    assert (status, problem["code"]) == (403, "insufficient.scope")
    assert problem["messageParams"]["scopes"] == f"[{', '.join(wanted)}]"


@pytest.mark.parametrize(
    ("scope", "method", "path", "body"),
    [
        ("conversations", "POST", "/conversations/calls", TO),
        ("conversations:readonly", "GET", "/conversations/calls", None),
        ("user-basic-info", "GET", "/users/me", None),
        ("users:readonly", "POST", "/users/search", {"query": [{"type": "MATCH_ALL"}]}),
        ("notifications", "POST", "/notifications/channels", None),
        ("conversations", "GET", "/tokens/me", None),
        ("authorization:readonly", "GET", "/authorization/subjects/me", None),
    ],
)
def test_one_scope_that_fits_will_do(ask_with: Any, scope: str, method: str, path: str, body: Any) -> None:
    assert ask_with(scope)(method, path, body)[0] in {200, 202}


def test_a_service_has_no_scopes_and_is_held_to_its_roles(ask: Any) -> None:
    assert ask("GET", "/tokens/me")[1]["authorizedScope"] == []
    assert ask("GET", f"/users/{ADA}/station")[0] == 200


def test_a_token_says_how_far_it_reaches(desk: Desk, ask: Any) -> None:
    asked = {"scope": "conversations users:readonly"}
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": code_for(desk, **asked)}
    _, answer = ask_for_token(desk, **form)

    ask.token = answer["access_token"]
    about = ask("GET", "/tokens/me")[1]
    assert about["authorizedScope"] == ["conversations", "users:readonly"]
    assert (about["OAuthClient"]["authorizedGrantType"], about["OAuthClient"]["state"]) == ("CODE", "active")


def test_scopes_outlive_a_refresh(desk: Desk, ask: Any) -> None:
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": code_for(desk, scope="notifications")}
    _, answer = ask_for_token(desk, **form)
    _, renewed = ask_for_token(desk, grant_type="refresh_token", refresh_token=answer["refresh_token"])

    ask.token = renewed["access_token"]
    assert ask("GET", "/tokens/me")[1]["authorizedScope"] == ["notifications"]


def test_what_is_granted_of_what_is_asked() -> None:
    narrow = frozenset({"users:readonly", "conversations"})

    assert granted("", None) is None
    assert granted("", narrow) == narrow
    assert granted("conversations analytics", None) == frozenset({"conversations", "analytics"})
    assert granted("conversations:readonly users", narrow) == frozenset({"conversations:readonly"})
    with pytest.raises(UnknownScopeError, match="registered"):
        granted("analytics", narrow)
    with pytest.raises(UnknownScopeError, match="'calls' is not a scope"):
        granted("calls", None)


def test_tests_are_told_of_a_token_that_cannot_be(world: World) -> None:
    with pytest.raises(ValueError, match="'calls'"):
        world.issue_user_token(ADA, scopes=["calls"])
    with pytest.raises(KeyError, match="nobody"):
        world.issue_user_token("nobody")
    with pytest.raises(KeyError, match="no_client"):
        world.issue_user_token(ADA, "no_client")


def routes() -> list[Route]:
    found: list[Route] = []
    for template in TABLE.templates:
        found += TABLE.match(template.replace("{", "").replace("}", ""))[0].values()
    return found


def test_every_route_has_a_scope_that_exists_and_a_permission_of_three_parts() -> None:
    assert len(routes()) > 40
    for route in routes():
        assert bool(route.scopes) is not route.template.startswith("/tokens/")
        assert route.scopes <= SCOPES.keys()
        assert all(each.count(":") == 2 for each in route.any_of)
        assert holds_any(EVERYTHING.permissions, route.any_of)


@pytest.mark.parametrize(
    ("held", "holds"),
    [
        ({"conversation:call:add"}, True),
        ({"conversation:call:*"}, True),
        ({"conversation:*:*"}, True),
        ({"conversation:call:view", "routing:*:*", "conversation:agentlessCall:*"}, False),
        (set(), False),
    ],
)
def test_what_a_permission_is_held_by(held: set[str], holds: bool) -> None:
    assert holds_any(frozenset(held), ("conversation:call:add",)) is holds
    assert holds_any(frozenset(held), ())


def test_roles_are_listed_as_policies(ask: Any, ask_as: Any, ask_limited: Any) -> None:
    def held(subject: dict[str, Any]) -> set[str]:
        policies = [policy for grant in subject["grants"] for policy in grant["role"]["policies"]]
        return {f"{each['domain']}:{each['entityName']}:{action}" for each in policies for action in each["actions"]}

    status, service = ask("GET", "/authorization/subjects/me")
    assert (status, service["id"]) == (200, "your_client_id")
    assert held(service) == EVERYTHING.permissions
    limited = ask_limited("GET", "/authorization/subjects/me")[1]
    assert "conversation:call:add" not in held(limited)
    ada = ask_as(ADA)("GET", "/authorization/subjects/me")[1]
    assert ada["name"] == "Ada Lovelace"
    assert "conversation:call:add" in held(ada)
    assert [grant["role"]["name"] for grant in ada["grants"]] == ["Agent"]


def test_ones_own_station_needs_no_permission(desk: Desk, world: World, ask: Any) -> None:
    ask.token = world.issue_user_token(ADA)
    assert ask("GET", f"/users/{ADA}/station")[1]["effectiveStation"]["name"] == "Ada's browser"

    bare = world.clients["limited_client_id"]
    world.clients[bare.id] = type(bare)(id=bare.id, secret=bare.secret, name=bare.name)
    _, answer = ask_for_token(desk, basic="limited_client_id:limited_client_secret", grant_type="client_credentials")
    ask.token = answer["access_token"]
    status, problem = ask("GET", f"/users/{ADA}/station")
    assert (status, problem["code"]) == (403, "missing.permissions")
    assert problem["messageParams"]["permissions"] == "[telephony:otherStationAssociation:view]"


def tutorial_call(ask: Any, agent: str, number: str) -> tuple[int, Any]:
    body = {"from": {"id": agent, "phoneNumber": number}, "to": TO, "type": "pstn"}
    answer: tuple[int, Any] = ask("POST", "/conversations/calls", body)
    return answer


@pytest.mark.parametrize(
    ("agent", "number", "status", "why"),
    [
        pytest.param(ADA, "+15551234567", 201, "", id="one's own"),
        pytest.param(ADA, "+15551234599", 201, "", id="nobody's"),
        pytest.param(LINUS, "+15551234566", 201, "", id="another's, allowed by a role"),
        pytest.param(ADA, "+15551234566", 403, "no role of the agent allows it", id="another's"),
        pytest.param(ADA, "+15551234500", 403, "not active", id="inactive"),
        pytest.param(ADA, "+15550000000", 403, "not a number of this organization", id="not the org's"),
    ],
)
def test_which_number_an_agent_may_show(ask: Any, agent: str, number: str, status: int, why: str) -> None:
    answer = tutorial_call(ask, agent, number)

    assert answer[0] == status
    assert why in answer[1].get("message", "")


def test_somebody_who_left_cannot_call(ask: Any) -> None:
    status, problem = tutorial_call(ask, named("user/retired"), "+15551234599")

    assert (status, problem["code"]) == (400, "invalid.value")
    assert "inactive" in problem["message"]


def test_a_browser_that_lets_no_other_app_call_leaves_the_leg_contacting(ask: Any, world: World) -> None:
    conversation_id = ask.place(agent=KATHERINE)
    world.advance(world.now + 59)
    assert ask.legs(conversation_id) == [("user", "contacting", None)]

    world.advance(world.now + 1)
    assert ask.legs(conversation_id) == [("user", "terminated", "error")]
    assert not world.calls()[0]["rang"]
    # Nothing that can be read tells her phone from Ada's: the switch is in her browser.
    phones = [ask("GET", f"/users/{each}/station")[1]["effectiveStation"] for each in (ADA, KATHERINE)]
    assert phones[0]["type"] == phones[1]["type"] == "inin_webrtc_softphone"
    assert phones[0].keys() == phones[1].keys()
