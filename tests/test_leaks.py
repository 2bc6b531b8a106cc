"""The search that every test's output goes through can find something."""

import pytest

from consenting import PUBLISHED_PRIVATE_KEY, saml
from leaks import leaks_in
from ringonce import JwtBearer
from ringonce.client.auth.renewing import slot
from ringonce.sandbox.world import World
from simulated import ADA, Simulated

USER_TOKEN = World(now=0).issue_user_token(ADA)


def jwt() -> str:
    simulated = Simulated(auth=JwtBearer("your_client_id", PUBLISHED_PRIVATE_KEY, subject=ADA, algorithm="ES256"))
    simulated.run(simulated.auth.grant(simulated.session.endpoints, simulated.world.now, ""))
    form = simulated.sent[0].form
    assert form
    return form["assertion"]


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("your_client_secret", id="a client's secret"),
        pytest.param("eW91cl9jbGllbnRfaWQ6eW91cl9jbGllbnRfc2VjcmV0", id="the same in a Basic header"),
        pytest.param(USER_TOKEN, id="a token"),
        pytest.param(USER_TOKEN[:43], id="a code"),
        pytest.param(jwt(), id="a JWT"),
        pytest.param(saml(now=0), id="a SAML assertion"),
        pytest.param(PUBLISHED_PRIVATE_KEY, id="a private key"),
    ],
)
def test_a_secret_in_a_log_line_is_found(secret: str) -> None:
    assert leaks_in(f"DEBUG ringonce.client: a new token ({secret}) for Ada")


def test_what_is_no_secret_is_not_found() -> None:
    assert leaks_in(f"agent {ADA} by client your_client_id, stored as {slot('login', 'x')}, …{USER_TOKEN[-4:]}") == []
