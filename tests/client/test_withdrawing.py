"""What was given is given back: the token in use, and every refresh token that could bring another."""

from collections.abc import Callable

import pytest

from consenting import PUBLISHED_PRIVATE_KEY, browser_of
from ringonce import AuthorizationCode, JwtBearer, NotAuthenticated, RefreshToken, RingonceError
from ringonce.client.auth import renewing
from ringonce.client.flows.identity import revoke, whoami
from ringonce.client.flows.placing import place_call
from ringonce.client.wishes import Consent, Request, Response
from simulated import ADA, Simulated

CLIENT = "your_client_id"


def logged_in(simulated: Simulated) -> renewing.Kept:
    """Let Ada consent, and give what is stored of it."""
    simulated.auth = simulated.session.auth = AuthorizationCode(CLIENT, store_as="chain")
    simulated.browser = browser_of(simulated)
    simulated.run(whoami(simulated.session))
    kept = simulated.run(renewing.recall("chain"))
    assert kept
    simulated.wishes.clear()
    return kept


def refreshed(simulated: Simulated, token: str) -> Response:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": CLIENT}
    return simulated._handle(Request("POST", "http://x/oauth/token", form=form))


def alive(simulated: Simulated) -> list[str]:
    return list(simulated.world.tokens._tokens)


def test_neither_the_access_token_nor_the_refresh_token_is_good_any_more(simulated: Simulated) -> None:
    kept = logged_in(simulated)

    simulated.run(revoke(simulated.session))

    assert alive(simulated) == []
    assert refreshed(simulated, kept.refresh_token).status == 400
    assert simulated.kept == {}
    assert not [wish for wish in simulated.wishes if isinstance(wish, Consent)]


def test_a_program_that_gave_its_token_back_has_to_log_in_again(simulated: Simulated) -> None:
    kept = logged_in(simulated)
    simulated.session.auth = RefreshToken(CLIENT, store_as="chain", whose="Ada Lovelace")
    simulated.run(revoke(simulated.session))

    with pytest.raises(NotAuthenticated, match=r"of your_client_id for Ada Lovelace.*log in again"):
        simulated.run(whoami(simulated.session))
    assert refreshed(simulated, kept.refresh_token).status == 400


def test_a_token_in_use_that_is_not_the_stored_one_is_withdrawn_too(simulated: Simulated) -> None:
    logged_in(simulated)
    other = Simulated(auth=simulated.auth, kept=simulated.kept)
    other.world, other.desk = simulated.world, simulated.desk
    other.world.advance(other.world.now + 86_300)
    other.run(whoami(other.session))
    assert len(alive(simulated)) == 2

    simulated.run(revoke(simulated.session))

    assert alive(simulated) == []


def test_a_first_refresh_token_that_was_never_used_is_used_up(simulated: Simulated) -> None:
    kept = logged_in(simulated)
    simulated.kept.clear()
    simulated.session.auth = RefreshToken(CLIENT, kept.refresh_token)

    simulated.run(revoke(simulated.session))

    assert refreshed(simulated, kept.refresh_token).status == 400
    assert simulated.kept == {}


def test_what_is_withdrawn_already_is_no_trouble(simulated: Simulated) -> None:
    logged_in(simulated)
    simulated.world.consents.withdraw_all(CLIENT)

    simulated.run(revoke(simulated.session))
    simulated.run(revoke(simulated.session))

    assert simulated.kept == {}


@pytest.mark.parametrize(
    ("part", "status"), [("/tokens/me", 403), ("/tokens/me", 500), ("/oauth/token", 401), ("/oauth/token", 503)]
)
def test_what_cannot_be_withdrawn_is_told_the_rest_is_withdrawn_and_no_token_shows(
    simulated: Simulated, part: str, status: int
) -> None:
    kept = logged_in(simulated)

    def quoting(request: Request, go: Callable[[], Response]) -> Response:
        quoted = request.headers.get("authorization", "").encode() + str(dict(request.form or {})).encode()
        body = b'{"message":"no %s","error":"invalid_client","error_description":"no %s"}' % (quoted, quoted)
        return Response(status, {}, body) if part in request.url else go()

    simulated.trouble = quoting
    with pytest.raises(RingonceError) as told:
        simulated.run(revoke(simulated.session))

    assert simulated.kept != {}
    assert {"DELETE", "POST"} <= {one.method for one in simulated.sent}
    words = str(told.value)
    assert kept.access_token not in words
    assert kept.refresh_token not in words
    assert not any(token in words for token in alive(simulated))


def pooled(simulated: Simulated) -> Simulated:
    """A service that has called for Ada, by a chain of hers, and for Grace, by a JWT."""
    kept = logged_in(simulated)
    grace = "grace@example.com"
    service = Simulated(
        pool={
            ADA: RefreshToken(CLIENT, kept.refresh_token, store_as="hers"),
            grace: JwtBearer(CLIENT, PUBLISHED_PRIVATE_KEY, subject=grace, algorithm="ES256"),
        }
    )
    simulated.world.tokens.revoke_all(CLIENT)
    service.world, service.desk = simulated.world, simulated.desk
    service.run(place_call(service.session, service.order()))
    service.run(place_call(service.session, service.order(agent=grace, intent="crm-4712")))
    assert len(alive(service)) == 3
    return service


def test_what_agents_with_identities_of_their_own_were_given_is_given_back_too(simulated: Simulated) -> None:
    service = pooled(simulated)

    service.run(revoke(service.session))

    assert alive(service) == []
    assert service.kept == {}


def test_one_that_cannot_be_revoked_keeps_no_other_from_it(simulated: Simulated) -> None:
    service = pooled(simulated)
    first = iter([True])
    service.trouble = lambda request, go: (
        Response(403, {}, b"") if request.method == "DELETE" and next(first, False) else go()
    )

    with pytest.raises(RingonceError, match="can't be revoked"):
        service.run(revoke(service.session))

    assert len(alive(service)) == 1
