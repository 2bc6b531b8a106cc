"""Every way to be somebody: what each grant asks for, stores and refuses."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from consenting import AUDIENCE, PUBLISHED_PRIVATE_KEY, browser_of, ec_key, rsa_key, saml
from ringonce import (
    Auth,
    AuthorizationCode,
    ClientCredentials,
    JwtBearer,
    NotAuthenticated,
    NotPermitted,
    RefreshToken,
    Saml2Bearer,
)
from ringonce.client.auth import browser, renewing
from ringonce.client.flows.identity import whoami
from ringonce.client.flows.placing import place_call
from ringonce.client.wishes import Alone, Keep, Landing, Request, Response, Send
from ringonce.errors import Unreachable
from simulated import ADA, Simulated

CLIENT, SECRET = "your_client_id", "your_client_secret"


def acting_as(auth: Auth, simulated: Simulated) -> Simulated:
    simulated.auth = simulated.session.auth = auth
    return simulated


def token_requests(simulated: Simulated) -> list[dict[str, str]]:
    return [dict(one.form) for one in simulated.sent if one.url.endswith("/oauth/token") and one.form]


def refresh_token(simulated: Simulated, agent: str = "ada@example.com") -> str:
    """What an agent's consent once gave, to a public client."""
    consenting = acting_as(AuthorizationCode(CLIENT, store_as="elsewhere"), simulated)
    consenting.browser = browser_of(simulated, agent)
    simulated.run(whoami(simulated.session))
    kept = simulated.run(renewing.recall("elsewhere"))
    assert kept
    simulated.kept.clear()
    simulated.session.grants.clear()
    simulated.session.users.clear()
    simulated.sent.clear()
    return kept.refresh_token


def by_code(simulated: Simulated) -> Auth:
    simulated.browser = browser_of(simulated)
    return AuthorizationCode(CLIENT)


def by_refresh_token(simulated: Simulated) -> Auth:
    return RefreshToken(CLIENT, refresh_token(simulated))


def by_saml(simulated: Simulated) -> Auth:
    return Saml2Bearer(CLIENT, SECRET, "your_org_id", lambda: saml(now=simulated.world.now))


def by_jwt(simulated: Simulated) -> Auth:
    return JwtBearer(CLIENT, PUBLISHED_PRIVATE_KEY, subject="ada@example.com", algorithm="ES256")


def by_rsa_jwt(simulated: Simulated) -> Auth:
    from joserfc.jwk import RSAKey

    public = RSAKey.import_key(rsa_key()).as_pem(private=False).decode()
    simulated.world.change_client(CLIENT, public_key=public)
    return JwtBearer(CLIENT, rsa_key(), subject=ADA, audience=AUDIENCE, kid="the-key", client_secret=SECRET)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(by_code, id="authorization code"),
        pytest.param(by_refresh_token, id="refresh token"),
        pytest.param(by_saml, id="SAML2 bearer"),
        pytest.param(by_jwt, id="JWT bearer, ES256"),
        pytest.param(by_rsa_jwt, id="JWT bearer, RS256"),
    ],
)
def test_an_agents_token_calls_as_the_agent(simulated: Simulated, make: Callable[[Simulated], Auth]) -> None:
    acting_as(make(simulated), simulated)

    simulated.run(place_call(simulated.session, simulated.order()))

    assert [one.url.partition("/api/v2")[2] for one in simulated.creates] == ["/conversations/calls"]
    assert simulated.world.calls()[0]["agentId"] == ADA


def test_a_public_client_proves_itself_by_its_verifier_alone(simulated: Simulated) -> None:
    acting_as(by_code(simulated), simulated)

    simulated.run(whoami(simulated.session))

    [form] = token_requests(simulated)
    assert form["client_id"] == CLIENT
    assert 43 <= len(form["code_verifier"]) <= 128
    assert form["redirect_uri"] == "http://127.0.0.1:54321/callback"
    assert not [one for one in simulated.sent if "oauth" in one.url and "authorization" in one.headers]


