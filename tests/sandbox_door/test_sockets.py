"""Notification channels as a WebSocket client meets them."""

import asyncio
import itertools
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import requests

from ringonce.sandbox import Sandbox
from ringonce.sandbox.sockets import Outgoing

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
TOPIC = f"v2.users.{ADA}.conversations.calls"

Place = Callable[..., requests.Response]
Socket = aiohttp.ClientWebSocketResponse


@pytest.fixture
def channel(sandbox: Sandbox, bearer: dict[str, str]) -> str:
    """A channel that listens to Ada's calls; its address."""
    url = f"{sandbox.url}/api/v2/notifications/channels"
    made = requests.post(url, headers=bearer, timeout=60).json()
    requests.post(f"{url}/{made['id']}/subscriptions", json=[{"id": TOPIC}], headers=bearer, timeout=60)
    address: str = made["connectUri"]
    return address


def listen(address: str, story: Callable[[Socket], Awaitable[Any]]) -> Any:
    async def connected() -> Any:
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
            return await asyncio.wait_for(story(socket), 60)

    return asyncio.run(connected())


async def event(socket: Socket) -> dict[str, Any]:
    heard: dict[str, Any] = json.loads(await socket.receive_str())
    return heard


async def until_pong(socket: Socket) -> list[dict[str, Any]]:
    """Ask for a pong and give back everything that came before it."""
    await socket.send_str('{"message":"ping"}')
    heard = []
    while (one := await event(socket))["eventBody"] != {"message": "pong"}:
        heard.append(one)
    return heard


def test_a_channel_says_where_to_connect_on_the_sandboxs_own_origin(sandbox: Sandbox, channel: str) -> None:
    assert channel.startswith(sandbox.url.replace("http", "ws", 1) + "/")


def test_a_ping_is_answered(channel: str) -> None:
    async def ping(socket: Socket) -> dict[str, Any]:
        await socket.send_str('{"message":"ping"}')
        return await event(socket)

    assert listen(channel, ping) == {"topicName": "channel.metadata", "eventBody": {"message": "pong"}}


def test_a_heartbeat_comes_every_thirty_seconds_of_world_time(sandbox: Sandbox, channel: str) -> None:
    async def beats(socket: Socket) -> list[str]:
        sandbox.advance(61)
        return [one["eventBody"]["message"] for one in await until_pong(socket)]

    assert listen(channel, beats) == ["WebSocket Heartbeat"] * 2


def test_events_of_a_call_reach_the_channel(sandbox: Sandbox, channel: str, place: Place) -> None:
    async def follow(socket: Socket) -> list[dict[str, Any]]:
        await asyncio.to_thread(place)
        sandbox.advance(5)
        return await until_pong(socket)

    heard = listen(channel, follow)

    assert {one["topicName"] for one in heard} == {TOPIC}
    assert {one["eventBody"]["id"] for one in heard} == {sandbox.calls()[0]["conversationId"]}
    assert any(leg["state"] == "connected" for leg in heard[-1]["eventBody"]["participants"])


def test_a_second_socket_takes_the_channel_over(sandbox: Sandbox, channel: str) -> None:
    async def take_over(first: Socket) -> tuple[aiohttp.WSMsgType, list[dict[str, Any]]]:
        async with aiohttp.ClientSession() as session, session.ws_connect(channel) as second:
            closed = await first.receive()
            sandbox.advance(31)
            return closed.type, await until_pong(second)

    kind, heard = listen(channel, take_over)

    assert kind is aiohttp.WSMsgType.CLOSE
    assert len(heard) == 1


def test_a_channel_is_reached_below_any_prefix(channel: str) -> None:
    address = channel.replace("/channels/", "/some/gateway/channels/")

    assert listen(address, until_pong) == []


