"""The event stream: one notification channel of one client, kept open, with its events put on the board."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from ringonce.client import policy, snapshots
from ringonce.client.channels import Channel, Slot, take_slot
from ringonce.client.flows import subscribing
from ringonce.client.flows.session import Session
from ringonce.client.transport import EventSocket, Transport
from ringonce.client.wishes import UNREADABLE, Flow, Lost
from ringonce.errors import NotFound, RingonceError

log = logging.getLogger("ringonce.events")
T = TypeVar("T")

PATIENCE = 5.0
"""Seconds that a flow waits for the stream before it goes on with reads alone."""
BARRED_FOR = 30.0
"""Seconds without another attempt after one has failed."""
IDLE = 35.0
"""Seconds of silence after which the far side is asked for a sign of life; it sends one about every 30 by itself."""
SHORT_LIFE = 10.0
"""Seconds that a socket has to live for the next one to be opened at once."""
LAST_MINUTE = 60.0
"""Seconds before a channel's end from which it is replaced."""
GONE = frozenset({"v2.system.no_longer_subscribed", "v2.system.token_revoked"})


class Run(Protocol):
    """Runs a flow to its result."""

    def __call__(self, flow: Flow[T]) -> Awaitable[T]:
        """Run *flow* and give its result."""


class _Envelope(msgspec.Struct):
    topic: str = msgspec.field(name="topicName", default="")
    body: msgspec.Raw = msgspec.field(name="eventBody", default=msgspec.Raw())


_envelope = msgspec.json.Decoder(_Envelope)


class EventStream:
    """Listens for agents' calls. All methods belong to one event loop."""

    def __init__(
        self,
        session: Session,
        transport: Transport,
        run: Run,
        changed: Callable[[tuple[str, ...] | None], None],
        store: Path | None,
    ) -> None:
        self._session, self._transport, self._run, self._changed, self._store = session, transport, run, changed, store
        self._lock = asyncio.Lock()
        self._wanted: dict[str, None] = {}
        self._permitted: set[str] = set()
        self._channel: Channel | None = None
        self._slot: Slot | None = None
        self._socket: EventSocket | None = None
        self._reader: asyncio.Task[None] | None = None
        self._barred_until = 0.0
        self._failures = 0
        self._opened_at = 0.0

    async def listen(self, agent_id: str, *, anew: bool = False) -> bool:
        """Have the agent's calls put on the board; give False, soon, if that can't be had now."""
        if not anew and self._socket is not None and agent_id in self._permitted:
            return True
        if time.monotonic() < self._barred_until or len(self._wanted) >= subscribing.MOST_TOPICS:
            return False
        self._wanted[agent_id] = None
        try:
            async with asyncio.timeout(PATIENCE), self._lock:
                if anew:
                    await self._drop(forget=True)
                if self._socket is None:
                    await self._open()
                elif agent_id not in self._permitted:
                    await self._subscribe_rest()
        except (RingonceError, Lost, TimeoutError, OSError, *UNREADABLE) as why:
            log.info("no event stream, reading instead: %s", why)
            self._barred_until = time.monotonic() + BARRED_FOR
            return False
        return agent_id in self._permitted

    async def close(self) -> None:
        """Close the socket and give the channel back for a later run."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader
        await self._drop(forget=False)
        if self._slot is not None:
            self._slot.release()
            self._slot = None

    async def _open(self) -> None:
        """Get a channel, subscribe, and open its socket: an earlier run's channel if it is still good."""
        kept = self._channel or self._kept()
        if kept is not None and kept.expires_at - time.time() > LAST_MINUTE:
            try:
                await self._use(kept)
            except (NotFound, Lost) as gone:
                log.info("the kept notification channel is gone: %s", gone)
            else:
                return
        self._channel = None
        await self._use(await self._run(subscribing.make_channel(self._session)))

    async def _use(self, channel: Channel) -> None:
        # Replacing the topics also drops those that an earlier run left on the channel.
        flow = subscribing.subscribe(self._session, channel, list(self._wanted), replace=True)
        self._permitted = await self._run(flow)
        self._socket = await self._transport.open_socket(channel.connect_uri)
        if channel != self._channel:
            self._channel = channel
            if self._slot is not None:
                self._slot.write(channel)
        self._opened_at = time.monotonic()
        self._note_gap()
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._keep_reading(), name="ringonce-events")

    async def _subscribe_rest(self) -> None:
        if self._channel is None:
            return
        rest = [agent for agent in self._wanted if agent not in self._permitted]
        self._permitted |= await self._run(
            subscribing.subscribe(self._session, self._channel, rest, replace=False),
        )

    def _kept(self) -> Channel | None:
        if self._slot is None and self._store is not None:
            # A channel belongs to a user and a client; two agents may well have the same kind of grant.
            user = self._session.users.get("", "")
            owner = f"{self._session.endpoints.api} {self._session.auth.name} {user}".rstrip()
            self._slot = take_slot(self._store, owner)
        return self._slot.read() if self._slot is not None else None

    async def _drop(self, *, forget: bool) -> None:
        socket, self._socket = self._socket, None
        if forget:
            self._channel, self._permitted = None, set()
            if self._slot is not None:
                self._slot.write(None)
        if socket is not None:
            await socket.close()

    async def _keep_reading(self) -> None:
        """Read until closed; when the socket ends, open it again, and let everybody know that there was a gap."""
        while self._reader is not None:
            socket = self._socket
            if socket is not None:
                await self._read_out(socket)
            if self._socket is socket:
                await self._drop(forget=False)
                if socket is not None:
                    self._note_gap()
                    self._failures = 0 if time.monotonic() - self._opened_at > SHORT_LIFE else self._failures + 1
                await asyncio.sleep(policy.reconnect_pause(self._failures))
                await self._reopen()

    def _note_gap(self) -> None:
        """Let everybody know that events may have been missed, or will be."""
        self._session.board.gaps += 1
        self._changed(None)

    async def _reopen(self) -> None:
        try:
            async with self._lock:
                if self._socket is None:
                    await self._open()
        except (RingonceError, Lost, OSError, *UNREADABLE) as why:
            self._failures += 1
            log.info("the event stream is down: %s", why)

    async def _read_out(self, socket: EventSocket) -> None:
        asked = False
        async with contextlib.aclosing(socket.frames(IDLE)) as frames:
            async for frame in frames:
                if frame is not None:
                    asked = False
                    if not self._take(frame):
                        return
                elif asked or self._ends_soon():
                    return
                else:
                    asked = True
                    try:
                        await socket.ping()
                    except Lost:
                        return

    def _ends_soon(self) -> bool:
        if self._channel is None or self._channel.expires_at - time.time() > LAST_MINUTE:
            return False
        self._channel = None
        return True

    def _take(self, frame: str) -> bool:
        """Put one frame on the board; give False if it says that the socket will not be of use any more."""
        try:
            envelope = _envelope.decode(frame)
        except UNREADABLE:
            log.info("a frame that is no event was passed over")
            return True
        agent = subscribing.agent_of(envelope.topic)
        if agent is not None:
            try:
                snapshot = snapshots.read(envelope.body)
            except UNREADABLE as wrong:
                # Its call is read again when it has been silent for a while.
                log.warning("an event about a call can't be read: %s", wrong)
                return True
            if snapshot.legs:  # else it is of another medium
                self._changed(self._session.board.take(snapshot, agent))
            return True
        if envelope.topic.startswith(tuple(GONE)):
            self._channel = None
            return False
        return envelope.topic != "v2.system.socket_closing"
