"""Consult transfers: Ada speaks to somebody about her customer before she hands them over."""

from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.presences import ON_QUEUE
from ringonce.sandbox.world import World

GRACE, MARGARET = named("user/grace"), named("user/margaret")
SUPPORT = named("queue/support")


@pytest.fixture
def ada(ask_as: Callable[[str], Any]) -> Any:
    return ask_as(ADA)


@pytest.fixture
def call(world: World, ask: Any) -> str:
    """A call between Ada and a customer who stays."""
    placed: str = ask.place("0000")
    world.advance(world.now + 5)
    return placed


@pytest.fixture
def customer(ask: Any, call: str) -> str:
    """The path of the customer's part in the call."""
    return f"/conversations/calls/{call}/participants/{ask.call(call)['participants'][1]['id']}"


def after(world: World, seconds: float) -> None:
    world.advance(world.now + seconds)


def ears(ask: Any, call: str) -> list[bool]:
    """Of each party, whether they are kept out of what is said."""
    return [leg["confined"] for leg in ask.call(call)["participants"] if leg["state"] == "connected"]


@pytest.fixture
def consulting(world: World, ada: Any, customer: str) -> str:
    """Ada speaks to Grace while the customer waits; the id of Grace's part."""
    status, answer = ada("POST", f"{customer}/consult", {"speakTo": "DESTINATION", "destination": {"userId": GRACE}})
    assert status == 200
    after(world, 3)
    destination: str = answer["destinationParticipantId"]
    return destination


def test_the_customer_does_not_hear_what_is_said_about_them(ask: Any, call: str, consulting: str) -> None:
    agent, customer, grace = ask.call(call)["participants"]

    assert (grace["id"], grace["state"], grace["user"]["id"]) == (consulting, "connected", GRACE)
    assert grace["consultParticipantId"] == customer["id"]
    assert "consultParticipantId" not in agent
    assert ears(ask, call) == [False, True, False]


@pytest.mark.parametrize(
    ("speak_to", "kept_out"),
    [
        ("OBJECT", [False, False, True]),
        ("BOTH", [False, False, False]),
        ("DESTINATION", [False, True, False]),
        ("CONFERENCE", [False, False, False]),
    ],
)
@pytest.mark.usefixtures("consulting")
def test_the_agent_says_who_hears_whom(
    world: World, ask: Any, ada: Any, call: str, customer: str, speak_to: str, kept_out: list[bool]
) -> None:
    ada("PATCH", f"{customer}/consult", {"speakTo": "BOTH"})
    after(world, 1)

    status, answer = ada("PATCH", f"{customer}/consult", {"speakTo": speak_to})
    after(world, 1)

    assert (status, set(answer)) == (200, {"destinationParticipantId"})
    assert ears(ask, call) == kept_out


@pytest.mark.usefixtures("consulting")
def test_the_agent_who_leaves_has_transferred_the_call(world: World, ask: Any, ada: Any, call: str) -> None:
    agent = ask.call(call)["participants"][0]["id"]

    ada("PATCH", f"/conversations/calls/{call}/participants/{agent}", {"state": "disconnected"})
    after(world, 1)

    assert ask.legs(call) == [
        ("user", "terminated", "transfer.consult"),
        ("external", "connected", None),
        ("user", "connected", None),
    ]
    assert ears(ask, call) == [False, False]


@pytest.mark.usefixtures("consulting")
def test_a_consult_that_is_cancelled_gives_the_call_back(
    world: World, ask: Any, ada: Any, call: str, customer: str
) -> None:
    assert ada("DELETE", f"{customer}/consult") == (200, None)
    after(world, 1)

    assert [state for _, state, _ in ask.legs(call)] == ["connected", "connected", "terminated"]
    assert ears(ask, call) == [False, False]
    assert ada("DELETE", f"{customer}/consult")[0] == 404


@pytest.mark.usefixtures("consulting")
def test_a_customer_who_hangs_up_meanwhile_leaves_two_colleagues_talking(world: World, ask: Any, call: str) -> None:
    world.phone("+15559870000", "hangup")
    after(world, 1)

    assert [(state, why) for _, state, why in ask.legs(call)] == [
        ("connected", None),
        ("terminated", "endpoint"),
        ("connected", None),
    ]
    assert ears(ask, call) == [False, False]


