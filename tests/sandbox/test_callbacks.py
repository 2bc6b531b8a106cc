"""Callbacks: somebody asks to be called, and waits for an agent who calls."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.presences import ON_QUEUE
from ringonce.sandbox.world import World

GRACE, SALES, SUPPORT, SALE = (
    named("user/grace"),
    named("queue/sales"),
    named("queue/support"),
    named("wrapup-code/Sale"),
)
WISH = {
    "queueId": SALES,
    "callbackUserName": "Ida Tarbell",
    "callbackNumbers": ["+15559870000"],
    "data": {"crm": "4711"},
}


@pytest.fixture
def ada(ask_as: Callable[[str], Any]) -> Any:
    return ask_as(ADA)


@pytest.fixture
def wish(ask: Any) -> Callable[..., str]:
    """Ask for a callback, as a service."""

    def create(**fields: Any) -> str:
        status, answer = ask("POST", "/conversations/callbacks", WISH | fields)
        assert status == 200, answer
        conversation_id: str = answer["conversation"]["id"]
        return conversation_id

    return create


def after(world: World, seconds: float) -> None:
    world.advance(world.now + seconds)


def later(world: World, seconds: float) -> str:
    return dt.datetime.fromtimestamp(world.now + seconds, dt.UTC).isoformat()


def parties(ask: Any, callback: str) -> list[tuple[str, str]]:
    return [
        (leg["purpose"], leg["state"]) for leg in ask("GET", f"/conversations/callbacks/{callback}")[1]["participants"]
    ]


@pytest.fixture
def taken(world: World, ada: Any, wish: Callable[..., str]) -> str:
    """A callback that Ada, who is on the queue, has taken."""
    world.directory.be(ADA, ON_QUEUE)
    callback = wish()
    after(world, 1)
    assert ada("PATCH", mine(ada, callback), {"state": "connected"})[0] == 202
    after(world, 1)
    return callback


def mine(ada: Any, callback: str) -> str:
    """The path of the agent's part."""
    [leg] = [each for each in ada("GET", f"/conversations/callbacks/{callback}")[1]["participants"] if "user" in each]
    return f"/conversations/callbacks/{callback}/participants/{leg['id']}"


def test_a_service_asks_for_a_callback_and_it_waits_in_the_queue(world: World, ask: Any) -> None:
    status, answer = ask("POST", "/conversations/callbacks", WISH)
    after(world, 60)

    callback = answer["conversation"]["id"]
    assert (status, answer["callbackIdentifiers"][0]["type"]) == (200, "ACD")
    assert parties(ask, callback) == [("customer", "connected"), ("acd", "connected")]
    customer = ask("GET", f"/conversations/{callback}")[1]["participants"][0]
    assert (customer["name"], customer["attributes"]) == ("Ida Tarbell", {"crm": "4711"})
    assert customer["callbacks"][0]["callbackNumbers"] == ["+15559870000"]
    assert customer["callbacks"][0]["provider"] == "PureCloud Callback"
    assert customer["callbacks"][0]["id"] == answer["callbackIdentifiers"][0]["id"]
    assert (customer["calls"], world.calls()) == ([], [])


def test_it_is_no_call_until_somebody_calls(ask: Any, wish: Callable[..., str]) -> None:
    assert ask("GET", f"/conversations/calls/{wish()}")[1]["code"] == "conversation.error.conversation.not.found"


def test_an_agent_on_the_queue_is_offered_it_takes_it_and_calls(world: World, ask: Any, ada: Any, taken: str) -> None:
    assert parties(ask, taken) == [("customer", "connected"), ("acd", "terminated"), ("agent", "connected")]

    status, answer = ada("POST", f"/conversations/calls/{taken}", {"callNumber": "+15559870000"})
    after(world, 5)

    assert (status, answer["id"]) == (200, taken)
    assert ask.legs(taken) == [("agent", "connected", None), ("customer", "connected", None)]
    assert ask.call(taken)["participants"][1]["attributes"] == {"crm": "4711"}
    assert ask.call(taken)["otherMediaUris"] == [f"/api/v2/conversations/callbacks/{taken}"]
    [call] = world.calls()
    assert (call["to"], call["agentId"], call["rang"], call["state"]) == ("+15559870000", ADA, True, "connected")


