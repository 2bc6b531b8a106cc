"""Everything the sandbox sends is in the official SDK's models: every key, every type and every enum value."""

from collections.abc import Callable
from typing import Any

import pytest

from official_sdk.conformance.walk import misfits
from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.http import Request
from ringonce.sandbox.stories import STORIES
from ringonce.sandbox.world import World

pytestmark = [pytest.mark.official_sdk, pytest.mark.usefixtures("sdk")]

GRACE, SALES = named("user/grace"), named("queue/sales")


def fits(value: Any, type_: str) -> None:
    """Fail with every misfit."""
    assert list(misfits(value, type_, type_)) == []


EVENT_MODELS = {
    "callbacks": "ConversationCallbackEventTopicCallbackConversation",
    "calls": "ConversationCallEventTopicCallConversation",
    "conversations": "ConversationEventTopicConversation",
}


def test_the_walk_finds_what_is_wrong() -> None:
    wrong = {"id": 7, "participants": [{"state": "humming"}], "colour": "red", "recordingState": "ACTIVE"}

    found = list(misfits(wrong, "CallConversation", "call"))

    assert len(found) == 4


def watch(world: World, ask: Any, conversation_id: str, heard: list[dict[str, Any]]) -> None:
    """Let a call live to its end, and hold every view of it after every change against the models."""
    checked, began = 0, world.now
    while (due := world.next_at()) is not None and due < began + 120:
        world.advance(due)
        fits(ask.call(conversation_id), "CallConversation")
        fits(ask("GET", f"/conversations/{conversation_id}")[1], "Conversation")
        for event in heard[checked:]:
            if event["topicName"] != "channel.metadata":
                fits(event["eventBody"], EVENT_MODELS[event["topicName"].rpartition(".")[2]])
        checked = len(heard)
    assert checked > 1
    fits(
        ask(
            "POST", "/analytics/conversations/details/query", {"interval": "2026-01-01T00:00:00Z/2027-01-01T00:00:00Z"}
        )[1],
        "AnalyticsConversationQueryResponse",
    )


@pytest.mark.parametrize("queue", [None, SALES], ids=["in person", "for a queue"])
@pytest.mark.parametrize("digits", [*STORIES, "6543"])
def test_every_moment_of_every_story(
    world: World,
    ask: Any,
    ask_as: Callable[[str], Any],
    listen: Callable[..., list[dict[str, Any]]],
    digits: str,
    queue: str | None,
) -> None:
    world.rate_limit = None
    heard = listen("conversations.calls", "conversations")
    extra = {"callFromQueueId": queue} if queue else {}
    ada = ask_as(ADA)

    conversation_id = ask.place(digits, attributes={"key": "value"}, uuiData="u", externalContactId=ADA, **extra)
    fits(ada("GET", "/conversations/calls")[1], "CallConversationEntityListing")
    fits(ada("GET", "/conversations")[1], "ConversationEntityListing")
    watch(world, ask, conversation_id, heard)

    fits(ada("GET", "/conversations/calls/history")[1], "CallHistoryConversationEntityListing")


def test_everything_that_can_be_done_to_a_call(
    world: World, ask: Any, listen: Callable[..., list[dict[str, Any]]]
) -> None:
    world.rate_limit = None
    heard = listen("conversations.calls", "conversations")
    conversation_id = ask.place("0000", callFromQueueId=SALES)
    world.advance(world.now + 5)
    base = f"/conversations/calls/{conversation_id}"
    leg = f"{base}/participants/{ask.call(conversation_id)['participants'][0]['id']}"
    nested = ask("GET", f"/conversations/{conversation_id}")[1]
    communication = nested["participants"][0]["calls"][0]["id"]

    for change in ({"held": True}, {"held": False}, {"muted": True}, {"recording": True}, {"confined": True}):
        assert ask("PATCH", leg, change)[0] == 202
        world.advance(world.now + 0.4)
        fits(ask.call(conversation_id), "CallConversation")
        fits(ask("GET", f"/conversations/{conversation_id}")[1], "Conversation")
    fits(ask("PATCH", base, {"recordingState": "PAUSED"})[1], "Conversation")
    fits(ask("PATCH", f"{leg}/attributes", {"attributes": {"a": "b"}})[1], "ParticipantAttributes")
    assert ask("PUT", f"/conversations/{conversation_id}/tags", {"externalTag": "crm-1"})[0] == 202
    fits(ask("GET", f"{leg}/wrapupcodes")[1], "list[WrapupCode]")
    assert ask("POST", f"{leg}/replace", {"userId": GRACE})[0] == 202
    world.advance(world.now + 5)
    filed = {"code": named("wrapup-code/Sale"), "notes": "sold", "tags": ["one"], "durationSeconds": 4}
    assert ask("POST", f"{leg}/communications/{communication}/wrapup", filed)[0] == 202
    world.advance(world.now + 1)
    fits(ask("GET", f"{leg}/wrapup")[1], "AssignedWrapupCode")
    assert ask("DELETE", f"/conversations/{conversation_id}")[0] == 204
    watch(world, ask, conversation_id, heard)