def test_the_challenge_is_the_verifiers_digest() -> None:
    # The example of RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert browser.challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_what_a_refresh_brings_is_stored_before_it_is_used(simulated: Simulated) -> None:
    acting_as(by_refresh_token(simulated), simulated)
    simulated.wishes.clear()

    simulated.run(whoami(simulated.session))

    *_, stored = [at for at, wish in enumerate(simulated.wishes) if isinstance(wish, Keep)]
    used = [at for at, wish in enumerate(simulated.wishes) if isinstance(wish, Send) and "/api/v2" in wish.request.url]
    assert stored < min(used)


def test_each_renewal_goes_on_from_the_refresh_token_before(simulated: Simulated) -> None:
    acting_as(by_refresh_token(simulated), simulated)
    for _ in range(3):
        simulated.run(whoami(simulated.session))
        simulated.world.tokens.expire()

    sent = [form["refresh_token"] for form in token_requests(simulated)]
    assert len(sent) == len(set(sent)) == 3


def test_a_process_uses_what_the_one_before_has_stored(simulated: Simulated) -> None:
    auth = by_refresh_token(simulated)
    acting_as(auth, simulated)
    simulated.run(whoami(simulated.session))
    other = Simulated(auth=auth, kept=simulated.kept)
    other.world, other.desk = simulated.world, simulated.desk

    assert other.run(whoami(other.session)).user_id == ADA
    assert token_requests(other) == []

    simulated.world.tokens.expire()
    other.run(whoami(other.session))
    simulated.run(whoami(simulated.session))

    assert len(token_requests(other)) == 1
    assert len(token_requests(simulated)) == 1
    assert [wish for wish in other.wishes if isinstance(wish, Alone)]


def test_a_confidential_client_refreshes_with_its_secret(simulated: Simulated) -> None:
    simulated.browser = browser_of(simulated)
    acting_as(AuthorizationCode(CLIENT, client_secret=SECRET, store_as="the chain"), simulated)
    simulated.run(whoami(simulated.session))
    acting_as(RefreshToken(CLIENT, client_secret=SECRET, store_as="the chain"), simulated)
    simulated.world.tokens.expire()

    assert simulated.run(whoami(simulated.session)).email == "ada@example.com"
    assert all("client_id" not in form for form in token_requests(simulated))


def test_the_browser_is_asked_again_only_when_the_refresh_token_is_spent(simulated: Simulated) -> None:
    acting_as(by_code(simulated), simulated)
    simulated.run(whoami(simulated.session))
    simulated.world.tokens.expire()
    simulated.run(whoami(simulated.session))
    simulated.world.consents.withdraw_all(CLIENT)
    simulated.run(whoami(simulated.session))

    grants = [form["grant_type"] for form in token_requests(simulated)]
    assert grants == ["authorization_code", "refresh_token", "refresh_token", "authorization_code"]


def test_a_server_that_does_not_rotate_leaves_the_refresh_token_good(simulated: Simulated) -> None:
    acting_as(RefreshToken(CLIENT, "the-only-one", store_as="chain"), simulated)
    token = simulated.world.issue_user_token(ADA)
    answer = b'{"access_token":"%s","expires_in":300}' % token.encode()
    simulated.trouble = lambda request, go: Response(200, {}, answer) if "/oauth/" in request.url else go()

    simulated.run(whoami(simulated.session))

    kept = simulated.run(renewing.recall("chain"))
    assert kept
    assert kept.refresh_token == "the-only-one"


def test_a_stored_chain_that_is_gone_says_to_log_in(simulated: Simulated) -> None:
    acting_as(RefreshToken(CLIENT, store_as="nothing there"), simulated)

    with pytest.raises(NotAuthenticated, match="log in again"):
        simulated.run(whoami(simulated.session))


