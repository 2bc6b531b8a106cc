"""A lost call is looked for with the agent's own token where there is one: it sees at once what others see late."""

from collections.abc import Callable

import pytest

from consenting import PUBLISHED_PRIVATE_KEY
from ringonce import AccessToken, JwtBearer, NotPermitted, OutcomeUnknown
from ringonce.client.flows.following import active_calls
from ringonce.client.flows.placing import place_call
from ringonce.client.wishes import Lost, Request, Response
from simulated import ADA, Simulated, Trouble, is_create

BUSY = "+15559870002"
ANALYTICS = "/analytics/"


def unlisted(request: Request) -> Response | None:
    """Analytics that may not be asked, or knows nothing yet."""
    return Response(403, {}, b'{"code":"missing.permissions"}') if ANALYTICS in request.url else None


def lost_create(simulated: Simulated, *, away: float) -> Trouble:
    """The answer to the create is lost, and nothing gets through for *away* seconds."""

    def carry(request: Request, go: Callable[[], Response]) -> Response:
        if refused := unlisted(request):
            return refused
        answer = go()
        if is_create(request):
            simulated.world.advance(simulated.world.now + away)
            raise Lost("the line broke", sent=True)
        return answer

    return carry


@pytest.fixture
def as_ada() -> Simulated:
    simulated = Simulated(sockets=False)
    simulated.session.auth = simulated.auth = AccessToken(simulated.world.issue_user_token(ADA))
    return simulated


@pytest.fixture
def pooled() -> Simulated:
    key = JwtBearer("your_client_id", PUBLISHED_PRIVATE_KEY, subject=ADA, algorithm="ES256")
    return Simulated(sockets=False, pool={ADA: key})


def test_a_lost_call_that_has_ended_by_now_is_found_in_the_agents_history(as_ada: Simulated) -> None:
    as_ada.trouble = lost_create(as_ada, away=20.0)

    placed = as_ada.run(place_call(as_ada.session, as_ada.order(to=BUSY)))

    assert placed.adopted
    assert [call["conversationId"] for call in as_ada.world.calls()] == [placed.conversation_id]


def test_an_identity_from_the_pool_finds_what_the_service_may_not_list(pooled: Simulated) -> None:
    pooled.trouble = lost_create(pooled, away=1.0)

    assert pooled.run(place_call(pooled.session, pooled.order())).adopted


def test_without_one_a_service_that_may_not_list_says_that_it_may_have_rung() -> None:
    service = Simulated(sockets=False)
    service.trouble = lost_create(service, away=1.0)

    with pytest.raises(OutcomeUnknown):
        service.run(place_call(service.session, service.order()))


def test_a_pooled_identity_that_is_refused_leaves_the_looking_to_the_service(pooled: Simulated) -> None:
    def carry(request: Request, go: Callable[[], Response]) -> Response:
        if request.method == "GET" and request.url.endswith("/conversations/calls"):
            return Response(403, {}, b"{}")
        answer = go()
        if is_create(request):
            raise Lost("the line broke", sent=True)
        return answer

    pooled.trouble = carry

    assert pooled.run(place_call(pooled.session, pooled.order())).adopted


def test_a_history_that_cannot_be_read_hides_no_live_call(as_ada: Simulated) -> None:
    lose = lost_create(as_ada, away=1.0)

    def carry(request: Request, go: Callable[[], Response]) -> Response:
        return Response(503, {}, b"") if "/history" in request.url else lose(request, go)

    as_ada.trouble = carry

    assert as_ada.run(place_call(as_ada.session, as_ada.order())).adopted


def test_calls_that_may_not_be_listed_are_not_told_as_none() -> None:
    service = Simulated()
    service.trouble = lambda request, go: unlisted(request) or go()

    with pytest.raises(NotPermitted):
        service.run(active_calls(service.session, ADA))
