"""A local Genesys Cloud API: stateful, in memory, on loopback.

    with Sandbox() as sandbox:
        ...                         # point any client at sandbox.url
        assert len(sandbox.calls()) == 1

`Sandbox` runs on a thread of its own, for tests; `serve` and `run` stay in the foreground, for the command line.
Nothing of the web server is imported before one of them starts.
"""

import asyncio
import contextlib
import datetime as dt
import gc
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from ringonce.sandbox.hostile import HOSTILE
from ringonce.sandbox.running import Running, furnish, web
from ringonce.sandbox.settings import ClockMode, Hostile, Settings
from ringonce.sandbox.trouble import NotThereError, SandboxError

if TYPE_CHECKING:
    from ringonce.sandbox.door import Door
    from ringonce.sandbox.org import Org
    from ringonce.sandbox.world import World

__all__ = ["HOSTILE", "NotThereError", "Sandbox", "SandboxError", "run", "serve"]

T = TypeVar("T")

_COLLECTED_AFTER = (50_000, 5, 100)  # measured: 10 µs a created call less than with (10_000, 10, 100)


class Sandbox:
    """A Genesys Cloud of one's own, for a test or a session.

    *port* 0 takes a free one; with None there is none, and programs come in by `connect`.
    *agents* adds `agent-00001@example.com` and so on to the default org. *org* is another one, or its file.
    With the clock `manual`, world time moves by `advance` only, from *start* (ISO-8601 or a datetime, UTC unless it
    has a zone) or from now; with `real`, from now and *speed* times as fast as *wall*.
    One *seed* gives one sequence of ids, tokens and misfortunes. *hostile* sets the hostile profile: True, or the
    doses that differ from the usual ones, as `{"lost_answers": 0.3}`. *rate_limit* is requests a minute for each
    token in place of the org's (300); 0 lifts the limit. A *host* that is not loopback opens the sandbox to whoever
    can reach it. Its methods may be called from any thread.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int | None = 0,
        agents: int = 0,
        seed: int = 0,
        speed: float = 1.0,
        clock: ClockMode = "real",
        start: str | dt.datetime | None = None,
        org: "Org | str | os.PathLike[str] | None" = None,
        rate_limit: int | None = None,
        hostile: Hostile = False,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = Settings(
            host=host,
            port=port,
            hostile=hostile,
            agents=agents,
            seed=seed,
            speed=speed,
            clock=clock,
            start=start,
            org=org,
            rate_limit=rate_limit,
            wall=wall,
        )
        self._running: Running | None = None

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
            self._running = Running(self._settings)

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

    def connect(self) -> socket.socket:
        """Open a connection to it without any port: a socket on which the API, `/_sandbox/` and channels answer."""
        return self._alive().connect()

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

    def hostile(self, **doses: float) -> dict[str, float]:
        """Set the hostile profile, some doses other than usual (`lost_answers=0.3`), and give all its doses."""
        return self._ask(lambda door: door.set_hostile(doses))

    def clear_faults(self) -> None:
        """Take all faults away, the hostile profile included."""
        self._ask(lambda door: door.end_faults())

    def advance(self, seconds: float) -> None:
        """Let world time pass at once; everything that is due in between has happened on return."""
        self._ask(lambda door: door.clock.leap(seconds))

    def phone(self, number: str, action: Literal["answer", "decline", "ignore", "hangup"]) -> None:
        """Do at a customer's telephone what the customer could; KeyError if no call is there."""
        self._ask(lambda door: door.world.phone(number, action))

    def snapshot(self) -> dict[str, Any]:
        """Write the whole world down as JSON's own types: calls, timers, tokens, channels, faults, requests, dice."""
        return self._ask(lambda door: door.snapshot())

    def restore(self, snapshot: object) -> None:
        """Go on from a snapshot as it would have gone on; `SandboxError` if it is none. Tokens of its time are good."""
        self._ask(lambda door: door.restore(snapshot))

    def reset(self) -> None:
        """Begin again: no calls, tokens, channels, faults or requests; the clock keeps its mode and speed."""
        self._ask(lambda door: door.reset())

    def _ask(self, question: Callable[["Door"], T]) -> T:
        return self._alive().ask(question)

    def _alive(self) -> "Running":
        if self._running is None:
            raise SandboxError(
                "The sandbox is not running",
                why="it was not started, or has been stopped",
                fix="Use it inside `with Sandbox() as sandbox:`, or call start() first.",
            )
        return self._running


async def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    agents: int = 0,
    seed: int = 0,
    speed: float = 1.0,
    clock: ClockMode = "real",
    start: str | dt.datetime | None = None,
    org: "Org | str | os.PathLike[str] | None" = None,
    rate_limit: int | None = None,
    hostile: Hostile = False,
    faults: Iterable[Mapping[str, Any]] = (),
    ready: Callable[[str], None] = lambda _: None,
    ready_file: str | os.PathLike[str] | None = None,
) -> None:
    """Run a sandbox in the foreground until SIGINT, SIGTERM or SIGHUP; *ready* is called with its URL.

    *faults* are set from the start. *ready_file* holds the URL from when it listens until it stops.
    The rest is as with `Sandbox`.
    """
    settings = Settings(
        host=host,
        port=port,
        hostile=hostile,
        agents=agents,
        seed=seed,
        speed=speed,
        clock=clock,
        start=start,
        org=org,
        rate_limit=rate_limit,
        faults=faults,
    )
    _, server, url = furnish(settings)
    stop = asyncio.Event()
    with contextlib.ExitStack() as until, _until_signalled(stop):

        def started() -> None:
            if ready_file is not None:
                until.enter_context(_told_in(Path(ready_file), url))
            ready(url)

        await server.run(started, stop)


def run(**settings: Any) -> None:
    """Do what `serve` does, with an event loop of its own; takes the same settings."""
    with asyncio.Runner(loop_factory=web().loop_factory()) as runner, _seldom_collected():
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


@contextlib.contextmanager
def _told_in(file: Path, url: str) -> Iterator[None]:
    """Keep a file that says where the sandbox is: there whole or not at all, and gone with the sandbox."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(f"{url}\n", encoding="utf-8")
        draft.replace(file)
    except OSError as unwritten:
        draft.unlink(missing_ok=True)
        raise SandboxError(
            f"The ready file {str(file)!r} was not written",
            why=(unwritten.strerror or str(unwritten)).lower(),
            fix="Name a file in a folder that exists and that you may write to.",
        ) from unwritten
    try:
        yield
    finally:
        # Another sandbox may have been told to use the same file meanwhile.
        with contextlib.suppress(OSError):
            if file.read_text(encoding="utf-8").strip() == url:
                file.unlink()


@contextlib.contextmanager
def _until_signalled(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    taken = []
    ending = [signal.SIGINT, signal.SIGTERM]
    # Windows has no such signal, and under nohup it was decided that it means nothing.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        ending.append(signal.SIGHUP)
    for sign in ending:
        # Only the main thread may listen to signals, and on Windows no loop can; then the caller ends the task.
        with contextlib.suppress(RuntimeError, ValueError, NotImplementedError):
            loop.add_signal_handler(sign, stop.set)
            taken.append(sign)
    try:
        yield
    finally:
        for sign in taken:
            loop.remove_signal_handler(sign)
