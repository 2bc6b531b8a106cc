"""The quota governor on one event loop: whoever wants to send waits here, and answers are heeded here."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from ringonce.client.budget import Budget, Ticket
from ringonce.client.flows.exchange import problem
from ringonce.client.quota import Granted, Heard, Quota, gauged, heard, settle
from ringonce.client.wishes import Pace, Response
from ringonce.errors import LedgerError, RateLimited
from ringonce.ledger import Ledger, Meter

log = logging.getLogger("ringonce.client")
T = TypeVar("T")
MANY = 1000
"""Tokens from which on those that nobody uses right now are forgotten; the store remembers."""
TOO_MANY_REQUESTS = 429


class Governor:
    """The budgets of one client's tokens, shared through its ledger."""

    def __init__(self, platform: str, ledger: Ledger) -> None:
        self._platform, self._ledger = platform, ledger
        self._lines: dict[str, _Line] = {}

    def at_once(self, pace: Pace) -> bool:
        """Take a turn that needs no waiting and no look at the store; False if there is none."""
        line = self._lines.get(pace.token)
        return line is not None and line.budget.passes(pace.lane, time.time())

    async def wait(self, pace: Pace) -> None:
        """Wait for a turn. Raise `RateLimited` as soon as it is certain that it comes too late."""
        await self._line(pace.token).wait(pace)

    def heed(self, token: str, sent_at: float, answer: Response) -> None:
        """Take in what an answer tells of the quota."""
        # A 429 can be about something else, such as channels made too fast: then only its own request waits.
        refused = answer.status == TOO_MANY_REQUESTS and problem(answer).code.startswith("too.many.requests")
        news = heard(answer, sent_at, time.time(), refused=refused)
        if news is not None:
            self._line(token).heed(news)

    async def gauge(self, token: str) -> Quota | None:
        """Say how a token's quota stands for all who share the ledger; None if no answer has told yet."""
        return await self._line(token).gauge()

    async def close(self) -> None:
        """End every wait, and give back what was taken in advance."""
        for line in self._lines.values():
            await line.close()

    def _line(self, token: str) -> "_Line":
        line = self._lines.get(token)
        if line is None:
            if len(self._lines) >= MANY:
                self._lines = {name: kept for name, kept in self._lines.items() if kept.busy}
            line = self._lines[token] = _Line(self._platform, token, self._ledger)
        return line


class _Line:
    """Those who wait for one token's quota, and the task that asks the store for them."""

    def __init__(self, platform: str, token: str, ledger: Ledger) -> None:
        self.budget = Budget()
        self._platform, self._token, self._ledger = platform, token, ledger
        self._changed, self._asking = asyncio.Event(), asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def busy(self) -> bool:
        return self._task is not None and not self._task.done()

    async def wait(self, pace: Pace) -> None:
        ticket = self.budget.queue(pace.lane, pace.deadline)
        ticket.waiter = asyncio.get_running_loop().create_future()
        self._ask()
        try:
            await ticket.waiter
        finally:
            self.budget.leave(ticket)

    def heed(self, news: Heard) -> None:
        if self.budget.hear(news):
            self._ask()

    async def gauge(self) -> Quota | None:
        async with self._asking:
            meter = await self._store(lambda meter: (meter, meter))
        now = time.time()
        return gauged(self.budget.informed(meter, now), now, lease=self.budget.lease, waiting=self.budget.waiting)

    async def close(self) -> None:
        self._closed = True
        self._changed.set()
        if self._task is not None:
            await self._task
        if self.budget.lease:
            await self._settle()

    def _ask(self) -> None:
        self._changed.set()
        if not self.busy and not self._closed:
            self._task = asyncio.create_task(self._serve(), name="ringonce-quota")

    async def _serve(self) -> None:
        """Ask the store until nobody waits, and nothing is held that others could use."""
        try:
            while not self._closed:
                self._changed.clear()
                granted = await self._settle()
                until = granted.again_at if any(self.budget.waiting) else self.budget.idle_at
                if until is not None:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(max(0.0, until - time.time())):
                            await self._changed.wait()
                elif not self._changed.is_set():
                    return
        finally:
            # Whatever ends this, nobody waits for ever: the platform says itself if it is too much.
            for ticket in self.budget.everybody():
                _tell(ticket, None)

    async def _settle(self) -> Granted:
        async with self._asking:
            return await self._settled()

    async def _settled(self) -> Granted:
        wanted = self.budget.wanted()

        def change(meter: Meter) -> tuple[Meter, tuple[Meter, Granted]]:
            meter, granted = settle(meter, wanted, time.time())
            return meter, (meter, granted)

        meter, granted = await self._store(change)
        called, waiting = self.budget.take(meter, granted, time.time())
        for ticket, error in called:
            _tell(ticket, error)
        self._note(waiting)
        return granted

    async def _store(self, change: Callable[[Meter], tuple[Meter, T]]) -> T:
        ask = self._ledger.meter
        try:
            if self._ledger.instant:
                return ask(self._platform, self._token, change)
            return await asyncio.to_thread(ask, self._platform, self._token, change)
        except LedgerError as wrong:
            # Without the store this process still keeps to what the platform tells it, and sends: so only what is wrong
            # with the ledger is true here, not what usually follows from it.
            log.warning("the quota is not shared with other processes: %s", wrong.what)
            return change(self.budget.meter)[1]

    def _note(self, waiting: list[Ticket]) -> None:
        now, loop = time.time(), asyncio.get_running_loop()
        for ticket in waiting:
            log.debug("waiting %.1f s for the quota", self.budget.turn_in(ticket, now))
            alarm = loop.call_later(max(0.0, ticket.deadline - now), self._expire, ticket)
            ticket.waiter.add_done_callback(lambda _, alarm=alarm: alarm.cancel())

    def _expire(self, ticket: Ticket) -> None:
        if not ticket.over:
            _tell(ticket, self.budget.expire(ticket, time.time()))


def _tell(ticket: Ticket, error: RateLimited | None) -> None:
    waiter: asyncio.Future[None] = ticket.waiter
    if waiter.done():
        return
    if error is None:
        waiter.set_result(None)
    else:
        waiter.set_exception(error)
