"""A receiver of webhooks on this machine, and a service that sends to it."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from ringonce.service import feed, hooks
from ringonce.service.hooks import Made
from ringonce.service.hooks.delivering import Deliveries
from ringonce.service.hooks.sending import Sender
from ringonce.service.store import Store
from ringonce.service.vault import KEY, Vault

START = 1_800_000_000.0


@pytest.fixture
def vault() -> Vault:
    return Vault([os.urandom(KEY)])


class Receiver:
    """Remembers what it gets; answers with `status`, or not at all while `hangs`."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status, self.headers = 204, dict[str, str]()
        self.hangs = False
        self.url = ""
        self.came, self.over = asyncio.Event(), asyncio.Event()

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]

    async def answer(self, request: web.Request) -> web.Response:
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        self.came.set()
        if self.hangs:
            await self.over.wait()
        return web.Response(status=self.status, headers=self.headers)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
        yield receiver
    finally:
        receiver.over.set()
        await runner.cleanup()


class Service:
    """A process that delivers, on a clock that the test owns."""

    def __init__(self, store: Store, vault: Vault, sender: Sender, now: list[float]) -> None:
        self.store, self.vault, self.now = store, vault, now
        self.deliveries = Deliveries(store, self._open, sender, clock=lambda: now[0])

    async def _open(self) -> Vault:
        return self.vault

    def hook(self, url: str, *kinds: str) -> Made:
        with self.store.write() as db:
            return hooks.make(db, self.vault, url, kinds, by="tok_1", allow_private=True, now=self.now[0])

    def happens(self, count: int = 1, kind: str = "call.changed") -> None:
        with self.store.write() as db:
            for number in range(count):
                feed.tell(db, kind, f"call_{number}", {"state": "live"}, agent_id="ada", now=self.now[0])

    def stands(self, made: Made) -> hooks.Hook:
        with self.store.read() as db:
            return hooks.get(db, made.hook.id)

    async def deliver(self) -> int:
        begun = await self.deliveries.look()
        await self.deliveries.done()
        return begun

    async def passes(self, seconds: float) -> int:
        self.now[0] += seconds
        return await self.deliver()


@asynccontextmanager
async def serving(store: Store, vault: Vault, now: list[float] | None = None, **options: Any) -> AsyncIterator[Service]:
    async with Sender(**({"allow_private": True, "timeout": 5.0} | options)) as sender:
        yield Service(store, vault, sender, now or [START])


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
