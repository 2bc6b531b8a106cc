"""A request's own connection: reading what came, answering, and going dead in the middle of it."""

import asyncio

from ringonce.sandbox.http import Reply
from ringonce.sandbox.sockets import Message, Receive, Send

MOST_BYTES = 512_000
"""The platform's `request.bytes.max`."""

TRANSPORT = "ringonce.transport"
"""Where our HTTP protocol leaves the connection's transport in the scope's extensions."""


class LeftError(Exception):
    """The client left before it had said everything; half a request must not place a call."""


class Line:
    """A connection that can go dead."""

    def __init__(self, scope: Message, receive: Receive, send: Send) -> None:
        self._transport: asyncio.Transport = scope["extensions"][TRANSPORT]
        self._receive = receive
        self.send = send

    async def drop(self) -> None:
        """Close the connection without an answer."""
        self._transport.abort()
        await self._gone()

    async def break_off(self, reply: Reply) -> None:
        """Promise the whole answer, send half of its body, and close. An answer without a body is not sent at all."""
        if not reply.body:
            await self.drop()
            return
        await self.send({"type": "http.response.start", "status": reply.status, "headers": _encoded(reply)})
        half = reply.body[: len(reply.body) // 2]
        await self.send({"type": "http.response.body", "body": half, "more_body": True})
        self._transport.close()  # unlike abort, this lets what was written go out
        await self._gone()

    async def _gone(self) -> None:
        # The server complains of an app that ends without an answer, unless the client went first.
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def read_body(headers: dict[str, str], receive: Receive) -> bytes | None:
    """Read a body; None if it is larger than the platform takes."""
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > MOST_BYTES:
        return None
    body = b""
    more = True
    while more and len(body) <= MOST_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise LeftError
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body if len(body) <= MOST_BYTES else None


def headers_of(reply: Reply) -> list[tuple[str, str]]:
    """Give all headers of an answer."""
    headers = list(reply.headers)
    if reply.body:
        headers.append(("content-type", reply.media_type))
    if reply.status != 204:  # noqa: PLR2004  # No Content has no length either
        headers.append(("content-length", str(len(reply.body))))
    return headers


def _encoded(reply: Reply) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers_of(reply)]


async def answer(reply: Reply, send: Send) -> None:
    """Send an answer whole."""
    await send({"type": "http.response.start", "status": reply.status, "headers": _encoded(reply)})
    await send({"type": "http.response.body", "body": reply.body})
