"""The sandbox's door: ASGI outside, `Request` and `Reply` inside, trouble in between."""

import asyncio
import functools
import random
import re
import urllib.parse
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from ringonce.sandbox.admin import make_admin
from ringonce.sandbox.clock import Clock
from ringonce.sandbox.credentials import bearer, client_of
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.faults import ON_CHANNELS, Fault, Faults
from ringonce.sandbox.hostile import PREFIX, doses, faults_of
from ringonce.sandbox.http import Reply, Request
from ringonce.sandbox.journal import Entry, Journal
from ringonce.sandbox.line import MOST_BYTES, LeftError, Line, answer, read_body
from ringonce.sandbox.live import parts_of, serve_live
from ringonce.sandbox.origins import preflight, shared, sharing, welcome
from ringonce.sandbox.refusals import refuse
from ringonce.sandbox.snapshot import pack, unpack
from ringonce.sandbox.sockets import Message, Receive, Send, serve_channel
from ringonce.sandbox.strange import with_extra_field, with_unknown_value
from ringonce.sandbox.trouble import SandboxError
from ringonce.sandbox.world import World

_TICK = 0.001
_KEPT = ("world", "faults", "journal", "doses", "_dice")
_CHANNEL = re.compile(r"/channels/([^/]+)/?$")
_BEFORE_API = re.compile(r"^.*?(?=/api/v2/)|^.*?(?=/oauth/)")


