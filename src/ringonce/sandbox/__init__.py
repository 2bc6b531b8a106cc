"""A local Genesys Cloud API: stateful, in memory, on loopback.

    with Sandbox() as sandbox:
        ...                         # point any client at sandbox.url
        assert len(sandbox.calls()) == 1

`Sandbox` runs on a thread of its own, for tests; `serve` and `run` stay in the foreground, for the command line.
Nothing of the web server is imported before one of them starts.
"""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import functools
import gc
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from ringonce.sandbox.faults import HOSTILE
from ringonce.sandbox.trouble import NotThereError, SandboxError

if TYPE_CHECKING:
    from ringonce.sandbox.door import Door
    from ringonce.sandbox.org import Org
    from ringonce.sandbox.server import Server
    from ringonce.sandbox.world import World

__all__ = ["HOSTILE", "NotThereError", "Sandbox", "SandboxError", "run", "serve"]

T = TypeVar("T")
ClockMode = Literal["real", "manual"]

_EXTRA = frozenset({"starlette", "uvicorn", "httptools", "websockets"})
_COLLECTED_AFTER = (10_000, 10, 100)  # measured: 9 µs a created call less than with Python's own (700, 10, 10)
_PATIENCE = 30.0  # seconds for one question to a sandbox that is busy


class Sandbox:
    """A Genesys Cloud of one's own, for a test or a session.

    *port* 0 takes a free one. *agents* adds `agent-00001@example.com` and so on to the default org.
    With the clock `manual`, world time moves by `advance` only; with `real`, *speed* times as fast as *wall*.
    One *seed* gives one sequence of ids, tokens and misfortunes. *rate_limit* is requests a minute for each token in
    place of the org's (300); 0 lifts the limit. A *host* that is not loopback opens the sandbox to
    whoever can reach it. Its methods may be called from any thread.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        agents: int = 0,
        seed: int = 0,
        speed: float = 1.0,
        clock: ClockMode = "real",
        org: "Org | None" = None,
        rate_limit: int | None = None,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        self._furnish = functools.partial(
            _furnish,
            host,
            port,
            agents=agents,
            seed=seed,
            speed=speed,
            clock=clock,
            org=org,
            rate_limit=rate_limit,
            wall=wall,
        )
        self._running: _Running | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Open for business; `SandboxError` if the port is taken or the web server is not installed."""
        if self._running is None:
            self._running = _Running(self._furnish)

    def stop(self) -> None:
        """Close every connection and forget everything. Stopping twice does no harm."""
        running, self._running = self._running, None
        if running is not None:
            running.stop()

    @property
    def url(self) -> str:
        """The base URL for every client: API, OAuth and `/_sandbox/` alike."""
        return self._alive().url

    @property
    def world(self) -> "World":
        """The world itself. It belongs to the server's thread: change it through `do` while clients are at work."""
        return self._alive().door.world

    def do(self, work: Callable[["World"], T]) -> T:
        """Do something to the world, on its own thread and at its present moment, and give back what came of it."""
        return self._ask(lambda door: work(door.world))

    def calls(self) -> list[dict[str, Any]]:
        """Every conversation that a POST created, oldest first, whether or not its answer was delivered."""
        return self._ask(lambda door: door.world.calls())

    def requests(self) -> list[dict[str, Any]]:
        """The last 10,000 API requests, oldest first; *status* is None where no answer was given."""
        return self._ask(lambda door: door.journal.all())

    def fault(self, **fields: Any) -> dict[str, Any]:
        """Set a fault (`action=…, path=…, …` as in `POST /_sandbox/faults`) and give it back with its id."""
        return self._ask(lambda door: door.set_fault(fields).as_json())

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are set, with how often each has *fired*."""
        return self._ask(lambda door: door.faults.all())

    def clear_faults(self) -> None:
        """Take all faults away."""
        self._ask(lambda door: door.end_faults())

    def advance(self, seconds: float) -> None:
        """Let world time pass at once; everything that is due in between has happened on return."""
        self._ask(lambda door: door.clock.leap(seconds))

    def phone(self, number: str, action: Literal["answer", "decline", "hangup"]) -> None:
        """Do at a customer's telephone what the customer could; KeyError if no call is there."""
        self._ask(lambda door: door.world.phone(number, action))

    def reset(self) -> None:
        """Begin again: no calls, tokens, channels, faults or requests; the clock keeps its mode and speed."""
        self._ask(lambda door: door.reset())

    def _ask(self, question: Callable[["Door"], T]) -> T:
        return self._alive().ask(question)

    def _alive(self) -> "_Running":
        if self._running is None:
            raise SandboxError(
                "The sandbox is not running",
                why="it was not started, or has been stopped",
                fix="Use it inside `with Sandbox() as sandbox:`, or call start() first.",
            )
        return self._running


