"""The sandbox's door: ASGI outside, `Request` and `Reply` inside, trouble in between."""

import asyncio
import base64
import functools
import ipaddress
import random
import re
import urllib.parse
import uuid
from collections.abc import Callable

from ringonce.sandbox.admin import make_admin
from ringonce.sandbox.clock import Clock
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.faults import Fault, Faults
from ringonce.sandbox.http import Reply, Request
from ringonce.sandbox.journal import Entry, Journal
from ringonce.sandbox.refusals import refuse
from ringonce.sandbox.sockets import Message, Receive, Send, serve_channel
from ringonce.sandbox.world import World

MOST_BYTES = 512_000
"""The platform's `request.bytes.max`."""

TRANSPORT = "ringonce.transport"
"""Where our HTTP protocol leaves the connection's transport in the scope's extensions."""

_TICK = 0.001
_CHANNEL = re.compile(r"/channels/([^/]+)/?$")
_BEFORE_API = re.compile(r"^.*?(?=/api/v2/)|^.*?(?=/oauth/)")


class Door:
    """One world behind HTTP. Everything here runs on one event loop; the world is never locked."""

    def __init__(self, world: World, clock: Clock, *, seed: int = 0, open_to_all: bool = False) -> None:
        self.world = world
        self.clock = clock
        self.faults = Faults(seed)
        self.journal = Journal()
        self._desk = Desk(world)
        self._admin = make_admin(self)
        self._open_to_all = open_to_all
        self._dice = random.Random(f"door:{seed}")  # noqa: S311  # repeatable correlation ids, no secret
        self._held: set[asyncio.Future[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = 0.0
        self._armed_for: float | None = None  # world time; whoever has nothing sooner need not touch the timer

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request or serve one WebSocket."""
        if scope["type"] == "websocket":
            await self._channel(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path: str = scope["path"]
        if not self._welcome(headers):
            await _answer(self._not_here(), send)
        elif path == "/" and scope["method"] == "GET":
            await _answer(Reply(302, headers=(("Location", "/_sandbox/"),)), send)
        elif path == "/_sandbox" or path.startswith("/_sandbox/"):
            self.clock.catch_up()
            await self._admin(scope, receive, send)
            self.rearm()
        else:
            await self._api(scope, headers, receive, send)
            self._keep_armed()

    def reset(self) -> None:
        """Begin again: no calls, tokens, faults or requests; the clock keeps its mode and speed."""
        self.faults.clear()
        self.journal.clear()
        self.world.reset()
        self.clock.anchor()
        self.release()
        self.rearm()

    def release(self) -> None:
        """Let go of every answer that is being held back."""
        for held in self._held:
            _let_go(held)

    def rearm(self) -> None:
        """Wake up when the world next has something to do."""
        wait = self.clock.wait()
        self._armed_for = None if wait is None else self.world.next_at()
        loop = asyncio.get_running_loop()
        # Timers may fire a little early; a floor keeps that from becoming a busy loop.
        rings_at = 0.0 if wait is None else loop.time() + max(wait, _TICK)
        if self._timer is not None:
            if rings_at > self._rings_at - _TICK:
                return
            self._timer.cancel()
            self._timer = None
        if rings_at:
            self._rings_at = rings_at
            self._timer = loop.call_at(rings_at, self._wake)

    def set_fault(self, fields: object) -> Fault:
        """Set a fault; one that waits for no request acts now. Raise `SandboxError` for one that makes no sense."""
        fault = self.faults.add(fields)
        if fault.at_once:
            fault.fired = 1
            self._disturb(fault)
        return fault

    def end_faults(self, fault_id: str | None = None) -> None:
        """Take one fault away, or all; what they did to channels ends."""
        if fault_id is None:
            self.faults.clear()
        else:
            self.faults.remove(fault_id)
        self._settle()
        if not self.faults.in_force("mute_socket"):
            self.world.channels.mute(on=False)

    def close(self) -> None:
        """Stop waking up, and let every held request end."""
        if self._timer is not None:
            self._timer.cancel()
        self.release()

    def _wake(self) -> None:
        self._timer = self._armed_for = None
        self.clock.catch_up()
        self.rearm()

    async def _channel(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        match = _CHANNEL.search(scope["path"])
        if match is None or not self._welcome(headers):
            await receive()
            await send({"type": "websocket.close"})
            return
        self.clock.catch_up()
        await serve_channel(self.world, match[1], receive, send, self._heard)

    def _heard(self) -> None:
        self.clock.catch_up()
        self.rearm()

    def at_once(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Reply | None:
        """Answer a request that has come whole; None for one that needs more than the desk, untouched."""
        if self.faults or not _for_the_desk(path) or not self._welcome(headers):
            return None
        self.clock.catch_up()
        request, entry = self._note(method, path, query, headers, body)
        reply = self._desk.handle(request)
        entry.status = reply.status
        self._keep_armed()
        return reply

    async def _api(self, scope: Message, headers: dict[str, str], receive: Receive, send: Send) -> None:
        method, path, query = scope["method"], scope["path"], scope["query_string"].decode("latin-1")
        try:
            body = await _read(headers, receive)
        except _LeftError:
            return
        self.clock.catch_up()
        request, entry = self._note(method, path, query, headers, body or b"")
        if body is None:
            entry.status = 413
            await _answer(refuse(413, context_id=self._context_id(), word=str(MOST_BYTES)), send)
            return
        fault = self.faults.pick(method, _BEFORE_API.sub("", path, count=1)) if self.faults else None
        if fault is None:
            reply = self._desk.handle(request)
            entry.status = reply.status
            await _answer(reply, send)
            return
        entry.fault = fault.action
        await self._trouble(fault, request, entry, _Line(scope, receive, send))

    def _note(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> tuple[Request, Entry]:
        entry = self.journal.write(self.world.now, method, path, query)
        entry.client = self._client(headers.get("authorization", ""))
        pairs = dict(urllib.parse.parse_qsl(query, keep_blank_values=True)) if query else {}
        return Request(method, path, pairs, headers, body), entry

    def _keep_armed(self) -> None:
        """Do what `rearm` does, where time has not been touched: there is nothing to do unless something came in."""
        due = self.world.next_at()
        if self._armed_for is None or due is None or due < self._armed_for:
            self.rearm()

    async def _trouble(self, fault: Fault, request: Request, entry: Entry, line: "_Line") -> None:
        match fault.action:
            case "drop_before":
                await line.drop()
                return
            case "create_late":
                self._after(fault, functools.partial(self._handle_unheard, request))
                await line.drop()
                return
            case "status":
                reply = self._refusal(fault)
            case "expire_token" | "revoke_token":
                self._spoil(fault, _bearer(request.headers.get("authorization", "")))
                reply = self._desk.handle(request)
            case "close_socket" | "mute_socket" | "reorder" | "duplicate":
                self._disturb(fault)
                reply = self._desk.handle(request)
            case _:
                reply = self._desk.handle(request)
        match fault.action:
            case "drop_after":
                await line.drop()
                return
            case "truncate":
                entry.status = reply.status if reply.body else None
                await line.break_off(reply)
                return
            case "late_status":
                reply = self._refusal(fault)
            case "delay":
                await self._hold(fault)
        entry.status = reply.status
        await _answer(reply, line.send)

    def _spoil(self, fault: Fault, value: str) -> None:
        token = self.world.tokens.find(value)
        if token is not None and fault.action == "revoke_token":
            self.world.tokens.revoke(token)
        elif token is not None:
            self.world.tokens.expire(value)

    def _disturb(self, fault: Fault) -> None:
        if fault.action == "close_socket":
            self.world.channels.close()
        elif fault.action == "mute_socket":
            self.world.channels.mute()
        self._settle()

    def _settle(self) -> None:
        self.world.channels.reorder = self.faults.in_force("reorder")
        self.world.channels.duplicate = self.faults.in_force("duplicate")

    def _handle_unheard(self, request: Request) -> None:
        self._desk.handle(request)

    def _refusal(self, fault: Fault) -> Reply:
        return refuse(fault.status or 503, context_id=self._context_id(), retry_after=fault.retry_after)

    def _after(self, fault: Fault, do: Callable[[], None]) -> None:
        self.world.at(self.world.now + (fault.delay_s or 0.0), do)
        self.rearm()

    async def _hold(self, fault: Fault) -> None:
        held: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held.add(held)
        self._after(fault, functools.partial(_let_go, held))
        try:
            await held
        finally:
            self._held.discard(held)

    def _client(self, authorization: str) -> str | None:
        """Name the OAuth client behind a request; only ids that exist, so that nothing mistyped is written down."""
        token = self.world.tokens.find(_bearer(authorization))
        if token is not None:
            return token.client.id
        if authorization[:6].lower() != "basic ":
            return None
        try:
            name = base64.b64decode(authorization[6:], validate=True).partition(b":")[0].decode()
        except ValueError:
            return None
        return name if name in self.world.clients else None

    def _context_id(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    def _welcome(self, headers: dict[str, str]) -> bool:
        # A page on the web can make a browser here send requests to loopback, under a name that it
        # controls or with its own origin. Neither gets in, unless the user opened the sandbox to others.
        if self._open_to_all:
            return True
        origin = headers.get("origin")
        return is_loopback(headers.get("host", "localhost")) and (
            origin is None or is_loopback(origin.partition("://")[2])
        )

    def _not_here(self) -> Reply:
        words = "The sandbox answers to loopback names only (localhost, 127.0.0.1, [::1]), unless --host opens it."
        return refuse(403, context_id=self._context_id(), why=words)


def _for_the_desk(path: str) -> bool:
    return path not in {"/", "/_sandbox"} and not path.startswith("/_sandbox/")


class _LeftError(Exception):
    """The client left before it had said everything; half a request must not place a call."""


class _Line:
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
        await self.send({"type": "http.response.start", "status": reply.status, "headers": headers_of(reply)})
        half = reply.body[: len(reply.body) // 2]
        await self.send({"type": "http.response.body", "body": half, "more_body": True})
        self._transport.close()  # unlike abort, this lets what was written go out
        await self._gone()

    async def _gone(self) -> None:
        # The server complains of an app that ends without an answer, unless the client went first.
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _let_go(held: asyncio.Future[None]) -> None:
    if not held.done():
        held.set_result(None)


def _bearer(authorization: str) -> str:
    return authorization.partition(" ")[2].strip()


async def _read(headers: dict[str, str], receive: Receive) -> bytes | None:
    """Read a body; None if it is larger than the platform takes."""
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > MOST_BYTES:
        return None
    body = b""
    more = True
    while more and len(body) <= MOST_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _LeftError
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body if len(body) <= MOST_BYTES else None


def headers_of(reply: Reply) -> list[tuple[bytes, bytes]]:
    """Give an answer's headers as they are sent."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    if reply.body:
        headers.append((b"content-type", reply.media_type.encode("latin-1")))
    if reply.status != 204:  # noqa: PLR2004  # No Content has no length either
        headers.append((b"content-length", b"%d" % len(reply.body)))
    return headers


async def _answer(reply: Reply, send: Send) -> None:
    await send({"type": "http.response.start", "status": reply.status, "headers": headers_of(reply)})
    await send({"type": "http.response.body", "body": reply.body})


@functools.lru_cache(maxsize=64)
def is_loopback(netloc: str) -> bool:
    """Say whether a host, with or without a port, is this machine and no other."""
    try:
        name = urllib.parse.urlsplit(f"//{netloc}").hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