@pytest.mark.parametrize(
    ("path", "model"),
    [
        (f"/users/{ADA}?expand=station,presence,routingStatus", "User"),
        ("/users?pageSize=5&expand=station,presence,routingStatus", "UserEntityListing"),
        (f"/users/{ADA}/station", "UserStations"),
        (f"/users/{ADA}/queues", "UserQueueEntityListing"),
        (f"/users/{ADA}/routingstatus", "RoutingStatus"),
        (f"/users/{ADA}/presences/PURECLOUD", "UserPresence"),
        ("/authorization/subjects/me", "AuthzSubject"),
        ("/stations", "StationEntityListing"),
        (f"/stations/{named('station/ada')}", "Station"),
        ("/routing/queues", "QueueEntityListing"),
        (f"/routing/queues/{SALES}", "Queue"),
        (f"/routing/queues/{SALES}/members", "QueueMemberEntityListing"),
        (f"/routing/queues/{SALES}/wrapupcodes", "WrapupCodeEntityListing"),
        ("/routing/wrapupcodes", "WrapupCodeEntityListing"),
        (f"/routing/wrapupcodes/{named('wrapup-code/Sale')}", "WrapupCode"),
        ("/telephony/providers/edges/dids", "DIDEntityListing"),
        (f"/telephony/providers/edges/dids/{named('did/+15551234567')}", "DID"),
        ("/telephony/providers/edges/didpools", "DIDPoolEntityListing"),
        ("/telephony/providers/edges/didpools/dids?type=ASSIGNED_AND_UNASSIGNED", "DIDNumberEntityListing"),
        ("/notifications/availabletopics", "AvailableTopicEntityListing"),
        ("/notifications/channels", "ChannelEntityListing"),
        ("/conversations/calls/maximumconferenceparties", "MaxParticipants"),
        ("/tokens/me", "TokenInfo"),
    ],
)
def test_what_there_is(ask: Any, path: str, model: str) -> None:
    assert ask("POST", "/notifications/channels")[0] == 200

    status, answer = ask("GET", path)

    assert status == 200, answer
    fits(answer, model)


def test_a_user_and_their_search(ask: Any, ask_as: Callable[[str], Any]) -> None:
    found = ask("POST", "/users/search", {"query": [{"fields": ["email"], "type": "CONTAINS", "value": "example"}]})

    fits(found[1], "UsersSearchResponse")
    fits(ask_as(ADA)("GET", "/users/me?expand=station,presence,routingStatus")[1], "UserMe")


def test_channels_and_what_they_listen_to(ask: Any) -> None:
    channel = ask("POST", "/notifications/channels")[1]
    topics = [{"id": f"v2.users.{ADA}.conversations.calls"}, {"id": "v2.no.such.topic"}]

    answer = ask("POST", f"/notifications/channels/{channel['id']}/subscriptions", topics, ignoreErrors="true")[1]

    fits(channel, "Channel")
    fits(answer, "ChannelTopicEntityListing")
    fits(ask("GET", f"/notifications/channels/{channel['id']}/subscriptions")[1], "ChannelTopicEntityListing")


def test_every_refusal(world: World, ask: Any, ask_limited: Any) -> None:
    call = f"/conversations/calls/user/{ADA}"
    refusals = [
        ask("GET", "/nowhere"),
        ask("PUT", "/users/me"),
        ask("GET", "/users/me"),
        ask("POST", call, {"phoneNumber": 7}),
        ask("POST", call, b"{"),
        ask("POST", call, {"phoneNumber": "+15559876543", "callUserId": GRACE}),
        ask("GET", "/conversations/calls/unknown"),
        ask("POST", "/users/search", {"query": [{"type": "SOUNDS_LIKE", "fields": ["name"], "value": "a"}]}),
        ask_limited("POST", call, {"phoneNumber": "+15559876543"}),
    ]
    world.rate_limit = 1
    refusals.append(ask("GET", "/tokens/me"))

    for status, body in refusals:
        fits(body, "ErrorBody")
        assert body["status"] == status >= 400
    assert len({body["code"] for _, body in refusals}) > 6


def test_an_expired_token_is_refused_in_the_platforms_words(world: World, ask: Any) -> None:
    world.tokens.expire()

    status, body = ask("GET", "/tokens/me")

    assert (status, body["code"]) == (401, "credentials.expired")
    fits(body, "ErrorBody")
    reply = ask.desk.handle(Request("GET", "/api/v2/tokens/me"))
    assert reply.status == 401
