"""An end to every wait for an answer, with one timer for all requests under way.

A timer for each would be set, put off and cancelled several times a request, which costs more than the request's own
way through this package.
"""

import asyncio
import math
from types import TracebackType
from typing import Self

import aiohttp

LOOKS = 8
"""How often within the shorter patience is looked: by that share of it a wait may last longer."""


class Patience:
    """How long answers are waited for: *silent* seconds without a byte since there was a connection, *whole* in all."""

    def __init__(self, *, silent: float, whole: float) -> None:
        self._silent, self._whole = silent, whole
        self._waits: dict[asyncio.Task[object], Wait] = {}
        self._alarm: asyncio.TimerHandle | None = None

    def wait(self) -> "Wait":
        """Give what is entered while the current task waits for one answer: it raises `TimeoutError`."""
        return Wait(self)

    def connected(self) -> None:
        """Know that the current task's request has a connection, and leaves."""
        task = asyncio.current_task()
        wait = self._waits.get(task) if task is not None else None
        if wait is not None:
            wait.moved = asyncio.get_running_loop().time()

    def close(self) -> None:
        """Look no more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def begin(self, task: asyncio.Task[object], wait: "Wait") -> float:
        """Look after the task's wait from now on."""
        loop = asyncio.get_running_loop()
        self._waits[task] = wait
        if self._alarm is None:
            self._alarm = loop.call_later(min(self._silent, self._whole) / LOOKS, self._look)
        return loop.time()

    def end(self, task: asyncio.Task[object]) -> None:
        """Look after the task's wait no more."""
        del self._waits[task]

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for task, wait in self._waits.items():
            if not wait.late and now >= min(wait.began + self._whole, wait.last_moved(now) + self._silent):
                wait.late = True
                task.cancel()
        self._alarm = None
        if self._waits:
            self._alarm = loop.call_later(min(self._silent, self._whole) / LOOKS, self._look)


class Wait:
    """One task's wait for one answer."""

    __slots__ = ("_cancelling", "_patience", "_seen", "_task", "answer", "began", "late", "moved")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.late = False
        self.moved = math.inf
        """When the request left, or bytes of the answer's body were seen to have come."""
        self.answer: aiohttp.ClientResponse | None = None
        """Once its head is there."""
        self._seen = -1

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can wait for an answer")
        self._task, self._cancelling = task, task.cancelling()
        self.began = self._patience.begin(task, self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._patience.end(self._task)
        # Somebody else may have cancelled it at the same time: then that it is.
        if self.late and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def last_moved(self, now: float) -> float:
        """Say when the far side gave a sign of life, as of the looks so far."""
        if self.answer is not None:
            seen = self.answer.content.total_raw_bytes
            if seen != self._seen:
                self._seen, self.moved = seen, now
        return self.moved
