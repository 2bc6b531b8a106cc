"""Signals that come where nobody listens yet, or where Python lets nothing out."""

import asyncio
import signal
import subprocess
import sys

import pytest

from ringonce.cli.interrupt import Interrupt

IN_A_CALLBACK = """
import os, signal, time, weakref
import ringonce.cli, ringonce.cli.menu

class Thing: pass

def menu(**_):
    thing = Thing()
    _ref = weakref.ref(thing, lambda _: [os.kill(os.getpid(), signal.SIGTERM), *map(str, range(1000))])
    del thing
    time.sleep(20)

ringonce.cli.menu.menu = menu
ringonce.cli.main()
"""


def test_a_signal_that_comes_in_a_callback_ends_the_command_all_the_same() -> None:
    ended = subprocess.run([sys.executable, "-c", IN_A_CALLBACK], capture_output=True, text=True, check=False)  # noqa: S603  # our own

    assert ended.returncode == 128 + signal.SIGTERM
    assert ended.stderr == "error: interrupted\n"


def test_a_ctrl_c_from_before_anybody_listened_leaves_no_work_behind() -> None:
    ends: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(20)
        finally:
            ends.append("cleaned up")

    async def interrupted() -> None:
        with Interrupt(lambda: "") as interrupt:
            racing = asyncio.create_task(interrupt.race(work()))
            await asyncio.sleep(0.01)
            racing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await racing
            assert ends == ["cleaned up"]

    asyncio.run(interrupted())
