"""The asyncio shell: it grants wishes and decides nothing."""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from ringonce.client.flows.session import Session
from ringonce.client.governor import Governor
from ringonce.client.hub.hub import Hub
from ringonce.client.landing import consent
from ringonce.client.safe import Safe
from ringonce.client.tokens import Tokens
from ringonce.client.transport import Transport
from ringonce.client.wishes import (
    Alone,
    Arm,
    Cancelled,
    Consent,
    Draw,
    Flow,
    Gauge,
    Hear,
    Keep,
    Listen,
    Look,
    Lost,
    Make,
    Mark,
    Now,
    Pace,
    Recall,
    Release,
    Response,
    Rivals,
    Send,
    Settle,
    Share,
    Sleep,
    Tell,
    Through,
    Token,
    Wish,
    Within,
    closed,
)
from ringonce.config import Timeouts
from ringonce.errors import LedgerError, RingonceError
from ringonce.ledger import Ledger, Row
from ringonce.models import Call

log = logging.getLogger("ringonce.client")
T = TypeVar("T")
LATER = object()
"""In place of an answer: it has to be waited for."""


class _Done(Generic[T]):
    """A flow's result; StopIteration can't leave a coroutine."""

    def __init__(self, value: T) -> None:
        self.value = value


class _Shared:
    """A flow whose result several wait for; it ends with the last of them."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task, self.waiting = task, 0


class Shell:
    """Runs flows on one event loop, with one transport, one token for each identity, and one notification hub."""

    def __init__(
        self, session: Session, ledger: Ledger, timeouts: Timeouts, channel_store: Path | None, safe: Callable[[], Safe]
    ) -> None:
        self._session, self._ledger = session, ledger
        self._transport = Transport(timeouts)
        self._tokens = Tokens(session, self.run)
        self._governor = Governor(session.endpoints.platform, ledger)
        self._open_safe = safe
        self._safe: Safe | None = None
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._sleepers: set[asyncio.Future[None]] = set()
        self._shared: dict[str, _Shared] = {}
        self._closed = False
        self._hub = Hub(session, self._transport, self.run, self._wake, channel_store)
        self._at_once = self._instant()

    async def close(self) -> None:
        """Close the event sockets and every connection; flows that go on are told so at their next wish."""
        self._closed = True
        self._wake(None)
        for sleeper in tuple(self._sleepers):
            _resolve(sleeper)
        await self._governor.close()
        await self._hub.close()
        await self._tokens.close()
        await self._transport.close()

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow to its result."""
        answer: Any = None
        try:
            while not isinstance(wish := self._advance(flow, answer), _Done):
                answer = await self._grant(wish, flow)
        except asyncio.CancelledError:
            self._wind_up(flow)
            raise
        finally:
            flow.close()
            self._hub.leave(flow)
        return wish.value

    async def tell(self, flow: Flow[Call]) -> AsyncGenerator[Call]:
        """Run a flow and give each call that it tells of."""
        answer: Any = None
        try:
            while not isinstance(wish := self._advance(flow, answer), _Done):
                if isinstance(wish, Tell):
                    yield wish.call
                answer = await self._grant(wish, flow)
        finally:
            flow.close()
            self._hub.leave(flow)

    def _wind_up(self, flow: Flow[T]) -> None:
        """Let a flow that nobody waits for any more put the ledger right."""
        with contextlib.suppress(StopIteration, Cancelled, Lost, RingonceError):
            wish = flow.throw(Cancelled())
            while isinstance(wish, Release):
                self._ledger.release(wish.row)
                wish = flow.send(None)

    def _advance(self, flow: Flow[T], answer: Any) -> "Wish | _Done[T]":
        """Hand over an answer, a refusal included, and grant what comes next until something has to be waited for."""
        while True:
            try:
                wish = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
            except StopIteration as done:
                return _Done(done.value)
            grant = self._at_once.get(type(wish))
            if grant is None or self._closed:
                return wish
            try:
                answer = grant(wish, flow)
            except (Lost, RingonceError) as refused:
                answer = refused
            if answer is LATER:
                return wish

    def _instant(self) -> dict[type, Callable[[Any, object], Any]]:
        """Say how those wishes are granted that mostly need no waiting: without a coroutine, at a tenth of its cost."""
        ledger, tokens, hub, governor = self._ledger, self._tokens, self._hub, self._governor
        grants: dict[type, Callable[[Any, object], Any]] = {
            Now: lambda _, __: time.time(),
            Token: lambda wish, _: tokens.at_once(wish.agent, wish.stale) or LATER,
            Listen: lambda wish, whom: hub.hears(whom, wish.agent_id, anew=wish.anew) or LATER,
            Pace: lambda wish, _: None if governor.at_once(wish) else LATER,
            Mark: lambda wish, _: ledger.mark(wish.number),
        }
        grants[Within] = lambda within, whom: grants.get(type(within.wish), _later)(within.wish, whom)
        if ledger.instant:
            grants[Look] = lambda wish, _: ledger.look(wish.platform, wish.intent)
            grants[Arm] = lambda wish, _: ledger.arm(wish.row)
            grants[Settle] = lambda wish, _: self._settled(wish.row)
            grants[Release] = lambda wish, _: ledger.release(wish.row)
        return grants

    def _grant(self, wish: Wish, whom: object) -> Coroutine[Any, Any, Any]:
        """Grant a wish that may have to be waited for; give what to wait for, which gives a refusal as an answer."""
        if type(wish) is Within:
            return self._give_within(wish, whom)
        return self._send(wish) if type(wish) is Send else self._give_or_refuse(wish, whom)

    async def _give_within(self, wish: Within, whom: object) -> Any:
        try:
            async with asyncio.timeout(max(wish.until - time.time(), 0.0)) as bound:
                return await self._grant(wish.wish, whom)
        except TimeoutError:
            if not bound.expired():
                raise
            return wish.overdue()

    async def _give_or_refuse(self, wish: Wish, whom: object) -> Any:
        try:
            return await self._give(wish, whom)
        except (Lost, RingonceError) as refused:
            return refused

    async def _send(self, wish: Send) -> Response | Lost | RingonceError:
        if self._closed:
            return closed()
        now = time.time()
        try:
            wish.check(now)
            answer = await self._transport.send(wish.request, lambda: wish.let_go(time.time()))
            if wish.token:
                self._governor.heed(wish.token, now, answer)
        except (Lost, RingonceError) as refused:
            return refused
        return answer

    async def _give(self, wish: Wish, whom: object) -> Any:  # noqa: C901, PLR0912  one case a wish
        if self._closed and not isinstance(wish, (Look, Arm, Settle, Release, Keep, Now)):
            raise closed()
        match wish:
            case Pace():
                await self._governor.wait(wish)
                if self._closed:  # which ends every wait
                    raise closed()
            case Now():
                return time.time()
            case Hear():
                await self._hear(wish)
            case Token(stale, agent):
                return await self._tokens.give(agent, stale)
            case Gauge(token):
                return await self._governor.gauge(token)
            case Listen(agent_id, anew):
                return await self._hub.listen(whom, agent_id, anew=anew)
            case Sleep(seconds):
                await self._rest(self._sleepers, seconds)
            case Look(platform, intent):
                return await self._write(self._ledger.look, platform, intent)
            case Rivals(row, since):
                return await self._write(self._ledger.rivals, row, since)
            case Arm(row):
                return await self._arm(row)
            case Settle(row):
                return await self._write(self._settled, row)
            case Release(row):
                return await self._write(self._ledger.release, row)
            case Tell():
                pass
            case Draw(count):
                return secrets.token_urlsafe(count)[:count]
            case Make(make):
                return await asyncio.to_thread(make)
            case Consent():
                return await consent(wish)
            case Recall(name):
                return await asyncio.to_thread(self._secrets.recall, name)
            case Keep(name, secret):
                await _through(asyncio.to_thread(self._secrets.keep, name, secret))
            case Alone(name, flow, patience):
                async with self._secrets.alone(name, patience):
                    return await self.run(flow)
            case Through(flow):
                return await _through(self.run(flow))
            case Share():
                return await self._share(wish)
        return None

    async def _share(self, wish: Share) -> Any:
        shared = self._shared.get(wish.key)
        if shared is None:
            shared = self._shared[wish.key] = _Shared(asyncio.create_task(self.run(wish.flow)))
        shared.waiting += 1
        try:
            # One who goes away takes the answer from nobody else.
            return await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if not shared.waiting:
                self._shared.pop(wish.key, None)
                shared.task.cancel()
                await asyncio.wait({shared.task})

    @property
    def _secrets(self) -> Safe:
        if self._safe is None:
            self._safe = self._open_safe()
        return self._safe

    async def _write(self, do: Callable[..., T], *what: Any) -> T:
        """Use the ledger; one that waits for a disk does so beside the event loop."""
        if self._ledger.instant:
            return do(*what)
        # A thread can't be stopped: what it writes must be known to who puts it right.
        return await _through(asyncio.to_thread(do, *what))

    async def _arm(self, row: Row) -> Row | None:
        armed = False

        def arm() -> Row | None:
            nonlocal armed
            there = self._ledger.arm(row)
            armed = there is None
            return there

        try:
            return await self._write(arm)
        except asyncio.CancelledError:
            if armed:
                with contextlib.suppress(LedgerError):  # then the row stays open, which rules nothing out
                    self._ledger.release(row)
            raise

    def _settled(self, row: Row) -> Row:
        try:
            return self._ledger.settle(row)
        except LedgerError as wrong:
            # The deed is done: its truth goes to the caller, and whoever asks again finds the row armed and looks.
            log.error("what became of intent %r was not written down: %s", row.intent, wrong.what)  # noqa: TRY400
            return row

    async def _hear(self, wish: Hear) -> None:
        if self._session.board.count(wish.key) != wish.seen:
            return
        mine = self._waiting.setdefault(wish.key, set())
        try:
            await self._rest(mine, wish.timeout)
        finally:
            if not mine:
                self._waiting.pop(wish.key, None)

    async def _rest(self, among: set[asyncio.Future[None]], seconds: float) -> None:
        """Wait *seconds*, or until somebody wakes those *among* whom this waits."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        among.add(waiter)
        alarm = loop.call_later(seconds, _resolve, waiter)
        try:
            await waiter
        finally:
            alarm.cancel()
            among.discard(waiter)

    def _wake(self, keys: Sequence[str] | None) -> None:
        """Wake whoever waits for *keys*; for None, everybody."""
        for key in list(self._waiting) if keys is None else keys:
            for waiter in tuple(self._waiting.get(key, ())):
                _resolve(waiter)


def _later(_: Wish, __: object) -> object:
    return LATER


async def _through(work: Coroutine[Any, Any, T]) -> T:
    """Wait for the end of *work*, even if cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())  # told to nobody if nobody waits
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
