"""Steering a running call: accepted at once, done a moment later, told to everybody."""

from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.world import World

GRACE, SALES, SUPPORT = named("user/grace"), named("queue/sales"), named("queue/support")


@pytest.fixture
def talking(world: World, ask: Any) -> str:
    """A call between Ada and somebody who never hangs up."""
    call: str = ask.place("0000")
    world.advance(world.now + 5)
    return call


def leg_path(ask: Any, call: str, index: int = 0) -> str:
    return f"/conversations/calls/{call}/participants/{ask.call(call)['participants'][index]['id']}"


def settle(world: World) -> None:
    world.advance(world.now + 1)


def test_hold_confines_the_customer_and_is_told_twice(
    world: World, ask: Any, talking: str, listen: Callable[..., list[dict[str, Any]]]
) -> None:
    heard = listen()

    assert ask("PATCH", leg_path(ask, talking), {"held": True}) == (202, None)
    assert ask.call(talking)["participants"][0]["held"] is False
    settle(world)

    agent, customer = ask.call(talking)["participants"]
    assert (agent["held"], customer["confined"]) == (True, True)
    assert "startHoldTime" in agent
    flags = [[leg["held"] for leg in each["eventBody"]["participants"]] for each in heard]
    assert flags == [[True, False], [True, False]]

    ask("PATCH", leg_path(ask, talking), {"held": False})
    settle(world)
    agent, customer = ask.call(talking)["participants"]
    assert (agent["held"], customer["confined"]) == (False, False)
    assert "startHoldTime" not in agent


def test_mute_and_recording(world: World, ask: Any, talking: str) -> None:
    assert ask("PATCH", leg_path(ask, talking), {"muted": True, "recording": True})[0] == 202
    settle(world)

    assert ask.call(talking)["participants"][0]["muted"] is True
    assert ask.call(talking)["recordingState"] == "active"

    status, answer = ask("PATCH", f"/conversations/calls/{talking}", {"recordingState": "PAUSED"})
    settle(world)
    assert (status, answer["recordingState"]) == (202, "ACTIVE")
    assert ask("GET", f"/conversations/{talking}")[1]["recordingState"] == "PAUSED"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("PATCH", "/conversations/calls/{call}", {"state": "disconnected"}, id="the call"),
        pytest.param("PATCH", "{leg}", {"state": "disconnected"}, id="the agent's participant"),
        pytest.param("PATCH", "{leg}/user/" + ADA, {"state": "disconnected"}, id="on behalf of the agent"),
        pytest.param("PATCH", "{leg}/communications/{communication}", {"state": "disconnected"}, id="communication"),
        pytest.param("DELETE", "/conversations/{call}", None, id="the conversation"),
    ],
)
def test_the_agent_hangs_up(world: World, ask: Any, talking: str, method: str, path: str, body: Any) -> None:
    communication = ask("GET", f"/conversations/{talking}")[1]["participants"][0]["calls"][0]["id"]
    where = path.format(call=talking, leg=leg_path(ask, talking), communication=communication)

    assert ask(method, where, body)[0] in {200, 202, 204}
    settle(world)

    assert ask.legs(talking) == [("user", "terminated", "client"), ("external", "terminated", "peer")]
    assert world.calls()[0]["state"] == "ended"


def test_a_full_tear_down_ends_everybody(world: World, ask: Any, talking: str) -> None:
    assert ask("POST", f"/conversations/{talking}/disconnect") == (202, "")
    settle(world)

    assert {state for _, state, _ in ask.legs(talking)} == {"terminated"}


def test_a_ringing_call_is_given_up(world: World, ask: Any) -> None:
    call = ask.place("0009")
    world.advance(world.now + 3)

    ask("PATCH", f"/conversations/calls/{call}", {"state": "disconnected"})
    world.advance(world.now + 60)

    assert ask.legs(call) == [("user", "terminated", "client"), ("external", "terminated", "peer")]
    assert "answeredAt" not in world.calls()[0]


