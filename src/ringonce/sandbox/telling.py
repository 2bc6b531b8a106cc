"""Who hears of what: every change of a conversation, a user or a queue becomes events of the topics about it."""

from collections.abc import Callable
from typing import Any

from ringonce.sandbox.agenda import Agenda
from ringonce.sandbox.channels import Channels
from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.directory import Directory
from ringonce.sandbox.org import Org
from ringonce.sandbox.shapes import callbacks, detail_events, flat, nested, news

_FRESH = 1_000
"""Milliseconds: whoever begins to listen hears of beginnings and ends from then on, not of old ones."""

Shape = Callable[[Conversation], dict[str, Any]]
_VIEWS: tuple[tuple[str, str, Shape], ...] = (
    ("conversations.calls", "call", flat.event),
    ("conversations.callbacks", "callback", callbacks.event),
    ("conversations", "", nested.event),
)


class Teller:
    """Publishes on the channels what is told to it."""

    _details: "_Details"

    def __init__(self, agenda: Agenda, channels: Channels, org: Org, directory: Directory) -> None:
        self._agenda = agenda
        self._channels = channels
        self._org = org
        self._directory = directory
        self._details = _Details(agenda, channels)

    def conversation(self, whole: Conversation) -> None:
        """Something about a conversation has changed."""
        channels = self._channels
        if not channels.listeners:
            return
        stems = [f"v2.users.{each}." for each in channels.heard_of(whole.user_ids())]
        stems += [f"v2.routing.queues.{each}." for each in channels.heard_of(whole.queue_ids())]
        for stem in stems:
            for tail, medium, shape in _VIEWS:
                if channels.heard(stem + tail) and (not medium or whole.has(medium)):
                    channels.publish(stem + tail, shape(whole))
        if channels.heard_of((whole.id,)):
            self._details.tell(whole)

    def user(self, user_id: str, tail: str) -> None:
        """Something about a user has changed: *tail* is the end of the topic that tells it."""
        self._publish(user_id, tail)
        if tail in {"presence", "routingStatus"}:
            self._publish(user_id, "activity")

    def member(self, queue_id: str, user_id: str) -> None:
        """A user has joined or left a queue."""
        topic = f"v2.routing.queues.{queue_id}.users"
        if self._channels.heard(topic):
            joined = self._directory.joined(queue_id, user_id)
            self._channels.publish(topic, news.queue_member(queue_id, user_id, joined=joined))

    def _publish(self, user_id: str, tail: str) -> None:
        topic = f"v2.users.{user_id}.{tail}"
        if self._channels.heard(topic):
            self._channels.publish(topic, self._news(user_id, tail))

    def _news(self, user_id: str, tail: str) -> dict[str, Any]:
        seat = self._directory.seat(user_id)
        match tail:
            case "presence":
                return news.presence(seat)
            case "routingStatus":
                return news.routing_status(user_id, seat)
            case "activity":
                queues = self._directory.queues_of(user_id)
                active = [each.id for each in queues if self._directory.joined(each.id, user_id)]
                return news.activity(user_id, seat, active)
            case "station":
                return news.station(self._org.users[user_id], seat, self._org)
            case "callforwarding":
                return news.call_forwarding(user_id, seat)
            case _:
                return news.summary(user_id, seat.work)


class _Details:
    """Tells each beginning and each end once. It remembers only conversations that somebody listens to."""

    _told: dict[str, set[str]]
    _attributes: dict[str, dict[str, str]]

    def __init__(self, agenda: Agenda, channels: Channels) -> None:
        self._agenda = agenda
        self._channels = channels
        self._told = {}
        self._attributes = {}

    def tell(self, whole: Conversation) -> None:
        """Publish what is new in a conversation that somebody listens to."""
        stem = f"v2.detail.events.conversation.{whole.id}."
        for leg in whole.participants:
            kind = detail_events.KIND_OF_PURPOSE.get(leg.purpose)
            if kind is not None:
                self._leg(whole, leg, stem, kind)

    def _leg(self, whole: Conversation, leg: Participant, stem: str, kind: str) -> None:
        self._once(whole, leg, f"{stem}{kind}.start", leg.started, detail_events.start)
        if leg.external_contact_id and kind == "customer":
            self._once(whole, leg, f"{stem}contact", leg.started, detail_events.contact)
        if leg.attributes != self._attributes.get(leg.id, {}):
            self._attributes[leg.id] = dict(leg.attributes)
            self._publish(f"{stem}attributes", detail_events.attributes(whole, leg, self._agenda.stamp))
        # A leg that was let go says why only once it has settled.
        if leg.state == "terminated":
            self._once(whole, leg, f"{stem}{kind}.end", leg.ended, detail_events.end)
        if leg.wrapup is not None:
            self._once(whole, leg, f"{stem}wrapup", leg.wrapup.at, detail_events.wrapup)
        if leg.acw_ended and kind == "user":
            self._once(whole, leg, f"{stem}acw", leg.acw_ended, detail_events.after_call_work)

    def _once(
        self,
        whole: Conversation,
        leg: Participant,
        topic: str,
        at: str,
        shape: Callable[[Conversation, Participant], dict[str, Any]],
    ) -> None:
        told = self._told.setdefault(whole.id, set())
        mark = f"{leg.id} {topic} {at}"
        if (
            mark not in told
            and detail_events.milliseconds(self._agenda.stamp) - detail_events.milliseconds(at) < _FRESH
        ):
            told.add(mark)
            self._publish(topic, shape(whole, leg))

    def _publish(self, topic: str, body: dict[str, Any]) -> None:
        if self._channels.heard(topic):
            self._channels.publish(topic, body)
