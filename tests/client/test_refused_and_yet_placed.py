"""Refusals that are not true, calls that many others hide, and deadlines that lookups count towards."""

import pytest

from ringonce.client.flows.placing import place_call
from ringonce.client.wishes import Request, Response
from ringonce.errors import OutcomeUnknown, TooLate
from simulated import Answer, Simulated, is_create


def refused_though_placed(simulated: Simulated, status: int, **headers: str) -> None:
    """Have the first create go through, and its answer be another."""
    first = iter([True])

    def trouble(request: Request, go: Answer) -> Response:
        answer = go()
        if is_create(request) and next(first, False):
            return Response(status, headers, b"{}")
        return answer

    simulated.trouble = trouble


@pytest.mark.parametrize(("status", "headers"), [(401, {}), (429, {"retry-after": "1"})])
def test_a_refusal_whose_calls_event_comes_after_it_is_not_dialled_again(
    simulated: Simulated, status: int, headers: dict[str, str]
) -> None:
    simulated.world.analytics_lag = 300.0  # so that no read shows it
    refused_though_placed(simulated, status, **headers)

    placed = simulated.run(place_call(simulated.session, simulated.order()))

    assert len(simulated.creates) == 1
    assert [call["conversationId"] for call in simulated.world.calls()] == [placed.conversation_id]
    assert placed.adopted


def test_a_call_is_found_though_its_agent_has_made_forty_since(simulated: Simulated) -> None:
    simulated.sockets = False
    simulated.trouble = lambda request, go: refuse_to_read(request) or go()
    lost_answer = iter([True])

    def lose(request: Request, go: Answer) -> Response:
        answer = refuse_to_read(request) or go()
        if is_create(request) and next(lost_answer, False):
            return Response(504, {}, b"{}")
        return answer

    simulated.trouble = lose
    with pytest.raises(OutcomeUnknown):
        simulated.run(place_call(simulated.session, simulated.order(intent="hidden")))
    simulated.world.advance(simulated.world.now + 700)
    for number in range(40):
        simulated.run(
            place_call(simulated.session, simulated.order(intent=f"later-{number}", to=f"+1555987{number:04d}"))
        )
    simulated.trouble = lambda _, go: go()

    found = simulated.run(place_call(simulated.session, simulated.order(intent="hidden")))

    assert found.adopted
    assert len(simulated.world.calls()) == 41


def refuse_to_read(request: Request) -> Response | None:
    return Response(503, {}, b"{}") if "details/query" in request.url else None


def test_looking_names_up_counts_towards_the_deadline(simulated: Simulated) -> None:
    def slow(request: Request, go: Answer) -> Response:
        if request.url.endswith("/users/search"):
            simulated.world.advance(simulated.world.now + 6)
        return go()

    simulated.trouble = slow
    with pytest.raises(TooLate):
        simulated.run(place_call(simulated.session, simulated.order(agent="ada@example.com", timeout=2.0)))

    assert simulated.creates == []
