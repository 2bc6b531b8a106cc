"""A notification channel made with the SDK, its WebSocket, and its events read into the SDK's own models."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ringonce.sandbox import Sandbox

pytestmark = pytest.mark.official_sdk

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
CALLS, CONVERSATIONS = f"v2.users.{ADA}.conversations.calls", f"v2.users.{ADA}.conversations"
MODELS = {CALLS: "ConversationCallEventTopicCallConversation", CONVERSATIONS: "ConversationEventTopicConversation"}


class Answer:
    """What the SDK reads its models from."""

    def __init__(self, body: Any) -> None:
        self.data = json.dumps(body)

    def getheader(self, name: str) -> str:
        return "application/json"


@pytest.fixture
def notifications(sdk: Any, client: Any) -> Any:
    return sdk.NotificationsApi(client)


@pytest.fixture
def topics(sdk: Any) -> Callable[..., list[Any]]:
    def named(*ids: str) -> list[Any]:
        wanted = [sdk.ChannelTopic() for _ in ids]
        for topic, id_ in zip(wanted, ids, strict=True):
            topic.id = id_
        return wanted

    return named


@pytest.fixture
def connect() -> Iterator[Callable[[str], Any]]:
    websocket = pytest.importorskip("websocket")
    opened = []

    def open_socket(uri: str) -> Any:
        opened.append(websocket.create_connection(uri, timeout=5))
        return opened[-1]

    yield open_socket
    for socket in opened:
        socket.close()


def until_the_end(client: Any, socket: Any, topic: str) -> list[Any]:
    """Read a topic's events into their model, up to the one that ends every leg."""
    seen: list[Any] = []
    while not seen or any(_state(leg) != "terminated" for leg in seen[-1].participants):
        frame = json.loads(socket.recv())
        if frame["topicName"] == topic:
            seen.append(client.deserialize(Answer(frame["eventBody"]), MODELS[topic]))
    return seen


def _state(leg: Any) -> str:
    state: str = leg.calls[0].state if hasattr(leg, "calls") else leg.state
    return state


def test_a_channel_is_for_a_day_and_can_be_listed(notifications: Any, sandbox: Sandbox) -> None:
    channel = notifications.post_notifications_channels()

    assert channel.connect_uri.startswith(f"ws://{sandbox.url.removeprefix('http://')}/")
    assert channel.connect_uri.endswith(f"/channels/{channel.id}")
    now = dt.datetime.fromtimestamp(sandbox.do(lambda world: world.now), dt.UTC)
    assert abs(channel.expires - now - dt.timedelta(days=1)) < dt.timedelta(seconds=1)
    assert [each.id for each in notifications.get_notifications_channels().entities] == [channel.id]


def test_topics_are_added_replaced_listed_and_taken_away(notifications: Any, topics: Callable[..., list[Any]]) -> None:
    channel = notifications.post_notifications_channels().id

    def listed() -> list[str]:
        return [each.id for each in notifications.get_notifications_channel_subscriptions(channel).entities]

    added = notifications.post_notifications_channel_subscriptions(channel, topics(CALLS))
    notifications.post_notifications_channel_subscriptions(channel, topics(CONVERSATIONS))
    assert [(each.id, each.state) for each in added.entities] == [(CALLS, "Permitted")]
    assert listed() == [CALLS, CONVERSATIONS]

    notifications.put_notifications_channel_subscriptions(channel, topics(CONVERSATIONS))
    assert listed() == [CONVERSATIONS]

    notifications.delete_notifications_channel_subscriptions(channel)
    assert listed() == []


def test_a_topic_that_does_not_exist(
    sdk: Any, notifications: Any, topics: Callable[..., list[Any]], refused: Callable[[int, str], Any]
) -> None:
    channel = notifications.post_notifications_channels().id
    wanted = topics(CALLS, "v2.conversations.anything")

    with refused(400, "notification.invalid.topic"):
        notifications.post_notifications_channel_subscriptions(channel, wanted)

    answers = notifications.post_notifications_channel_subscriptions(channel, wanted, ignore_errors=True).entities
    assert [each.state for each in answers] == ["Permitted", "Rejected"]
    assert answers[1].rejection_reason


