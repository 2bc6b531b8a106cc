"""Every event of every topic of the catalogue is in the official SDK's model for it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from official_sdk.conformance.walk import misfits
from ringonce.sandbox import Sandbox
from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.presences import AVAILABLE, ON_QUEUE
from ringonce.sandbox.topics import CATALOGUE
from ringonce.sandbox.world import World

pytestmark = [pytest.mark.official_sdk, pytest.mark.usefixtures("sdk")]

SALES, SALE, HOT_DESK = named("queue/sales"), named("wrapup-code/Sale"), named("station/hot-desk")
# Nothing in the sandbox sets these off: no phone keeps a connection up, and tokens come and go unheard.
NEVER_TOLD = {"v2.users.{id}.persistentconnection", "v2.users.{id}.tokens"}


class Reporter:
    """Listens to everything that there is to hear, by the template of its topic."""

    def __init__(self, world: World) -> None:
        self.heard: dict[str, list[Any]] = {}
        self._world = world
        publish = world.channels.publish
        topics = self._template

        def take(topic: str, body: dict[str, Any]) -> None:
            self.heard.setdefault(topics(topic), []).append(msgspec.json.decode(msgspec.json.encode(body)))
            publish(topic, body)

        self._patched: dict[str, Any] = {
            "publish": take,
            "heard": lambda _: True,
            "heard_of": list,
            "listeners": {"everything": {}},
        }
        self._real = {name: getattr(world.channels, name) for name in self._patched}
        for name, do in self._patched.items():
            setattr(world.channels, name, do)

    def leave(self) -> None:
        """Stop listening."""
        for name, do in self._real.items():
            setattr(self._world.channels, name, do)

    @staticmethod
    def _template(topic: str) -> str:
        for stem in ("v2.users.", "v2.routing.queues.", "v2.detail.events.conversation."):
            if topic.startswith(stem):
                return f"{stem}{{id}}.{topic.removeprefix(stem).partition('.')[2]}"
        raise AssertionError(topic)


@pytest.fixture
def everything(sdk: Any, client: Any, sandbox: Sandbox, place: Callable[..., str]) -> dict[str, list[Any]]:
    """What is heard of a day in which everything happens once."""
    reporter = sandbox.do(Reporter)
    users, routing, presence = sdk.UsersApi(client), sdk.RoutingApi(client), sdk.PresenceApi(client)
    conversations = sdk.ConversationsApi(client)

    def go(presence_id: str) -> None:
        body = sdk.UserPresence()
        body.presence_definition = sdk.PresenceDefinition()
        body.presence_definition.id = presence_id
        presence.patch_user_presence(ADA, "PURECLOUD", body)

    member, forwarding = sdk.QueueMember(), sdk.CallForwarding()
    member.joined = False
    forwarding.enabled, forwarding.calls, forwarding.voicemail = True, [], "NONE"
    routing.patch_routing_queue_member(SALES, ADA, member)
    member.joined = True
    routing.patch_routing_queue_member(SALES, ADA, member)
    users.put_user_callforwarding(ADA, forwarding)
    users.put_user_station_associatedstation_station_id(ADA, HOT_DESK)
    call = place("6543", call_from_queue_id=SALES, attributes={"crm": "4711"}, external_contact_id=ADA)
    place("0005")
    sandbox.advance(60)
    filed, wrapup = sdk.MediaParticipantRequest(), sdk.Wrapup()
    wrapup.code, wrapup.notes = SALE, "sold"
    filed.wrapup = wrapup
    leg = conversations.get_conversation(call).participants[0].id
    conversations.patch_conversations_call_participant(call, leg, filed)
    sandbox.advance(5)
    go(ON_QUEUE)
    callback = sdk.CreateCallbackCommand()
    callback.queue_id, callback.callback_numbers, callback.callback_user_name = SALES, ["+15559870000"], "Bo"
    conversations.post_conversations_callbacks(callback)
    sandbox.advance(60)
    conversations.delete_conversation(next(iter(sandbox.do(lambda world: list(world.exchange.conversations)[-1:]))))
    sandbox.advance(5)
    go(AVAILABLE)
    sandbox.do(lambda _: reporter.leave())
    heard: dict[str, list[Any]] = reporter.heard
    return heard


def test_every_event_is_in_its_model(everything: dict[str, list[Any]]) -> None:
    for template, topic in CATALOGUE.items():
        if template in NEVER_TOLD:
            assert template not in everything
            continue
        assert template in everything, template
        for body in everything[template]:
            assert list(misfits(body, topic.model, template)) == []


def test_every_model_of_the_catalogue_exists(sdk: Any) -> None:
    assert [topic.template for topic in CATALOGUE.values() if not hasattr(sdk, topic.model)] == []
