"""Following a call: by events, repaired by reads, in bounded time."""

from collections.abc import Callable
from typing import Any

import pytest

from ringonce import AccessToken
from ringonce.client.board import Board
from ringonce.client.flows.following import active_calls, follow, get_call
from ringonce.client.flows.placing import place_call
from ringonce.client.wishes import Lost, Request, Response
from ringonce.errors import NotAuthenticated, NotFound, RateLimited, StillGoing, Unreachable
from ringonce.models import Call, Outcome, Placed, State
from simulated import Simulated


def reads(simulated: Simulated) -> int:
    return sum(one.method == "GET" for one in simulated.sent)


def states(simulated: Simulated) -> list[State]:
    return [call.state for call in simulated.told]


def placed(simulated: Simulated, number: str = "+15559876543") -> Placed:
    return simulated.run(place_call(simulated.session, simulated.order(to=number)))


def followed(simulated: Simulated, call: Placed, **rest: Any) -> Call:
    return simulated.run(follow(simulated.session, call.conversation_id, agent_id=call.agent_id, **rest))


def test_a_call_is_followed_by_events_alone_without_a_single_read(simulated: Simulated) -> None:
    call = placed(simulated)
    last = followed(simulated, call)

    assert states(simulated) == ["requested", "dialing", "ringing", "connected", "ended"]
    assert last == simulated.told[-1]
    assert (last.outcome, last.to, last.intent) == (Outcome.ANSWERED, "+15559876543", "crm-4711")
    assert reads(simulated) == 0


def test_who_takes_long_over_what_is_told_misses_no_end_that_comes_meanwhile(simulated: Simulated) -> None:
    call = placed(simulated)
    simulated.telling = 60.0
    began = simulated.world.now
    last = followed(simulated, call)

    assert last.outcome is Outcome.ANSWERED
    assert simulated.world.now - began < 60.0 * (len(simulated.told) + 1)
    assert reads(simulated) == 0


def test_where_sockets_are_barred_a_call_is_followed_by_reads() -> None:
    simulated = Simulated(sockets=False)
    last = followed(simulated, placed(simulated))

    assert last.outcome is Outcome.ANSWERED
    assert "ringing" in states(simulated)
    assert 3 < reads(simulated) < 20


def test_an_identity_that_may_not_read_the_nested_view_reads_the_flat_one() -> None:
    simulated = Simulated(sockets=False)

    def no_nested_view(request: Request, go: Callable[[], Response]) -> Response:
        nested = request.method == "GET" and "/conversations/calls/" not in request.url
        return Response(403, {}, b'{"code":"missing.permissions"}') if nested else go()

    simulated.trouble = no_nested_view
    assert followed(simulated, placed(simulated)).outcome is Outcome.ANSWERED
    assert sum("/conversations/calls/" not in one.url for one in simulated.sent if one.method == "GET") == 1


def test_a_mute_stream_is_noticed_by_a_read_and_replaced(simulated: Simulated) -> None:
    call = placed(simulated)
    first = simulated.channel
    simulated.world.channels.mute(None)

    last = followed(simulated, call)

    assert last.outcome is Outcome.ANSWERED
    assert simulated.channel != first
    assert 1 <= reads(simulated) <= 3


def test_after_a_gap_in_the_stream_the_call_is_read_once(simulated: Simulated) -> None:
    call = placed(simulated, "+15559870000")
    followed(simulated, call, enough=lambda one: one.state is State.CONNECTED)
    simulated.disconnect()
    simulated.world.phone("+15559870000", "hangup")
    simulated.world.advance(simulated.world.now + 2)
    simulated.reconnect()

    assert followed(simulated, call).outcome is Outcome.ANSWERED
    assert reads(simulated) == 1


def test_a_call_known_by_its_id_alone_is_read_then_listened_to(simulated: Simulated) -> None:
    call = placed(simulated)
    simulated.session.board = Board()

    last = simulated.run(follow(simulated.session, call.conversation_id))

    assert last.outcome is Outcome.ANSWERED
    assert reads(simulated) <= 3


def test_a_follower_stops_when_its_time_is_up_and_says_that_the_call_goes_on(simulated: Simulated) -> None:
    call = placed(simulated, "+15559870000")
    began = simulated.world.now

    with pytest.raises(StillGoing) as error:
        followed(simulated, call, timeout=20.0)

    assert simulated.world.now - began == pytest.approx(20.0, abs=0.01)
    assert error.value.call.state is State.CONNECTED


def lose_credentials(simulated: Simulated) -> None:
    simulated.world.tokens.expire()
    simulated.world.change_client("your_client_id", state="disabled")


def test_a_call_that_goes_on_without_a_login_is_told_as_such_not_as_a_refusal() -> None:
    simulated = Simulated(sockets=False)
    call = placed(simulated, "+15559870000")
    followed(simulated, call, enough=lambda one: one.state is State.CONNECTED)
    lose_credentials(simulated)

    with pytest.raises(StillGoing) as error:
        followed(simulated, call)

    assert (error.value.call.state, error.value.followable) == (State.CONNECTED, False)
    assert "client is disabled" in error.value.why
    assert f"ringonce hangup {call.conversation_id}" in error.value.fix


def test_a_call_that_was_placed_goes_on_even_if_nothing_of_it_was_seen() -> None:
    simulated = Simulated(sockets=False)
    call = placed(simulated, "+15559870000")
    simulated.session.board = Board()
    lose_credentials(simulated)

    with pytest.raises(StillGoing):
        followed(simulated, call)


