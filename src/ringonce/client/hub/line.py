"""One notification channel with its topics and its socket, kept open; its events are put on the board."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Protocol, TypeVar

import msgspec

from ringonce.client import policy, snapshots
from ringonce.client.channels import Channel, Slot
from ringonce.client.flows import subscribing
from ringonce.client.flows.session import Session
from ringonce.client.hub.doubt import Silence
from ringonce.client.transport import EventSocket, Transport
from ringonce.client.wishes import UNREADABLE, Flow, Lost
from ringonce.errors import NotFound, RingonceError

log = logging.getLogger("ringonce.events")
T = TypeVar("T")

FAILURES = (RingonceError, Lost, TimeoutError, OSError, *UNREADABLE)
"""What may come of opening a channel on a bad network."""
PATIENCE = 10.0
"""Seconds that opening a channel or adding topics to it may take."""
SHORT_LIFE, SOON_CONVICTED = 10.0, 300.0
"""Seconds that a socket has to live for the next one to be opened at once, and one that is then convicted: where
more channels are made than an identity may have, each new one takes the events of another."""
RENEWED = 600.0
"""Seconds before a channel's end from which its topics are moved to a new one."""
DRAINED = 5.0
"""Seconds for which a socket that was replaced is still read."""
GONE = ("v2.system.no_longer_subscribed", "v2.system.token_revoked")
CLOSING = "v2.system.socket_closing"
METADATA = "channel.metadata"
CAUGHT_UP = 20.0
"""Seconds within which a channel that is behind catches up, or is not convicted for it."""


class Run(Protocol):
    """Runs a flow to its result."""

    def __call__(self, flow: Flow[T]) -> Awaitable[T]:
        """Run *flow* and give its result."""


class _Envelope(msgspec.Struct):
    topic: str = msgspec.field(name="topicName", default="")
    body: msgspec.Raw = msgspec.field(name="eventBody", default=msgspec.Raw(b"null"))


_envelope = msgspec.json.Decoder(_Envelope)


