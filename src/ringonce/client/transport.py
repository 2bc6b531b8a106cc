"""The only file that knows the HTTP library: one request, one send, and the event socket."""

import asyncio
import errno
import re
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
from aiohttp import hdrs
from aiohttp.abc import AbstractStreamWriter
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from ringonce.client.patience import Patience
from ringonce.client.wishes import Lost, Request, Response
from ringonce.config import Timeouts
from ringonce.errors import RingonceError

USER_AGENT = "ringonce"
CONNECTIONS = 100
IDLE_CONNECTION = 10.0
"""Seconds after which an unused connection is dropped, before the far side does it in the middle of a request."""
PLAIN = re.compile(r"(https?://[^/?#]+)(/[0-9A-Za-z/_-]*)")
"""An address without dots, escapes and parameters in its path."""
BIGGEST_FRAME = 4 * 1024 * 1024


class Transport:
    """Sends requests, each exactly once: it follows no redirect and repeats nothing."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._patience = Patience(silent=timeouts.read, whole=timeouts.total)
        self._session = aiohttp.ClientSession(
            connector=_Connector(self._patience, limit=CONNECTIONS, keepalive_timeout=IDLE_CONNECTION),
            # Waiting for a free connection must end before the whole does: it proves that nothing was sent.
            timeout=aiohttp.ClientTimeout(total=None, connect=timeouts.total / 2, sock_connect=timeouts.connect),
            headers={hdrs.USER_AGENT: USER_AGENT, hdrs.ACCEPT: "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
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
        self._patience.close()
        await self._session.close()

    async def send(self, request: Request, ready: Callable[[], None] = lambda: None) -> Response:
        """Send *request* once. Raise `Lost`, which says whether any of it may have left.

        *ready* is called once there is a connection, as the last thing before bytes go out; if it raises an error of
        ours, that is raised and nothing is sent. If this is cancelled before, it is never called, and nothing is
        sent either. So it is for requests that have a body; for others it is called before there is a connection.
        """
        data = None if request.body is None else _Guarded(msgspec.json.encode(request.body), ready)
        if data is None:
            ready()
        try:
            with self._patience.wait() as wait:
                answer = wait.answer = await self._session.request(
                    request.method,
                    _address(request.url),
                    data=data if request.form is None else dict(request.form),
                    headers=request.headers,
                    allow_redirects=False,
                )
                body = await answer.read()  # which also gives the connection back
            return Response(answer.status, answer.headers, body)  # they are found by their names in any case
        except asyncio.CancelledError:
            if data is not None:
                data.withdraw()
            raise
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as unmade:
            raise Lost(_unmade(unmade), sent=False) from unmade
        except RuntimeError as closed:  # the library's word for a session that is closed
            raise Lost("the client was closed", sent=True) from closed
        except TimeoutError as late:
            if data is not None:
                data.withdraw()
            raise Lost("no answer in time", sent=True) from late
        except (aiohttp.ClientError, OSError, ValueError) as broken:
            if data is not None and data.refused is not None:
                raise data.refused from None
            raise Lost(_broken(broken), sent=True) from broken

    async def open_socket(self, url: str) -> "EventSocket":
        """Open the event socket of a channel. Raise `Lost`."""
        try:
            async with asyncio.timeout(self._connect_timeout):
                return EventSocket(await self._session.ws_connect(url, max_msg_size=BIGGEST_FRAME, autoping=True))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as unmade:
            raise Lost(_unmade(unmade), sent=False) from unmade


class _Connector(aiohttp.TCPConnector):
    """Tells when a request has its connection."""

    def __init__(self, patience: Patience, *, limit: int, keepalive_timeout: float) -> None:
        super().__init__(limit=limit, keepalive_timeout=keepalive_timeout)
        self._patience = patience

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        self._patience.connected()
        return connection


class _Guarded(aiohttp.BytesPayload):
    """A body that asks before it goes out. The library keeps the head back until then, so nothing has left."""

    def __init__(self, value: bytes, ready: Callable[[], None]) -> None:
        super().__init__(value, content_type="application/json")
        self._ready = ready
        self._withdrawn = False
        self.refused: RingonceError | None = None

    def withdraw(self) -> None:
        """Never go out, unless that has happened: the library writes beside whoever was cancelled."""
        self._withdrawn = True

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        if self._withdrawn:
            raise ConnectionAbortedError("whoever sent it waits no more")
        try:
            self._ready()
        except RingonceError as refused:
            self.refused = refused
            raise
        await super().write_with_length(writer, content_length)


class EventSocket:
    """A channel's socket: text frames, and a ping of the application's own."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def frames(self) -> AsyncGenerator[str]:
        """Give each text frame; end when the socket does."""
        while True:
            message = await self._socket.receive()
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
            raise Lost(_broken(gone), sent=False) from gone

    async def close(self) -> None:
        """Close the socket."""
        await self._socket.close()


def _address(url: str) -> URL:
    """Take an address apart; most differ only in a plain path, whose characters need no second look."""
    plain = PLAIN.fullmatch(url)
    try:
        return URL(url) if plain is None else URL(plain[1]).with_path(plain[2], encoded=True)
    except ValueError as wrong:
        raise aiohttp.InvalidURL(url) from wrong


_NO_WAY = {
    errno.ECONNREFUSED: "nothing listens there: the connection was refused",
    errno.ENETUNREACH: "no network leads there",
    errno.EHOSTUNREACH: "no network leads there",
    errno.ETIMEDOUT: "the connection timed out",
    errno.ECONNRESET: "the connection was closed while it was being made",
}


def _unmade(error: BaseException) -> str:
    """Say in plain words why a connection could not be made."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"DNS knows no host {error.host!r}"
        case aiohttp.ClientConnectorCertificateError():
            return f"its certificate is not trusted: {_reason(error.certificate_error)}"
        case aiohttp.ClientSSLError():
            return f"no encrypted connection could be agreed on: {_reason(error.os_error)}"
        case aiohttp.ClientConnectorError():
            return _no_way(error.os_error)
        case aiohttp.InvalidURL():
            return "it is no address"
        case TimeoutError():
            return "the connection timed out"
        case aiohttp.WSServerHandshakeError():
            return f"the event socket was refused with HTTP {error.status}"
        case OSError():
            return _no_way(error)
    return str(error).strip() or type(error).__name__


def _no_way(error: OSError) -> str:
    # Where a host has several addresses, the numbers of all failures are only in the text.
    numbers = {error.errno} if error.errno else {int(found) for found in re.findall(r"\[Errno (\d+)\]", str(error))}
    known = [words for number, words in _NO_WAY.items() if number in numbers]
    return known[0] if known else f"no connection could be made: {_reason(error)}"


def _broken(error: BaseException) -> str:
    """Say in plain words how a connection broke that had been made."""
    match error:
        case aiohttp.ServerDisconnectedError() | ConnectionResetError() | BrokenPipeError():
            return "the connection was closed before an answer came"
        case aiohttp.ClientPayloadError():
            return "the answer was cut off"
        case aiohttp.ClientResponseError():
            return "the answer is not HTTP"
        case aiohttp.ClientOSError():
            return "the connection broke before an answer came"
    return str(error).strip() or type(error).__name__


def _reason(error: BaseException) -> str:
    words = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error)
    return str(words).strip() or type(error).__name__
