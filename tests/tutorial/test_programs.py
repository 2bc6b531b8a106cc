"""The tutorial's programs: the raw request, the watcher and the caller class, each to the end that it promises."""

from typing import Any

import pytest
import requests

from ringonce.sandbox import Sandbox

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


def test_the_caller_class_rings_and_watches_until_somebody_answers(caller: Any, sandbox: Sandbox) -> None:
    conversation_id = caller.make_call()

    assert caller.poll(conversation_id, sandbox) == ["queued", "ringing", "connected"]
    [call] = sandbox.calls()
    assert (call["conversationId"], call["agentId"]) == (conversation_id, ADA)
    assert (call["to"], call["callerId"]) == ("+15559876543", "+15551234567")


def test_the_raw_payload_is_created_at_once_and_tells_its_status(caller: Any) -> None:
    answer = caller.post(
        {
            "from": {"id": ADA, "name": "John Doe", "phoneNumber": "+15551234567"},
            "to": {"phoneNumber": "+15559876543"},
            "type": "pstn",
        }
    )

    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["status"] == "queued"
    assert caller.get_call_status(answer.json()["id"])["id"] == answer.json()["id"]


def test_the_name_is_what_the_customer_sees(caller: Any, sandbox: Sandbox) -> None:
    placed = caller.post(
        {
            "from": {"id": ADA, "name": "John Doe", "phoneNumber": "+15551234567"},
            "to": {"phoneNumber": "+15559876543"},
            "type": "pstn",
        }
    ).json()
    sandbox.advance(2)

    far_end = caller.get_call_status(placed["id"])["participants"][1]

    assert (far_end["aniName"], far_end["ani"]) == ("John Doe", "tel:+15551234567")


def test_the_number_may_stand_in_the_id_of_whom_to_call(caller: Any, sandbox: Sandbox) -> None:
    body = {"from": {"id": ADA, "phoneNumber": "+15551234567"}, "to": {"id": "+15559876543"}, "type": "pstn"}

    assert caller.post(body).status_code == 201
    assert sandbox.calls()[0]["to"] == "+15559876543"


def test_the_watcher_stops_when_the_call_is_on_its_way(caller: Any, sandbox: Sandbox) -> None:
    conversation_id, seen = caller.make_call(), []

    for _ in range(30):
        seen.append(caller.get_call_status(conversation_id)["status"])
        if seen[-1] not in {"queued", "initiated"}:
            break
        sandbox.advance(2)

    assert seen == ["queued", "ringing"]


def test_a_token_is_asked_for_with_both_scopes(caller: Any) -> None:
    caller.authenticate(scope="conversation:call:write user:read")

    assert caller.make_call()


def test_one_token_lasts_for_many_requests(caller: Any, sandbox: Sandbox) -> None:
    caller.poll(caller.make_call(), sandbox)

    paths = [entry["path"] for entry in sandbox.requests()]
    assert paths.count("/oauth/token") == 1
    assert len(paths) == 1 + 1 + 3


@pytest.mark.parametrize(
    ("digits", "statuses"),
    [
        pytest.param("0000", ["queued", "initiated", "ringing", "connected"], id="answers and talks"),
        pytest.param("0001", ["queued", "initiated", "ringing", "failed"], id="no answer"),
        pytest.param("0002", ["queued", "initiated", "ringing", "failed"], id="busy"),
        pytest.param("0003", ["queued", "initiated", "ringing", "failed"], id="declined"),
        pytest.param("0004", ["queued", "failed"], id="unroutable"),
        pytest.param("0005", ["queued", "initiated", "ringing", "connected"], id="voicemail"),
        pytest.param("0006", ["queued", "initiated", "ringing", "connected"], id="hangs up at once"),
        pytest.param("0007", ["queued", "failed"], id="the agent's station never answers"),
        pytest.param("0008", ["queued", "initiated", "ringing", "connected"], id="the line drops"),
        pytest.param("0009", ["queued", "initiated", "ringing"], id="rings until someone answers"),
        pytest.param("6543", ["queued", "initiated", "ringing", "connected"], id="any other"),
    ],
)
def test_what_each_story_looks_like_to_somebody_who_looks_often(
    caller: Any, sandbox: Sandbox, digits: str, statuses: list[str]
) -> None:
    seen = caller.poll(caller.make_call(to_number=f"+1555987{digits}"), sandbox, times=280, every=0.25)

    assert list(dict.fromkeys(seen)) == statuses


@pytest.mark.parametrize("digits", ["0005", "0006", "0008", "6543"])
def test_an_answered_call_ends_as_disconnected(caller: Any, sandbox: Sandbox, digits: str) -> None:
    conversation_id = caller.make_call(to_number=f"+1555987{digits}")

    sandbox.advance(70)

    assert caller.get_call_status(conversation_id)["status"] == "disconnected"


def test_a_phone_that_somebody_picks_up(caller: Any, sandbox: Sandbox) -> None:
    conversation_id = caller.make_call(to_number="+15559870009")
    sandbox.advance(20)
    assert caller.get_call_status(conversation_id)["status"] == "ringing"

    requests.post(f"{sandbox.url}/_sandbox/phones/+15559870009/answer", timeout=60).raise_for_status()

    assert caller.get_call_status(conversation_id)["status"] == "connected"