def test_without_a_number_the_first_one_asked_for_is_called(world: World, ask: Any, ada: Any, taken: str) -> None:
    ada("POST", f"/conversations/calls/{taken}")
    after(world, 5)

    assert ask.call(taken)["participants"][1]["dnis"] == "tel:+15559870000"


def test_the_customer_hangs_up_and_the_callback_goes_on_until_the_agent_is_done(
    world: World, ask: Any, ada: Any, taken: str
) -> None:
    ada("POST", f"/conversations/calls/{taken}", {"callNumber": "+15559870006"})
    after(world, 10)
    assert [state for _, state, _ in ask.legs(taken)] == ["terminated", "terminated"]
    assert parties(ask, taken)[-1] == ("agent", "connected")

    ada("PATCH", mine(ada, taken), {"state": "disconnected"})
    after(world, 1)

    assert {state for _, state in parties(ask, taken)} == {"terminated"}
    agents = [leg for leg in ask("GET", f"/conversations/{taken}")[1]["participants"] if leg["purpose"] == "agent"]
    assert [leg["wrapupRequired"] for leg in agents] == [True, False]
    assert ada("PATCH", mine(ada, taken), {"wrapup": {"code": SALE}})[0] == 202
    after(world, 1)
    assert ada("GET", f"{mine(ada, taken)}/wrapup")[1]["code"] == SALE


def test_the_agents_lists_and_history_know_callbacks_from_calls(world: World, ada: Any, taken: str) -> None:
    def ids(path: str) -> list[str]:
        return [each["id"] for each in ada("GET", path)[1]["entities"]]

    assert ids("/conversations/callbacks") == ids("/conversations") == [taken]
    assert ids("/conversations?communicationType=Callback") == [taken]
    assert ids("/conversations?communicationType=Call") == ids("/conversations/calls") == []
    ada("POST", f"/conversations/calls/{taken}")
    after(world, 5)
    assert ids("/conversations?communicationType=Call") == ids("/conversations/calls") == [taken]
    assert ada("GET", "/conversations/calls/history")[1]["entities"][0]["wasCallback"] is True
    assert ada("GET", "/conversations", communicationType="Fax")[1]["code"] == "invalid.value"


def test_whoever_lets_it_pass_is_not_asked_again_and_the_next_one_is(
    world: World, ask: Any, wish: Callable[..., str]
) -> None:
    world.directory.be(ADA, ON_QUEUE)
    world.directory.be(GRACE, ON_QUEUE)
    callback = wish()

    after(world, 40)

    asked = [leg for leg in ask("GET", f"/conversations/callbacks/{callback}")[1]["participants"] if "user" in leg]
    assert [(leg["user"]["id"], leg["state"], leg.get("disconnectType")) for leg in asked] == [
        (ADA, "terminated", "transfer.noanswer"),
        (GRACE, "alerting", None),
    ]
    assert ask("GET", f"/users/{ADA}/routingstatus")[1]["status"] == "NOT_RESPONDING"


def test_the_preferred_agent_is_asked_first(world: World, ask: Any, wish: Callable[..., str]) -> None:
    world.directory.be(ADA, ON_QUEUE)
    world.directory.be(GRACE, ON_QUEUE)

    callback = wish(routingData={"queueId": SALES, "scoredAgents": [{"agent": {"id": GRACE}, "score": 90}]})
    after(world, 1)

    assert ask("GET", f"/conversations/callbacks/{callback}")[1]["participants"][-1]["user"]["id"] == GRACE


def test_a_callback_for_the_evening_waits_until_then(world: World, ask: Any, wish: Callable[..., str]) -> None:
    callback = wish(callbackScheduledTime=later(world, 20_000))
    after(world, 19_900)
    assert parties(ask, callback) == [("customer", "none")]
    assert ask("GET", f"/conversations/{callback}")[1]["participants"][0]["callbacks"][0]["state"] == "scheduled"

    after(world, 200)

    assert parties(ask, callback) == [("customer", "connected"), ("acd", "connected")]


