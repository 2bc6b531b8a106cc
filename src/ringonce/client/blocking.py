"""`Client`: the same as `AsyncClient`, for programs without an event loop.

It is a face over an `AsyncClient` on an event loop in a thread of its own, so there is one network path.
"""

import asyncio
import contextlib
import os
import threading
import weakref
from collections.abc import Coroutine, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

from ringonce.client.aio import SETTLE, AsyncClient, Which
from ringonce.client.auth import Auth
from ringonce.client.flows.order import Plan
from ringonce.client.quota import Quota
from ringonce.client.safe import Safe
from ringonce.client.wishes import closed
from ringonce.config import Timeouts
from ringonce.ledger import Ledger
from ringonce.models import Call, Finding, Identity, Placed

T = TypeVar("T")
CLOSING = 2.0
"""Seconds that closing may take."""


class Client:
    """Place calls for agents and follow them, blocking. Safe between threads. Options are those of `AsyncClient`."""

    def __init__(
        self,
        *,
        region: str = "",
        base_url: str = "",
        auth: Auth | None = None,
        agents: Mapping[str, Auth] | None = None,
        country: str = "",
        timeouts: Timeouts | None = None,
        ledger: Ledger | None = None,
        settle: float = SETTLE,
        channel_store: Path | None = None,
        safe: Safe | None = None,
        login_url: str = "",
        allow_http: bool = False,
    ) -> None:
        self._client = AsyncClient(
            region=region,
            base_url=base_url,
            auth=auth,
            agents=agents,
            country=country,
            timeouts=timeouts,
            ledger=ledger,
            settle=settle,
            channel_store=channel_store,
            safe=safe,
            login_url=login_url,
            allow_http=allow_http,
        )
        self._pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_live, args=(self._loop,), name="ringonce", daemon=True)
        self._thread.start()
        # Also runs at the interpreter's exit, so a forgotten close neither hangs it nor leaks.
        self._finish = weakref.finalize(self, _shut, self._pid, self._loop, self._thread, self._client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection. Calls go on."""
        self._finish()

    def use_agents(self, agents: Mapping[str, Auth], safe: "Safe | None" = None) -> None:
        """Give agents identities of their own from now on; see `AsyncClient.use_agents`."""

        async def use() -> None:
            self._client.use_agents(agents, safe)

        self._run(use())

    def place_call(
        self,
        *,
        agent: str,
        to: str,
        caller_id: str = "",
        queue: str = "",
        caller_name: str = "",
        attributes: Mapping[str, str] | None = None,
        external_contact: str = "",
        uui: str = "",
        intent: str | None = None,
        wire: Literal["platform", "tutorial"] = "platform",
        allow_premium: bool = False,
        timeout: float = 30.0,
    ) -> Placed:
        """Place one call for *agent* (id, e-mail or full name) to the number *to*; see `AsyncClient.place_call`."""
        return self._run(
            self._client.place_call(
                agent=agent,
                to=to,
                caller_id=caller_id,
                queue=queue,
                caller_name=caller_name,
                attributes=attributes,
                external_contact=external_contact,
                uui=uui,
                intent=intent,
                wire=wire,
                allow_premium=allow_premium,
                timeout=timeout,
            )
        )

    def plan_call(
        self,
        *,
        agent: str,
        to: str,
        caller_id: str = "",
        queue: str = "",
        caller_name: str = "",
        attributes: Mapping[str, str] | None = None,
        external_contact: str = "",
        uui: str = "",
        intent: str | None = None,
        wire: Literal["platform", "tutorial"] = "platform",
        allow_premium: bool = False,
        timeout: float = 30.0,
    ) -> Plan:
        """Give the request that `place_call` would send; see `AsyncClient.plan_call`."""
        return self._run(
            self._client.plan_call(
                agent=agent,
                to=to,
                caller_id=caller_id,
                queue=queue,
                caller_name=caller_name,
                attributes=attributes,
                external_contact=external_contact,
                uui=uui,
                intent=intent,
                wire=wire,
                allow_premium=allow_premium,
                timeout=timeout,
            )
        )

    def check(
        self,
        *,
        agent: str,
        to: str,
        caller_id: str = "",
        queue: str = "",
        wire: Literal["platform", "tutorial"] = "platform",
        allow_premium: bool = False,
    ) -> tuple[Finding, ...]:
        """Look at everything that such a call needs; see `AsyncClient.check`. Nothing rings."""
        return self._run(
            self._client.check(
                agent=agent, to=to, caller_id=caller_id, queue=queue, wire=wire, allow_premium=allow_premium
            )
        )

    def follow(self, call: Which, *, timeout: float | None = None) -> Iterator[Call]:
        """Give every change of a call until it has ended; see `AsyncClient.follow`."""
        changes = self._client.follow(call, timeout=timeout)
        try:
            while True:
                try:
                    change = self._run(anext(changes))
                except StopAsyncIteration:
                    return
                yield change
        finally:
            if self._finish.alive:
                self._run(changes.aclose())

    def wait(self, call: Which, until: Literal["connected", "ended"] = "ended", timeout: float | None = 60.0) -> Call:
        """Wait until the far end has answered, or the call ended; see `AsyncClient.wait`."""
        return self._run(self._client.wait(call, until, timeout))

    def sending(self, intent: str) -> bool:
        """Say whether the intent's request is on its way right now, or its answer is not known yet."""
        return self._client.sending(intent)

    def get_call(self, call: Which) -> Call:
        """Read a call now. Raise `NotFound` if the platform knows no such call."""
        return self._run(self._client.get_call(call))

    def active_calls(self, *, agent: str) -> tuple[Call, ...]:
        """Give an agent's calls that have not ended; see `AsyncClient.active_calls`."""
        return self._run(self._client.active_calls(agent=agent))

    def find_agent(self, agent: str) -> str:
        """Give an agent's id by id, e-mail or full name; see `AsyncClient.find_agent`."""
        return self._run(self._client.find_agent(agent))

    def hang_up(self, call: Which) -> Call:
        """End a call for everybody in it. One that has ended already is no error."""
        return self._run(self._client.hang_up(call))

    def hold(self, call: Which) -> Call:
        """Put the far end on hold and give the call once that shows."""
        return self._run(self._client.hold(call))

    def resume(self, call: Which) -> Call:
        """Take the far end off hold."""
        return self._run(self._client.resume(call))

    def mute(self, call: Which) -> Call:
        """Mute the agent."""
        return self._run(self._client.mute(call))

    def unmute(self, call: Which) -> Call:
        """Let the agent be heard again."""
        return self._run(self._client.unmute(call))

    def send_digits(self, call: Which, digits: str) -> None:
        """Play DTMF digits to the far end; sent once, so `NoAnswer` means that they may have been played."""
        self._run(self._client.send_digits(call, digits))

    def transfer(self, call: Which, *, to: str = "", queue: str = "") -> Call:
        """Hand the far end over to an agent or number (*to*) or a *queue*, unannounced; the agent's leg ends."""
        return self._run(self._client.transfer(call, to=to, queue=queue))

    def wrap_up(self, call: Which, *, code: str, notes: str = "") -> Call:
        """Store the agent's wrap-up *code* (id or name) and *notes*."""
        return self._run(self._client.wrap_up(call, code=code, notes=notes))

    def whoami(self) -> Identity:
        """Say what the client's token stands for, what it may do, and how long."""
        return self._run(self._client.whoami())

    def quota(self, *, agent: str = "") -> Quota:
        """Say what is left of the token's requests, and how long a batch takes; see `AsyncClient.quota`."""
        return self._run(self._client.quota(agent=agent))

    def revoke_token(self) -> None:
        """Have the platform forget the client's token; the next request gets another, where the grant can.

        What `AuthorizationCode` and `RefreshToken` have stored is withdrawn too: they need a new consent.
        """
        self._run(self._client.revoke_token())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if not self._finish.alive:
            work.close()
            raise RuntimeError("this Client is closed")
        if os.getpid() != self._pid:
            work.close()
            raise RuntimeError("this Client belongs to the process that was forked: make one after the fork")
        errand = _Errand(work)
        try:
            self._loop.call_soon_threadsafe(errand.begin, self._loop)
            return errand.wait()
        except asyncio.CancelledError:
            raise closed() from None
        except BaseException:
            if not errand.over:  # whoever waits goes (Ctrl-C): then the work is cancelled too
                self._loop.call_soon_threadsafe(errand.cancel)
            raise


class _Errand(Generic[T]):
    """Work that is done on the loop for the one thread that waits for it.

    The loop wakes that thread with the work's last step: a task's own callback would come one turn of the loop later.
    """

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self.over = False
        """Whether it has ended, one way or another."""
        self._waiting = threading.Lock()
        self._waiting.acquire()
        self._task: asyncio.Task[None] | None = None
        self._cancelled = False
        self._result: T
        self._error: BaseException | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin, on the loop."""
        if self._cancelled:
            self._work.close()
        else:
            self._task = loop.create_task(self._do())

    def cancel(self) -> None:
        """End it early, on the loop."""
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()

    def wait(self) -> T:
        """Wait for the end, in the thread that asks; raise what the work raised."""
        self._waiting.acquire()
        if self._error is None:
            return self._result
        try:
            raise self._error
        finally:
            self._error = None  # which has this frame in its traceback

    async def _do(self) -> None:
        try:
            self._result = await self._work
        except BaseException as error:  # noqa: BLE001  it is raised where somebody waits for it
            self._error = error
        self.over = True
        self._waiting.release()


def _live(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


def _shut(pid: int, loop: asyncio.AbstractEventLoop, thread: threading.Thread, client: AsyncClient) -> None:
    if os.getpid() != pid:
        return  # a forked child has no such thread, and the connections are not its own
    if threading.current_thread() is thread:  # a client that nobody holds any more may be collected anywhere
        ending = loop.create_task(_end(client))
        ending.add_done_callback(lambda _: loop.stop())
        return
    with contextlib.suppress(TimeoutError):
        asyncio.run_coroutine_threadsafe(_end(client), loop).result(2 * CLOSING)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(CLOSING)


async def _end(client: AsyncClient) -> None:
    """Close the client, and let whatever still waits for it say so."""
    await client.aclose()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        _, late = await asyncio.wait(others, timeout=CLOSING)
        for task in late:
            task.cancel()