class _Running:
    """One server on one thread, from its first connection to its last."""

    def __init__(self, furnish: Callable[[], "tuple[Door, Server, str]"]) -> None:
        self.door, self._server, self.url = furnish()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._up: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._work, name=f"ringonce-sandbox {self.url}", daemon=True)
        self._thread.start()
        self._up.result()

    def stop(self) -> None:
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def ask(self, question: Callable[["Door"], T]) -> T:
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

    def _work(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_web().loop_factory()) as runner:
                self._loop = runner.get_loop()
                runner.run(self._server.run(lambda: self._up.set_result(None), self._stop))
        except BaseException as broken:  # noqa: BLE001  # whoever waits for the start must hear of it
            if not self._up.done():
                self._up.set_exception(broken)


async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    agents: int = 0,
    seed: int = 0,
    speed: float = 1.0,
    clock: ClockMode = "real",
    org: "Org | None" = None,
    rate_limit: int | None = None,
    faults: Iterable[Mapping[str, Any]] = (),
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Run a sandbox in the foreground until SIGINT or SIGTERM; *ready* is called with its URL.

    *faults* are set from the start: `HOSTILE` is a little of everything. *rate_limit* is as with `Sandbox`.
    """
    _, server, url = _furnish(
        host,
        port,
        agents=agents,
        seed=seed,
        speed=speed,
        clock=clock,
        org=org,
        rate_limit=rate_limit,
        wall=time.monotonic,
        faults=faults,
    )
    stop = asyncio.Event()
    with _until_signalled(stop):
        await server.run(lambda: ready(url), stop)


def run(**settings: Any) -> None:
    """Do what `serve` does, with an event loop of its own; takes the same settings."""
    with asyncio.Runner(loop_factory=_web().loop_factory()) as runner, _seldom_collected():
        runner.run(serve(**settings))


@contextlib.contextmanager
def _seldom_collected() -> Iterator[None]:
    """Let Python look for cycles among old objects a hundred times more seldom: nothing that a world keeps is in one.

    Only where the process is the sandbox's own.
    """
    before = gc.get_threshold()
    gc.set_threshold(*_COLLECTED_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _furnish(
    host: str,
    port: int,
    *,
    agents: int,
    seed: int,
    speed: float,
    clock: ClockMode,
    org: "Org | None",
    rate_limit: int | None,
    wall: Callable[[], float],
    faults: Iterable[Mapping[str, Any]] = (),
) -> "tuple[Door, Server, str]":
    web = _web()
    from ringonce.sandbox.clock import Clock
    from ringonce.sandbox.default_org import default_org
    from ringonce.sandbox.door import Door, is_loopback
    from ringonce.sandbox.world import World

    if rate_limit is not None:
        org = dataclasses.replace(org or default_org(agents), rate_limit=rate_limit or None)
    world = World(now=time.time(), seed=seed, agents=agents, org=org)
    door = Door(world, Clock(world, wall=wall, mode=clock, speed=speed), seed=seed, open_to_all=not is_loopback(host))
    for fault in faults:
        door.set_fault(fault)
    listener = web.bind(host, port)
    try:
        return door, web.Server(door, listener), web.url_of(host, listener)
    except BaseException:
        listener.close()
        raise


def _web() -> ModuleType:
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


@contextlib.contextmanager
def _until_signalled(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    taken = []
    for sign in (signal.SIGINT, signal.SIGTERM):
        # Only the main thread may listen to signals; elsewhere the caller ends the task.
        with contextlib.suppress(RuntimeError, ValueError, NotImplementedError):
            loop.add_signal_handler(sign, stop.set)
            taken.append(sign)
    try:
        yield
    finally:
        for sign in taken:
            loop.remove_signal_handler(sign)


def _answer_into(reply: "concurrent.futures.Future[T]", answer: Callable[[], T]) -> None:
    try:
        reply.set_result(answer())
    except BaseException as wrong:  # noqa: BLE001  # it belongs to the thread that asked
        reply.set_exception(wrong)