def test_a_call_given_up_before_the_station_answers_never_rings(world: World, ask: Any) -> None:
    call = ask.place("0000")

    ask("PATCH", f"/conversations/calls/{call}", {"state": "disconnected"})
    world.advance(world.now + 60)

    assert world.calls()[0]["rang"] is False
    assert ask.legs(call) == [("user", "terminated", "client")]


def test_digits_reach_the_far_end(world: World, ask: Any, talking: str) -> None:
    far = ask.call(talking)["participants"][1]["id"]

    assert ask("POST", f"/conversations/{talking}/participants/{far}/digits", {"digits": "12#"})[0] == 202
    settle(world)

    assert world.calls()[0]["digits"] == "12#"
    assert ask("POST", f"/conversations/{talking}/participants/{far}/digits", {"digits": "one"})[0] == 400


def test_a_blind_transfer_to_a_user_tells_that_user(
    world: World, ask: Any, talking: str, listen: Callable[..., list[dict[str, Any]]]
) -> None:
    heard = listen(agent=GRACE)

    assert ask("POST", f"{leg_path(ask, talking)}/replace", {"userId": GRACE}) == (202, None)
    world.advance(world.now + 0.06)
    assert ask.legs(talking) == [
        ("user", "disconnected", "transfer"),
        ("external", "connected", None),
        ("user", "alerting", None),
    ]
    world.advance(world.now + 5)

    assert ask.legs(talking)[0] == ("user", "terminated", "transfer")
    assert ask.legs(talking)[2] == ("user", "connected", None)
    assert heard[-1]["eventBody"]["participants"][2]["user"]["id"] == GRACE


def test_a_blind_transfer_to_a_number_that_is_busy_ends_the_call(world: World, ask: Any, talking: str) -> None:
    ask(
        "POST",
        f"/conversations/{talking}/participants/{ask.call(talking)['participants'][0]['id']}/replace",
        {"address": "+15559870002"},
    )
    world.advance(world.now + 5)

    assert ask.legs(talking) == [
        ("user", "terminated", "transfer"),
        ("external", "terminated", "peer"),
        ("external", "terminated", "endpoint"),
    ]


def test_a_blind_transfer_to_a_queue_waits_there(world: World, ask: Any, talking: str) -> None:
    ask("POST", f"{leg_path(ask, talking)}/replace", {"queueId": SUPPORT})
    settle(world)

    assert ask.legs(talking)[1:] == [("external", "connected", None), ("acd", "connected", None)]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"userId": ADA}, "conversations.error.transfer.same.party"),
        ({"queueId": "no-queue"}, "conversations.error.queue.not.found"),
        ({"userId": "nobody"}, "resource.not.found"),
        ({}, "bad.request"),
        ({"transferType": "Warm", "userId": GRACE}, "invalid.value"),
        ({"transferType": "Attended", "queueId": SALES}, "conversations.error.transfer.acd.call.unattended"),
    ],
)
def test_a_transfer_that_cannot_be(ask: Any, talking: str, body: dict[str, str], code: str) -> None:
    status, answer = ask("POST", f"{leg_path(ask, talking)}/replace", body)

    assert (status >= 400, answer["code"]) == (True, code)


def test_an_unanswered_call_cannot_be_transferred_or_held(world: World, ask: Any) -> None:
    call = ask.place("0009")
    world.advance(world.now + 3)

    assert ask("POST", f"{leg_path(ask, call)}/replace", {"userId": GRACE})[1]["code"] == (
        "conversations.error.transfer.not.connected"
    )
    assert ask("PATCH", leg_path(ask, call), {"held": True})[1]["code"] == "conversation.error.hold.alerting"