def test_a_text_frame_that_is_no_text_ends_the_socket_and_is_nobodys_mistake_here(
    channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[logging.LogRecord] = []
    monkeypatch.setattr(logging.getLogger("ringonce.sandbox"), "handle", reported.append)

    async def babble(socket: Socket) -> aiohttp.WSMessage:
        await socket.send_frame(b"\xff", aiohttp.WSMsgType.TEXT)
        return await socket.receive()

    assert listen(channel, babble)[:2] == (aiohttp.WSMsgType.CLOSE, 1007)
    assert reported == []


@pytest.mark.parametrize(
    "frame", [b'{"a":' * 20_000, b'{"message":"\xed\xa0\x80"}'], ids=["nested too deep", "no text"]
)
def test_a_frame_that_cannot_be_read_is_answered_and_the_socket_stays(channel: str, frame: bytes) -> None:
    async def babble(socket: Socket) -> list[dict[str, Any]]:
        await socket.send_bytes(frame)
        answer = await event(socket)
        return [answer, *await until_pong(socket)]

    (answer,) = listen(channel, babble)

    assert (answer["result"], answer["status"]) == ("400", "error")


def test_an_unknown_channel_is_not_found(sandbox: Sandbox) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        listen(f"{sandbox.url}/channels/streaming-0-nobody", until_pong)

    assert refused.value.status == 404


def test_a_socket_from_a_page_on_the_web_is_refused(channel: str) -> None:
    async def intrude() -> None:
        async with (
            aiohttp.ClientSession(headers={"Origin": "https://evil.example"}) as session,
            session.ws_connect(channel),
        ):
            pass

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        asyncio.run(intrude())
    assert refused.value.status == 403


def test_closing_sockets_leaves_the_channel(sandbox: Sandbox, channel: str) -> None:
    async def lose(socket: Socket) -> aiohttp.WSMsgType:
        sandbox.fault(action="close_socket")
        return (await socket.receive()).type

    assert listen(channel, lose) is aiohttp.WSMsgType.CLOSE
    assert listen(channel, until_pong) == []


def test_a_socket_closes_when_the_request_that_was_named_comes(sandbox: Sandbox, channel: str, place: Place) -> None:
    sandbox.fault(method="POST", path="/api/v2/conversations/calls*", action="close_socket", times=1)

    async def lose(socket: Socket) -> aiohttp.WSMsgType:
        assert await until_pong(socket) == []
        assert (await asyncio.to_thread(place)).status_code == 202
        return (await socket.receive()).type

    assert listen(channel, lose) is aiohttp.WSMsgType.CLOSE


def test_a_muted_socket_says_nothing_until_the_fault_is_taken_away(
    sandbox: Sandbox, channel: str, place: Place
) -> None:
    async def silence(socket: Socket) -> list[dict[str, Any]]:
        sandbox.fault(action="mute_socket")
        await asyncio.to_thread(place)
        sandbox.advance(3)
        sandbox.clear_faults()
        return await until_pong(socket)

    assert listen(channel, silence) == []


def test_duplicated_events_come_twice_until_the_fault_is_taken_away(
    sandbox: Sandbox, channel: str, place: Place
) -> None:
    async def double(socket: Socket) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        sandbox.fault(action="duplicate")
        await asyncio.to_thread(place)
        sandbox.advance(0.1)
        twice = await until_pong(socket)
        sandbox.clear_faults()
        sandbox.advance(4)
        return twice, await until_pong(socket)

    twice, once = listen(channel, double)

    assert twice[0] == twice[1]
    assert all(one != other for one, other in itertools.pairwise(once))


def test_reordered_events_come_late(sandbox: Sandbox, channel: str, place: Place) -> None:
    async def shuffle(socket: Socket) -> tuple[int, int]:
        sandbox.fault(action="reorder")
        await asyncio.to_thread(place)
        early = len(await until_pong(socket))
        sandbox.advance(0.3)
        return early, len(await until_pong(socket))

    early, late = listen(channel, shuffle)

    assert early == 0
    assert late > 0


def test_a_socket_that_does_not_read_is_given_up_and_holds_nobody_up() -> None:
    sent: list[dict[str, Any]] = []

    async def story() -> None:
        stuck = asyncio.Event()

        async def send(message: Any) -> None:
            sent.append(message)
            await stuck.wait()

        outgoing = Outgoing(most=100)
        pump = asyncio.create_task(outgoing.pump(send))
        for _ in range(50):
            outgoing.put(b"x" * 10)
            await asyncio.sleep(0)
        assert outgoing.overflowed.is_set()
        stuck.set()
        await asyncio.wait_for(pump, 60)

    asyncio.run(story())

    assert [message["type"] for message in sent] == ["websocket.send", "websocket.close"]
