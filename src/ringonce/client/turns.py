"""Turns that processes take: a lock file, which the system lets go of when its process dies."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator
from pathlib import Path

from ringonce.errors import ConfigError

PAUSE = 0.02
"""Seconds between two tries to get one's turn."""
ONLY_OWNER = 0o600


@contextlib.asynccontextmanager
async def turn(path: Path, patience: float) -> AsyncGenerator[None]:
    """Hold the lock file at *path*, whose folder exists. Raise `ConfigError` after *patience* seconds, or `OSError`."""
    try:
        import fcntl  # absent on Windows, where processes must not share a refresh token
    except ImportError:
        yield
        return
    give_up = asyncio.get_running_loop().time() + patience
    while True:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, ONLY_OWNER)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(path, number):
                break
        except BlockingIOError:
            pass
        except BaseException:
            os.close(number)
            raise
        os.close(number)
        if asyncio.get_running_loop().time() > give_up:
            raise no_turn(patience)
        await asyncio.sleep(PAUSE)
    try:
        yield
    finally:
        os.close(number)


def no_turn(patience: float) -> ConfigError:
    """Say that somebody else has the turn."""
    return ConfigError(
        "Another process is busy with the same login",
        why=f"it has not finished within {patience:g} s",
        fix="wait for it, or end it",
    )


def _is_still(path: Path, number: int) -> bool:
    """Say whether the open file is the one at *path*; a lock on one that was forgotten meanwhile is none."""
    try:
        return path.stat().st_ino == os.fstat(number).st_ino
    except FileNotFoundError:
        return False