@pytest.mark.parametrize("verb", ["post", "put"])
def test_a_call_is_heard_from_the_station_to_its_end(
    client: Any,
    notifications: Any,
    topics: Callable[..., list[Any]],
    connect: Callable[[str], Any],
    place: Callable[..., str],
    sandbox: Sandbox,
    verb: str,
) -> None:
    channel = notifications.post_notifications_channels()
    socket = connect(channel.connect_uri)
    getattr(notifications, f"{verb}_notifications_channel_subscriptions")(channel.id, topics(CALLS))

    conversation_id = place("6543", attributes={"crm": "4711"})
    sandbox.advance(30)

    heard = until_the_end(client, socket, CALLS)
    assert {event.id for event in heard} == {conversation_id}
    story = [tuple(leg.state for leg in event.participants) for event in heard]
    assert story == [
        ("contacting",),
        ("dialing", "dialing"),
        ("dialing", "contacting"),
        ("connected", "connected"),
        ("disconnected", "disconnected"),
        ("terminated", "terminated"),
    ]
    agent, far_end = heard[-1].participants
    assert (agent.user.id, agent.disconnect_type, far_end.disconnect_type) == (ADA, "peer", "endpoint")
    assert (far_end.attributes, far_end.direction) == ({"crm": "4711"}, "outbound")
    assert far_end.connected_time < far_end.end_time


def test_the_nested_topic_tells_the_same(
    client: Any,
    notifications: Any,
    topics: Callable[..., list[Any]],
    connect: Callable[[str], Any],
    place: Callable[..., str],
    sandbox: Sandbox,
) -> None:
    channel = notifications.post_notifications_channels()
    socket = connect(channel.connect_uri)
    notifications.put_notifications_channel_subscriptions(channel.id, topics(CONVERSATIONS))

    conversation_id = place("0002")
    sandbox.advance(30)

    heard = until_the_end(client, socket, CONVERSATIONS)
    assert {event.id for event in heard} == {conversation_id}
    assert [party.purpose for party in heard[-1].participants] == ["user", "external"]
    [reason] = heard[-1].participants[1].calls[0].disconnect_reasons
    assert (reason.type, reason.code, reason.phrase) == ("sip", 486, "Busy Here")


def test_one_subscription_can_name_several_topics(
    client: Any,
    notifications: Any,
    topics: Callable[..., list[Any]],
    connect: Callable[[str], Any],
    place: Callable[..., str],
    sandbox: Sandbox,
) -> None:
    channel = notifications.post_notifications_channels()
    socket = connect(channel.connect_uri)
    notifications.put_notifications_channel_subscriptions(
        channel.id, topics(f"v2.users.{ADA}?conversations.calls&conversations")
    )

    place("0004")
    sandbox.advance(30)

    assert until_the_end(client, socket, CALLS)
    heard = until_the_end(client, socket, CONVERSATIONS)
    assert heard[-1].participants[1].calls[0].error_info.code.endswith("dialplan.notReachable")


def test_the_socket_beats_and_answers_pings(
    notifications: Any, connect: Callable[[str], Any], sandbox: Sandbox
) -> None:
    socket = connect(notifications.post_notifications_channels().connect_uri)

    socket.send('{"message":"ping"}')
    assert json.loads(socket.recv()) == {"topicName": "channel.metadata", "eventBody": {"message": "pong"}}

    sandbox.advance(31)
    beat = json.loads(socket.recv())
    assert (beat["topicName"], beat["eventBody"]) == ("channel.metadata", {"message": "WebSocket Heartbeat"})


def test_what_can_be_subscribed_to_is_listed(notifications: Any) -> None:
    listed = {topic.id for topic in notifications.get_notifications_availabletopics().entities}

    assert {"v2.users.{id}.conversations.calls", "v2.users.{id}.conversations"} <= listed
