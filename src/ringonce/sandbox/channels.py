"""Notification channels: who hears what, with the platform's limits, heartbeats and silences."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from ringonce.sandbox.agenda import Agenda, iso
from ringonce.sandbox.dice import Dice
from ringonce.sandbox.strange import with_extra_field, with_unknown_value
from ringonce.sandbox.topics import thing_of

Deliver = Callable[[bytes], None]
Closed = Callable[[], None]

CHANNELS_PER_OWNER = 20
TOPICS_PER_CHANNEL = 1_000
LIFETIME = 86_400.0
HEARTBEAT_EVERY = 30.0
CLOSING_NOTICE = 60.0
"""Seconds between the word that a connection is about to be closed and its end."""
REORDERED_BY = 0.2


class TooManyTopicsError(Exception):
    """A channel would listen to more topics than it may."""


@dataclasses.dataclass(slots=True, eq=False)
class Socket:
    """The one open connection of a channel, as a way to talk to it."""

    deliver: Deliver
    closed: Closed | None = None
    muted: bool = False


@dataclasses.dataclass(slots=True, eq=False)
class Channel:
    """One channel. *owner* is the OAuth client and user that made it; *topics* keep the words subscribed with.

    *permissions* are those of the token that made it, *made_by* is its value, to tell it from others of its owner.
    """

    id: str
    owner: tuple[str, str]
    created: float
    used: float
    permissions: frozenset[str] = frozenset()
    made_by: str = dataclasses.field(default="", repr=False)
    topics: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    socket: Socket | None = None
    muted: bool = False
    evicted: bool = False

    @property
    def expires(self) -> str:
        """When it ends, ISO-8601."""
        return iso(self.created + LIFETIME)


def spread(topic: str) -> tuple[str, ...]:
    """The topics that one subscription stands for: `v2.users.U?presence&station` is two."""
    stem, question, tails = topic.partition("?")
    return tuple(f"{stem}.{tail}" for tail in tails.split("&") if tail) if question else (topic,)


class Channels:
    """All channels of a world.

    Shares (0 to 1) of events: *reorder* come late, *duplicate* come twice, *unknown_value* and *extra_field* say what
    nobody knows. *mute_new* is the share of connections that never say a word. *trouble* is what decides.
    *may_hear* says whether a channel may listen to a topic that is asked for on its connection.
    """

    reorder: float
    duplicate: float
    unknown_value: float
    extra_field: float
    mute_new: float
    _channels: dict[str, Channel]
    listeners: dict[str, dict[str, Channel]]
    """Who listens to each topic; empty while nobody listens to anything."""
    _heard_of: dict[str, int]

    def __init__(self, agenda: Agenda, dice: Dice, trouble: Dice, may_hear: Callable[[Channel, str], bool]) -> None:
        self.reorder = 0.0
        self.duplicate = 0.0
        self.unknown_value = 0.0
        self.extra_field = 0.0
        self.mute_new = 0.0
        self._trouble = trouble
        self._agenda = agenda
        self._dice = dice
        self._channels = {}
        self._may_hear = may_hear
        self.listeners = {}
        self._heard_of = {}

    # What the REST half needs.

    def create(
        self, owner: tuple[str, str], *, permissions: frozenset[str] = frozenset(), made_by: str = ""
    ) -> Channel:
        """Make a channel. The 21st of an owner silently evicts the one unused for longest, unconnected ones first."""
        mine = [channel for channel in self._channels.values() if channel.owner == owner and not channel.evicted]
        if len(mine) >= CHANNELS_PER_OWNER:
            self._evict(min(mine, key=lambda channel: (channel.socket is not None, channel.used)))
        now = self._agenda.now
        number = len(self._channels) + 1
        channel_id = f"streaming-{number % 10}-{self._dice.token()[:26]}"
        channel = Channel(channel_id, owner, now, now, permissions, made_by)
        self._channels[channel.id] = channel
        self._agenda.after(LIFETIME - CLOSING_NOTICE, partial(self._give_notice, channel))
        self._agenda.after(LIFETIME, partial(self._expire, channel))
        return channel

    def get(self, channel_id: str, owner: tuple[str, str] | None = None) -> Channel | None:
        """The channel with this id, if it has not been evicted and is the owner's. Asking counts as use."""
        channel = self._channels.get(channel_id)
        if channel is None or channel.evicted or (owner is not None and channel.owner != owner):
            return None
        channel.used = self._agenda.now
        return channel

    def of(self, owner: tuple[str, str]) -> list[Channel]:
        """The channels of an owner, oldest first."""
        return [each for each in self._channels.values() if each.owner == owner and not each.evicted]

    def everyone(self) -> list[Channel]:
        """All channels that were not evicted, oldest first."""
        return [each for each in self._channels.values() if not each.evicted]

    def subscribe(self, channel: Channel, topics: Iterable[str], *, replace: bool = False) -> None:
        """Listen to more topics, or to these in place of all others."""
        wanted = {topic: spread(topic) for topic in topics}
        after = wanted if replace else {**channel.topics, **wanted}
        if sum(map(len, after.values())) > TOPICS_PER_CHANNEL:
            raise TooManyTopicsError
        if replace:
            self.unsubscribe(channel)
        channel.topics = after
        for heard in wanted.values():
            for topic in heard:
                if topic not in self.listeners:
                    self.listeners[topic] = {}
                    self._watch(topic, 1)
                self.listeners[topic][channel.id] = channel

    def unsubscribe(self, channel: Channel) -> None:
        """Listen to nothing."""
        for heard in channel.topics.values():
            for topic in heard:
                listeners = self.listeners.get(topic)
                if listeners is None:
                    continue
                listeners.pop(channel.id, None)
                if not listeners:
                    del self.listeners[topic]
                    self._watch(topic, -1)
        channel.topics = {}

    # What the exchange needs.

    def heard(self, topic: str) -> bool:
        """Whether anybody listens to a topic."""
        return topic in self.listeners

    def heard_of(self, thing_ids: Iterable[str]) -> list[str]:
        """Those of some users, queues or conversations that anybody listens to a topic about."""
        return [each for each in thing_ids if each in self._heard_of]

    def _watch(self, topic: str, by: int) -> None:
        thing_id = thing_of(topic)
        topics = self._heard_of.get(thing_id, 0) + by
        if topics:
            self._heard_of[thing_id] = topics
        else:
            del self._heard_of[thing_id]

    def publish(self, topic: str, body: dict[str, Any]) -> None:
        """Tell everybody who listens to a topic."""
        listeners = self.listeners.get(topic)
        if not listeners:
            return
        event = {
            "topicName": topic,
            "version": "2",
            "eventBody": body,
            "metadata": {"CorrelationId": self._dice.uuid()},
        }
        frame = msgspec.json.encode(event)
        for channel in list(listeners.values()):
            told = self._estranged(frame, body)
            if self._trouble.falls(self.reorder):
                self._agenda.after(REORDERED_BY, partial(self._send, channel, told))
            else:
                self._send(channel, told)
            if self._trouble.falls(self.duplicate):
                self._send(channel, told)

    # What the door needs.

    def evict_one(self, owner: tuple[str, str]) -> None:
        """Evict the channel of an owner that was unused for longest, as a 21st would."""
        there = self.of(owner)
        if there:
            self._evict(min(there, key=lambda channel: channel.used))

    def attach(self, channel_id: str, deliver: Deliver, closed: Closed | None = None) -> bool:
        """Open the channel's connection; False for an unknown one. An older connection hears no more, and is closed."""
        channel = self.get(channel_id)
        if channel is None:
            return False
        older, channel.socket = channel.socket, Socket(deliver, closed, self._trouble.falls(self.mute_new))
        if older is not None and older.closed is not None:
            older.closed()
        self._agenda.after(HEARTBEAT_EVERY, partial(self._beat, channel, channel.socket))
        return True

    def connected(self) -> dict[str, Socket]:
        """The open connections, by their channels' ids."""
        return {each.id: each.socket for each in self._channels.values() if each.socket is not None}

    def reconnect(self, open_sockets: Mapping[str, Socket]) -> None:
        """Join connections that stayed open to channels that were put back; close those that have none."""
        for channel in self._channels.values():
            there = open_sockets.get(channel.id)
            if there is None:
                channel.socket = None
            elif channel.socket is None:
                self.attach(channel.id, there.deliver, there.closed)
            else:
                channel.socket.deliver, channel.socket.closed = there.deliver, there.closed
        for channel_id, there in open_sockets.items():
            if channel_id not in self._channels and there.closed is not None:
                there.closed()

    def detach(self, channel_id: str, deliver: Deliver) -> None:
        """The connection that delivers so is gone."""
        channel = self._channels.get(channel_id)
        if channel is not None and channel.socket is not None and channel.socket.deliver == deliver:
            channel.socket = None
            if channel.evicted:
                del self._channels[channel_id]

    def hear(self, channel_id: str, text: bytes) -> None:
        """Take a frame from the client: `ping`, or `subscribe`."""
        channel = self._channels.get(channel_id)
        if channel is None or channel.socket is None:
            return
        channel.used = self._agenda.now
        try:
            asked = msgspec.json.decode(text, type=_Frame)
        except msgspec.ValidationError as wrong:
            self._answer(channel, {"result": "400", "status": "error", "message": f"The frame does not fit: {wrong}."})
            return
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._answer(
                channel, {"result": "400", "status": "error", "message": "A frame is a JSON object with `message`."}
            )
            return
        if asked.message == "ping":
            self._answer(channel, {"topicName": "channel.metadata", "eventBody": {"message": "pong"}})
        elif asked.message == "subscribe":
            self._subscribe_in_socket(channel, asked)
        else:
            why = f"{asked.message!r} is not a message of this channel; it knows ping and subscribe."
            self._answer(channel, {"result": "400", "status": "error", "message": why})

    def mute(self, channel_id: str | None = None, *, on: bool = True) -> None:
        """Keep a channel's connection (None: every channel's) open and say nothing on it; *on* False ends that."""
        for channel in self._those(channel_id):
            channel.muted = on

    def close(self, channel_id: str | None = None) -> None:
        """Break a channel's connection (None: every channel's). The channel itself stays."""
        for channel in self._those(channel_id):
            self._hang_up(channel)

    def announce_closing(self, channel_id: str | None = None) -> None:
        """Say that a connection (None: every one) is about to be closed, and close it a minute later.

        Whoever connects to the channel again meanwhile keeps that connection.
        """
        for channel in self._those(channel_id):
            if channel.socket is not None:
                self._give_notice(channel)
                self._agenda.after(CLOSING_NOTICE, partial(self._close_if_still, channel, channel.socket))

    def _those(self, channel_id: str | None) -> list[Channel]:
        if channel_id is None:
            return list(self._channels.values())
        return [channel for channel in (self._channels.get(channel_id),) if channel is not None]

    def _subscribe_in_socket(self, channel: Channel, asked: "_Frame") -> None:
        answer: dict[str, Any] = {"result": "200", "status": "subscribed"}
        heard = [each for topic in asked.topics for each in spread(topic) or ("",)]
        if channel.evicted or not all(self._may_hear(channel, topic) for topic in heard):
            answer = {"result": "404" if channel.evicted else "400", "status": "error"}
        else:
            try:
                self.subscribe(channel, asked.topics)
            except TooManyTopicsError:
                answer = {"result": "400", "status": "error"}
        if asked.correlation_id is not None:
            answer["correlationId"] = asked.correlation_id
        self._answer(channel, answer)

    def _estranged(self, frame: bytes, body: dict[str, Any]) -> bytes:
        strange = self._trouble.falls(self.unknown_value), self._trouble.falls(self.extra_field)
        if not any(strange):
            return frame
        event = msgspec.json.decode(frame)
        told = msgspec.json.encode(body)
        if strange[0]:
            told = with_unknown_value(told, self._trouble.rolls)
        if strange[1]:
            told = with_extra_field(told, self._trouble.rolls)
        return msgspec.json.encode({**event, "eventBody": msgspec.Raw(told)})

    def _answer(self, channel: Channel, frame: dict[str, Any]) -> None:
        self._send(channel, msgspec.json.encode(frame))

    def _send(self, channel: Channel, frame: bytes) -> None:
        if channel.socket is not None and not channel.muted and not channel.socket.muted:
            channel.socket.deliver(frame)

    def _beat(self, channel: Channel, socket: Socket) -> None:
        if channel.socket is not socket:
            return
        self._answer(channel, {"topicName": "channel.metadata", "eventBody": {"message": "WebSocket Heartbeat"}})
        self._agenda.after(HEARTBEAT_EVERY, partial(self._beat, channel, socket))

    def _give_notice(self, channel: Channel) -> None:
        body = {"channelId": channel.id, "message": "The connection will be closed in a minute."}
        self._answer(channel, {"topicName": "v2.system.socket_closing", "version": "2", "eventBody": body})

    def _close_if_still(self, channel: Channel, socket: Socket) -> None:
        if channel.socket is socket:
            self._hang_up(channel)

    def _evict(self, channel: Channel) -> None:
        """Nobody is told: the connection stays open and its heartbeats go on, as measured on the platform."""
        self.unsubscribe(channel)
        channel.evicted = True
        if channel.socket is None:
            del self._channels[channel.id]

    def _expire(self, channel: Channel) -> None:
        self.unsubscribe(channel)
        self._hang_up(channel)
        self._channels.pop(channel.id, None)

    def _hang_up(self, channel: Channel) -> None:
        socket, channel.socket = channel.socket, None
        if socket is not None and socket.closed is not None:
            socket.closed()


class _Frame(msgspec.Struct, rename="camel"):
    message: str
    topics: list[str] = []
    correlation_id: str | None = None
