"""Notification channels on disk, so that one-shot programs use the same one run after run.

A user and OAuth client may have 20; making the 21st silently takes the events from the oldest, whoever uses it
(documented in the platform's notification guide). A channel has one socket, so each running process needs its own:
a slot is a file, locked while in use. A process that listens to thousands of agents holds several.
"""

import contextlib
import hashlib
import os
from pathlib import Path
from typing import IO

import msgspec

from ringonce.client.wishes import UNREADABLE

SLOTS = 20
"""As many as an identity may have channels."""


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as the platform made it. Its address needs no token, so it is kept as a secret is."""

    id: str
    connect_uri: str
    expires_at: float
    """Seconds since the epoch."""

    def __repr__(self) -> str:
        return f"Channel({self.id[:12]}…)"


class Slot:
    """One channel's place on disk, held by this process."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self) -> Channel | None:
        """Give the channel that an earlier run left, if it can be read."""
        self._file.seek(0)
        try:
            return msgspec.json.decode(self._file.read(), type=Channel)
        except UNREADABLE:
            return None

    def write(self, channel: Channel | None) -> None:
        """Keep *channel* for a later run, or nothing."""
        self._file.seek(0)
        self._file.truncate()
        if channel is not None:
            self._file.write(msgspec.json.encode(channel))
        self._file.flush()

    def release(self) -> None:
        """Let another process have the slot."""
        self._file.close()


def take_slot(folder: Path, owner: str) -> Slot | None:
    """Hold the first free slot of *owner* (a platform and an identity); None if there is none or no lock."""
    try:
        import fcntl  # absent on Windows, where channels are not kept
    except ImportError:
        return None
    name = hashlib.sha256(owner.encode()).hexdigest()[:16]
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(SLOTS):
            path = folder / f"channel-{name}-{number}.json"
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                continue
            return Slot(file)
    return None
