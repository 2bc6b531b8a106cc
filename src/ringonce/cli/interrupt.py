"""Ctrl-C: once to stop in good order, twice to quit at once."""

import asyncio
import collections.abc
import os
import signal
import types
import typing

import click

from ringonce.cli.menu import INTERRUPTED

T = typing.TypeVar("T")


class Interrupt:
    """While it is entered, the first Ctrl-C sets `asked`; the second says *last_words* and ends the process."""

    def __init__(self, last_words: collections.abc.Callable[[], str]) -> None:
        self._last_words = last_words
        self._asked = asyncio.Event()

    @property
    def asked(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._asked.is_set()

    def __enter__(self) -> typing.Self:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._hit)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)

    async def race(self, work: collections.abc.Coroutine[typing.Any, typing.Any, T]) -> asyncio.Task[T]:
        """Do *work* until it is done or Ctrl-C is pressed; the task that comes back may still be running."""
        task = asyncio.create_task(work)
        asked = asyncio.create_task(self._asked.wait())
        try:
            await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
        return task

    def _hit(self) -> None:
        if not self.asked:
            self._asked.set()
            return
        # Whatever is still waiting for an answer would hold up an orderly end.
        click.echo(f"\ninterrupted twice: {self._last_words()}", err=True)
        os._exit(INTERRUPTED)


async def stopped(task: asyncio.Task[T]) -> None:
    """Cancel *task* and wait until it has cleaned up."""
    task.cancel()
    await asyncio.wait({task})
