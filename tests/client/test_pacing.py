"""When a flow waits for the quota, and what that leaves behind."""

from collections.abc import Callable

import pytest

from ringonce import AccessToken, RateLimited
from ringonce.client.flows import steering
from ringonce.client.flows.exchange import exchange
from ringonce.client.flows.placing import place_call
from ringonce.client.wishes import Arm, Lane, Listen, Lost, Pace, Release, Request, Response, Send, Wish
from ringonce.errors import TooLate
from simulated import ADA, ORIGIN, Simulated, is_create


def kinds(wishes: list[Wish]) -> list[type]:
    return [type(wish) for wish in wishes]


def paced(simulated: Simulated) -> list[Lane]:
    return [wish.lane for wish in simulated.wishes if isinstance(wish, Pace)]


def sends_create(wish: Wish) -> bool:
    return isinstance(wish, Send) and is_create(wish.request)


def is_turn_to_dial(wish: Wish) -> bool:
    return isinstance(wish, Pace) and wish.lane is Lane.DIAL


def too_late(_: Pace) -> None:
    raise RateLimited("The quota of requests is spent, and nothing was sent", retry_after=41.0, status=429)


def test_every_request_with_a_token_waits_for_its_turn_and_those_for_tokens_do_not(simulated: Simulated) -> None:
    simulated.run(place_call(simulated.session, simulated.order(agent="ada@example.com")))

    sends = [wish for wish in simulated.wishes if isinstance(wish, Send)]
    assert [wish.request.url for wish in sends if not wish.token] == [f"{ORIGIN}/oauth/token"]
    assert len(paced(simulated)) == len([wish for wish in sends if wish.token])


def test_a_create_waits_for_the_quota_before_its_row_is_written(simulated: Simulated) -> None:
    simulated.run(place_call(simulated.session, simulated.order()))

    create = next(number for number, wish in enumerate(simulated.wishes) if sends_create(wish))
    told = [wish for wish in simulated.wishes[:create] if isinstance(wish, (Listen, Arm)) or is_turn_to_dial(wish)]
    assert kinds(told) == [Listen, Pace, Arm]


def test_waiting_for_the_quota_counts_against_the_deadline(simulated: Simulated) -> None:
    began = simulated.world.now
    simulated.pace = lambda wish: simulated.world.advance(simulated.world.now + 20) if wish.lane is Lane.DIAL else None

    simulated.run(place_call(simulated.session, simulated.order(timeout=30)))

    create = next(wish for wish in simulated.wishes if sends_create(wish))
    assert isinstance(create, Send)
    assert create.not_after == began + 30


def test_a_turn_that_comes_after_the_deadline_sends_nothing_all_the_same(simulated: Simulated) -> None:
    simulated.pace = lambda wish: simulated.world.advance(simulated.world.now + 31) if wish.lane is Lane.DIAL else None

    with pytest.raises(TooLate):
        simulated.run(place_call(simulated.session, simulated.order(timeout=30)))

    assert simulated.creates == []
    assert Arm not in kinds(simulated.wishes)


def test_a_turn_that_can_not_come_in_time_leaves_no_row(simulated: Simulated) -> None:
    simulated.pace = lambda wish: too_late(wish) if wish.lane is Lane.DIAL else None

    with pytest.raises(RateLimited, match="nothing was sent"):
        simulated.run(place_call(simulated.session, simulated.order()))

    assert Arm not in kinds(simulated.wishes)
    assert simulated.creates == []


def test_a_create_that_met_a_429_waits_for_another_turn(simulated: Simulated) -> None:
    answers = iter([Response(429, {"retry-after": "7"}, b"{}"), None])
    simulated.trouble = lambda request, go: (next(answers) or go()) if is_create(request) else go()

    simulated.run(place_call(simulated.session, simulated.order()))

    assert paced(simulated).count(Lane.DIAL) == 2
    assert len(simulated.world.calls()) == 1


def test_a_create_whose_second_turn_can_not_come_in_time_leaves_the_intent_free(simulated: Simulated) -> None:
    turns = iter([None, too_late])
    simulated.pace = lambda wish: (next(turns) or (lambda _: None))(wish) if wish.lane is Lane.DIAL else None
    simulated.trouble = lambda request, go: (
        Response(429, {"retry-after": "1"}, b"{}") if "/conversations/calls" in request.url else go()
    )

    with pytest.raises(RateLimited):
        simulated.run(place_call(simulated.session, simulated.order()))

    assert Release in kinds(simulated.wishes)
    assert simulated.ledger.look(ORIGIN, "crm-4711") is None


def test_a_read_waits_out_any_number_of_429_within_its_deadline(simulated: Simulated) -> None:
    answers = iter([Response(429, {"retry-after": "2"}, b"{}")] * 9)
    simulated.trouble = lambda request, go: next(answers, None) or go() if "/users/" in request.url else go()

    response = simulated.run(exchange(Request("GET", f"{ORIGIN}/api/v2/users/{ADA}")))

    assert response.ok


def test_hanging_up_goes_in_the_lane_of_what_is_urgent(simulated: Simulated) -> None:
    placed = simulated.run(place_call(simulated.session, simulated.order()))
    simulated.wishes.clear()

    simulated.run(steering.hang_up(simulated.session, placed.conversation_id))

    assert paced(simulated)[0] is Lane.URGENT


@pytest.mark.parametrize("own", [False, True], ids=["as the service", "as the agent"])
def test_every_read_that_looks_for_a_lost_call_goes_in_the_lane_of_what_is_urgent(own: bool) -> None:
    simulated = Simulated(sockets=False)
    if own:
        simulated.session.auth = simulated.auth = AccessToken(simulated.world.issue_user_token(ADA))

    def lose(request: Request, go: Callable[[], Response]) -> Response:
        answer = go()
        if is_create(request):
            simulated.world.advance(simulated.world.now + 70)
            raise Lost("the line broke", sent=True)
        return answer

    simulated.trouble = lose

    placed = simulated.run(place_call(simulated.session, simulated.order()))

    assert placed.adopted
    lanes = paced(simulated)
    looked = lanes[lanes.index(Lane.DIAL) + 1 :]
    assert len(looked) >= 2
    assert set(looked) == {Lane.URGENT}


def test_a_turn_goes_with_the_token_that_it_was_given_for(simulated: Simulated) -> None:
    answers = iter([Response(401, {}, b'{"code":"credentials.expired"}'), None])
    simulated.trouble = lambda request, go: (next(answers) or go()) if "/conversations/calls" in request.url else go()

    simulated.run(place_call(simulated.session, simulated.order()))

    turns = [wish.token for wish in simulated.wishes if isinstance(wish, Pace) and wish.lane is Lane.DIAL]
    creates = [wish.token for wish in simulated.wishes if isinstance(wish, Send) and sends_create(wish)]
    assert turns == creates
    assert len(set(turns)) == 2


def test_neither_a_turn_nor_a_send_shows_its_token() -> None:
    wishes = (Pace(Lane.READ, "sesame", 0.0), Send(Request("GET", "x"), token="sesame"))

    assert all("sesame" not in repr(wish) for wish in wishes)
