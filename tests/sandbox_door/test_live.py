"""What the page is told, and what the record shows of bodies."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
import requests

from ringonce.sandbox import Sandbox
from ringonce.sandbox.dice import named

Place = Callable[..., requests.Response]


def watch(sandbox: Sandbox, *doing: Callable[[], Any]) -> list[dict[str, Any]]:
    """What somebody who looks is told at first, and after each thing that is done."""

    async def look() -> list[dict[str, Any]]:
        told = []
        url = f"{sandbox.url}/_sandbox/live"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            told.append(await socket.receive_json(timeout=60))
            for do in doing:
                await asyncio.to_thread(do)
                told.append(await socket.receive_json(timeout=60))
        return told

    return asyncio.run(look())


def test_a_viewer_is_told_everything_once_and_then_what_has_changed(sandbox: Sandbox, place: Place) -> None:
    place("+15559870009")

    first, second = watch(sandbox, lambda: sandbox.advance(2))

    conversation = sandbox.calls()[0]["conversationId"]
    assert {"clock", "faults", "requests", "order", "agents", f"call.{conversation}"} <= set(first)
    assert second[f"call.{conversation}"]["state"] == "ringing"
    assert not {"faults", "requests", "order"} & set(second)


def test_a_viewer_is_told_what_is_gone(sandbox: Sandbox, place: Place) -> None:
    place()
    name = f"call.{sandbox.calls()[0]['conversationId']}"

    _, second = watch(sandbox, sandbox.reset)

    assert second["gone"] == [name]


def test_many_agents_are_counted_and_the_busy_ones_shown_first() -> None:
    with Sandbox(clock="manual", agents=500) as sandbox:
        [told] = watch(sandbox)

    assert told["agents"]["total"] > 500
    assert len(told["agents"]["shown"]) == 60


def test_a_page_from_elsewhere_is_told_nothing(sandbox: Sandbox) -> None:
    async def look() -> int:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{sandbox.url}/_sandbox/live", headers={"Origin": "https://evil.example"})
            return refused.value.status

    assert asyncio.run(look()) == 403


def test_a_request_is_shown_whole_without_its_secrets(sandbox: Sandbox, place: Place, bearer: dict[str, str]) -> None:
    place()
    signed_in = requests.get(f"{sandbox.url}/_sandbox/requests/1", timeout=60)
    placed = requests.get(f"{sandbox.url}/_sandbox/requests/2", timeout=60).json()

    assert signed_in.json()["answer"]["access_token"] == "***"
    assert signed_in.json()["request"] == {"grant_type": "client_credentials"}
    assert bearer["Authorization"].split()[1] not in signed_in.text
    assert placed["request"] == {"phoneNumber": "+15559870000"}
    assert placed["answer"]["id"] == sandbox.calls()[0]["conversationId"]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"\xff\x00", "(2 bytes)"),
        (b"[" * 20_000, "(20000 bytes)"),
        (b'{"a":[{"Client_Secret":"x","code":"y"}]}', {"a": [{"Client_Secret": "***", "code": "y"}]}),
        (b"code=x&refresh_token=y&grant_type=z", {"code": "***", "refresh_token": "***", "grant_type": "z"}),
        (json.dumps(["0123456789abcdef" * 4]).encode(), ["***"]),
        (b'"' + b"x" * 70_000 + b'"', "(70002 bytes)"),
    ],
)
def test_what_cannot_be_read_is_counted_and_what_is_secret_is_masked(sandbox: Sandbox, body: bytes, shown: Any) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    requests.post(f"{sandbox.url}/oauth/token", data=body, headers=headers, timeout=60)

    assert requests.get(f"{sandbox.url}/_sandbox/requests/1", timeout=60).json()["request"] == shown


def test_a_request_that_is_not_kept_is_404(sandbox: Sandbox) -> None:
    for number in (0, 1, 10**30):
        assert requests.get(f"{sandbox.url}/_sandbox/requests/{number}", timeout=60).status_code == 404


def test_a_callback_is_no_call_until_somebody_has_called(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    queue = sandbox.do(lambda world: next(iter(world.org.queues)))
    body = {"queueId": queue, "callbackNumbers": ["+15559870001"], "callbackUserName": "Kim"}
    url = f"{sandbox.url}/api/v2/conversations/callbacks"

    assert requests.post(url, json=body, headers=bearer, timeout=60).status_code == 200
    [told] = watch(sandbox)

    assert told["order"]["last"] == []


def test_a_callback_that_nobody_called_is_not_counted_as_a_call(
    sandbox: Sandbox, place: Place, bearer: dict[str, str]
) -> None:
    place()
    wish = {"callbackNumbers": ["+15559876543"], "callbackUserName": "Sam", "queueId": named("queue/sales")}
    made = requests.post(f"{sandbox.url}/api/v2/conversations/callbacks", json=wish, headers=bearer, timeout=60)
    assert made.ok, made.text

    [told] = watch(sandbox)

    assert (told["order"]["total"], len(told["order"]["last"]), len(sandbox.calls())) == (1, 1, 1)


def test_a_telephone_that_declined_is_told_as_that(sandbox: Sandbox, place: Place) -> None:
    place("+15559870009")
    sandbox.advance(3)
    sandbox.phone("+15559870009", "decline")
    place("+15559870002")
    sandbox.advance(30)

    [told] = watch(sandbox)

    assert [told[f"call.{each['conversationId']}"]["outcome"] for each in sandbox.calls()] == ["declined", "busy"]