def test_a_new_refresh_token_stands_in_for_a_stored_one_that_is_spent(simulated: Simulated) -> None:
    acting_as(RefreshToken(CLIENT, refresh_token(simulated), store_as="chain"), simulated)
    simulated.run(whoami(simulated.session))
    simulated.world.consents.withdraw_all(CLIENT)
    kept = dict(simulated.kept)
    acting_as(RefreshToken(CLIENT, refresh_token(simulated), store_as="chain"), simulated)
    simulated.kept = kept

    assert simulated.run(whoami(simulated.session)).user_id == ADA


def refused(simulated: Simulated, auth: Auth) -> NotAuthenticated:
    acting_as(auth, simulated)
    with pytest.raises(NotAuthenticated) as caught:
        simulated.run(whoami(simulated.session))
    assert caught.value.fix
    return caught.value


def test_a_refresh_token_used_twice_is_refused(simulated: Simulated) -> None:
    given = refresh_token(simulated)
    acting_as(RefreshToken(CLIENT, given), simulated)
    simulated.run(whoami(simulated.session))
    simulated.kept.clear()  # another machine, which knows nothing of the first use
    simulated.session.grants.clear()

    assert refused(simulated, RefreshToken(CLIENT, given)).code == "invalid_grant"


def test_a_code_used_twice_is_refused(simulated: Simulated) -> None:
    simulated.browser = browser_of(simulated)
    landed: list[Landing] = []

    def first(wish: Any) -> Landing:
        landing = browser_of(simulated)(wish)
        landed.append(landing)
        return landing

    simulated.browser = first
    acting_as(AuthorizationCode(CLIENT), simulated)
    simulated.run(whoami(simulated.session))
    [again] = token_requests(simulated)
    assert simulated._handle(Request("POST", "http://x/oauth/token", form=again)).status == 400

    simulated.kept.clear()
    simulated.session.grants.clear()
    code = landed[0].query["code"]
    simulated.browser = browser_of(simulated, code=code)

    assert refused(simulated, AuthorizationCode(CLIENT)).code == "invalid_grant"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param({"state": "another"}, "state", id="another state"),
        pytest.param({"code": "made-up"}, "code", id="a code that nobody gave"),
        pytest.param({"error": "server_error", "error_description": "sorry"}, "sorry", id="an error"),
    ],
)
def test_a_browser_that_brings_back_something_else_is_refused(
    simulated: Simulated, said: dict[str, str], words: str
) -> None:
    simulated.browser = browser_of(simulated, **said)

    assert words in str(refused(simulated, AuthorizationCode(CLIENT)))


def test_an_agent_who_says_no_gives_no_token(simulated: Simulated) -> None:
    simulated.browser = browser_of(simulated, decision="deny")

    assert refused(simulated, AuthorizationCode(CLIENT)).code == "access_denied"


def test_a_redirect_uri_that_is_not_registered_ends_in_no_answer(simulated: Simulated) -> None:
    simulated.browser = browser_of(simulated)
    auth = AuthorizationCode(CLIENT, redirect_uri="http://127.0.0.1/elsewhere")

    assert "redirect URI" in refused(simulated, auth).fix


def test_a_verifier_too_short_is_refused(simulated: Simulated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "VERIFIER", 42)
    simulated.browser = browser_of(simulated)

    assert "43 to 128" in refused(simulated, AuthorizationCode(CLIENT)).why


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"life": -1}, "expired", id="expired"),
        pytest.param({"audience": "urn:another"}, "urn:another", id="for another audience"),
        pytest.param({"name": "nobody@example.com"}, "NameID", id="of nobody"),
    ],
)
def test_an_assertion_that_does_not_fit_is_refused(simulated: Simulated, fields: dict[str, Any], words: str) -> None:
    assertion = saml(now=simulated.world.now, **fields)

    assert words in refused(simulated, Saml2Bearer(CLIENT, SECRET, "your_org_id", assertion)).why


def failing() -> str:
    raise OSError("the provider is down")