class Door:
    """One world behind HTTP. Everything here runs on one event loop; the world is never locked."""

    def __init__(self, world: World, clock: Clock, *, seed: int = 0, open_to_all: bool = False) -> None:
        self.world = world
        self.clock = clock
        self.faults = Faults(seed)
        self.journal = Journal()
        self.doses: dict[str, float] | None = None
        """The doses of the hostile profile while it is set."""
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
        if not self._welcome(headers, path):
            await answer(self._not_here(), send)
        elif asked := preflight(scope["method"], path, headers):
            await answer(asked, send)
        elif path == "/" and scope["method"] == "GET":
            await answer(Reply(302, headers=(("Location", "/_sandbox/"),)), send)
        elif path == "/_sandbox" or path.startswith("/_sandbox/"):
            self.clock.catch_up()
            await self._admin(scope, receive, send)
            self.rearm()
        else:
            await self._api(scope, headers, receive, shared(send, path, headers))
            self._keep_armed()

    def reset(self) -> None:
        """Begin again: no calls, tokens, faults or requests; the clock keeps its mode and speed."""
        self.world.reset()
        self.end_faults()
        self.journal.clear()
        self.clock.anchor()
        self.release()
        self.rearm()

    def snapshot(self) -> dict[str, Any]:
        """Write down the world, what is due in it, faults, requests and the clock's pace."""
        whole = {name: getattr(self, name) for name in _KEPT}
        return pack({**whole, "mode": self.clock.mode, "speed": self.clock.speed}, {"door": self})

    def restore(self, packed: object) -> None:
        """Go back to what a snapshot says, or raise `SandboxError` and change nothing.

        Open sockets stay with channels of the same id; those of others are closed, and held answers are let go.
        """
        whole, come_alive = unpack(packed, {"door": self}, [self.world])
        if not isinstance(whole, dict) or {*_KEPT, "mode", "speed"} - set(whole) or whole["world"] is not self.world:
            raise _not_put_back("it holds no world")
        kinds = {"faults": Faults, "journal": Journal, "doses": dict | None, "_dice": random.Random}
        if odd := [name for name, kind in kinds.items() if not isinstance(whole[name], kind)]:
            raise _not_put_back(f"{odd[0]} is nothing that belongs there")
        before = {name: getattr(self, name) for name in _KEPT[1:]}, dict(vars(self.world)), vars(self.clock).copy()
        try:
            self._live_on(whole, come_alive)
        except Exception as wrong:  # types do not tell everything; whatever it was, nothing may stay of it
            kept, world, clock = before
            for thing, was in ((self.world, world), (self.clock, clock)):
                vars(thing).clear()
                vars(thing).update(was)
            vars(self).update(kept)
            self.rearm()
            raise (
                wrong if isinstance(wrong, SandboxError) else _not_put_back("the world in it does not hold")
            ) from wrong
        self.release()

    def _live_on(self, whole: dict[str, Any], come_alive: Callable[[], None]) -> None:
        self.clock.change({"mode": whole["mode"], "speed": whole["speed"]})
        connected = self.world.channels.connected()
        come_alive()
        vars(self).update({name: whole[name] for name in _KEPT[1:]})
        self.clock.anchor()
        # Whatever can be looked at must be tellable; what cannot would fail every request from now on.
        self.world.calls()
        dict(parts_of(self))
        self.rearm()
        self.world.channels.reconnect(connected)

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
        return self._begin(self.faults.add(fields))

    def set_hostile(self, given: object) -> dict[str, float]:
        """Set the hostile profile in place of the one before, some of its doses changed; give all its doses."""
        shares = doses(given)
        self.end_hostile()
        for fault_id, fields in faults_of(shares):
            self._begin(self.faults.add(fields, fault_id))
        self.doses = shares
        return shares

    def end_hostile(self) -> None:
        """Take the hostile profile away; other faults stay."""
        self.faults.clear_profile(PREFIX)
        self.doses = None
        self._settle()

    def end_faults(self, fault_id: str | None = None) -> None:
        """Take one fault away, or all; what they did to channels ends."""
        if fault_id is None:
            self.faults.clear()
            self.doses = None
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
        if scope["path"] == "/_sandbox/live" and self._welcome(headers, scope["path"]):
            await serve_live(self, receive, send)
            return
        match = _CHANNEL.search(scope["path"])
        if match is None or not self._welcome(headers, scope["path"]):
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
        if self.faults or method == "OPTIONS" or not _for_the_desk(path) or not self._welcome(headers, path):
            return None
        self.clock.catch_up()
        request, entry = self._note(method, path, query, headers, body)
        reply = self._desk.handle(request)
        self.journal.answered(entry, reply.status, reply.body)
        self._keep_armed()
        if more := sharing(path, headers):
            return msgspec.structs.replace(reply, headers=reply.headers + more)
        return reply

    def too_slow(self) -> Reply:
        """Refuse a request that did not come whole in time; nothing else is taken on its connection."""
        refused = refuse(408, context_id=self._context_id())
        return msgspec.structs.replace(refused, headers=(*refused.headers, ("Connection", "close")))

    async def _api(self, scope: Message, headers: dict[str, str], receive: Receive, send: Send) -> None:
        method, path, query = scope["method"], scope["path"], scope["query_string"].decode("latin-1")
        try:
            body = await read_body(headers, receive)
        except LeftError:
            return
        self.clock.catch_up()
        request, entry = self._note(method, path, query, headers, body or b"")
        if body is None:
            entry.status = 413
            await answer(refuse(413, context_id=self._context_id(), word=str(MOST_BYTES)), send)
            return
        fault = self.faults.pick(method, _BEFORE_API.sub("", path, count=1)) if self.faults else None
        if fault is None:
            reply = self._desk.handle(request)
            self.journal.answered(entry, reply.status, reply.body)
            await answer(reply, send)
            return
        entry.fault = fault.action
        await self._trouble(fault, request, entry, Line(scope, receive, send))

    def _note(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> tuple[Request, Entry]:
        kind = headers.get("content-type", "")
        entry = self.journal.write(self.world.now, method, path, query, body, kind=kind)
        entry.client = client_of(headers.get("authorization", ""), self.world)
        pairs = dict(urllib.parse.parse_qsl(query, keep_blank_values=True)) if query else {}
        return Request(method, path, pairs, headers, body), entry

    def _keep_armed(self) -> None:
        """Do what `rearm` does, where time has not been touched: there is nothing to do unless something came in."""
        due = self.world.next_at()
        if self._armed_for is None or due is None or due < self._armed_for:
            self.rearm()

    async def _trouble(self, fault: Fault, request: Request, entry: Entry, line: Line) -> None:
        match fault.action:
            case "drop_before":
                await line.drop()
                return
            case "create_late":
                self._after(fault, functools.partial(self._handle_unheard, request))
                await line.drop()
                return
        reply = self._handle_in_trouble(fault, request)
        match fault.action:
            case "drop_after":
                await line.drop()
                return
            case "truncate":
                entry.status = reply.status if reply.body else None
                await line.break_off(reply)
                return
            case "delay":
                await self._hold(fault)
        self.journal.answered(entry, reply.status, reply.body)
        await answer(reply, line.send)

    def _handle_in_trouble(self, fault: Fault, request: Request) -> Reply:
        match fault.action:
            case "status":
                return self._refusal(fault)
            case "expire_token" | "revoke_token":
                self._spoil(fault, bearer(request.headers.get("authorization", "")))
            case "evict_channel":
                token = self.world.tokens.find(bearer(request.headers.get("authorization", "")))
                if token is not None:
                    self.world.channels.evict_one(token.owner)
            case action if action in ON_CHANNELS:
                self._disturb(fault)
        reply = self._desk.handle(request)
        match fault.action:
            case "late_status":
                return self._refusal(fault)
            case "unknown_value" | "extra_field":
                return self._estranged(fault, reply)
        return reply

    def _begin(self, fault: Fault) -> Fault:
        if fault.at_once:
            fault.fired = 1
            self._disturb(fault)
        return fault

    def _spoil(self, fault: Fault, value: str) -> None:
        token = self.world.tokens.find(value)
        if token is not None and fault.action == "revoke_token":
            self.world.tokens.revoke(token)
        elif token is not None:
            self.world.tokens.expire(value)

    def _disturb(self, fault: Fault) -> None:
        match fault.action:
            case "close_socket":
                self.world.channels.close()
            case "mute_socket":
                self.world.channels.mute()
        self._settle()

    def _settle(self) -> None:
        channels, in_force = self.world.channels, self.faults.in_force
        channels.reorder = in_force("reorder")
        channels.duplicate = in_force("duplicate")
        channels.unknown_value = in_force("unknown_value")
        channels.extra_field = in_force("extra_field")
        channels.mute_new = in_force("mute_new_socket")

    def _estranged(self, fault: Fault, reply: Reply) -> Reply:
        if not reply.body or reply.media_type != "application/json":
            return reply
        change = with_unknown_value if fault.action == "unknown_value" else with_extra_field
        return msgspec.structs.replace(reply, body=change(reply.body, self._dice))

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

    def _context_id(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    def _welcome(self, headers: dict[str, str], path: str) -> bool:
        return welcome(headers, path, open_to_all=self._open_to_all)

    def _not_here(self) -> Reply:
        words = (
            "The sandbox answers to loopback names only (localhost, 127.0.0.1, [::1]), unless --host opens it, "
            "and at /_sandbox and /oauth/authorize to no page but its own."
        )
        return refuse(403, context_id=self._context_id(), why=words)


def _not_put_back(why: str) -> SandboxError:
    return SandboxError("The snapshot was not put back", why=why, fix="Send a whole snapshot.")


def _for_the_desk(path: str) -> bool:
    return path not in {"/", "/_sandbox"} and not path.startswith("/_sandbox/")


def _let_go(held: asyncio.Future[None]) -> None:
    if not held.done():
        held.set_result(None)
