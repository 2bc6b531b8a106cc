"""An `AsyncClient` on a clock of its own: asyncio, the hub and the sandbox's world agree on what time it is.

Nothing waits: whenever every task does, the clock jumps to whatever comes next.
"""

import asyncio
import selectors
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import pytest

from ringonce import AsyncClient, ClientCredentials
from ringonce.client import governor, shell
from ringonce.client.hub import hub, line
from ringonce.client.wishes import Lost, Request, Response
from ringonce.sandbox.channels import Channel
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.http import Request as SandboxRequest
from ringonce.sandbox.world import World

T = TypeVar("T")
STEP = 1e-6
"""Seconds that a turn of the event loop takes at the least, as in life."""
OWNER = ("your_client_id", "")


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing: the time that the loop would wait passes in the world."""

    stage: "Stage"

    def select(self, timeout: float | None = None) -> list[Any]:
        found = super().select(0)
        self.stage.pass_time(max(timeout or 0.0, STEP))
        return list(found)


class Stage:
    """A world, the clock of everybody in it, and the wire between them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, agents: int = 0) -> None:
        self._agents = agents
        self.world = World(now=1_800_000_000.0, agents=agents)
        self.world.rate_limit = None
        self.desk = Desk(self.world)
        self.sent: list[Request] = []
        self.ears: list[Ear] = []
        self.transport = _Wire(self)
        monkeypatch.setattr(shell, "Transport", lambda _: self.transport)
        for module in (shell, hub, line, governor):
            monkeypatch.setattr(module, "time", self)

    def time(self) -> float:
        """Say what time it is, as `time.time` does."""
        return self.world.now

    monotonic = time

    def pass_time(self, seconds: float) -> None:
        """Let time pass, up to the next thing that happens in the world."""
        coming, until = self.world.next_at(), self.world.now + seconds
        self.world.advance(until if coming is None else min(max(coming, self.world.now), until))

    def run(self, story: Callable[[AsyncClient], Coroutine[Any, Any, T]], *, store: Path | None = None) -> T:
        """Play a story with a client, in no time."""

        async def play() -> T:
            auth = ClientCredentials("your_client_id", "your_client_secret")
            async with AsyncClient(base_url="http://127.0.0.1:1", auth=auth, channel_store=store) as genesys:
                return await story(genesys)

        with asyncio.Runner(loop_factory=self._loop) as runner:
            return runner.run(play())

    def restart(self) -> None:
        """Begin the world again, as a sandbox does that was killed: calls, tokens and channels are gone."""
        ears, self.ears = self.ears, []
        self.world = World(now=self.world.now, seed=1, agents=self._agents)
        self.world.rate_limit = None
        self.desk = Desk(self.world)
        for ear in ears:
            ear.end()

    def agents(self) -> list[str]:
        """The ids of the numbered agents."""
        return [user.id for user in self.world.org.users.values() if user.email.startswith("agent-")]

    def channels(self) -> list[Channel]:
        """The client's channels, as the platform sees them."""
        return self.world.channels.of(OWNER)

    def asked(self, method: str, path: str) -> int:
        """Count the requests whose path begins so."""
        return sum(one.method == method and urlsplit(one.url).path.startswith(f"/api/v2{path}") for one in self.sent)

    def _loop(self) -> asyncio.AbstractEventLoop:
        selector = _Jumping()
        selector.stage = self
        loop = asyncio.SelectorEventLoop(selector)
        loop.time = self.time  # type: ignore[method-assign]  # its clock is the world's
        return loop


class Ear:
    """The client's end of a channel's socket."""

    def __init__(self, stage: Stage, channel_id: str) -> None:
        self._world, self.channel_id = stage.world, channel_id
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.behind = 0.0
        self._loop = asyncio.get_running_loop()
        if not self._world.channels.attach(channel_id, self.put, self.end):
            raise Lost("the event socket was refused with HTTP 404", sent=False)
        stage.ears.append(self)

    def put(self, frame: bytes) -> None:
        """Hear a frame, *behind* seconds late."""
        if self.behind:
            self._loop.call_later(self.behind, self._frames.put_nowait, frame)
        else:
            self._frames.put_nowait(frame)

    def end(self) -> None:
        """Hear that the far side closes."""
        self._frames.put_nowait(None)

    async def frames(self) -> AsyncGenerator[str]:
        while (frame := await self._frames.get()) is not None:
            yield frame.decode()

    async def ping(self) -> None:
        self._world.channels.hear(self.channel_id, b'{"message":"ping"}')

    async def close(self) -> None:
        self._world.channels.detach(self.channel_id, self.put)
        self.end()


class _Wire:
    """Stands where the HTTP library does."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def send(self, request: Request, *_: Any) -> Response:
        self._stage.sent.append(request)
        await asyncio.sleep(0.01)
        address = urlsplit(request.url)
        body = b"" if request.body is None else msgspec.json.encode(request.body)
        headers = {"host": "sandbox.test", **{name.lower(): value for name, value in request.headers.items()}}
        if request.form is not None:
            body, headers["content-type"] = urlencode(request.form).encode(), "application/x-www-form-urlencoded"
        query = dict(parse_qsl(address.query))
        reply = self._stage.desk.handle(SandboxRequest(request.method, address.path, query, headers, body))
        return Response(reply.status, {name.lower(): value for name, value in reply.headers}, reply.body)

    async def open_socket(self, url: str) -> Ear:
        await asyncio.sleep(0.01)
        return Ear(self._stage, url.rpartition("/")[2])

    async def close(self) -> None:
        pass
