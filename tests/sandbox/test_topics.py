"""What the topics tell besides calls, who may hear it, and how a connection ends."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ringonce.sandbox.channels import CLOSING_NOTICE, LIFETIME
from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.presences import ON_QUEUE
from ringonce.sandbox.topics import CATALOGUE
from ringonce.sandbox.world import World

GRACE, HEDY = named("user/grace"), named("user/hedy")
SALES, HOT_DESK = named("queue/sales"), named("station/hot-desk")
SALE = named("wrapup-code/Sale")


@pytest.fixture
def hear(ask: Any, world: World) -> Callable[..., list[tuple[str, Any]]]:
    """Listen to topics; the list fills with their names and bodies."""

    def listen(*topics: str) -> list[tuple[str, Any]]:
        heard: list[tuple[str, Any]] = []

        def take(frame: bytes) -> None:
            event = msgspec.json.decode(frame)
            heard.append((event["topicName"], event["eventBody"]))

        channel = ask("POST", "/notifications/channels")[1]["id"]
        world.channels.attach(channel, take)
        wanted = [{"id": topic} for topic in topics]
        assert ask("POST", f"/notifications/channels/{channel}/subscriptions", wanted)[0] == 200
        return heard

    return listen


def names(heard: list[tuple[str, Any]], stem: str) -> list[str]:
    return [topic.removeprefix(stem) for topic, _ in heard if topic.startswith(stem)]


def test_presence_routing_status_and_activity_are_told_as_they_change(ask: Any, hear: Callable[..., Any]) -> None:
    heard = hear(f"v2.users.{ADA}?presence&routingStatus&activity")

    ask("PATCH", f"/users/{ADA}/presences/PURECLOUD", {"presenceDefinition": {"id": ON_QUEUE}, "message": "here"})
    ask("PATCH", f"/users/{ADA}/presences/PURECLOUD", {"presenceDefinition": {"id": ON_QUEUE}})

    assert names(heard, f"v2.users.{ADA}.") == ["presence", "activity", "routingStatus", "activity"]
    assert heard[0][1]["presenceDefinition"] == {"id": ON_QUEUE, "systemPresence": "ON_QUEUE"}
    assert heard[0][1]["message"] == "here"
    assert heard[2][1]["routingStatus"]["status"] == "IDLE"
    assert SALES in heard[3][1]["activeQueueIds"]


def test_a_station_is_told_with_whoever_sits_there(ask: Any, hear: Callable[..., Any]) -> None:
    heard = hear(f"v2.users.{ADA}.station")

    ask("PUT", f"/users/{ADA}/station/associatedstation/{HOT_DESK}")
    ask("DELETE", f"/users/{ADA}/station/associatedstation")

    station = {"id": HOT_DESK, "name": "Hot desk", "associatedUser": {"id": ADA}}
    assert [body for _, body in heard] == [{"associatedStation": station}, {}]


def test_the_summary_counts_calls_and_the_work_after_them(ask: Any, hear: Callable[..., Any], world: World) -> None:
    heard = hear(f"v2.users.{ADA}.conversationsummary")

    ask.place("0006", callFromQueueId=SALES)
    world.advance(world.now + 0.5)
    ask.place("0004")
    world.advance(world.now + 20)

    told = [
        (
            body["call"]["contactCenter"]["active"],
            body["call"]["contactCenter"]["acw"],
            body["call"]["enterprise"]["active"],
        )
        for _, body in heard
    ]
    assert told[:2] == [(1, 0, 0), (1, 0, 1)]
    assert told[-1] == (0, 1, 0)
    assert ask("GET", f"/users/{ADA}?expand=conversationSummary")[1]["conversationSummary"] == heard[-1][1]


def test_a_queue_tells_its_calls_and_its_members(ask: Any, hear: Callable[..., Any], world: World) -> None:
    heard = hear(f"v2.routing.queues.{SALES}?conversations&conversations.calls&users")

    ask("PATCH", f"/users/{ADA}/queues/{SALES}", {"joined": False})
    call = ask.place("6543", callFromQueueId=SALES)
    ask.place("6543")

    topics = names(heard, f"v2.routing.queues.{SALES}.")
    assert topics == ["users", "conversations.calls", "conversations"]
    assert heard[0][1] == {"id": ADA, "user": {"id": ADA}, "queueId": SALES, "joined": False}
    assert heard[1][1]["id"] == heard[2][1]["id"] == call


def test_detail_events_tell_each_beginning_and_each_end_once(ask: Any, hear: Callable[..., Any], world: World) -> None:
    call = ask.place("6543", callFromQueueId=SALES, attributes={"crm": "4711"}, externalContactId=GRACE)
    stem = f"v2.detail.events.conversation.{call}."
    tails = "user.start&user.end&customer.start&customer.end&acw&wrapup&attributes&contact"
    heard = hear(f"{stem.removesuffix('.')}?{tails}")

    world.advance(world.now + 30)
    leg = ask.call(call)["participants"][0]["id"]
    ask("PATCH", f"/conversations/calls/{call}/participants/{leg}", {"wrapup": {"code": SALE, "notes": "sold"}})
    world.advance(world.now + 5)

    told = [topic for topic in names(heard, stem) if topic != "user.start"]
    assert told == ["customer.start", "contact", "attributes", "user.end", "customer.end", "wrapup", "acw"]
    bodies = {topic.removeprefix(stem): body for topic, body in heard}
    assert bodies["attributes"]["attributes"] == {"crm": "4711"}
    assert (bodies["user.end"]["disconnectType"], bodies["customer.end"]["disconnectType"]) == ("PEER", "ENDPOINT")
    assert bodies["customer.end"]["interactingDurationMs"] == pytest.approx(8_000, abs=5)
    assert bodies["user.end"]["contactingDurationMs"] == pytest.approx(1_190, abs=5)
    assert (bodies["wrapup"]["wrapupCode"], bodies["acw"]["wrapupNotes"]) == (SALE, "sold")


def test_whoever_listens_late_hears_no_old_details(ask: Any, hear: Callable[..., Any], world: World) -> None:
    call = ask.place("0000")
    world.advance(world.now + 10)

    heard = hear(f"v2.detail.events.conversation.{call}?user.start&customer.start&customer.end")
    world.phone("+15559870000", "hangup")
    world.advance(world.now + 5)

    assert names(heard, f"v2.detail.events.conversation.{call}.") == ["customer.end"]


def test_the_catalogue_says_as_much_as_is_asked(ask: Any) -> None:
    plain = ask("GET", "/notifications/availabletopics")[1]["entities"]
    whole = ask("GET", "/notifications/availabletopics", expand="description,requiresPermissions,dreams")[1]["entities"]

    assert plain == [{"id": template} for template in CATALOGUE]
    assert whole[0] == {
        "id": "v2.users.{id}.conversations",
        "description": "Every conversation of a user, nested",
        "requiresPermissions": ["conversation:communication:view"],
    }


@pytest.mark.parametrize(
    ("topic", "missing"),
    [
        (f"v2.detail.events.conversation.{ADA}.user.start", "analytics:conversationDetail:view"),
        (f"v2.users.{ADA}.tokens", ""),
        (f"v2.users.{GRACE}.presence", None),
        (f"v2.users.{HEDY}.conversations", None),
    ],
)
def test_a_topic_is_heard_by_who_may(ask_as: Callable[[str], Any], topic: str, missing: str | None) -> None:
    hedy = ask_as(HEDY)
    path = f"/notifications/channels/{hedy('POST', '/notifications/channels')[1]['id']}/subscriptions"

    status, problem = hedy("POST", path, [{"id": topic}])
    told = hedy("POST", path, [{"id": topic}], ignoreErrors="true")[1]["entities"][0]

    if missing is None:
        assert (status, told["state"]) == (200, "Permitted")
    else:
        assert (status, problem["code"]) == (
            (403, "missing.permissions") if missing else (400, "notification.invalid.topic")
        )
        assert (told["state"], told["missingPermissions"]) == ("Rejected", [missing] if missing else [])


def test_the_socket_refuses_what_the_request_would(ask_as: Callable[[str], Any], world: World) -> None:
    heard: list[bytes] = []
    channel = ask_as(HEDY)("POST", "/notifications/channels")[1]["id"]
    world.channels.attach(channel, heard.append)

    for topic in (f"v2.users.{HEDY}.tokens", f"v2.users.{ADA}.tokens", "v2.users.nobody.presence"):
        world.channels.hear(channel, json.dumps({"message": "subscribe", "topics": [topic]}).encode())

    assert [json.loads(frame)["result"] for frame in heard] == ["200", "400", "400"]


def test_a_token_sees_its_own_channels_and_that_there_are_others(ask_as: Callable[[str], Any]) -> None:
    one, other = ask_as(ADA), ask_as(ADA)
    mine = one("POST", "/notifications/channels")[1]
    other("POST", "/notifications/channels")

    assert one("GET", "/notifications/channels")[1]["entities"] == [mine]
    everything = one("GET", "/notifications/channels?includechannels=oauthclient")[1]["entities"]
    assert [sorted(each) for each in everything] == [["connectUri", "expires", "id"], ["expires"]]
    assert one("GET", "/notifications/channels?includechannels=all")[0] == 400


def test_a_channel_says_a_minute_before_that_it_ends(hear: Callable[..., Any], world: World) -> None:
    heard = hear(f"v2.users.{ADA}.presence")

    world.advance(world.now + LIFETIME - CLOSING_NOTICE)

    assert [topic for topic, _ in heard].count("v2.system.socket_closing") == 1


def test_a_planned_end_spares_whoever_connects_again(ask: Any, world: World) -> None:
    closed: list[str] = []
    frames: list[bytes] = []
    channels = [ask("POST", "/notifications/channels")[1]["id"] for _ in range(2)]
    for channel in channels:
        world.channels.attach(channel, frames.append, lambda channel=channel: closed.append(channel))  # type: ignore[misc]  # a default argument binds the loop's value

    world.channels.announce_closing()
    world.advance(world.now + 5)
    world.channels.attach(channels[0], lambda _: None, lambda: closed.append("the new one"))
    world.advance(world.now + 60)

    assert [json.loads(frame)["topicName"] for frame in frames[:2]] == ["v2.system.socket_closing"] * 2
    assert closed == channels
