"""Ctrl-C, SIGTERM and SIGHUP: once to stop in good order, twice to quit at once."""

import asyncio
import collections.abc
import os
import signal
import types
import typing

from ringonce.cli.words import utter

T = typing.TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupt:
    """While it is entered, the first signal sets `asked`; the second says *last_words* and ends the process."""

    def __init__(self, last_words: collections.abc.Callable[[], str]) -> None:
        self._last_words = last_words
        self._asked = asyncio.Event()
        self._before: dict[signal.Signals, typing.Any] = {}
        self._by: signal.Signals = signal.SIGINT

    @property
    def asked(self) -> bool:
        """Whether a signal has come."""
        return self._asked.is_set()

    @property
    def code(self) -> int:
        """The exit code that shells give to a process which the signal ended."""
        return 128 + self._by

    def __enter__(self) -> typing.Self:
        for sign in SIGNALS:
            # Under nohup, or in a script's background, it was decided that the signal means nothing.
            if (before := signal.getsignal(sign)) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(sign, self._hit, sign)
                self._before[sign] = before
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        for sign, before in self._before.items():
            asyncio.get_running_loop().remove_signal_handler(sign)
            # The loop leaves behind what kills without a word.
            signal.signal(sign, before)

    async def race(self, work: collections.abc.Coroutine[typing.Any, typing.Any, T]) -> asyncio.Task[T]:
        """Do *work* until it is done or a signal comes; the task that comes back may still be running."""
        task = asyncio.create_task(work)
        asked = asyncio.create_task(self._asked.wait())
        try:
            await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # A Ctrl-C from before we listened. Nobody else holds the work, nor would hear how it ends.
            await stopped(task)
            task.cancelled() or task.exception()
            raise
        finally:
            asked.cancel()
        return task

    def _hit(self, sign: signal.Signals) -> None:
        self._by = sign
        if not self.asked:
            self._asked.set()
            return
        # Whatever is still waiting for an answer would hold up an orderly end.
        utter(f"\ninterrupted twice: {self._last_words()}")
        os._exit(self.code)


async def stopped(task: asyncio.Task[T]) -> None:
    """Cancel *task* and wait until it has cleaned up."""
    task.cancel()
    await asyncio.wait({task})
