"""No secret shows: not in a log, a repr, a traceback, an error, or a plan; looked for after every kind of flow."""

import base64
import gc
import logging
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from consenting import PUBLISHED_PRIVATE_KEY, browser_of, ec_key, saml
from ringonce import (
    AccessToken,
    Auth,
    AuthorizationCode,
    Client,
    ClientCredentials,
    JwtBearer,
    RefreshToken,
    RingonceError,
    Saml2Bearer,
)
from ringonce.client.auth import AccessGrant
from ringonce.client.flows.identity import revoke, whoami
from ringonce.client.flows.placing import place_call, plan_call
from ringonce.client.wishes import Lost, Request, Response
from simulated import ADA, ORIGIN, Simulated

CLIENT, SECRET = "your_client_id", "your_client_secret"
TOLD = ("grant_type", "client_id", "redirect_uri", "orgName")
"""Fields of a token request that are no secrets."""


def secrets_of(simulated: Simulated) -> set[str]:
    """Everything secret that passed between the two."""
    found = set(simulated.kept.values())
    for kept in simulated.kept.values():
        found |= {str(value) for name, value in msgspec.json.decode(kept).items() if name.endswith("token")}
    for request in simulated.sent:
        found |= {value for name, value in (request.form or {}).items() if name not in TOLD}
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        found.add(value)
        if scheme == "Basic":
            found.add(base64.b64decode(value).decode().partition(":")[2])
    found |= {grant.value for grant in simulated.session.grants.values()}
    return {secret for secret in found if len(secret) > 5}


class Listening:
    """All that a program could come to show."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.caplog = caplog
        self.shown: list[str] = []

    def run(self, simulated: Simulated, flow: Any) -> None:
        try:
            self.shown.append(repr(simulated.run(flow)))
        except RingonceError as error:
            self.shown += traceback.format_exception(error)
            self.shown += [repr(error), str(error), repr(vars(error)), repr(error.__reduce__())]
        self.shown += [repr(wish) for wish in simulated.wishes]
        self.shown += [repr(simulated), repr(simulated.session), repr(simulated.auth), simulated.auth.name]
        self.shown += [repr(vars(one)) for one in (simulated.session.board,)]

    def everything(self) -> str:
        return "\n".join([*self.shown, self.caplog.text])


@pytest.fixture
def listening(caplog: pytest.LogCaptureFixture) -> Iterator[Listening]:
    caplog.set_level(logging.DEBUG)
    yield Listening(caplog)
    gc.collect()


def chain(simulated: Simulated) -> Auth:
    simulated.browser = browser_of(simulated)
    simulated.auth = simulated.session.auth = AuthorizationCode(CLIENT, store_as="chain")
    simulated.run(whoami(simulated.session))
    simulated.world.tokens.expire()
    return RefreshToken(CLIENT, store_as="chain")


def coded(simulated: Simulated) -> Auth:
    simulated.browser = browser_of(simulated)
    return AuthorizationCode(CLIENT, client_secret=SECRET)


GRANTS: dict[str, Callable[[Simulated], Auth]] = {
    "client credentials": lambda simulated: ClientCredentials(CLIENT, SECRET),
    "access token": lambda simulated: AccessToken(simulated.world.issue_user_token(ADA)),
    "authorization code": coded,
    "refresh token": chain,
    "SAML2 bearer": lambda simulated: Saml2Bearer(CLIENT, SECRET, "your_org_id", saml(now=simulated.world.now)),
    "JWT bearer": lambda simulated: JwtBearer(CLIENT, PUBLISHED_PRIVATE_KEY, subject=ADA, algorithm="ES256"),
}


def lost(request: Request, go: Callable[[], Response]) -> Response:
    raise Lost("the line broke", sent=True)


def refused(request: Request, go: Callable[[], Response]) -> Response:
    """A server that quotes what it was sent."""
    said = ", ".join((request.form or {}).values()) + request.headers.get("authorization", "")
    words = msgspec.json.encode({"error": "invalid_grant", "error_description": f"refused: {said}"})
    return Response(400, {}, words) if request.form else go()


def garbled(request: Request, go: Callable[[], Response]) -> Response:
    answer = go()
    return Response(200, {}, answer.body[:-1]) if request.form else answer


def expired(request: Request, go: Callable[[], Response]) -> Response:
    """A server that quotes the token that it refuses."""
    said = {"code": "credentials.expired", "message": f"not {request.headers.get('authorization')}"}
    return Response(401, {}, msgspec.json.encode(said)) if not request.form else go()


TROUBLES = {
    "nothing goes wrong": lambda request, go: go(),
    "the token request is lost": lost,
    "the login host quotes the secret": refused,
    "its answer is cut off": garbled,
    "the token is refused": expired,
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
@pytest.mark.parametrize("make", GRANTS.values(), ids=GRANTS)
def test_no_secret_shows(listening: Listening, make: Callable[[Simulated], Auth], trouble: Any) -> None:
    simulated = Simulated()
    simulated.auth = simulated.session.auth = make(simulated)
    simulated.trouble = trouble

    for flow in (whoami, revoke):
        listening.run(simulated, flow(simulated.session))
    listening.run(simulated, plan_call(simulated.session, simulated.order()))
    listening.run(simulated, place_call(simulated.session, simulated.order()))

    secrets = secrets_of(simulated) | {PUBLISHED_PRIVATE_KEY.splitlines()[1]}
    assert len(secrets) > 1
    shown = listening.everything()
    assert [secret for secret in secrets if secret in shown] == []


def test_no_secret_shows_of_an_agent_in_the_pool(listening: Listening) -> None:
    simulated = Simulated(pool={ADA: GRANTS["JWT bearer"](Simulated())})

    listening.run(simulated, place_call(simulated.session, simulated.order()))

    shown = listening.everything()
    assert f"JWT of {CLIENT} for {ADA}, as the agent" in shown
    assert [secret for secret in secrets_of(simulated) if secret in shown] == []


def test_a_leak_would_be_found(listening: Listening) -> None:
    class Leaky(ClientCredentials):
        def __repr__(self) -> str:
            return f"Leaky({SECRET})"

    simulated = Simulated(auth=Leaky(CLIENT, SECRET))

    listening.run(simulated, whoami(simulated.session))

    assert SECRET in secrets_of(simulated)
    assert SECRET in listening.everything()


@pytest.mark.parametrize("make", GRANTS.values(), ids=GRANTS)
def test_what_a_program_holds_shows_no_secret(make: Callable[[Simulated], Auth]) -> None:
    simulated = Simulated()
    auth = make(simulated)
    with Client(base_url=ORIGIN, allow_http=True, auth=auth, agents={ADA: auth}) as client:
        shown = repr([auth, client, client._client, client._client._session])

    for secret in (SECRET, PUBLISHED_PRIVATE_KEY.splitlines()[1], *secrets_of(simulated)):
        assert secret not in shown


def test_a_key_that_cannot_be_read_is_not_quoted() -> None:
    half = ec_key()[:-60]
    with pytest.raises(RingonceError) as caught:
        JwtBearer(CLIENT, half, subject=ADA, algorithm="ES256")

    shown = "".join(traceback.format_exception(caught.value))
    assert not [line for line in half.splitlines()[1:] if line in shown]


def test_not_even_the_end_of_a_token_shows() -> None:
    grant = AccessGrant(value="a-token-that-ends-in-wxyz", issued_at=0.0)

    assert "wxyz" not in repr([grant, AccessToken(grant.value)])
