"""Calls between colleagues and through queues: whose phone rings, and what happens when nobody takes it."""

from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.presences import ON_QUEUE
from ringonce.sandbox.world import World

GRACE, LINUS, KATHERINE, MARGARET = (named(f"user/{name}") for name in ("grace", "linus", "katherine", "margaret"))
SALES, SUPPORT = named("queue/sales"), named("queue/support")


@pytest.fixture
def call(ask_as: Callable[[str], Any]) -> Callable[..., str]:
    """Place a call as an agent."""

    def place(agent: str, **body: Any) -> str:
        status, answer = ask_as(agent)("POST", "/conversations/calls", body)
        assert status == 202, answer
        conversation_id: str = answer["id"]
        return conversation_id

    return place


def after(world: World, seconds: float) -> None:
    world.advance(world.now + seconds)


def test_a_colleague_is_called(world: World, ask: Any, call: Callable[..., str]) -> None:
    placed = call(ADA, callUserId=GRACE)
    after(world, 3)

    assert ask.legs(placed) == [("user", "connected", None), ("user", "connected", None)]
    callee = ask.call(placed)["participants"][1]
    assert (callee["user"]["id"], callee["direction"]) == (GRACE, "inbound")


def test_a_desk_phone_in_use_is_busy(world: World, ask: Any, call: Callable[..., str]) -> None:
    call(GRACE, phoneNumber="+15559870000")
    after(world, 5)

    placed = call(ADA, callUserId=GRACE)
    after(world, 3)

    assert ask.legs(placed)[1] == ("user", "terminated", "endpoint")
    nested = ask("GET", f"/conversations/{placed}")[1]["participants"][1]
    assert nested["calls"][0]["disconnectReasons"] == [{"type": "sip", "code": 486, "phrase": "Busy Here"}]


def test_a_browser_in_use_rings_and_can_be_told_to_answer(
    world: World, ask: Any, ask_as: Callable[[str], Any], call: Callable[..., str]
) -> None:
    call(ADA, phoneNumber="+15559870000")
    after(world, 5)
    placed = call(GRACE, callUserId=ADA)
    after(world, 10)
    assert ask.legs(placed)[1] == ("user", "alerting", None)
    assert ask.call(placed)["participants"][1]["alertingTimeoutMs"] == 60_000

    leg = ask.call(placed)["participants"][1]["id"]
    assert ask_as(ADA)("PATCH", f"/conversations/calls/{placed}/participants/{leg}", {"state": "connected"})[0] == 202
    after(world, 1)

    assert ask.legs(placed) == [("user", "connected", None), ("user", "connected", None)]


@pytest.mark.parametrize("callee", [KATHERINE, MARGARET])
def test_a_phone_whose_connection_is_down_cannot_be_told_to_answer(
    world: World, ask: Any, ask_as: Callable[[str], Any], call: Callable[..., str], callee: str
) -> None:
    placed = call(ADA, callUserId=callee)
    after(world, 10)

    leg = ask.call(placed)["participants"][1]["id"]
    path = f"/conversations/calls/{placed}/participants/{leg}"
    assert ask_as(callee)("PATCH", path, {"state": "connected"})[0] == 202
    after(world, 10)
    assert ask.legs(placed)[1] == ("user", "alerting", None)
    after(world, 60)

    assert ask.legs(placed) == [("user", "terminated", "peer"), ("user", "terminated", "error")]


def test_a_ringing_phone_can_be_declined(
    world: World, ask: Any, ask_as: Callable[[str], Any], call: Callable[..., str]
) -> None:
    placed = call(ADA, callUserId=MARGARET)
    after(world, 10)
    leg = ask.call(placed)["participants"][1]["id"]

    ask_as(MARGARET)("PATCH", f"/conversations/calls/{placed}/participants/{leg}", {"state": "disconnected"})
    after(world, 1)

    assert ask.legs(placed) == [("user", "terminated", "peer"), ("user", "terminated", "client")]
    assert ask_as(MARGARET)("GET", "/conversations/calls/history")[1]["entities"][0]["missedCall"] is True
    assert ask_as(MARGARET)("GET", "/conversations/calls/history")[1]["entities"][0]["direction"] == "inbound"


