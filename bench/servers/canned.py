"""A platform that costs next to nothing: it answers every request with recorded bytes, only the ids are new.

    python -m bench.servers.canned

It also has a control desk below `/bench/`: count what was asked, announce what happens to the calls.
"""

import asyncio
import itertools
import json
import random
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from bench.servers.bodies import NOT_YET, NUMBER, record
from bench.servers.serving import serve
from ringonce.sandbox.default_org import ADA

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]

BODIES = record()
ALLOWED = 10_000_000
"""Requests a minute that it says it allows, so that nobody waits for a quota."""
HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-cache, no-store, must-revalidate"),
    (b"inin-correlation-id", b"00000000-0000-4000-8000-000000000000"),
    (b"inin-ratelimit-allowed", b"%d" % ALLOWED),
    (b"inin-ratelimit-reset", b"60"),
]
TOPIC = re.compile(r"v2\.users\.([0-9a-f-]+)\.conversations")
BATCH = 50
"""Events that are written before the sockets get a chance to drain."""


class Platform:
    """All that is remembered: who listens where, and which calls there are."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}
        self.channels, self.conversations = itertools.count(1), itertools.count(1)
        self.topics: dict[str, dict[str, None]] = {}
        self.sockets: dict[str, Send] = {}
        self.calls: list[tuple[str, str, str]] = []
        """Conversation, agent, number."""
        self.pushed = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.listen(scope["path"].rpartition("/")[2], receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        path: str = scope["path"]
        desk = self.control if path.startswith("/bench/") else self.answer
        status, said = desk(scope["method"], path, body, _host(scope))
        spent = sum(self.asked.values())
        headers = [*HEADERS, (b"inin-ratelimit-count", b"%d" % spent), (b"content-length", b"%d" % len(said))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    def answer(self, method: str, path: str, body: bytes, host: str) -> tuple[int, bytes]:
        kind, _, rest = path.removeprefix("/api/v2/").partition("/")
        self.asked[kind] = self.asked.get(kind, 0) + 1
        if kind == "conversations":
            return self.converse(method, rest, body)
        if path == "/oauth/token":
            return 200, BODIES.token
        if kind == "notifications":
            return self.notify(method, rest, body, host)
        return 404, b'{"message":"not here","code":"not.found","status":404}'

    def converse(self, method: str, rest: str, body: bytes) -> tuple[int, bytes]:
        if method == "GET":
            asked = rest.rpartition("/")[2].encode()
            return 200, (BODIES.read_flat if "/" in rest else BODIES.read).replace(BODIES.conversation.encode(), asked)
        conversation = f"{next(self.conversations):08x}-0000-4000-8000-000000000000"
        _, user, agent = rest.partition("/user/")
        self.calls.append((conversation, agent or ADA, _number(body)))
        said = BODIES.create if user else BODIES.tutorial_create
        return 202 if user else 201, said.replace(BODIES.conversation.encode(), conversation.encode())

    def notify(self, method: str, rest: str, body: bytes, host: str) -> tuple[int, bytes]:
        if not rest.endswith("/subscriptions"):
            name = f"channel-{next(self.channels)}"
            self.topics[name] = {}
            uri = f"ws://{host}/channels/{name}"
            return 200, json.dumps({"id": name, "connectUri": uri, "expires": "2030-01-01T00:00:00.000Z"}).encode()
        mine = self.topics.setdefault(rest.split("/")[1], {})
        if method == "PUT":
            mine.clear()
        wanted = [one["id"] for one in json.loads(body)]
        mine.update(dict.fromkeys(wanted))
        return 200, json.dumps({"entities": [{"id": one, "state": "Permitted"} for one in wanted]}).encode()

    async def listen(self, name: str, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self.sockets[name] = send
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self.sockets.pop(name, None)
                return
            if "ping" in (message.get("text") or ""):
                await send({"type": "websocket.send", "text": '{"topicName":"channel.metadata","eventBody":{}}'})

    def control(self, _method: str, path: str, body: bytes, _host: str) -> tuple[int, bytes]:
        asked = json.loads(body or b"{}")
        match path.removeprefix("/bench/"):
            case "reset":
                self.asked.clear()
                self.calls.clear()
                self.pushed = 0
            case "push":
                self.background = asyncio.ensure_future(self.push(asked["first"], asked["last"], asked["each"]))
            case "ping":
                self.background = asyncio.ensure_future(self.push_timed(asked["events"], asked["rate"]))
        listened = {topic for name, topics in self.topics.items() if name in self.sockets for topic in topics}
        heard = sum(f"v2.users.{agent}.conversations" in listened for _, agent, _ in self.calls)
        told = {"asked": self.asked, "calls": len(self.calls), "heard": heard, "pushed": self.pushed}
        return 200, json.dumps(told).encode()

    async def push(self, first: int, last: int, each: float) -> None:
        """Announce the recorded events *first* to *last* of every call, a call every *each* seconds."""
        for nth, call in enumerate(self.calls):
            for event in BODIES.events[first:last]:
                await self.tell(call, event)
            if each or nth % BATCH == 0:
                await asyncio.sleep(each)

    async def push_timed(self, events: int, rate: float) -> None:
        """Announce *events* of calls drawn at random, each with the moment when it leaves, *rate* a second."""
        dice = random.Random(0)
        began = time.monotonic()
        for nth in range(events):
            await asyncio.sleep(max(0.0, began + nth / rate - time.monotonic()))
            sent_at = f"{time.monotonic_ns():020d}"
            await self.tell(dice.choice(self.calls), BODIES.timed.replace(NOT_YET.encode(), sent_at.encode()))

    async def tell(self, call: tuple[str, str, str], event: bytes) -> None:
        conversation, agent, number = call
        topic = f"v2.users.{agent}.conversations"
        for name, send in list(self.sockets.items()):
            if topic in self.topics.get(name, ()):
                await send({"type": "websocket.send", "text": _about(event, conversation, agent, number)})
                self.pushed += 1


def _about(event: bytes, conversation: str, agent: str, number: str) -> str:
    said = event.replace(BODIES.conversation.encode(), conversation.encode()).replace(ADA.encode(), agent.encode())
    return said.replace(NUMBER.encode(), number.encode()).decode()


def _number(body: bytes) -> str:
    asked = json.loads(body)
    return str(asked.get("phoneNumber") or asked["to"]["phoneNumber"])


def _host(scope: Scope) -> str:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return next(value.decode() for name, value in headers if name == b"host")


if __name__ == "__main__":
    serve(Platform())