class Line:
    """One channel. *changed* is told the keys of what an event changed, *interrupted* that events may be missing."""

    def __init__(
        self,
        session: Session,
        *,
        transport: Transport,
        run: Run,
        changed: Callable[[tuple[str, ...]], None],
        interrupted: Callable[["Line"], None],
        slot: Slot | None,
    ) -> None:
        self._session, self._transport, self._run, self._changed = session, transport, run, changed
        self._interrupted, self._slot = interrupted, slot
        self.topics: dict[str, float] = {}
        """The agents whose calls are announced here, and when each was last heard of (monotonic seconds)."""
        self.silence = Silence(time.monotonic())
        self.opened_at = 0.0
        self._channel: Channel | None = None
        self._socket: EventSocket | None = None
        self._busy = asyncio.Lock()
        self._returned = asyncio.Event()
        self._failures = 0
        self._moving = False
        self._pings = self._ponged = 0
        self._pongs: list[tuple[int, asyncio.Future[None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> bool:
        """Whether events can come."""
        return self._socket is not None

    @property
    def room(self) -> int:
        """How many topics more the channel may have."""
        return subscribing.MOST_TOPICS - len(self.topics)

    async def start(self, agents: Iterable[str]) -> None:
        """Open with *agents*' topics, on the channel that an earlier run left if it is still good."""
        self.topics = dict.fromkeys(agents, time.monotonic())
        kept = self._slot.read() if self._slot is not None else None
        if kept is not None and not _ends_soon(kept):
            try:
                # Replacing the topics also drops those that the earlier run left on the channel.
                await self._use(kept)
            except (NotFound, Lost) as gone:
                log.info("the kept notification channel is gone: %s", gone)
            else:
                return
        await self._renew()

    async def add(self, agents: Iterable[str], *, instead_of: Iterable[str] = ()) -> None:
        """Have *agents*' calls announced too, and no longer those of the agents that they stand *instead_of*."""
        async with self._busy:
            channel = self._channel
            if channel is None:
                raise Lost("the notification channel was lost meanwhile", sent=False)
            wanted = list(agents)
            gone = set(instead_of)
            if gone:
                wanted = [agent for agent in self.topics if agent not in gone] + wanted
            flow = subscribing.subscribe(self._session, channel, wanted, replace=bool(gone))
            permitted, now = await self._run(flow), time.monotonic()
            if gone:
                self.topics = {agent: heard for agent, heard in self.topics.items() if agent in permitted}
            self.topics.update((agent, now) for agent in permitted if agent not in self.topics)

    async def back(self) -> bool:
        """Wait, if the socket was just lost, for the first try to open it again; say whether events can come."""
        if not self.open:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await self._returned.wait()
        return self.open

    def mind(self) -> None:
        """Move on to a new channel if this one ends soon."""
        if self._channel is not None and _ends_soon(self._channel):
            self._move(anew=True)

    def ping(self) -> None:
        """Ask the far side for a sign of life."""
        if self._socket is not None:
            self._pings += 1
            self._begin(_ping(self._socket))

    async def caught_up(self) -> bool:
        """Have everything heard that was on its way: a pong comes behind it. Give False if none comes."""
        self.ping()
        wanted = self._pings
        pong: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pongs.append((wanted, pong))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CAUGHT_UP):
                await pong
                return True
        return False

    def convict(self, why: str) -> None:
        """Give the channel up, as it keeps silent about what happens, and open another."""
        socket = self._socket
        if socket is None:
            return
        log.warning("a notification channel is given up: %s", why)
        self._lose()
        self._forget()
        self._begin(socket.close())
        self._begin(self._come_back(SOON_CONVICTED))

    async def close(self) -> None:
        """Close the socket and give the channel back for a later run."""
        socket, self._socket = self._socket, None
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if socket is not None:
            await socket.close()
        if self._slot is not None:
            self._slot.release()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="ringonce-events")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _lose(self) -> None:
        self._socket = None
        self._returned.clear()

    def _forget(self) -> None:
        self._channel = None
        if self._slot is not None:
            self._slot.write(None)

    async def _use(self, channel: Channel) -> None:
        permitted = await self._run(subscribing.subscribe(self._session, channel, self.topics, replace=True))
        socket = await self._transport.open_socket(channel.connect_uri)
        self.topics = {agent: heard for agent, heard in self.topics.items() if agent in permitted}
        if channel != self._channel and self._slot is not None:
            self._slot.write(channel)
        self._channel = channel
        self._attach(socket)

    async def _renew(self) -> None:
        await self._use(await self._run(subscribing.make_channel(self._session)))

    def _attach(self, socket: EventSocket) -> None:
        old, self._socket = self._socket, socket
        self.opened_at = time.monotonic()
        self.silence = Silence(self.opened_at)
        self._pings = self._ponged = 0
        self._pongs.clear()
        self._returned.set()
        self._begin(self._attend(socket))
        if old is not None:
            self._begin(_drain(old))

    def _move(self, *, anew: bool) -> None:
        """Open another socket before this one is left, so that nothing is missed; *anew* on a channel of its own."""
        if not self._moving:
            self._moving = True
            self._begin(self._moved(anew=anew))

    async def _moved(self, *, anew: bool) -> None:
        try:
            async with asyncio.timeout(PATIENCE), self._busy:
                if self._socket is None or self._channel is None:
                    return
                if anew:
                    await self._renew()
                else:
                    self._attach(await self._transport.open_socket(self._channel.connect_uri))
        except FAILURES as why:
            log.info("the event stream can't be moved yet: %s", why)
        finally:
            self._moving = False

    async def _attend(self, socket: EventSocket) -> None:
        async with contextlib.aclosing(socket.frames()) as frames:
            async for frame in frames:
                self._take(frame)
        if self._socket is socket:
            self._lose()
            await self._come_back()

    async def _come_back(self, short_life: float = SHORT_LIFE) -> None:
        """Open the socket again, however long that takes; say that events are missing once it is, or can't be yet."""
        self._failures = 0 if time.monotonic() - self.opened_at > short_life else self._failures + 1
        told = False
        while self._socket is None:
            await asyncio.sleep(policy.reconnect_pause(self._failures))
            try:
                async with asyncio.timeout(PATIENCE), self._busy:
                    await self._reopen()
            except FAILURES as why:
                self._failures += 1
                log.info("the event stream is down: %s", why)
                self._returned.set()
                if not told:
                    told = True
                    self._interrupted(self)
            else:
                self._interrupted(self)

    async def _reopen(self) -> None:
        channel = self._channel
        if channel is None or _ends_soon(channel):
            await self._renew()
            return
        try:
            # The channel keeps its topics: opening its socket again costs no request.
            self._attach(await self._transport.open_socket(channel.connect_uri))
        except Lost as unmade:
            log.info("a notification channel's socket can't be opened again: %s", unmade)
            try:
                await self._use(channel)
            except (NotFound, Lost) as gone:
                log.info("a notification channel is gone: %s", gone)
                self._forget()
                await self._renew()

    def _take(self, frame: str) -> None:
        now = time.monotonic()
        self.silence.frame(now)
        try:
            envelope = _envelope.decode(frame)
        except UNREADABLE:
            log.info("a frame that is no event was passed over")
            return
        agent = subscribing.agent_of(envelope.topic)
        if agent is None:
            self._heed(envelope)
            return
        self.silence.event(now)
        if agent in self.topics:
            self.topics[agent] = now
        try:
            snapshot = snapshots.read(envelope.body)
        except UNREADABLE as wrong:
            # Its call is read again when it has been silent for a while.
            log.warning("an event about a call can't be read: %s", wrong)
            return
        if snapshot.legs:  # else it is of another medium
            self._changed(self._session.board.take(snapshot, agent))

    def _heed(self, said: _Envelope) -> None:
        if said.topic == CLOSING:
            self._move(anew=False)
        elif said.topic.startswith(GONE):
            self.convict(said.topic)
        elif said.topic == METADATA and b'"pong"' in bytes(said.body):
            self._ponged += 1
            for wanted, pong in self._pongs:
                if wanted <= self._ponged and not pong.done():
                    pong.set_result(None)
            self._pongs = [one for one in self._pongs if not one[1].done()]


async def _ping(socket: EventSocket) -> None:
    with contextlib.suppress(Lost):  # the reader sees its end
        await socket.ping()


async def _drain(socket: EventSocket) -> None:
    await asyncio.sleep(DRAINED)
    await socket.close()


def _ends_soon(channel: Channel) -> bool:
    return channel.expires_at - time.time() <= RENEWED