@pytest.mark.parametrize(
    ("assertion", "words"),
    [
        pytest.param(failing, "the callable raised OSError", id="it fails"),
        pytest.param(lambda: "", "the callable gave an empty text", id="empty"),
        pytest.param(lambda: None, "the callable gave NoneType, not text", id="nothing"),
        pytest.param(lambda: b"PHNhbWw+", "the callable gave bytes, not text", id="bytes"),
    ],
)
def test_a_callable_that_makes_no_assertion_is_no_riddle(simulated: Simulated, assertion: Any, words: str) -> None:
    assert refused(simulated, Saml2Bearer(CLIENT, SECRET, "your_org_id", assertion)).why == words


def test_a_wrong_organization_is_told_by_its_name(simulated: Simulated) -> None:
    assertion = saml(now=simulated.world.now)

    why = refused(simulated, Saml2Bearer(CLIENT, SECRET, "some_other_org", assertion)).why

    assert "orgName 'some_other_org'" in why


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda _: ClientCredentials(CLIENT, SECRET), "has to be Client Credentials", id="a service"),
        pytest.param(by_code, "has to be Code Authorization", id="a browser"),
        pytest.param(
            lambda _: RefreshToken(CLIENT, "some-token"), "has to be Code Authorization", id="a refresh token"
        ),
        pytest.param(by_saml, "has to be SAML2 Bearer", id="SAML2"),
        pytest.param(by_jwt, "no client of the platform may", id="JWT"),
    ],
)
def test_a_client_of_another_grant_type_is_told_which_one_it_needs(
    simulated: Simulated, make: Callable[[Simulated], Auth], words: str
) -> None:
    auth = make(simulated)
    client = simulated.world.clients[CLIENT]
    simulated.world.clients[CLIENT] = dataclasses.replace(client, grants=frozenset())

    error = refused(simulated, auth)

    assert error.code == "unauthorized_client"
    assert words in error.fix


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"key": ec_key(), "algorithm": "ES256"}, id="another key"),
        pytest.param({"subject": "nobody@example.com"}, id="nobody"),
        pytest.param({"audience": "urn:another"}, id="another audience"),
        pytest.param({"client_id": "unknown_client"}, id="another client"),
    ],
)
def test_a_jwt_that_does_not_fit_is_refused(simulated: Simulated, fields: dict[str, Any]) -> None:
    given = {"client_id": CLIENT, "key": PUBLISHED_PRIVATE_KEY, "subject": ADA, "algorithm": "ES256"} | fields

    refused(simulated, JwtBearer(**given))


def test_a_jwt_for_one_agent_does_not_call_as_another(simulated: Simulated) -> None:
    acting_as(JwtBearer(CLIENT, PUBLISHED_PRIVATE_KEY, subject="grace@example.com", algorithm="ES256"), simulated)
    order = simulated.order(wire="tutorial", caller_id="+15551234567")

    with pytest.raises(NotPermitted, match=r"from\.id"):
        simulated.run(place_call(simulated.session, order))

    assert simulated.world.calls() == []


def test_a_token_that_expires_in_mid_call_is_renewed_and_the_call_is_placed_once(simulated: Simulated) -> None:
    acting_as(by_refresh_token(simulated), simulated)

    def expired(request: Request, go: Callable[[], Response]) -> Response:
        if simulated.creates == [request]:
            simulated.world.tokens.expire()
        return go()

    simulated.trouble = expired
    simulated.run(place_call(simulated.session, simulated.order()))

    assert len(simulated.creates) == 2  # the first was refused with 401, which proves that nothing was placed
    assert len(simulated.world.calls()) == 1


def test_a_login_host_that_answers_nonsense_gives_no_token_and_nothing_else_is_sent(simulated: Simulated) -> None:
    simulated.trouble = lambda request, go: Response(200, {}, b'{"token":"?"}')

    with pytest.raises(Unreachable) as error:
        simulated.run(whoami(simulated.session))
    assert "no token" in error.value.why
