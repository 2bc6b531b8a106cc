"""A ledger for one process: it forgets when the process ends."""

import threading

from ringonce.ledger import Row


class MemoryLedger:
    """Rows in a dict, safe between threads. It holds one intent to one ring for as long as the process lives."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._lock = threading.Lock()

    def look(self, intent: str) -> Row | None:
        """Give the intent's row, if it has one."""
        return self._rows.get(intent)

    def arm(self, row: Row) -> Row | None:
        """Insert *row* and give None; or give the row that was there."""
        with self._lock:
            there = self._rows.setdefault(row.intent, row)
        return None if there is row else there

    def settle(self, row: Row) -> None:
        """Replace the row of the same intent."""
        with self._lock:
            self._rows[row.intent] = row

    def release(self, row: Row) -> None:
        """Remove the row."""
        with self._lock:
            self._rows.pop(row.intent, None)
