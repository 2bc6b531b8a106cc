"""A connection to the sandbox: uvicorn's HTTP protocol, with a short way for requests that can be answered at once.

Most requests for the API come whole and meet no trouble. They need no task, no scope and no messages to and fro:
the door is asked in the very callback that brought their last byte, and the answer is one write. Whatever else
there is (faults, `/_sandbox`, WebSockets, large or chunked bodies, clients that do not read) goes the long way, which
is ASGI.
"""

import asyncio
import logging
import math
import urllib.parse
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from ringonce.sandbox.door import Door
from ringonce.sandbox.http import Reply
from ringonce.sandbox.line import TRANSPORT, headers_of

REQUEST_TAKES = 60.0
"""Seconds that a client has from the first byte of a request to its last."""
_SHORT = 65_536
_SHORT_DIGITS = len(str(_SHORT))
_BROKEN = Reply(500)

log = logging.getLogger("ringonce.sandbox")


class Protocol(HttpToolsProtocol):
    """HTTP that lets the application see the transport, so that a fault can end the connection itself."""

    def __init__(self, door: Door, **settings: Any) -> None:
        super().__init__(**settings)
        self._door = door
        self._said: list[tuple[bytes, bytes]] = []
        self._said_before: list[tuple[bytes, bytes]] = []
        self._names: dict[str, str] = {}
        self._whole: bytes | None = None
        """The body so far of a request on the short way; None on the long one."""
        self._begun = self._way_chosen = False
        """Whether a request has begun that has not come whole, and whether its headers have."""
        self._waits_until = math.inf
        """For the rest of a request, or for the next one on the short way; infinite while neither is waited for."""
        self._patience: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._patience is not None:
            self._patience.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin a request. What ASGI wants to know of it is only made on the long way."""
        self.url = b""
        self._said = []
        self._begun, self._way_chosen = True, False
        self._wait(REQUEST_TAKES)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._said.append((name, value))

    def on_headers_complete(self) -> None:
        """Choose the way."""
        # A client says the same on a connection again and again.
        if self._said != self._said_before:
            self._said_before = self._said.copy()  # trailers are yet to come
            self._names = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self._said}
        if self._short():
            self._whole = b""
        else:
            self._whole = None
            self._go_the_long_way()
        self._way_chosen = True

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self._whole is None:
            super().on_body(body)
        else:
            self._whole += body

    def on_message_complete(self) -> None:
        """Answer, if it is to be at once."""
        self._begun, self._waits_until = False, math.inf
        if self._whole is None:
            super().on_message_complete()
            return
        body, self._whole = self._whole, None
        reply = self._ask(body)
        if reply is not None:
            self.transport.write(_written(reply))
            self._rest()
            return
        self._go_the_long_way()
        if body:
            super().on_body(body)
        super().on_message_complete()

    def _rest(self) -> None:
        """Wait for the next request, as long as `timeout_keep_alive` says."""
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        self._wait(self.timeout_keep_alive)

    def _wait(self, seconds: float) -> None:
        """Wait for so long. A timer that every request stopped and started anew would be a tenth of many a request."""
        self._waits_until = self.loop.time() + seconds
        if self._patience is None:
            self._look_after(seconds)

    def _look_after(self, seconds: float) -> None:
        # Whatever begins meanwhile may have less time than what is waited for now.
        self._patience = self.loop.call_later(min(seconds, REQUEST_TAKES), self._lose_patience)

    def _lose_patience(self) -> None:
        self._patience = None
        left = self._waits_until - self.loop.time()
        if left == math.inf:  # whatever is under way starts a timer once it is answered
            return
        if left > 0:
            self._look_after(left)
        elif not self._begun:
            self.timeout_keep_alive_handler()
        elif self._answers_an_earlier_one():
            self._wait(REQUEST_TAKES)
        else:
            self._give_up()

    def _answers_an_earlier_one(self) -> bool:
        """Whether a request before the one that has begun waits for its answer."""
        before: RequestResponseCycle | None = self.cycle
        return bool(self.pipeline) or not (self._way_chosen or before is None or before.response_complete)

    def _give_up(self) -> None:
        """Refuse a request that does not come whole, unless it was refused already, and end the connection."""
        if self.transport.is_closing():
            return
        refused = self._way_chosen and self._whole is None and self.cycle.response_started
        if not refused:
            self.transport.write(_written(self._door.too_slow()))
        self.transport.close()

    def _go_the_long_way(self) -> None:
        url = self.url
        super().on_message_begin()
        self.url = url
        extensions: dict[str, Any] = {TRANSPORT: self.transport}
        self.scope["extensions"] = extensions
        for name, value in self._said:
            super().on_header(name, value)
        super().on_headers_complete()

    def _short(self) -> bool:
        names = self._names
        length = names.get("content-length", "0")
        before: RequestResponseCycle | None = self.cycle
        return (
            (before is None or before.response_complete)
            and not self.flow.write_paused
            and "expect" not in names
            and "transfer-encoding" not in names
            and len(length) <= _SHORT_DIGITS
            and int(length) <= _SHORT
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
        )

    def _ask(self, body: bytes) -> Reply | None:
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        if "%" in path:
            path = urllib.parse.unquote(path)
        query = (url.query or b"").decode("latin-1")
        try:
            return self._door.at_once(self.parser.get_method().decode("ascii"), path, query, self._names, body)
        except Exception:
            # The parser would take it for a mistake of the client's.
            log.exception("%s went wrong", path)
            return _BROKEN


def _written(reply: Reply) -> bytes:
    headers = headers_of(reply)
    head = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if head.count("\n") != len(headers) or head.count("\r") != len(headers):
        raise ValueError(f"a header has a line break: {head!r}")
    return b"%b%b\r\n%b" % (STATUS_LINE[reply.status], head.encode("latin-1"), reply.body)