def test_two_agents_who_call_each_other_at_the_same_moment(world: World, ask: Any, call: Callable[..., str]) -> None:
    """Grace's desk phone is off-hook for her own call; Ada's browser rings beside hers until it gives up."""
    to_grace, to_ada = call(ADA, callUserId=GRACE), call(GRACE, callUserId=ADA)

    after(world, 5)
    assert ask.legs(to_grace) == [("user", "terminated", "peer"), ("user", "terminated", "endpoint")]
    assert ask.legs(to_ada) == [("user", "dialing", None), ("user", "alerting", None)]

    after(world, 60)
    assert ask.legs(to_ada) == [("user", "terminated", "peer"), ("user", "terminated", "error")]
    assert sum(call_["rang"] for call_ in world.calls()) == 2


def test_the_agent_on_the_queue_gets_the_queues_call(world: World, ask: Any, call: Callable[..., str]) -> None:
    placed = call(ADA, callQueueId=SALES)
    after(world, 20)
    assert ask.legs(placed) == [("user", "connected", None), ("acd", "connected", None)]

    world.directory.be(LINUS, ON_QUEUE)
    after(world, 3)

    assert ask.legs(placed)[1:] == [("acd", "terminated", "transfer"), ("agent", "connected", None)]
    assert ask("GET", f"/users/{LINUS}/routingstatus")[1]["status"] == "INTERACTING"


def test_an_agent_who_does_not_answer_is_not_responding_and_the_call_waits_on(
    world: World, ask: Any, call: Callable[..., str]
) -> None:
    world.directory.be(MARGARET, ON_QUEUE)
    placed = call(ADA, callQueueId=SUPPORT)

    after(world, 20)
    assert ask.legs(placed)[2] == ("agent", "alerting", None)
    after(world, 20)

    assert ask.legs(placed)[1:] == [("acd", "connected", None), ("agent", "terminated", "transfer.noanswer")]
    assert ask("GET", f"/users/{MARGARET}/routingstatus")[1]["status"] == "NOT_RESPONDING"


def test_a_caller_who_leaves_the_queue_takes_the_ringing_with_them(
    world: World, ask: Any, ask_as: Callable[[str], Any], call: Callable[..., str]
) -> None:
    world.directory.be(MARGARET, ON_QUEUE)
    placed = call(ADA, callQueueId=SUPPORT)
    after(world, 10)

    leg = ask.call(placed)["participants"][0]["id"]
    ask_as(ADA)("PATCH", f"/conversations/calls/{placed}/participants/{leg}", {"state": "disconnected"})
    after(world, 1)

    assert {state for _, state, _ in ask.legs(placed)} == {"terminated"}


def test_a_customer_transferred_to_a_queue_reaches_its_agent(world: World, ask: Any, call: Callable[..., str]) -> None:
    world.directory.be(LINUS, ON_QUEUE)
    placed = call(ADA, phoneNumber="+15559870000")
    after(world, 5)
    leg = ask.call(placed)["participants"][0]["id"]

    path = f"/conversations/{placed}/participants/{leg}/replace/queue"
    assert ask("POST", path, {"queueName": "Sales", "transferType": "Unattended"})[0] == 202
    after(world, 5)

    assert ask.legs(placed) == [
        ("user", "terminated", "transfer"),
        ("external", "connected", None),
        ("acd", "terminated", "transfer"),
        ("agent", "connected", None),
    ]


def test_an_attended_transfer_waits_for_the_colleague(world: World, ask: Any, call: Callable[..., str]) -> None:
    placed = call(ADA, phoneNumber="+15559870000")
    after(world, 5)
    leg = ask.call(placed)["participants"][0]["id"]

    path = f"/conversations/{placed}/participants/{leg}/replace/agent"
    ask("POST", path, {"userId": GRACE, "transferType": "Attended"})
    after(world, 0.5)
    assert [state for _, state, _ in ask.legs(placed)] == ["connected", "connected", "alerting"]
    after(world, 2)

    assert [state for _, state, _ in ask.legs(placed)] == ["terminated", "connected", "connected"]


def test_an_attended_transfer_that_nobody_takes_leaves_the_call_as_it_was(
    world: World, ask: Any, call: Callable[..., str]
) -> None:
    placed = call(ADA, phoneNumber="+15559870000")
    after(world, 5)
    leg = ask.call(placed)["participants"][0]["id"]

    ask(
        "POST",
        f"/conversations/calls/{placed}/participants/{leg}/replace",
        {"userId": MARGARET, "transferType": "Attended"},
    )
    after(world, 70)

    assert [state for _, state, _ in ask.legs(placed)] == ["connected", "connected", "terminated"]


