"""On behalf of whom: a pool of agents' own identities beside the service's, and what each may do."""

import logging

import pytest

from consenting import PUBLISHED_PRIVATE_KEY
from ringonce import (
    AccessToken,
    AsyncClient,
    ClientCredentials,
    ConfigError,
    InvalidInput,
    JwtBearer,
    NoAnswer,
    NotAuthenticated,
)
from ringonce.client.flows.following import follow
from ringonce.client.flows.identity import revoke, whoami
from ringonce.client.flows.placing import place_call, plan_call
from ringonce.client.wishes import Arm, Listen, Look, Request, Response, Settle
from simulated import ADA, ORIGIN, Simulated

CLIENT, SECRET = "your_client_id", "your_client_secret"
GRACE = "grace@example.com"


def identity(agent: str) -> JwtBearer:
    return JwtBearer(CLIENT, PUBLISHED_PRIVATE_KEY, subject=agent, algorithm="ES256")


def pooled(**pool: str) -> Simulated:
    """A service with identities for agents, by what they are called: whose each really is."""
    return Simulated(pool={name.casefold(): identity(whose) for name, whose in pool.items()})


@pytest.fixture
def simulated() -> Simulated:
    return Simulated(pool={"ada@example.com": identity(ADA)})


def token_of(request: Request, simulated: Simulated) -> str:
    value = request.headers["authorization"].removeprefix("Bearer ")
    return next(name for name, grant in simulated.session.grants.items() if grant.value == value)


def test_his_calls_go_out_with_his_own_token_and_all_else_with_the_services(simulated: Simulated) -> None:
    placed = simulated.run(place_call(simulated.session, simulated.order(agent="ada@example.com")))
    simulated.run(follow(simulated.session, placed.conversation_id, agent_id=placed.agent_id))

    with_his = [
        one.url.removeprefix(f"{ORIGIN}/api/v2")
        for one in simulated.sent
        if one.headers.get("authorization", "").startswith("Bearer") and token_of(one, simulated) == ADA
    ]
    assert with_his == ["/users/me", "/conversations/calls"]
    assert any(token_of(one, simulated) == "" for one in simulated.sent if "/notifications/" in one.url)


def test_another_agent_is_called_for_on_behalf(simulated: Simulated) -> None:
    simulated.run(place_call(simulated.session, simulated.order(agent=GRACE)))

    [create] = simulated.creates
    assert "/conversations/calls/user/" in create.url
    assert token_of(create, simulated) == ""


@pytest.mark.parametrize("called", [ADA, ADA.upper(), "Ada@Example.com", "Ada Lovelace"])
@pytest.mark.parametrize("named", [ADA, "ada@example.com", "Ada Lovelace"])
def test_an_identity_is_found_by_any_name_of_the_agent(called: str, named: str) -> None:
    simulated = pooled(**{named: ADA})

    plan = simulated.run(plan_call(simulated.session, simulated.order(agent=called)))

    assert plan.acts == ADA
    assert plan.url.endswith("/conversations/calls")


def test_the_plan_and_the_log_say_which_grant_is_used_for_whom(
    simulated: Simulated, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "ringonce")

    own = simulated.run(plan_call(simulated.session, simulated.order()))
    other = simulated.run(plan_call(simulated.session, simulated.order(agent=GRACE)))

    assert own.identity == f"JWT of your_client_id for {ADA}, as the agent"
    assert other.identity == f"client credentials of your_client_id, on behalf of agent {other.agent_id}"
    assert f"POST {own.url} with {own.identity}" in caplog.text
    assert f"POST {other.url} with {other.identity}" in caplog.text


def test_an_identity_that_is_somebody_elses_rings_nobody() -> None:
    simulated = pooled(**{"ada@example.com": GRACE})

    with pytest.raises(ConfigError, match="not theirs"):
        simulated.run(place_call(simulated.session, simulated.order(agent="ada@example.com")))

    assert simulated.creates == []


def test_an_applications_token_is_nobodys_own() -> None:
    simulated = Simulated(pool={ADA: ClientCredentials(CLIENT, SECRET)})

    with pytest.raises(ConfigError, match="an application"):
        simulated.run(place_call(simulated.session, simulated.order()))


