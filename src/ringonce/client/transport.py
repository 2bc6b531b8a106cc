"""The only file that knows the HTTP library: one request, one send, and the event socket."""

import asyncio
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Self

import aiohttp
import msgspec

from ringonce.client.wishes import Lost, Request, Response
from ringonce.config import Timeouts

USER_AGENT = "ringonce"
CONNECTIONS = 100
IDLE_CONNECTION = 10.0
"""Seconds after which an unused connection is dropped, before the far side does it in the middle of a request."""
BIGGEST_FRAME = 4 * 1024 * 1024


class Transport:
    """Sends requests, each exactly once: it follows no redirect and repeats nothing."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=IDLE_CONNECTION),
            # Waiting for a free connection must end before the whole does: it proves that nothing was sent.
            timeout=aiohttp.ClientTimeout(
                total=2 * timeouts.total,
                connect=timeouts.total,
                sock_connect=timeouts.connect,
                sock_read=timeouts.read,
            ),
            headers={"user-agent": USER_AGENT, "accept": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
            json_serialize=lambda value: msgspec.json.encode(value).decode(),
        )
        # The library repeats some methods itself when a kept connection breaks; here only policy decides.
        self._session._retry_connection = False  # noqa: SLF001
        self._connect_timeout = timeouts.connect

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def send(self, request: Request) -> Response:
        """Send *request* once. Raise `Lost`, which says whether any of it may have left."""
        data = None if request.body is None else msgspec.json.encode(request.body)
        headers = dict(request.headers)
        if data is not None:
            headers["content-type"] = "application/json"
        try:
            async with self._session.request(
                request.method,
                request.url,
                data=data if request.form is None else dict(request.form),
                headers=headers,
                allow_redirects=False,
            ) as answer:
                body = await answer.read()
                return Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as unmade:
            raise Lost(_words(unmade) or "the connection timed out", sent=False) from unmade
        except TimeoutError as late:
            raise Lost("no answer in time", sent=True) from late
        except (aiohttp.ClientError, OSError, ValueError) as broken:
            raise Lost(_words(broken) or type(broken).__name__, sent=True) from broken

    async def open_socket(self, url: str) -> "EventSocket":
        """Open the event socket of a channel. Raise `Lost`."""
        try:
            async with asyncio.timeout(self._connect_timeout):
                return EventSocket(await self._session.ws_connect(url, max_msg_size=BIGGEST_FRAME, autoping=True))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as unmade:
            raise Lost(_words(unmade) or "the connection timed out", sent=False) from unmade


class EventSocket:
    """A channel's socket: text frames, and a ping of the application's own."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def frames(self, idle: float) -> AsyncGenerator[str | None]:
        """Give each text frame, and None after each *idle* seconds of silence; end when the socket does."""
        while True:
            try:
                message = await self._socket.receive(timeout=idle)
            except TimeoutError:
                yield None
                continue
            if message.type is aiohttp.WSMsgType.TEXT:
                yield message.data
            elif message.type in {
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSING,
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
            }:
                return

    async def ping(self) -> None:
        """Ask the far side to say something. Raise `Lost` if the socket is gone."""
        try:
            await self._socket.send_str('{"message":"ping"}')
        except (aiohttp.ClientError, OSError) as gone:
            raise Lost(_words(gone), sent=False) from gone

    async def close(self) -> None:
        """Close the socket."""
        await self._socket.close()


def _words(error: BaseException) -> str:
    return str(error).strip()
