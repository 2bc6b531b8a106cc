"""Steering a call: asked once, and true only when it shows."""

from collections.abc import Callable

import pytest

from ringonce.client.flows import steering
from ringonce.client.flows.following import follow
from ringonce.client.flows.placing import place_call
from ringonce.client.outcome import LegFacts
from ringonce.client.wishes import Lost, Request, Response
from ringonce.errors import ApiRefusal, InvalidInput, NoAnswer, NotFound
from ringonce.models import Outcome, State
from simulated import Simulated


@pytest.fixture
def talking(simulated: Simulated) -> str:
    """Ada talks to a number that talks until hung up."""
    call = simulated.run(place_call(simulated.session, simulated.order(to="+15559870000", queue="Sales")))
    simulated.run(
        follow(
            simulated.session,
            call.conversation_id,
            agent_id=call.agent_id,
            enough=lambda one: one.state is State.CONNECTED,
        )
    )
    return call.conversation_id


def agent_leg(simulated: Simulated, conversation_id: str) -> LegFacts:
    leg = simulated.session.board.facts(conversation_id).agent_leg
    assert leg is not None
    return leg


@pytest.mark.parametrize("name", ["held", "muted"])
def test_hold_and_mute_are_given_back_once_they_show_and_can_be_undone(
    simulated: Simulated, talking: str, name: str
) -> None:
    on = simulated.run(steering.set_flag(simulated.session, talking, name, on=True))
    off = simulated.run(steering.set_flag(simulated.session, talking, name, on=False))

    assert (getattr(on, name), getattr(off, name)) == (True, False)


def test_an_application_steers_for_the_agent(simulated: Simulated, talking: str) -> None:
    simulated.run(steering.set_flag(simulated.session, talking, "held", on=True))

    patch = next(one for one in simulated.sent if one.method == "PATCH")
    assert patch.url.endswith(f"/user/{simulated.order().agent}")


def test_hanging_up_ends_the_call_and_twice_is_no_error(simulated: Simulated, talking: str) -> None:
    ended = simulated.run(steering.hang_up(simulated.session, talking))
    again = simulated.run(steering.hang_up(simulated.session, talking))

    assert ended.state is State.ENDED
    assert ended.outcome is Outcome.ANSWERED
    assert again.outcome is Outcome.ANSWERED
    assert sum(one.method == "PATCH" for one in simulated.sent) == 1


def test_hanging_up_before_an_answer_is_abandoning(simulated: Simulated) -> None:
    call = simulated.run(place_call(simulated.session, simulated.order(to="+15559870009")))
    simulated.world.advance(simulated.world.now + 5)

    assert simulated.run(steering.hang_up(simulated.session, call.conversation_id)).outcome is Outcome.ABANDONED


def test_hanging_up_a_call_that_ended_unseen_is_no_error(simulated: Simulated, talking: str) -> None:
    simulated.world.channels.mute(None)
    simulated.world.phone("+15559870000", "hangup")
    simulated.world.advance(simulated.world.now + 2)

    assert simulated.run(steering.hang_up(simulated.session, talking)).ended


def test_hanging_up_what_does_not_exist_is_not_found(simulated: Simulated) -> None:
    with pytest.raises(NotFound):
        simulated.run(steering.hang_up(simulated.session, "00000000-0000-4000-8000-000000000000"))


def test_digits_reach_the_call(simulated: Simulated, talking: str) -> None:
    simulated.run(steering.send_digits(simulated.session, talking, "12#"))

    assert simulated.sent[-1].body == {"digits": "12#"}


def test_digits_whose_answer_is_lost_are_not_sent_again(simulated: Simulated, talking: str) -> None:
    def lose(request: Request, go: Callable[[], Response]) -> Response:
        if request.url.endswith("/digits"):
            raise Lost("the line broke", sent=True)
        return go()

    simulated.trouble = lose
    with pytest.raises(NoAnswer):
        simulated.run(steering.send_digits(simulated.session, talking, "1"))

    assert sum(one.url.endswith("/digits") for one in simulated.sent) == 1


@pytest.mark.parametrize("digits", ["", "hello", "1 2", "1" * 65])
def test_what_is_no_dtmf_is_refused_before_anything_is_sent(simulated: Simulated, talking: str, digits: str) -> None:
    sent = len(simulated.sent)
    with pytest.raises(InvalidInput):
        simulated.run(steering.send_digits(simulated.session, talking, digits))
    assert len(simulated.sent) == sent


@pytest.mark.parametrize(
    ("to", "queue"),
    [("grace@example.com", ""), ("+15550001111", ""), ("", "Support")],
    ids=["an agent", "a number", "a queue"],
)
def test_a_blind_transfer_hands_the_far_end_over_and_frees_the_agent(
    simulated: Simulated, talking: str, to: str, queue: str
) -> None:
    call = simulated.run(steering.transfer(simulated.session, talking, to, queue))

    assert agent_leg(simulated, talking).over
    assert not call.ended


@pytest.mark.parametrize(("to", "queue"), [("", ""), ("grace@example.com", "Sales")], ids=["none", "two"])
def test_a_transfer_needs_one_target(simulated: Simulated, talking: str, to: str, queue: str) -> None:
    with pytest.raises(InvalidInput):
        simulated.run(steering.transfer(simulated.session, talking, to, queue))


def test_wrapping_up_takes_a_codes_name_after_the_call(simulated: Simulated, talking: str) -> None:
    simulated.run(steering.hang_up(simulated.session, talking))
    url = f"/conversations/calls/{talking}/participants/{agent_leg(simulated, talking).participant_id}/wrapupcodes"
    codes = simulated._handle(signed(simulated, url)).json()

    call = simulated.run(steering.wrap_up(simulated.session, talking, codes[0]["name"].upper(), "asked to call back"))

    assert codes[0]["id"] in {one.wrapup_code for one in call.participants}


def signed(simulated: Simulated, path: str) -> Request:
    token = simulated.session.grants[""].value
    return Request("GET", simulated.session.url(path), headers={"authorization": f"Bearer {token}"})


def test_an_unknown_wrapup_code_is_refused_with_what_there_is(simulated: Simulated, talking: str) -> None:
    with pytest.raises(NotFound):
        simulated.run(steering.wrap_up(simulated.session, talking, "no such code", ""))


def test_a_ringing_call_can_not_be_held(simulated: Simulated) -> None:
    call = simulated.run(place_call(simulated.session, simulated.order(to="+15559870009")))
    with pytest.raises(ApiRefusal) as error:
        simulated.run(steering.set_flag(simulated.session, call.conversation_id, "held", on=True))
    assert error.value.code == "conversation.error.hold.alerting"


def test_an_ended_call_can_not_be_muted(simulated: Simulated, talking: str) -> None:
    simulated.run(steering.hang_up(simulated.session, talking))
    with pytest.raises(NotFound) as error:
        simulated.run(steering.set_flag(simulated.session, talking, "muted", on=True))
    assert "live" in error.value.what


def test_a_change_that_never_shows_is_said(simulated: Simulated, talking: str) -> None:
    simulated.trouble = lambda request, go: Response(202, {}, b"") if request.method == "PATCH" else go()

    with pytest.raises(NoAnswer) as error:
        simulated.run(steering.set_flag(simulated.session, talking, "held", on=True))

    assert "nothing shows" in error.value.what
