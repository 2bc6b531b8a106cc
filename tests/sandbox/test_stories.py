"""The life of a call, second by second, on a clock that the test moves."""

from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.dice import named
from ringonce.sandbox.http import Request
from ringonce.sandbox.stories import STORIES, address_of, story_of
from ringonce.sandbox.world import World

SALES, MARGARET = named("queue/sales"), named("user/margaret")


def pass_time(world: World, seconds: float) -> None:
    world.advance(world.now + seconds)


def test_the_far_end_appears_only_once_the_agents_station_has_answered(world: World, ask: Any) -> None:
    call = ask.place("0000")
    assert ask.legs(call) == [("user", "contacting", None)]
    assert world.calls()[0]["rang"] is False

    pass_time(world, 1.18)
    assert len(ask.legs(call)) == 1

    pass_time(world, 0.02)
    assert ask.legs(call) == [("user", "dialing", None), ("external", "dialing", None)]
    assert world.calls()[0]["rang"] is True

    pass_time(world, 0.3)
    assert ask.legs(call) == [("user", "dialing", None), ("external", "contacting", None)]

    pass_time(world, 2)
    assert ask.legs(call) == [("user", "connected", None), ("external", "connected", None)]


def test_one_who_talks_until_hung_up(world: World, ask: Any) -> None:
    call = ask.place("0000")

    pass_time(world, 3600)

    assert [state for _, state, _ in ask.legs(call)] == ["connected", "connected"]


def test_an_ordinary_customer_answers_after_two_seconds_and_hangs_up_eight_later(world: World, ask: Any) -> None:
    call = ask.place("6543")
    pass_time(world, 11.44)
    assert [state for _, state, _ in ask.legs(call)] == ["connected", "connected"]

    pass_time(world, 0.02)
    assert ask.legs(call) == [("user", "disconnected", "transfer"), ("external", "disconnected", "endpoint")]

    pass_time(world, 0.1)
    assert ask.legs(call) == [("user", "terminated", "peer"), ("external", "terminated", "endpoint")]


@pytest.mark.parametrize(
    ("digits", "seconds", "code", "phrase"),
    [
        pytest.param("0001", 32, 480, "Temporarily Unavailable", id="no answer"),
        pytest.param("0002", 2.5, 486, "Busy Here", id="busy"),
        pytest.param("0003", 4, 603, "Decline", id="declined"),
    ],
)
def test_one_who_does_not_take_the_call(
    world: World, ask: Any, digits: str, seconds: float, code: int, phrase: str
) -> None:
    call = ask.place(digits)

    pass_time(world, seconds)

    assert ask.legs(call) == [("user", "terminated", "peer"), ("external", "terminated", "endpoint")]
    far = ask("GET", f"/conversations/{call}")[1]["participants"][1]
    assert far["calls"][0]["disconnectReasons"] == [{"type": "sip", "code": code, "phrase": phrase}]
    assert "connectedTime" not in far


def test_nobody_answers_before_thirty_seconds_of_ringing(world: World, ask: Any) -> None:
    call = ask.place("0001")

    pass_time(world, 31.4)

    assert ask.legs(call) == [("user", "dialing", None), ("external", "contacting", None)]


def test_a_number_that_no_carrier_knows_dies_within_a_millisecond(
    world: World, ask: Any, listen: Callable[..., list[dict[str, Any]]]
) -> None:
    heard = listen()
    call = ask.place("0004")

    pass_time(world, 2)

    assert ask.legs(call) == [("user", "terminated", "peer"), ("external", "terminated", "error")]
    far = ask.call(call)["participants"][1]
    assert far["errorInfo"]["code"] == "error.ininedgecontrol.connection.dialplan.notReachable"
    states = [
        each["eventBody"]["participants"][1]["state"] for each in heard if len(each["eventBody"]["participants"]) > 1
    ]
    assert states == ["dialing", "disconnected", "terminated"]


def test_a_number_that_is_none_is_accepted_and_fails_later(world: World, ask: Any) -> None:
    status, answer = ask("POST", f"/conversations/calls/user/{ADA}", {"phoneNumber": "not a number"})
    pass_time(world, 2)

    assert status == 202
    assert ask.legs(answer["id"])[1] == ("external", "terminated", "error")


def test_voicemail_is_a_participant_of_its_own(world: World, ask: Any) -> None:
    call = ask.place("0005")

    pass_time(world, 6)
    assert ask.legs(call) == [
        ("user", "connected", None),
        ("external", "terminated", "transfer.noanswer"),
        ("voicemail", "connected", None),
    ]

    pass_time(world, 10)
    assert ask.legs(call)[2] == ("voicemail", "terminated", "endpoint")


def test_one_who_answers_and_hangs_up_at_once(world: World, ask: Any) -> None:
    ask.place("0006")

    pass_time(world, 5)

    assert world.calls()[0]["answeredAt"][:19] == world.calls()[0]["endedAt"][:19]


def test_a_station_that_never_answers_gives_up_after_a_minute_and_nothing_rang(world: World, ask: Any) -> None:
    call = ask.place("0007")
    pass_time(world, 59)
    assert ask.legs(call) == [("user", "contacting", None)]

    pass_time(world, 2)

    assert ask.legs(call) == [("user", "terminated", "error")]
    assert ask.call(call)["participants"][0]["errorInfo"]["code"] == "error.ininedgecontrol.connection.timeout"
    assert world.calls()[0]["rang"] is False
    assert world.calls()[0]["state"] == "ended"


