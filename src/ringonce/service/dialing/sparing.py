"""Errors that come in masses, as when a disk is full: one is told, the others are counted."""

import logging
import threading
import time
from collections.abc import Callable

import sqlalchemy as sa

EVERY = 60.0
"""Seconds for which an error that was told is only counted."""
MOST = 200
"""Kinds of errors that are remembered."""


class Sparing(logging.Filter):
    """Lets one line of a kind pass in a minute, with how many were held back before it. *clock* gives seconds.

    What a database says of itself needs no traceback: it is the same from everywhere.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[str, tuple[float, int]] = {}
        self._alone = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the line passes."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, sa.exc.SQLAlchemyError):
            record.msg, record.args = "%s %s", (record.getMessage(), in_a_line(error))
            record.exc_info = record.exc_text = None
        # Lines of a kind differ in ids, which hold digits.
        words = record.getMessage().split() if error is None or record.exc_info is None else [type(error).__name__]
        kind = " ".join(word for word in words if not any(letter.isdigit() for letter in word))[:200]
        now = self._clock()
        with self._alone:
            told_at, held = self._told.get(kind, (float("-inf"), 0))
            if now < told_at + EVERY:
                self._told[kind] = (told_at, held + 1)
                return False
            if len(self._told) >= MOST:
                self._told.clear()
            self._told[kind] = (now, 0)
        if held:
            record.msg, record.args = "%s (and %d more like it before)", (record.getMessage(), held)
        return True


def in_a_line(error: BaseException) -> str:
    """Tell an error's kind and its first line, without its statement and its values."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {str(cause).strip().partition(chr(10))[0]}"
