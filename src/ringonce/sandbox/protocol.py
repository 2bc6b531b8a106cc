"""A connection to the sandbox: uvicorn's HTTP protocol, with a short way for requests that can be answered at once.

Most requests for the API come whole and meet no trouble. They need no task, no scope and no messages to and fro:
the door is asked in the very callback that brought their last byte, and the answer is one write. Whatever else
there is (faults, `/_sandbox`, WebSockets, large or chunked bodies, clients that do not read) goes the long way, which
is ASGI.
"""

import logging
import urllib.parse
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from ringonce.sandbox.door import Door
from ringonce.sandbox.http import Reply
from ringonce.sandbox.line import TRANSPORT, headers_of

_SHORT = 65_536
_BROKEN = Reply(500)

log = logging.getLogger("ringonce.sandbox")


class Protocol(HttpToolsProtocol):
    """HTTP that lets the application see the transport, so that a fault can end the connection itself."""

    def __init__(self, door: Door, **settings: Any) -> None:
        super().__init__(**settings)
        self._door = door
        self._names: dict[str, str] = {}
        self._whole: bytes | None = None
        """The body so far of a request on the short way; None on the long one."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        extensions: dict[str, Any] = {TRANSPORT: self.transport}
        self.scope["extensions"] = extensions

    def on_headers_complete(self) -> None:
        """Choose the way."""
        self._names = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers}
        if self._short():
            self._whole = b""
        else:
            self._whole = None
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self._whole is None:
            super().on_body(body)
        else:
            self._whole += body

    def on_message_complete(self) -> None:
        """Answer, if it is to be at once."""
        if self._whole is None:
            super().on_message_complete()
            return
        body, self._whole = self._whole, None
        reply = self._ask(body)
        if reply is not None:
            self.transport.write(_written(reply))
            self.on_response_complete()
            return
        super().on_headers_complete()
        if body:
            super().on_body(body)
        super().on_message_complete()

    def _short(self) -> bool:
        length = self._names.get("content-length", "0")
        before: RequestResponseCycle | None = self.cycle
        return (
            (before is None or before.response_complete)
            and not self.flow.write_paused
            and not self.expect_100_continue
            and "transfer-encoding" not in self._names
            and len(length) < len(str(_SHORT)) + 1
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
    lines = [STATUS_LINE[reply.status]]
    for name, value in headers_of(reply):
        if b"\n" in value or b"\r" in value:
            raise ValueError(f"the header {name!r} has a line break")
        lines += (name, b": ", value, b"\r\n")
    lines += (b"\r\n", reply.body)
    return b"".join(lines)