def test_a_call_is_transferred_to_somebodys_voicemail(world: World, ask: Any, call: Callable[..., str]) -> None:
    placed = call(ADA, phoneNumber="+15559870000")
    after(world, 5)
    leg = ask.call(placed)["participants"][0]["id"]

    path = f"/conversations/calls/{placed}/participants/{leg}/replace"
    assert ask("POST", path, {"userId": GRACE, "voicemail": True})[0] == 202
    after(world, 1)

    assert ask.legs(placed)[1:] == [("external", "connected", None), ("voicemail", "connected", None)]


def held_by(ask: Any, placed: str) -> list[str]:
    return [leg["name"] for leg in ask.call(placed)["participants"] if leg["held"]]


def hold(ask: Any, ask_as: Callable[[str], Any], agent: str, placed: str, on: bool) -> None:
    leg = next(leg for leg in ask.call(placed)["participants"] if leg.get("user", {}).get("id") == agent)
    changed = ask_as(agent)("PATCH", f"/conversations/calls/{placed}/participants/{leg['id']}", {"held": on})
    assert changed[0] == 202


@pytest.fixture
def both_elsewhere(world: World, call: Callable[..., str]) -> tuple[str, str, str]:
    """Ada and Grace talked; then Ada made another call, and Grace, who was on hold, made one, too."""
    together = call(ADA, callUserId=GRACE)
    after(world, 5)
    of_ada = call(ADA, phoneNumber="+15559870000")
    after(world, 5)
    of_grace = call(GRACE, phoneNumber="+15559880000")
    after(world, 5)
    return together, of_ada, of_grace


def test_who_was_on_hold_and_made_a_call_is_not_pulled_out_of_it(
    world: World, ask: Any, ask_as: Callable[[str], Any], both_elsewhere: tuple[str, str, str]
) -> None:
    together, _, _ = both_elsewhere
    assert [held_by(ask, each) for each in both_elsewhere] == [["Ada Lovelace", "Grace Hopper"], [], []]

    hold(ask, ask_as, ADA, together, on=False)
    after(world, 2)

    assert [held_by(ask, each) for each in both_elsewhere] == [["Grace Hopper"], ["Ada Lovelace"], []]
    assert [leg["confined"] for leg in ask.call(together)["participants"]] == [True, False]

    hold(ask, ask_as, GRACE, together, on=False)
    after(world, 2)

    assert [held_by(ask, each) for each in both_elsewhere] == [[], ["Ada Lovelace"], ["Grace Hopper"]]
    assert not any(leg["confined"] for leg in ask.call(together)["participants"])


def test_a_conference_pulls_nobody_out_of_another_call(
    world: World, ask: Any, ask_as: Callable[[str], Any], both_elsewhere: tuple[str, str, str]
) -> None:
    together, of_ada, of_grace = both_elsewhere

    merged = ask_as(ADA)("POST", "/conversations/calls", {"conversationIds": [together, of_ada]})[1]["id"]
    after(world, 2)

    assert (held_by(ask, merged), held_by(ask, of_grace)) == (["Grace Hopper"], [])


def test_a_call_that_its_agent_waits_in_is_not_assigned_to_them(
    world: World, ask: Any, ask_as: Callable[[str], Any], call: Callable[..., str]
) -> None:
    placed = call(ADA, callQueueId=SALES)
    after(world, 5)

    status, refused = ask("POST", f"/conversations/{placed}/assign", {"id": ADA})

    assert (status, refused["code"]) == (400, "bad.request")
    assert [leg[0] for leg in ask.legs(placed)] == ["user", "acd"]


def test_whoever_was_in_both_calls_is_in_the_conference_once(
    world: World, ask: Any, ask_as: Callable[[str], Any], call: Callable[..., str]
) -> None:
    before = call(GRACE, callUserId=ADA)
    after(world, 5)
    now = call(GRACE, phoneNumber="+15559870000")
    after(world, 5)
    ask_as(GRACE)("POST", f"/conversations/calls/{now}/participants", {"participants": [{"userId": ADA}]})
    leg = ask.call(now)["participants"][-1]["id"]
    ask_as(ADA)("PATCH", f"/conversations/calls/{now}/participants/{leg}", {"state": "connected"})
    after(world, 2)

    merged = ask_as(GRACE)("POST", "/conversations/calls", {"conversationIds": [before, now]})[1]["id"]
    after(world, 2)

    assert sorted(leg["name"] for leg in ask.call(merged)["participants"] if "user" in leg) == [
        "Ada Lovelace",
        "Grace Hopper",
    ]
    assert held_by(ask, merged) == []