def test_wrapping_up_ends_the_after_call_work(world: World, ask: Any) -> None:
    call = ask.place("6543", callFromQueueId=SALES)
    world.advance(world.now + 15)
    leg = leg_path(ask, call)
    communication = ask("GET", f"/conversations/{call}")[1]["participants"][0]["calls"][0]["id"]
    filing = f"{leg}/communications/{communication}/wrapup"
    assert ask("GET", f"{leg}/wrapup")[0] == 404

    refused = ask("POST", filing, {"notes": "no code"})
    unknown = ask("POST", filing, {"code": "no-such-code"})
    skipped = ask("PATCH", leg, {"wrapupSkipped": True})
    taken = ask("POST", filing, {"code": ask("GET", f"{leg}/wrapupcodes")[1][0]["id"], "notes": "spoke to Jo"})
    settle(world)

    assert refused[1]["code"] == "conversation.error.wrapup.code.required"
    assert unknown[0] == 400
    assert skipped[1]["code"] == "conversation.error.wrapup.cannot.skip"
    assert taken == (202, None)
    agent = ask.call(call)["participants"][0]
    assert agent["wrapupRequired"] is False
    assert agent["wrapup"]["notes"] == "spoke to Jo"
    assert agent["endAcwTime"] > agent["startAcwTime"]
    assert ask("GET", f"{leg}/wrapup")[1]["notes"] == "spoke to Jo"


def test_an_optional_wrap_up_may_be_skipped(world: World, ask: Any) -> None:
    call = ask.place("6543", callFromQueueId=SUPPORT)
    world.advance(world.now + 15)

    assert ask("PATCH", leg_path(ask, call), {"wrapupSkipped": True})[0] == 202
    settle(world)

    agent = ask.call(call)["participants"][0]
    assert (agent["wrapupRequired"], agent["wrapupSkipped"]) == (False, True)


def test_a_wrap_up_filed_during_the_call_leaves_no_after_call_work(world: World, ask: Any) -> None:
    call = ask.place("6543", callFromQueueId=SALES)
    world.advance(world.now + 5)

    ask("PATCH", leg_path(ask, call), {"wrapup": {"code": named("wrapup-code/Sale")}})
    world.advance(world.now + 15)

    assert ask.call(call)["participants"][0]["wrapupRequired"] is False


def test_an_ended_call_is_not_steered(world: World, ask: Any) -> None:
    call = ask.place("6543")
    world.advance(world.now + 20)

    status, answer = ask("PATCH", leg_path(ask, call), {"muted": True})

    assert (status, answer["code"]) == (400, "conversation.error.call.disconnected")


def test_a_stranger_may_not_steer(world: World, ask: Any, ask_as: Callable[[str], Any], talking: str) -> None:
    status, answer = ask_as(GRACE)("PATCH", leg_path(ask, talking), {"muted": True})

    assert (status, answer["code"]) == (403, "conversation.error.forbidden.not.active.participant")
    assert ask_as(ADA)("PATCH", leg_path(ask, talking), {"muted": True})[0] == 202


def test_on_behalf_of_somebody_who_is_not_in_the_call(ask: Any, talking: str) -> None:
    status, answer = ask("PATCH", f"{leg_path(ask, talking)}/user/{GRACE}", {"muted": True})

    assert (status, answer["code"]) == (404, "conversation.error.not.conversation.participant")


def test_a_participants_attributes_are_bounded_by_the_body_alone(ask: Any, talking: str) -> None:
    attributes = {f"{n} {'n' * 300}": "v" * 300 for n in range(60)}

    status, answer = ask("PATCH", f"{leg_path(ask, talking, 1)}/attributes", {"attributes": attributes})

    assert (status, answer) == (202, {"attributes": attributes})


def test_attributes_are_added_and_a_tag_is_set(world: World, ask: Any, talking: str) -> None:
    leg = leg_path(ask, talking, 1)

    assert ask("PATCH", f"{leg}/attributes", {"attributes": {"a": "1"}}) == (202, {"attributes": {"a": "1"}})
    assert ask("PUT", f"/conversations/{talking}/tags", {"externalTag": "crm-4711"})[0] == 202
    settle(world)

    assert ask.call(talking)["participants"][1]["attributes"] == {"a": "1"}
    assert ask("GET", f"/conversations/{talking}")[1]["externalTag"] == "crm-4711"