def test_whoever_does_not_answer_a_consult_is_a_transfer_without_answer(
    world: World, ask: Any, ada: Any, call: str, customer: str
) -> None:
    ada("POST", f"{customer}/consult/agent", {"speakTo": "DESTINATION", "userId": MARGARET})
    after(world, 10)
    assert ask.legs(call)[2] == ("user", "alerting", None)

    after(world, 60)

    assert ask.legs(call) == [
        ("user", "connected", None),
        ("external", "connected", None),
        ("user", "terminated", "transfer.noanswer"),
    ]
    assert ears(ask, call) == [False, False]


def test_a_queue_can_be_consulted_and_its_agent_takes_part(
    world: World, ask: Any, ada: Any, call: str, customer: str
) -> None:
    world.directory.be(MARGARET, ON_QUEUE)

    ada("POST", f"{customer}/consult/queue", {"speakTo": "DESTINATION", "queueId": SUPPORT})
    after(world, 1)
    *_, queue, margaret = ask.call(call)["participants"]
    assert (queue["state"], margaret["state"], margaret["user"]["id"]) == ("connected", "alerting", MARGARET)
    world.exchange.answer(world.exchange.conversations[call], world.exchange.conversations[call].participants[-1])
    after(world, 1)

    assert ask.legs(call)[2:] == [("acd", "terminated", "transfer"), ("agent", "connected", None)]
    assert ears(ask, call) == [False, True, False]
    assert ada("PATCH", f"{customer}/consult", {"speakTo": "BOTH"})[1] == {"destinationParticipantId": margaret["id"]}


def test_an_address_can_be_consulted(world: World, ask: Any, ada: Any, call: str, customer: str) -> None:
    ada("POST", f"{customer}/consult/external", {"speakTo": "BOTH", "address": "+15551112222"})
    after(world, 4)

    assert ask.legs(call)[2] == ("external", "connected", None)
    assert ears(ask, call) == [False, False, False]


def test_a_service_consults_for_whom_it_names(ask: Any, customer: str) -> None:
    body = {"speakTo": "DESTINATION", "userId": GRACE}

    refused = ask("POST", f"{customer}/consult/agent", body)
    done = ask("POST", f"{customer}/consult/agent", body | {"consultingUserId": ADA})

    assert (refused[0], refused[1]["code"], done[0]) == (400, "not.a.user", 200)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"destination": {"userId": ADA}}, "conversation.error.cannot.transfer.to.self"),
        ({"destination": {"userId": "nobody"}}, "resource.not.found"),
        ({"speakTo": "NOBODY", "destination": {"userId": GRACE}}, "invalid.value"),
        ({}, "required.field.missing"),
        ({"destination": {}}, "required.field.missing"),
    ],
)
def test_a_consult_that_cannot_be(ada: Any, customer: str, body: dict[str, Any], code: str) -> None:
    status, answer = ada("POST", f"{customer}/consult", body)

    assert (status >= 400, answer["code"]) == (True, code)


@pytest.mark.parametrize(
    ("way", "body", "field"),
    [
        ("consult", {"destination": {}}, "destination"),
        ("consult/agent", {}, "userId"),
        ("consult/queue", {}, "queueId"),
        ("consult/external", {}, "address"),
    ],
)
def test_a_consult_with_nobody_is_refused_by_its_own_field(
    ada: Any, customer: str, way: str, body: Any, field: str
) -> None:
    refused = ada("POST", f"{customer}/{way}", body)[1]

    assert (refused["code"], refused["details"][0]["fieldName"]) == ("required.field.missing", field)
    assert refused["message"].startswith(f"{field} is required")


def test_the_path_names_the_customer_and_not_the_agent(ask: Any, ada: Any, call: str) -> None:
    agent = ask.call(call)["participants"][0]["id"]

    status, answer = ada(
        "POST", f"/conversations/calls/{call}/participants/{agent}/consult", {"destination": {"userId": GRACE}}
    )

    assert (status, answer["code"]) == (400, "object.participant.id.required")


@pytest.mark.usefixtures("consulting")
def test_one_consult_at_a_time(ada: Any, customer: str) -> None:
    status, answer = ada("POST", f"{customer}/consult/external", {"address": "+15551112222"})

    assert (status, answer["code"]) == (400, "bad.request")
