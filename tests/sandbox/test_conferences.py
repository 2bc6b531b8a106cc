"""More than two in a call."""

from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.world import World

GRACE, LINUS, SALES = named("user/grace"), named("user/linus"), named("queue/sales")


@pytest.fixture
def ada(ask_as: Callable[[str], Any]) -> Any:
    return ask_as(ADA)


def after(world: World, seconds: float) -> None:
    world.advance(world.now + seconds)


@pytest.fixture
def two_calls(world: World, ask: Any) -> tuple[str, str]:
    """Ada talks to two customers, one of whom hangs up by themselves 8 s after the answer."""
    calls = ask.place("0000", callFromQueueId=SALES), ask.place("6543")
    after(world, 5)
    return calls


def merge(ada: Any, calls: tuple[str, str], way: str) -> str:
    """Make one conference of two calls in each of the platform's ways; the id of the conference."""
    first, second = calls
    match way:
        case "a new conference":
            status, answer = ada("POST", "/conversations/calls", {"conversationIds": [first, second]})
            conference: str = answer["id"]
            assert (status, conference in calls) == (202, False)
            return conference
        case "into the first":
            assert ada("PATCH", f"/conversations/calls/{first}", {"conversationIds": [second]})[0] == 202
        case _:
            assert ada("PATCH", f"/conversations/calls/{first}/conference", {"conversationIds": [second]})[0] == 202
    return first


WAYS = ["a new conference", "into the first", "by the conference endpoint"]


@pytest.mark.parametrize("way", WAYS)
def test_merged_calls_are_one_with_the_agent_in_it_once(
    world: World, ask: Any, ada: Any, two_calls: tuple[str, str], way: str
) -> None:
    conference = merge(ada, two_calls, way)
    after(world, 1)

    live = [leg for leg in ask.call(conference)["participants"] if leg["state"] == "connected"]
    assert sorted(leg["purpose"] for leg in live) == ["agent", "customer", "external"]
    assert len({leg["id"] for leg in live}) == 3
    assert ask.call(conference)["maxParticipants"] == 100
    assert [call["id"] for call in ada("GET", "/conversations/calls")[1]["entities"]] == [conference]
    gone = [leg for call in two_calls if call != conference for leg in ask.legs(call)]
    assert {leg[1:] for leg in gone} == {("terminated", "transfer.conference")}
    assert ada("GET", "/conversations/calls/history")[1]["entities"][0]["wasConference"] is (conference != two_calls[0])


@pytest.mark.parametrize("way", WAYS)
def test_a_customer_who_was_merged_still_hangs_up_when_they_would_have(
    world: World, ask: Any, ada: Any, two_calls: tuple[str, str], way: str
) -> None:
    conference = merge(ada, two_calls, way)

    after(world, 30)

    by_purpose = {leg[0]: leg[1:] for leg in ask.legs(conference)}
    assert by_purpose["external"] == ("terminated", "endpoint")
    assert by_purpose["agent"] == by_purpose["customer"] == ("connected", None)


@pytest.mark.parametrize("way", WAYS)
def test_a_phone_in_a_conference_can_be_hung_up(
    world: World, ask: Any, ada: Any, two_calls: tuple[str, str], way: str
) -> None:
    conference = merge(ada, two_calls, way)
    after(world, 1)

    world.phone("+15559870000", "hangup")
    after(world, 1)

    assert {leg[0]: leg[1] for leg in ask.legs(conference)} == {
        "agent": "connected",
        "customer": "terminated",
        "external": "connected",
    }


def test_merging_rings_nobody(world: World, ada: Any, two_calls: tuple[str, str]) -> None:
    merge(ada, two_calls, "a new conference")
    after(world, 1)

    assert [call["rang"] for call in world.calls()] == [True, True, False]


def test_the_after_call_work_of_a_merged_call_is_owed_once(
    world: World, ask: Any, ada: Any, two_calls: tuple[str, str]
) -> None:
    conference = merge(ada, two_calls, "a new conference")
    after(world, 1)
    assert not any(leg["wrapupRequired"] for leg in ask.call(two_calls[0])["participants"])

    ask("DELETE", f"/conversations/{conference}")
    after(world, 1)

    assert [leg["wrapupRequired"] for leg in ask.call(conference)["participants"]].count(True) == 1


@pytest.mark.parametrize(
    ("conversation_ids", "code"),
    [
        ([], "conversation.error.empty.conversation.list"),
        (["unknown"], "conversation.error.conversation.not.found"),
        (["alerting"], "conversation.error.cannot.merge.alerting.conference"),
        (["somebody else's"], "conversation.error.forbidden.not.active.participant"),
    ],
)
def test_calls_that_cannot_be_merged(
    world: World, ask: Any, ada: Any, two_calls: tuple[str, str], conversation_ids: list[str], code: str
) -> None:
    named_ = {"alerting": ask.place("0009"), "somebody else's": ask.place("0000", agent=GRACE)}
    after(world, 1.5)

    body = {"conversationIds": [named_.get(each, each) for each in conversation_ids]}
    status, answer = ada("PATCH", f"/conversations/calls/{two_calls[0]}/conference", body)

    assert (status >= 400, answer["code"]) == (True, code)


@pytest.mark.parametrize("way", ["by the agent", "on the agent's behalf"])
def test_others_are_called_into_a_running_call(
    world: World, ask: Any, ada: Any, two_calls: tuple[str, str], way: str
) -> None:
    call = two_calls[0]
    body = {"participants": [{"address": "+15551112222"}, {"userId": LINUS}]}

    if way == "by the agent":
        status, answer = ada("POST", f"/conversations/calls/{call}/participants", body)
    else:
        status, answer = ask("POST", f"/conversations/calls/{call}/participants/user/{ADA}", body)
    after(world, 4)

    assert (status, len(answer["participants"])) == (200, 4)
    assert [leg["state"] for leg in ask.call(call)["participants"]] == ["connected"] * 4
    assert ask.call(call)["maxParticipants"] == 100


def test_several_are_called_at_once_and_whoever_answers_is_in(world: World, ask: Any, ada: Any) -> None:
    body = {"participants": [{"address": "+15559870002"}, {"address": "+15559870000"}, {"userId": GRACE}]}

    call = ada("POST", "/conversations/calls", body)[1]["id"]
    after(world, 8)

    assert ask.legs(call) == [
        ("user", "connected", None),
        ("external", "terminated", "endpoint"),
        ("external", "connected", None),
        ("user", "connected", None),
    ]


@pytest.mark.parametrize(
    ("participants", "code"),
    [
        (None, "required.field.missing"),
        ([{}], "required.field.missing"),
        ([{"userId": ADA}], "conversation.error.cannot.create.conference"),
        ([{"address": "+15551112222"}] * 99, "conversation.error.cannot.create.conference"),
    ],
)
def test_those_who_cannot_be_called_in(
    ada: Any, two_calls: tuple[str, str], participants: list[dict[str, str]] | None, code: str
) -> None:
    body = {"participants": participants}

    status, answer = ada("POST", f"/conversations/calls/{two_calls[0]}/participants", body)

    assert (status, answer["code"]) == (400, code)


def test_nobody_is_left_talking_to_themselves(world: World, ask: Any, ada: Any) -> None:
    body = {"participants": [{"address": "+15559870009"}, {"address": "+15559880009"}]}
    call = ada("POST", "/conversations/calls", body)[1]["id"]
    after(world, 3)

    ada("PATCH", f"/conversations/calls/{call}", {"state": "disconnected"})
    after(world, 1)

    assert {state for _, state, _ in ask.legs(call)} == {"terminated"}