def test_a_callback_for_later_can_be_put_off(world: World, ask: Any, wish: Callable[..., str]) -> None:
    callback = wish(callbackScheduledTime=later(world, 3_600))

    body = {"conversationId": callback, "callbackScheduledTime": later(world, 7_200), "queueId": SUPPORT}
    status, answer = ask("PATCH", "/conversations/callbacks", body)

    assert (status, answer["conversation"]["id"]) == (200, callback)
    after(world, 3_700)
    assert parties(ask, callback) == [("customer", "none")]
    after(world, 3_600)
    queue = ask("GET", f"/conversations/callbacks/{callback}")[1]["participants"][1]
    assert (queue["purpose"], queue["queue"]["id"]) == ("acd", SUPPORT)


def test_callbacks_end_one_by_one_or_several_at_once(world: World, ask: Any, wish: Callable[..., str]) -> None:
    first, *others = [wish(), wish(), wish(callbackScheduledTime=later(world, 3_600))]

    assert ask("PATCH", f"/conversations/callbacks/{first}", {"state": "disconnected"})[0] == 200
    named_ = [{"conversationId": each} for each in others]
    assert ask("POST", "/conversations/callbacks/bulk/disconnect", {"callbackDisconnectIdentifiers": named_})[0] == 202
    after(world, 4_000)

    for callback in (first, *others):
        assert {state for _, state in parties(ask, callback)} == {"terminated"}
        assert "endTime" in ask("GET", f"/conversations/{callback}")[1]


def test_somebody_is_told_to_take_it(world: World, ask: Any, wish: Callable[..., str]) -> None:
    callback = wish()
    after(world, 1)

    assert ask("POST", f"/conversations/{callback}/assign", {"id": GRACE})[0] == 202
    again = ask("POST", f"/conversations/{callback}/assign", {"id": GRACE})

    assert ask("GET", f"/conversations/callbacks/{callback}")[1]["participants"][-1]["user"]["id"] == GRACE
    assert (again[0], again[1]["code"]) == (400, "bad.request")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"callbackNumbers": []}, 400, "callback.error.missing.callback.numbers"),
        ({"queueId": None}, 400, "callback.error.missing.queue.id"),
        ({"queueId": "none"}, 404, "resource.not.found"),
        ({"callbackScheduledTime": "soon"}, 400, "invalid.date"),
        ({"callbackNumbers": ["\0"]}, 400, "invalid.value"),
        ({"callbackNumbers": ["1" * 100_000]}, 400, "invalid.value"),
        ({"callbackScheduledTime": "0001-01-01T00:00:00+14:00"}, 400, "invalid.date"),
        ({"callbackScheduledTime": "9999-12-31T23:59:59-14:00"}, 400, "invalid.date"),
        ({"callbackScheduledTime": "2030-01-01T00:00:00Z"}, 400, "callback.error.scheduled.time.too.far.in.future"),
        ({"callbackNumbers": ["12"], "validateCallbackNumbers": True}, 400, "invalid.value"),
        ({"customerFirstCallbackDeliveryMode": "Drone"}, 400, "invalid.value"),
    ],
)
def test_a_wish_that_is_refused(ask: Any, fields: dict[str, Any], status: int, code: str) -> None:
    got, answer = ask("POST", "/conversations/callbacks", WISH | fields)

    assert (got, answer["code"]) == (status, code)


def test_only_who_may_asks_for_callbacks(ask_limited: Any) -> None:
    assert ask_limited("POST", "/conversations/callbacks", WISH)[1]["code"] == "missing.any.permissions"


def test_nobody_calls_before_they_have_taken_it(
    world: World, ask: Any, ada: Any, wish: Callable[..., str], ask_as: Callable[[str], Any]
) -> None:
    world.directory.be(ADA, ON_QUEUE)
    callback = wish()
    after(world, 1)

    not_taken = ada("POST", f"/conversations/calls/{callback}")
    not_theirs = ask_as(GRACE)("POST", f"/conversations/calls/{callback}")
    nobody = ask("POST", f"/conversations/calls/{callback}")

    assert not_taken[1]["code"] == "conversation.error.callback.call.cannot.be.placed"
    assert not_theirs[1]["code"] == "conversation.error.participant.no.active.conversations"
    assert nobody[1]["code"] == "not.a.user"


def test_one_call_at_a_time(world: World, ada: Any, taken: str) -> None:
    ada("POST", f"/conversations/calls/{taken}")
    after(world, 5)

    assert (
        ada("POST", f"/conversations/calls/{taken}")[1]["code"] == "conversation.error.callback.call.cannot.be.placed"
    )
    assert len(world.calls()) == 1