def test_a_telephone_at_home_is_answered_by_nobody(world: World, ask: Any) -> None:
    call = ask.place("6543", agent=MARGARET)

    pass_time(world, 61)

    assert ask.legs(call) == [("user", "terminated", "error")]


def test_the_line_drops_in_mid_call(world: World, ask: Any) -> None:
    call = ask.place("0008")

    pass_time(world, 9)

    assert ask.legs(call) == [("user", "terminated", "peer"), ("external", "terminated", "transport.failure")]
    assert "answeredAt" in world.calls()[0]


def test_a_phone_rings_until_somebody_answers_it(world: World, ask: Any) -> None:
    call = ask.place("0009")
    pass_time(world, 600)
    assert ask.legs(call)[1] == ("external", "contacting", None)

    assert world.phone("+1 (555) 987-0009", "answer")
    assert ask.legs(call)[1] == ("external", "connected", None)
    with pytest.raises(ValueError, match="answered already"):
        world.phone("+15559870009", "decline")

    world.phone("+15559870009", "hangup")
    pass_time(world, 1)
    assert ask.legs(call)[1] == ("external", "terminated", "endpoint")
    with pytest.raises(KeyError, match="nothing rings"):
        world.phone("+15559870009", "answer")


def test_a_phone_can_be_declined_by_hand(world: World, ask: Any) -> None:
    call = ask.place("0009")
    pass_time(world, 3)

    world.phone("+15559870009", "decline")
    pass_time(world, 1)

    reasons = ask("GET", f"/conversations/{call}")[1]["participants"][1]["calls"][0]["disconnectReasons"]
    assert reasons[0]["code"] == 603


def test_a_call_for_a_queue_has_an_agent_and_a_customer_and_after_call_work(world: World, ask: Any) -> None:
    call = ask.place("6543", callFromQueueId=SALES)
    pass_time(world, 5)
    agent, customer = ask.call(call)["participants"]
    assert (agent["purpose"], customer["purpose"]) == ("agent", "customer")
    assert agent["queue"]["id"] == customer["queue"]["id"] == SALES
    assert customer["ani"] == "tel:+15551230001"
    assert agent["wrapupRequired"] is False

    pass_time(world, 10)

    agent, customer = ask.call(call)["participants"]
    assert agent["wrapupRequired"] is True
    assert agent["wrapupPrompt"] == "mandatory"
    assert "startAcwTime" in agent
    assert "endAcwTime" not in agent
    assert customer["wrapupRequired"] is False


def test_the_far_end_carries_the_attributes_and_the_dialled_number_as_its_own_address(world: World, ask: Any) -> None:
    call = ask.place("0000", attributes={"crm": "4711"}, callerId="+15550001111", callerIdName="Example")
    pass_time(world, 2)

    agent, far = ask.call(call)["participants"]

    assert agent["attributes"] == {}
    assert far["attributes"] == {"crm": "4711"}
    assert far["address"] == far["dnis"] == "tel:+15559870000"
    assert far["ani"] == "tel:+15550001111"
    assert far["provider"] == "Edge"
    assert agent["address"].startswith("sip:")


def test_every_change_is_told_on_both_topics(
    world: World, ask: Any, listen: Callable[..., list[dict[str, Any]]]
) -> None:
    heard = listen("conversations.calls", "conversations")
    ask.place("6543")

    pass_time(world, 20)

    flat = [each["eventBody"] for each in heard if each["topicName"].endswith(".calls")]
    nested = [each["eventBody"] for each in heard if each["topicName"].endswith(".conversations")]
    assert [body["participants"][0]["state"] for body in flat] == [
        "contacting",
        "dialing",
        "dialing",
        "connected",
        "disconnected",
        "terminated",
    ]
    assert [body["participants"][0]["calls"][0]["state"] for body in nested] == [
        body["participants"][0]["state"] for body in flat
    ]
    assert {each["version"] for each in heard} == {"2"}


def test_one_seed_and_one_history_give_one_world() -> None:
    def history(seed: int) -> list[dict[str, Any]]:
        world = World(now=0.0, seed=seed)
        token = world.issue_user_token(ADA)
        for digits in STORIES:
            body = f'{{"phoneNumber": "+1555987{digits}"}}'.encode()
            headers = {"authorization": f"Bearer {token}"}
            Desk(world).handle(Request("POST", "/api/v2/conversations/calls", {}, headers, body))
        world.advance(600.0)
        return world.calls()

    assert history(1) == history(1) != history(2)
    assert len(history(1)) == len(STORIES)


@pytest.mark.parametrize(
    ("dialled", "address"),
    [
        ("+1 (555) 987-6543", "tel:+15559876543"),
        ("555.987.6543", "tel:+15559876543"),
        ("15559876543", "tel:+15559876543"),
        ("tel:+15559876543", "tel:+15559876543"),
        ("desk@example.com", "sip:desk@example.com"),
        ("sip:desk@example.com", "sip:desk@example.com"),
    ],
)
def test_how_what_was_dialled_becomes_an_address(dialled: str, address: str) -> None:
    assert address_of(dialled) == address


@pytest.mark.parametrize("address", ["tel:", "tel:+0123456789", "tel:+123", "tel:abc", "tel:+1234567890123456"])
def test_an_address_that_is_no_number_is_unroutable(address: str) -> None:
    assert not story_of(address).routable
