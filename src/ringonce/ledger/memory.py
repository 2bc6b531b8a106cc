"""A ledger for one process: it forgets when the process ends."""

import hashlib
import threading
from collections.abc import Callable
from typing import TypeVar

from ringonce.ledger import OPEN, Meter, Row, RowState

T = TypeVar("T")


class MemoryLedger:
    """Rows in a dict, safe between threads. It holds one intent to one ring for as long as the process lives."""

    instant = True

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Row] = {}
        self._meters: dict[tuple[str, bytes], Meter] = {}
        self._lock = threading.Lock()

    def mark(self, number: str) -> str:
        """Give what stands for a number in rows: the number."""
        return number

    def look(self, platform: str, intent: str) -> Row | None:
        """Give the intent's row, if it has one."""
        return self._rows.get((platform, intent))

    def rivals(self, row: Row, since: float) -> list[Row]:
        """Give the other rows of the same platform and agent that were armed after *since*."""
        with self._lock:
            rows = list(self._rows.values())
        mine = (row.platform, row.agent_id)
        return [
            one
            for one in rows
            if (one.platform, one.agent_id) == mine and one.armed_at > since and one.intent != row.intent
        ]

    def arm(self, row: Row) -> Row | None:
        """Insert *row* and give None; or give the row that was there."""
        with self._lock:
            there = self._rows.get(_key(row))
            if there is None or there.state is RowState.NOT_PLACED:
                self._rows[_key(row)] = row
                return None
        return there

    def settle(self, row: Row) -> Row:
        """Replace the row of the same attempt if that is still open, and give the row that then stands."""
        with self._lock:
            there = self._rows.get(_key(row))
            if there is None or (there.state in OPEN and there.attempt == row.attempt):
                self._rows[_key(row)] = there = row
        return there

    def release(self, row: Row) -> None:
        """Remove the row of the same attempt if it is still armed."""
        with self._lock:
            there = self._rows.get(_key(row))
            if there is not None and there.state is RowState.ARMED and there.attempt == row.attempt:
                del self._rows[_key(row)]

    def meter(self, platform: str, token: str, change: Callable[[Meter], tuple[Meter, T]]) -> T:
        """Replace the meter of *token* by what *change* makes of it, and give the rest of what it gave."""
        key = platform, hashlib.sha256(token.encode()).digest()
        with self._lock:
            self._meters[key], rest = change(self._meters.get(key) or Meter())
        return rest


def _key(row: Row) -> tuple[str, str]:
    return row.platform, row.intent
