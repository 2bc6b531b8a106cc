"""Notification channels: limits, silences and heartbeats."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.channels import CHANNELS_PER_OWNER, LIFETIME, TooManyTopicsError
from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.world import World

CALLS = f"v2.users.{ADA}.conversations.calls"


def nobody(_frame: bytes) -> None:
    """Listen, and do not care."""


def new_channel(ask: Any) -> str:
    status, channel = ask("POST", "/notifications/channels", b"null")
    assert status == 200
    channel_id: str = channel["id"]
    return channel_id


def subscribe(ask: Any, channel: str, *topics: str) -> Any:
    return ask("POST", f"/notifications/channels/{channel}/subscriptions", [{"id": topic} for topic in topics])


def test_the_connect_uri_leads_back_to_the_host_that_was_asked(ask: Any) -> None:
    ask.prefix = "/gateway"

    uri = ask("POST", "/notifications/channels", {})[1]["connectUri"]

    assert uri.startswith("ws://127.0.0.1:8080/gateway/channels/streaming-")


def test_a_heartbeat_every_thirty_seconds_and_a_pong_at_once(ask: Any, world: World) -> None:
    heard: list[bytes] = []
    channel = new_channel(ask)
    assert world.channels.attach(channel, heard.append)

    world.channels.hear(channel, b'{"message":"ping"}')
    world.advance(world.now + 61)

    said = [json.loads(frame)["eventBody"]["message"] for frame in heard]
    assert said == ["pong", "WebSocket Heartbeat", "WebSocket Heartbeat"]


def test_a_second_connection_takes_over(ask: Any, world: World) -> None:
    first: list[bytes] = []
    second: list[bytes] = []
    closed: list[str] = []
    channel = new_channel(ask)
    subscribe(ask, channel, CALLS)
    world.channels.attach(channel, first.append, lambda: closed.append("first"))
    world.channels.attach(channel, second.append)

    ask.place("6543")
    world.channels.detach(channel, first.append)
    world.advance(world.now + 40)

    assert closed == ["first"]
    assert first == []
    assert len(second) > 6


def test_an_unknown_channel_cannot_be_opened(world: World) -> None:
    assert world.channels.attach("streaming-0-unknown", print) is False


def test_the_twenty_first_channel_silently_evicts_the_one_unused_for_longest(
    ask: Any, world: World, listen: Callable[..., list[dict[str, Any]]]
) -> None:
    heard = listen()
    closed: list[str] = []
    oldest = ask("GET", "/notifications/channels")[1]["entities"][0]["id"]
    for _ in range(CHANNELS_PER_OWNER - 1):
        world.advance(world.now + 1)
        world.channels.attach(new_channel(ask), nobody, lambda: closed.append("closed"))
    assert ask("HEAD", f"/notifications/channels/{oldest}") == (200, None)

    world.advance(world.now + 1)
    for each in ask("GET", "/notifications/channels")[1]["entities"][1:]:
        ask("HEAD", f"/notifications/channels/{each['id']}")
    new_channel(ask)
    ask.place("6543")
    world.advance(world.now + 40)

    assert ask("HEAD", f"/notifications/channels/{oldest}")[0] == 404
    assert {each["topicName"] for each in heard} == {"channel.metadata"}
    assert closed == []


def test_channels_without_a_connection_are_evicted_first(ask: Any, world: World) -> None:
    connected = new_channel(ask)
    world.channels.attach(connected, nobody)
    world.advance(world.now + 5)
    unconnected = new_channel(ask)
    for _ in range(CHANNELS_PER_OWNER - 1):
        world.advance(world.now + 1)
        new_channel(ask)

    left = [each["id"] for each in ask("GET", "/notifications/channels")[1]["entities"]]

    assert connected in left
    assert unconnected not in left


def test_a_user_and_a_service_have_channels_of_their_own(ask: Any, ask_as: Callable[[str], Any]) -> None:
    channel = new_channel(ask)

    assert ask_as(ADA)("HEAD", f"/notifications/channels/{channel}")[0] == 404


def test_a_channel_ends_after_a_day(ask: Any, ask_as: Callable[[str], Any], world: World) -> None:
    closed: list[str] = []
    channel = new_channel(ask)
    world.channels.attach(channel, nobody, lambda: closed.append("closed"))

    world.advance(world.now + LIFETIME)

    assert closed == ["closed"]
    assert world.channels.attach(channel, nobody) is False


def test_subscriptions_are_added_replaced_listed_and_removed(ask: Any) -> None:
    channel = new_channel(ask)
    path = f"/notifications/channels/{channel}/subscriptions"
    other = f"v2.users.{ADA}.presence"

    def listed() -> list[str]:
        return [each["id"] for each in ask("GET", path)[1]["entities"]]

    subscribe(ask, channel, CALLS)
    subscribe(ask, channel, other)
    assert listed() == [CALLS, other]
    ask("PUT", path, [{"id": other}])
    assert listed() == [other]
    assert ask("DELETE", path) == (200, None)
    assert listed() == []
    assert ask("POST", path, b"null") == (200, {"entities": []})


def test_one_subscription_can_stand_for_many_topics(ask: Any, world: World) -> None:
    heard: list[bytes] = []
    channel = new_channel(ask)
    world.channels.attach(channel, heard.append)
    subscribe(ask, channel, f"v2.users.{ADA}?conversations.calls&conversations")

    ask.place("6543")
    world.advance(world.now + 0.1)

    assert [json.loads(frame)["topicName"] for frame in heard] == [CALLS, f"v2.users.{ADA}.conversations"]


@pytest.mark.parametrize(
    "topic",
    [
        pytest.param("v2.nothing", id="no such topic"),
        pytest.param(f"v2.users.{named('nobody')}.conversations", id="no such user"),
        pytest.param(f"v2.users.{ADA}.dreams", id="no such thing of a user"),
        pytest.param(f"v2.users.{ADA}?", id="nothing after the question mark"),
        pytest.param("x" * 201, id="too long"),
        pytest.param("", id="empty"),
    ],
)
def test_a_topic_that_is_not_to_be_had(ask: Any, topic: str) -> None:
    channel = new_channel(ask)

    status, answer = subscribe(ask, channel, CALLS, topic)

    assert (status, answer["code"]) == (400, "notification.invalid.topic")
    assert ask("GET", f"/notifications/channels/{channel}/subscriptions")[1] == {"entities": []}


def test_more_than_a_thousand_topics_are_too_many() -> None:
    world = World(now=0.0)
    channel = world.channels.create(("client", ""))
    world.channels.subscribe(channel, [f"v2.users.{index}.presence" for index in range(1_000)])

    with pytest.raises(TooManyTopicsError):
        world.channels.subscribe(channel, ["v2.users.one-more.presence"])

    assert not world.channels.heard("v2.users.one-more.presence")


def test_what_somebody_listens_to_is_known_until_the_last_one_goes() -> None:
    world = World(now=0.0)
    first, second = (world.channels.create((client, "")) for client in ("one", "another"))
    world.channels.subscribe(first, ["v2.users.ada?presence&station", "v2.routing.queues.sales.users"])
    world.channels.subscribe(second, ["v2.users.ada.presence", "v2.detail.events.conversation.c-1.acw"])

    def known() -> list[str]:
        return world.channels.heard_of(["ada", "grace", "sales", "c-1"])

    assert known() == ["ada", "sales", "c-1"]
    world.channels.unsubscribe(first)
    assert known() == ["ada", "c-1"]
    world.channels.unsubscribe(second)
    assert known() == []


def test_the_socket_takes_subscriptions_and_answers_nonsense(ask: Any, world: World) -> None:
    heard: list[bytes] = []
    channel = new_channel(ask)
    world.channels.attach(channel, heard.append)

    for frame in (
        json.dumps({"message": "subscribe", "topics": [CALLS], "correlationId": "c-1"}).encode(),
        b'{"message":"subscribe","topics":["nonsense"]}',
        b'{"message":"subscribe","topics":"v2.users"}',
        b'{"message":"dance"}',
        b"\xff not json",
    ):
        world.channels.hear(channel, frame)
    world.channels.hear("streaming-0-unknown", b"{}")

    answers = [json.loads(frame) for frame in heard]
    assert answers[0] == {"result": "200", "status": "subscribed", "correlationId": "c-1"}
    assert [answer["result"] for answer in answers[1:]] == ["400", "400", "400", "400"]
    assert "`$.topics`" in answers[2]["message"]
    assert ask("GET", f"/notifications/channels/{channel}/subscriptions")[1]["entities"][0]["id"] == CALLS


def test_trouble_on_request_mute_close_duplicate_reorder(
    ask: Any, world: World, listen: Callable[..., list[dict[str, Any]]]
) -> None:
    heard = listen()
    world.channels.mute()
    ask.place("0009")
    world.advance(world.now + 0.1)
    assert heard == []
    world.channels.mute(on=False)

    world.channels.duplicate = 1.0
    world.advance(world.now + 1.2)
    assert [each["eventBody"]["participants"][0]["state"] for each in heard] == ["dialing", "dialing"]

    world.channels.duplicate, world.channels.reorder = 0.0, 1.0
    heard.clear()
    world.phone("+15559870009", "answer")
    world.channels.reorder = 0.0
    world.phone("+15559870009", "hangup")
    world.advance(world.now + 1)
    states = [each["eventBody"]["participants"][0]["state"] for each in heard]
    assert states.index("disconnected") < states.index("connected")

    world.channels.close()
    heard.clear()
    ask.place("0009")
    assert heard == []
