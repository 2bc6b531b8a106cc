"""A sandbox at work: a world, its door and its server, on a thread of their own or on the caller's event loop."""

import asyncio
import concurrent.futures
import dataclasses
import itertools
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final, TypeVar

from ringonce.sandbox.settings import Settings
from ringonce.sandbox.trouble import SandboxError

if TYPE_CHECKING:
    from ringonce.sandbox.door import Door
    from ringonce.sandbox.server import Server

T = TypeVar("T")

_EXTRA = frozenset({"starlette", "uvicorn", "httptools", "websockets"})
_PATIENCE: Final = 30.0  # seconds for one question to a sandbox that is busy
_WITHOUT_PORT = itertools.count(1)


class Running:
    """One server on one thread, from its first connection to its last."""

    def __init__(self, settings: Settings) -> None:
        self.door, self._server, self.url = furnish(settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._up: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._work, name=f"ringonce-sandbox {self.url}", daemon=True)
        self._thread.start()
        self._up.result()

    def stop(self) -> None:
        """End it, and wait for its end."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def ask(self, question: Callable[["Door"], T]) -> T:
        """Put a question to the door on its own thread, at the world's present moment."""

        def answer() -> T:
            self.door.clock.catch_up()
            try:
                return question(self.door)
            finally:
                self.door.rearm()

        if self._loop is None or threading.current_thread() is self._thread:
            return answer()
        reply: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._loop.call_soon_threadsafe(_answer_into, reply, answer)
        return reply.result(_PATIENCE)

    def connect(self) -> socket.socket:
        """Open a connection that passes through no port; the other end is the server's."""
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        if self._loop is None:
            raise RuntimeError("a sandbox that is not up yet takes no connections")
        asyncio.run_coroutine_threadsafe(self._server.adopt(theirs), self._loop).result(_PATIENCE)
        return ours

    def _work(self) -> None:
        try:
            with asyncio.Runner(loop_factory=web().loop_factory()) as runner:
                self._loop = runner.get_loop()
                runner.run(self._server.run(lambda: self._up.set_result(None), self._stop))
        except BaseException as broken:  # noqa: BLE001  # whoever waits for the start must hear of it
            if not self._up.done():
                self._up.set_exception(broken)


def furnish(settings: Settings) -> "tuple[Door, Server, str]":
    """Make a world, its door and its server, which listens on its port already; and its base URL."""
    server = web()
    from ringonce.sandbox.clock import Clock
    from ringonce.sandbox.default_org import default_org
    from ringonce.sandbox.door import Door
    from ringonce.sandbox.org_file import read_org
    from ringonce.sandbox.origins import is_loopback
    from ringonce.sandbox.world import World

    org = settings.org
    if isinstance(org, str | os.PathLike):
        org = read_org(Path(org), agents=settings.agents)
    if settings.rate_limit is not None:
        org = dataclasses.replace(org or default_org(settings.agents), rate_limit=settings.rate_limit or None)
    world = World(now=settings.begins(), seed=settings.seed, agents=settings.agents, org=org)
    clock = Clock(world, wall=settings.wall, mode=settings.clock, speed=settings.speed)
    door = Door(world, clock, seed=settings.seed, open_to_all=not is_loopback(settings.host))
    for fault in settings.faults:
        door.set_fault(fault)
    if settings.hostile is not False:
        door.set_hostile(settings.hostile)
    if settings.port is None:
        return door, server.Server(door, None), f"http://sandbox-{next(_WITHOUT_PORT)}.localhost"
    listener = server.bind(settings.host, settings.port)
    try:
        return door, server.Server(door, listener), server.url_of(settings.host, listener)
    except BaseException:
        listener.close()
        raise


def web() -> ModuleType:
    """Import the web server, or raise `SandboxError` that says how to install it."""
    try:
        from ringonce.sandbox import server
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise SandboxError(
            "The sandbox needs Starlette and uvicorn",
            why=f"{missing.name} is not installed",
            fix="pip install 'ringonce[sandbox]'",
        ) from missing
    return server


def _answer_into(reply: "concurrent.futures.Future[T]", answer: Callable[[], T]) -> None:
    try:
        reply.set_result(answer())
    except BaseException as wrong:  # noqa: BLE001  # it belongs to the thread that asked
        reply.set_exception(wrong)
