"""Transfers, conferences and callbacks: every view and event of every moment is in the official SDK's models."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from official_sdk.conformance.walk import misfits
from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.presences import ON_QUEUE
from ringonce.sandbox.world import World

pytestmark = [pytest.mark.official_sdk, pytest.mark.usefixtures("sdk")]

GRACE, MARGARET, SALES, SUPPORT = (
    named(each) for each in ("user/grace", "user/margaret", "queue/sales", "queue/support")
)
VIEWS = {
    "/conversations/{}": "Conversation",
    "/conversations/calls/{}": "CallConversation",
    "/conversations/callbacks/{}": "CallbackConversation",
    "/analytics/conversations/{}/details": "AnalyticsConversationWithoutAttributes",
}
EVENTS = {
    "conversations": "ConversationEventTopicConversation",
    "conversations.calls": "ConversationCallEventTopicCallConversation",
    "conversations.callbacks": "ConversationCallbackEventTopicCallbackConversation",
}


class Watched:
    """A world in which nothing goes by unread."""

    def __init__(self, world: World, ask: Any, heard: list[dict[str, Any]]) -> None:
        self._world, self._ask, self._heard, self._read = world, ask, heard, 0
        self.wrong: list[str] = []
        self.seen = 0

    def live(self, seconds: float) -> None:
        """Let time pass, and read every view and event of every moment of it."""
        world = self._world
        end = world.now + seconds
        while (due := world.next_at()) is not None and due <= end:
            world.advance(due)
            self.wrong += self._look()
        world.advance(end)

    def _look(self) -> Iterator[str]:
        for conversation_id in self._world.exchange.conversations:
            for path, model in VIEWS.items():
                status, answer = self._ask("GET", path.format(conversation_id))
                if status == 200:
                    self.seen += 1
                    yield from misfits(answer, model, model)
        news, self._read = self._heard[self._read :], len(self._heard)
        for event in news:
            tail = event["topicName"].partition("conversations")
            if tail[1]:
                self.seen += 1
                model = EVENTS[tail[1] + tail[2]]
                yield from misfits(event["eventBody"], model, model)


@pytest.fixture
def watched(world: World, ask: Any, listen: Callable[..., list[dict[str, Any]]]) -> Iterator[Watched]:
    world.rate_limit = None
    watching = Watched(world, ask, listen(*EVENTS))
    yield watching
    assert watching.wrong == []
    assert watching.seen > 20


def leg(ask: Any, call: str, index: int) -> str:
    return f"/conversations/calls/{call}/participants/{ask.call(call)['participants'][index]['id']}"


def test_a_consult_in_all_its_ways(ask: Any, ask_as: Callable[[str], Any], watched: Watched) -> None:
    ada, call = ask_as(ADA), ask.place("0000", callFromQueueId=SALES)
    watched.live(5)
    customer = leg(ask, call, 1)

    ada("POST", f"{customer}/consult", {"speakTo": "DESTINATION", "destination": {"userId": MARGARET}})
    watched.live(65)
    ada("POST", f"{customer}/consult", {"speakTo": "OBJECT", "destination": {"address": "+15559870000"}})
    watched.live(5)
    ada("PATCH", leg(ask, call, 0), {"state": "disconnected"})
    watched.live(5)
    ask("POST", f"/conversations/{call}/disconnect")
    watched.live(5)


@pytest.mark.parametrize("transfer_type", ["Attended", "Unattended"])
def test_transfers_to_everybody(ask: Any, watched: Watched, transfer_type: str) -> None:
    for target in ({"userId": GRACE}, {"address": "+15559870002"}, {"userId": GRACE, "voicemail": True}):
        call = ask.place("6543", callFromQueueId=SALES)
        watched.live(5)
        assert ask("POST", f"{leg(ask, call, 0)}/replace", target | {"transferType": transfer_type})[0] == 202
        watched.live(30)


def test_a_conference_from_beginning_to_end(ask: Any, ask_as: Callable[[str], Any], watched: Watched) -> None:
    calls = [ask.place("0000", callFromQueueId=SALES), ask.place("0008")]
    watched.live(4)

    conference = ask_as(ADA)("POST", "/conversations/calls", {"conversationIds": calls})[1]["id"]
    watched.live(2)
    more = {"participants": [{"address": "+15559870005"}, {"userId": GRACE}, {"queueId": SUPPORT}]}
    assert ask("POST", f"/conversations/calls/{conference}/participants/user/{ADA}", more)[0] == 200
    watched.live(30)
    ask("DELETE", f"/conversations/{conference}")
    watched.live(5)


def test_a_callback_from_the_wish_to_the_wrap_up(
    world: World, ask: Any, ask_as: Callable[[str], Any], watched: Watched
) -> None:
    ada = ask_as(ADA)
    world.directory.be(MARGARET, ON_QUEUE)
    wish = {
        "queueId": SUPPORT,
        "callbackNumbers": ["+15559870006"],
        "callbackUserName": "Ida Tarbell",
        "callbackScheduledTime": dt.datetime.fromtimestamp(world.now + 60, dt.UTC).isoformat(),
        "callerId": "+15551230002",
        "callerIdName": "Example Support",
        "scriptId": SALES,
        "data": {"crm": "4711"},
    }
    callback = ask("POST", "/conversations/callbacks", wish)[1]["conversation"]["id"]
    watched.live(130)
    ask("POST", f"/conversations/{callback}/assign", {"id": ADA})
    watched.live(1)
    mine = ask("GET", f"/conversations/callbacks/{callback}")[1]["participants"][-1]["id"]
    path = f"/conversations/callbacks/{callback}/participants/{mine}"

    ada("PATCH", path, {"state": "connected"})
    watched.live(1)
    assert ada("POST", f"/conversations/calls/{callback}")[0] == 200
    watched.live(10)
    ada("PATCH", path, {"state": "disconnected"})
    watched.live(1)
    ada("PATCH", path, {"wrapup": {"code": named("wrapup-code/Reached"), "notes": "glad"}})
    watched.live(5)
    assert ask("GET", f"{path}/wrapup")[0] == 200


def test_flags_tags_and_data(ask: Any, watched: Watched) -> None:
    call = ask.place("0000")
    watched.live(5)
    party = ask("GET", f"/conversations/{call}")[1]["participants"][0]

    ask("PUT", f"/conversations/{call}/participants/{party['id']}/flaggedreason")
    ask("PUT", f"{leg(ask, call, 0)}/communications/{party['calls'][0]['id']}/uuidata", {"uuiData": "00ab"})
    ask("PUT", f"/conversations/{call}/tags", {"externalTag": "order-1"})
    ask("PATCH", f"/conversations/{call}/recordingstate", {"recordingState": "PAUSED"})
    watched.live(5)

    shown = ask.call(call)["participants"][0]
    assert (shown["flaggedReason"], shown["uuiData"], shown["recordingState"]) == ("general", "00ab", "paused")
