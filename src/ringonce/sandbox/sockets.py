"""Notification channels over WebSocket: one socket, one bounded queue, one channel."""

import asyncio
import collections
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ringonce.sandbox.world import World

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MOST_WAITING = 16 * 2**20
_GOING_AWAY = 1001
_TOO_SLOW = 1013


class Outgoing:
    """Frames on their way to one socket.

    The world puts frames in without waiting. A peer that reads more slowly than events happen loses its
    socket, not single events: it then knows that it has to read the state again.
    """

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._frames: collections.deque[bytes] = collections.deque()
        self._bytes = 0
        self._close: int | None = None
        self._wake = asyncio.Event()
        self.overflowed = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """Queue a frame."""
        if self._bytes + len(frame) > self._most:
            self._frames.clear()
            self._bytes = 0
            self.overflowed.set()
            self.close(_TOO_SLOW)
        if self._close is None:
            self._frames.append(frame)
            self._bytes += len(frame)
            self._wake.set()

    def close(self, code: int = _GOING_AWAY) -> None:
        """Close the socket once everything that is queued has gone out."""
        self._close = self._close or code
        self._wake.set()

    async def pump(self, send: Send) -> None:
        """Send what is queued until the queue is closed."""
        while True:
            while self._frames:
                frame = self._frames.popleft()
                self._bytes -= len(frame)
                await send({"type": "websocket.send", "text": frame.decode()})
            if self._close is not None:
                await send({"type": "websocket.close", "code": self._close})
                return
            self._wake.clear()
            await self._wake.wait()


async def serve_channel(world: World, channel_id: str, receive: Receive, send: Send, heard: Callable[[], None]) -> None:
    """Join a socket to its channel until either side ends it; an unknown channel is answered with 404.

    *heard* is called after each message from the client, as it may have made something due.
    """
    await receive()
    outgoing = Outgoing()
    if not world.channels.attach(channel_id, outgoing.put, outgoing.close):
        await send({"type": "websocket.http.response.start", "status": 404, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"There is no such channel."})
        return

    async def listen() -> None:
        while (message := await receive())["type"] == "websocket.receive":
            world.channels.hear(channel_id, message.get("bytes") or (message.get("text") or "").encode())
            heard()

    jobs: set[asyncio.Task[Any]] = set()
    try:
        await send({"type": "websocket.accept"})
        heard()
        jobs = {asyncio.create_task(job) for job in (listen(), outgoing.pump(send), outgoing.overflowed.wait())}
        await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    finally:
        world.channels.detach(channel_id, outgoing.put)
        for job in jobs:
            job.cancel()
        # The peer may be gone in the middle of a frame; that ends the conversation like any other way.
        await asyncio.gather(*jobs, return_exceptions=True)