def test_an_identity_that_is_refused_places_nothing_and_leaves_the_intent_free(simulated: Simulated) -> None:
    simulated.world.change_client(CLIENT, public_key="")

    with pytest.raises(NotAuthenticated):
        simulated.run(place_call(simulated.session, simulated.order()))

    assert simulated.ledger.look(ORIGIN, "crm-4711") is None


def test_his_own_identity_changes_nothing_about_at_most_once(simulated: Simulated) -> None:
    plain = Simulated()
    plain.run(place_call(plain.session, plain.order()))
    simulated.run(place_call(simulated.session, simulated.order()))

    def kinds(one: Simulated) -> list[str]:
        return [type(wish).__name__ for wish in one.wishes if isinstance(wish, (Look, Listen, Arm, Settle))]

    assert kinds(simulated) == kinds(plain) == ["Look", "Listen", "Arm", "Settle"]


def test_the_tutorials_wire_uses_his_own_token_too(simulated: Simulated) -> None:
    order = simulated.order(agent="ada@example.com", wire="tutorial", caller_id="+15551234567")

    simulated.run(place_call(simulated.session, order))

    assert token_of(simulated.creates[0], simulated) == ADA


def test_an_agent_named_twice_is_a_mistake() -> None:
    token = AccessToken("token-of-somebody")

    with pytest.raises(InvalidInput, match="told apart"):
        AsyncClient(
            base_url=ORIGIN, allow_http=True, auth=token, agents={"Ada@example.com": token, GRACE: token, "": token}
        )


def test_whoami_of_an_application_names_its_roles() -> None:
    simulated = Simulated()

    who = simulated.run(whoami(simulated.session))

    assert (who.user_id, who.client_id, who.scopes) == ("", CLIENT, ())
    assert who.permissions == tuple(sorted(who.permissions))
    assert any(one.startswith("conversation:") for one in who.permissions)
    assert who.expires_at == simulated.world.now + 86_400


def test_whoami_of_an_agent_names_the_agent() -> None:
    simulated = Simulated(auth=identity(ADA))

    who = simulated.run(whoami(simulated.session))

    assert (who.user_id, who.name, who.email) == (ADA, "Ada Lovelace", "ada@example.com")
    assert "conversations" in who.scopes
    assert who.organization == "Example Org"


def test_a_revoked_token_is_replaced_by_the_next_request() -> None:
    simulated = Simulated()
    simulated.run(whoami(simulated.session))
    before = simulated.session.grants[""].value

    simulated.run(revoke(simulated.session))
    simulated.run(whoami(simulated.session))

    assert simulated.session.grants[""].value != before


@pytest.mark.parametrize("called", [ADA, "ada@example.com", "Ada Lovelace"])
@pytest.mark.parametrize(
    "named", [("ada@example.com", "Ada Lovelace"), (ADA, "Ada Lovelace"), ("ada@example.com", ADA)]
)
def test_two_identities_for_one_agent_are_a_mistake_and_ring_nobody(named: tuple[str, str], called: str) -> None:
    simulated = pooled(**dict.fromkeys(named, ADA))

    with pytest.raises(ConfigError, match="several identities") as told:
        simulated.run(place_call(simulated.session, simulated.order(agent=called)))

    assert all(repr(name.casefold()) in told.value.why for name in named)
    assert simulated.creates == []


def test_one_identity_under_two_names_is_none() -> None:
    his = identity(ADA)
    simulated = Simulated(pool={"ada@example.com": his, "ada lovelace": his})

    simulated.run(place_call(simulated.session, simulated.order(agent="Ada Lovelace")))

    assert len(simulated.creates) == 1


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"organization":7}', b"\xff"])
def test_a_page_of_the_token_that_cannot_be_read_is_no_answer(body: bytes) -> None:
    simulated = Simulated()
    simulated.trouble = lambda request, go: Response(200, {}, body) if "/tokens/me" in request.url else go()

    with pytest.raises(NoAnswer, match="own page"):
        simulated.run(whoami(simulated.session))
