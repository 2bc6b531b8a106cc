"""A token that is refused is told with what to do about it, not with what would not help."""

import pytest

from consenting import browser_of
from ringonce import AccessToken, Auth, AuthorizationCode, NotAuthenticated, RefreshToken
from ringonce.client.auth import renewing
from ringonce.client.flows.identity import whoami
from ringonce.client.remedies import remedy
from simulated import ADA, Simulated

CLIENT, SECRET = "your_client_id", "your_client_secret"


def refresh_token(simulated: Simulated, secret: str = "") -> str:
    simulated.session.auth = AuthorizationCode(CLIENT, client_secret=secret, store_as="elsewhere")
    simulated.browser = browser_of(simulated)
    simulated.run(whoami(simulated.session))
    kept = simulated.run(renewing.recall("elsewhere"))
    assert kept
    simulated.session.grants.clear()
    simulated.session.users.clear()
    return kept.refresh_token


def refused(simulated: Simulated, auth: Auth) -> NotAuthenticated:
    simulated.session.auth = auth
    with pytest.raises(NotAuthenticated) as told:
        simulated.run(whoami(simulated.session))
    return told.value


def test_a_refresh_token_that_lacks_its_clients_secret_asks_for_that(simulated: Simulated) -> None:
    token = refresh_token(simulated, SECRET)

    assert "client's secret" in refused(simulated, RefreshToken(CLIENT, token)).fix


def test_a_refresh_token_of_another_client_asks_for_that_one(simulated: Simulated) -> None:
    token = refresh_token(simulated)

    assert "client that it was given to" in refused(simulated, RefreshToken("brief_client_id", token)).fix


def test_a_ready_made_token_that_is_refused_has_the_remedy_of_its_refusal(simulated: Simulated) -> None:
    token = simulated.world.issue_user_token(ADA)
    simulated.world.tokens.expire()

    expired, unknown = refused(simulated, AccessToken(token)), refused(simulated, AccessToken("made-up-token"))

    assert (expired.code, expired.fix) == ("credentials.expired", remedy(401, "credentials.expired").fix)
    assert (unknown.code, unknown.fix) == ("bad.credentials", remedy(401, "bad.credentials").fix)
    assert "can't be renewed" in expired.why


def test_a_login_that_nobody_answers_asks_about_the_client_too(simulated: Simulated) -> None:
    fix = refused(simulated, AuthorizationCode("nope")).fix

    assert "nope is the client's id" in fix
    assert "disabled" in fix
