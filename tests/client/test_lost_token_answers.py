"""A refresh token is spent when the request leaves: what if its answer is lost, or can't be stored?"""

import json
from collections.abc import Callable

import pytest

from consenting import browser_of
from ringonce import AuthorizationCode, ConfigError, NotAuthenticated, RefreshToken, RingonceError
from ringonce.client.auth import renewing
from ringonce.client.flows.identity import revoke, whoami
from ringonce.client.wishes import Keep, Lost, Request, Response, Wish
from simulated import Simulated

CLIENT = "your_client_id"


class Disk(Simulated):
    """Grants wishes, as long as there is *room* to store so many things."""

    room = 1_000

    def _give(self, wish: Wish) -> object:
        if isinstance(wish, Keep) and wish.secret is not None:
            if not self.room:
                raise ConfigError("The secret can't be stored", why="No space left on device")
            self.room -= 1
        return super()._give(wish)


@pytest.fixture
def simulated() -> Disk:
    """Ada has consented, her refresh token is stored as `chain`, and her access token has expired."""
    simulated = Disk()
    simulated.session.auth = AuthorizationCode(CLIENT, store_as="chain")
    simulated.browser = browser_of(simulated)
    simulated.run(whoami(simulated.session))
    simulated.session.auth = RefreshToken(CLIENT, store_as="chain", whose="Ada")
    simulated.world.tokens.expire()
    simulated.sent.clear()
    return simulated


def kept(simulated: Simulated) -> renewing.Kept:
    found = simulated.run(renewing.recall("chain"))
    assert found
    return found


def alive(simulated: Simulated) -> list[str]:
    tokens = simulated.world.tokens
    return [one.value for one in tokens._tokens.values() if tokens.good(one)]


def once_lost(simulated: Simulated) -> None:
    """Have the next answer to a token request get lost on its way."""
    lost: list[Request] = []

    def trouble(request: Request, go: Callable[[], Response]) -> Response:
        answer = go()
        if "/oauth/token" in request.url and not lost:
            lost.append(request)
            raise Lost("the connection was cut off", sent=True)
        return answer

    simulated.trouble = trouble


def test_a_lost_answer_is_told_as_the_reason_why_the_chain_broke(simulated: Disk) -> None:
    once_lost(simulated)

    with pytest.raises(NotAuthenticated, match=r"answer of the login host was lost on the way.*used before"):
        simulated.run(whoami(simulated.session))
    simulated.session.grants.clear()
    with pytest.raises(NotAuthenticated, match="lost on the way"):  # and by the next process as well
        simulated.run(whoami(simulated.session))


def test_a_refusal_that_nothing_was_lost_before_stays_what_it_is(simulated: Disk) -> None:
    simulated.world.consents.withdraw_all(CLIENT)

    for _ in range(2):
        with pytest.raises(NotAuthenticated) as told:
            simulated.run(whoami(simulated.session))
        assert "lost" not in told.value.why


def test_a_process_that_ended_while_it_waited_for_an_answer_leaves_word_of_that(simulated: Disk) -> None:
    class KilledError(BaseException):
        pass

    def killed(request: Request, go: Callable[[], Response]) -> Response:
        if "/oauth/token" not in request.url:
            return go()
        go()
        raise KilledError

    simulated.trouble = killed
    with pytest.raises(KilledError):
        simulated.run(whoami(simulated.session))
    simulated.trouble = lambda _, go: go()

    with pytest.raises(NotAuthenticated, match="lost on the way"):
        simulated.run(whoami(simulated.session))


def test_what_a_lost_answer_brought_is_not_called_withdrawn(simulated: Disk) -> None:
    once_lost(simulated)

    with pytest.raises(NotAuthenticated, match=r"may live until 2027-01-\d\dT"):
        simulated.run(revoke(simulated.session))

    assert len(alive(simulated)) == 1
    assert simulated.kept == {}


def test_a_consent_whose_answer_was_never_seen_is_not_called_withdrawn() -> None:
    simulated = Simulated(auth=AuthorizationCode(CLIENT, store_as="chain"))
    simulated.kept["chain"] = json.dumps({"asked_at": simulated.world.now, "name": "chain"})

    with pytest.raises(NotAuthenticated, match="may live as long as"):
        simulated.run(revoke(simulated.session))


def test_a_full_disk_does_not_spend_the_refresh_token(simulated: Disk) -> None:
    simulated.room = 0
    with pytest.raises(ConfigError, match="No space left"):
        simulated.run(whoami(simulated.session))
    assert simulated.sent[1:] == []  # save the one that found out that the access token is no good

    simulated.room = 1_000
    simulated.run(whoami(simulated.session))


def test_a_disk_that_fills_up_just_then_costs_the_login_and_says_so(simulated: Disk) -> None:
    simulated.room = 1

    with pytest.raises(ConfigError, match=r"lost.*No space left.*log in again"):
        simulated.run(whoami(simulated.session))

    assert alive(simulated) == []


def test_a_refusal_that_spends_nothing_leaves_the_stored_chain_as_it_was(simulated: Disk) -> None:
    before = kept(simulated)
    simulated.session.auth = RefreshToken("another_client", "some-token", store_as="chain")

    with pytest.raises(RingonceError):
        simulated.run(whoami(simulated.session))

    assert kept(simulated) == before