def test_a_call_that_nobody_has_seen_and_that_may_not_be_read_is_a_refusal() -> None:
    simulated = Simulated(sockets=False)
    call = placed(simulated, "+15559870000")
    simulated.session.board = Board()
    lose_credentials(simulated)

    with pytest.raises(NotAuthenticated):
        simulated.run(follow(simulated.session, call.conversation_id))


def test_a_long_talk_costs_few_reads(simulated: Simulated) -> None:
    call = placed(simulated, "+15559870000")
    with pytest.raises(StillGoing):
        followed(simulated, call, timeout=600.0)

    assert reads(simulated) <= 14


def test_a_call_that_nobody_knows_is_not_found(simulated: Simulated) -> None:
    with pytest.raises(NotFound) as error:
        simulated.run(follow(simulated.session, "00000000-0000-4000-8000-000000000000", timeout=60))

    assert "check the id" in error.value.fix


def test_a_platform_that_goes_away_meanwhile_is_waited_for() -> None:
    simulated = Simulated(sockets=False)
    call = placed(simulated)
    away_until = simulated.world.now + 9

    def away(_: Request, go: Callable[[], Response]) -> Response:
        if simulated.world.now < away_until:
            raise Lost("connection refused", sent=False)
        return go()

    followed(simulated, call, enough=lambda one: True)
    simulated.trouble = away
    assert followed(simulated, call).outcome is Outcome.ANSWERED


def test_a_call_never_seen_on_a_platform_that_is_away_is_unreachable(simulated: Simulated) -> None:
    def away(_: Request, __: Callable[[], Response]) -> Response:
        raise Lost("connection refused", sent=False)

    simulated.run(get_call(simulated.session, placed(simulated).conversation_id))
    simulated.trouble = away
    with pytest.raises(Unreachable):
        simulated.run(get_call(simulated.session, "00000000-0000-4000-8000-000000000000"))


@pytest.mark.parametrize("own", [True, False], ids=["the agent's token", "an application's token"])
def test_an_agents_active_calls_are_those_that_have_not_ended(simulated: Simulated, own: bool) -> None:
    live = placed(simulated, "+15559870000")
    over = simulated.run(place_call(simulated.session, simulated.order(intent="2", to="+15559870006")))
    simulated.world.advance(simulated.world.now + 20)
    if own:
        simulated.auth = simulated.session.auth = AccessToken(simulated.world.issue_user_token(live.agent_id))
        simulated.session.grants.clear()
        simulated.session.users.clear()

    calls = simulated.run(active_calls(simulated.session, live.agent_id))

    assert [call.conversation_id for call in calls] == [live.conversation_id]
    assert over.conversation_id != live.conversation_id


def test_a_call_that_the_platform_has_forgotten_is_not_followed_for_ever(simulated: Simulated) -> None:
    call = placed(simulated, "+15559870000")
    followed(simulated, call, enough=lambda one: one.state is State.CONNECTED)
    simulated.disconnect()
    simulated.session.board.note_gap(simulated.heard)
    simulated.trouble = lambda request, go: Response(404, {}, b"{}") if request.method == "GET" else go()
    began = simulated.world.now

    with pytest.raises(NotFound):
        followed(simulated, call)

    assert simulated.world.now - began < 60


def test_a_follower_whose_platform_is_away_does_not_say_that_the_call_goes_on(simulated: Simulated) -> None:
    call = placed(simulated, "+15559870000")
    followed(simulated, call, enough=lambda one: one.state is State.CONNECTED)
    simulated.disconnect()
    simulated.session.board.note_gap(simulated.heard)

    def away(_: Request, __: Callable[[], Response]) -> Response:
        raise Lost("connection refused", sent=False)

    simulated.trouble = away
    with pytest.raises(StillGoing) as error:
        followed(simulated, call, timeout=30.0)
    assert "could not be read since" in error.value.what
    assert error.value.why == "connection refused"
    assert "was sent" not in str(error.value)

    with pytest.raises(Unreachable) as lost:
        followed(simulated, call)
    assert call.conversation_id in lost.value.what
    assert "was sent" not in str(lost.value)


def test_following_a_replayed_call_on_a_platform_that_is_away_does_not_say_that_nothing_was_sent(
    simulated: Simulated,
) -> None:
    def away(_: Request, __: Callable[[], Response]) -> Response:
        raise Lost("connection refused", sent=False)

    call = placed(simulated)
    simulated.disconnect()
    simulated.sockets, simulated.session.board = False, Board()
    simulated.trouble = away
    again = placed(simulated)

    assert again.replayed
    with pytest.raises(Unreachable) as lost:
        followed(simulated, again)
    assert call.conversation_id in lost.value.what
    assert lost.value.why == "connection refused"
    assert "was sent" not in str(lost.value)


def test_a_follower_whose_quota_is_spent_does_not_say_that_nothing_was_sent(simulated: Simulated) -> None:
    call = placed(simulated)
    simulated.disconnect()
    simulated.sockets, simulated.session.board = False, Board()

    def spent(_: Request, __: Callable[[], Response]) -> Response:
        raise RateLimited("The quota of requests is spent, and nothing was sent", why="all are spent", retry_after=40.0)

    simulated.trouble = spent
    with pytest.raises(RateLimited) as limited:
        followed(simulated, call)

    assert call.conversation_id in limited.value.what
    assert (limited.value.why, limited.value.retry_after) == ("all are spent", 40.0)
    assert "was sent" not in str(limited.value)
