"""The feed's end: one look at the database for all who follow it."""

import asyncio
import contextlib
import logging
from typing import Self

from ringonce.errors import RingonceError
from ringonce.service import feed
from ringonce.service.store import Store

log = logging.getLogger("ringonce.service")
EVERY = 0.1
AGAIN = 5.0
"""Seconds between two looks; longer while the database is down."""


class Tail:
    """Use it with `async with`; it looks only while somebody waits."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.ended = False
        """Whether the server ends, so that nobody waits any more."""
        self._latest = 0
        self._moved = asyncio.Condition()
        self._waiting = asyncio.Event()
        self._followers = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._look(), name="tail")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def beyond(self, seq: int, patience: float) -> bool:
        """Wait until there is an event after *seq*, for *patience* seconds at the most; say whether there is."""
        if self._latest > seq:
            return True
        self._followers += 1
        self._waiting.set()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience), self._moved:
                    await self._moved.wait_for(lambda: self.ended or self._latest > seq)
        finally:
            self._followers -= 1
            if not self._followers:
                self._waiting.clear()
        return self._latest > seq

    async def end(self) -> None:
        """Have everybody who waits say good-bye."""
        async with self._moved:
            self.ended = True
            self._moved.notify_all()

    async def _look(self) -> None:
        while True:
            await self._waiting.wait()
            try:
                latest = await self._store.look(feed.latest)
            except RingonceError as down:
                log.warning("the feed can't be read now: %s", down)
                await asyncio.sleep(AGAIN)
                continue
            if latest > self._latest:
                async with self._moved:
                    self._latest = latest
                    self._moved.notify_all()
            await asyncio.sleep(EVERY)
