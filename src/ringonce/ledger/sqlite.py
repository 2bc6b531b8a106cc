"""A ledger on disk: one SQLite file, safe between processes, threads and crashes.

A row is on disk before `arm` returns (WAL with `synchronous=FULL`), so whoever starts after a crash finds it. Numbers
are kept as a keyed hash and their last digits: support can find a call by a number it is given, and the file alone
tells nobody whom was called.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from ringonce.errors import LedgerError
from ringonce.ledger import OPEN, TAIL, Meter, Row, RowState

T = TypeVar("T")
VERSION = 1
PATIENCE = 10.0
"""Seconds that one process waits for another's write."""
STALE = 86_400.0
"""Seconds after which a meter is of no use any more: tokens come and go."""
FIELDS = Row.__struct_fields__
_COLUMNS = ", ".join(FIELDS)
_KEY = "platform = ? AND intent = ?"
_ATTEMPT = "intents.incarnation = ? AND intents.armed_at = ?"
_OPEN = ", ".join(f"'{state}'" for state in sorted(OPEN))
_SCHEMA = f"""
CREATE TABLE intents (
    platform TEXT NOT NULL, intent TEXT NOT NULL, agent_id TEXT NOT NULL,
    mark TEXT NOT NULL, tail TEXT NOT NULL,
    incarnation TEXT NOT NULL, deadline REAL NOT NULL, armed_at REAL NOT NULL, state TEXT NOT NULL,
    settled_at REAL, conversation_id TEXT NOT NULL, adopted INTEGER NOT NULL, evidence TEXT NOT NULL,
    refusal TEXT NOT NULL, PRIMARY KEY (platform, intent)
) STRICT, WITHOUT ROWID;
CREATE INDEX by_time ON intents (armed_at);
CREATE INDEX by_number ON intents (mark);
CREATE INDEX by_agent ON intents (agent_id, armed_at);
CREATE TABLE audit (
    at REAL NOT NULL, platform TEXT NOT NULL, intent TEXT NOT NULL,
    was TEXT NOT NULL, became TEXT NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL
) STRICT;
CREATE TABLE secret (key BLOB NOT NULL) STRICT;
PRAGMA user_version = {VERSION};
"""
# An older version passes this table over, so it makes no new version of the file.
_METERS = "CREATE TABLE IF NOT EXISTS meters (mark TEXT PRIMARY KEY, at REAL NOT NULL, meter TEXT NOT NULL) STRICT"


class SqliteLedger:
    """Rows in a file of mode 0600. Raise `LedgerError` wherever a row can't be known to be on disk."""

    instant = False

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).expanduser()
        self._pid = os.getpid()
        self._lock, self._meters_lock = threading.Lock(), threading.Lock()
        self._meters_db: sqlite3.Connection | None = None
        with self._said("opened"):
            self._db, self._file = self._open()
            [(self._key,)] = self._db.execute("SELECT key FROM secret")

    def close(self) -> None:
        """Close the file."""
        if os.getpid() != self._pid:
            return
        self._db.close()
        with self._meters_lock:
            if self._meters_db is not None:
                self._meters_db.close()

    def mark(self, number: str) -> str:
        """Give what stands for a number in rows: a hash keyed with this file's secret."""
        return hmac.new(self._key, number.encode(), hashlib.sha256).hexdigest()

    def look(self, platform: str, intent: str) -> Row | None:
        """Give the intent's row, if it has one."""
        with self._lock, self._said("read"):
            return self._find(platform, intent)

    def rivals(self, row: Row, since: float) -> list[Row]:
        """Give the other rows of the same platform and agent that were armed after *since*."""
        query = f"SELECT {_COLUMNS} FROM intents WHERE platform = ? AND agent_id = ? AND armed_at > ? AND intent <> ?"  # noqa: S608
        with self._lock, self._said("read"):
            found = self._db.execute(query, (row.platform, row.agent_id, since, row.intent))
            return [_row(one) for one in found]

    def arm(self, row: Row) -> Row | None:
        """Insert *row*, on disk, and give None; or leave all as it is and give the row that was there."""
        self._still_there()
        marks = ", ".join("?" * len(FIELDS))
        # What a person has said never rang may be placed again.
        forget = f"DELETE FROM intents WHERE {_KEY} AND state = ?"  # noqa: S608
        insert = f"INSERT INTO intents ({_COLUMNS}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
        with self._lock, self._said("written"), _transaction(self._db):
            self._db.execute(forget, (row.platform, row.intent, RowState.NOT_PLACED))
            if self._db.execute(insert, _values(row)).rowcount == 1:
                return None
            return self._find(row.platform, row.intent)

    def settle(self, row: Row) -> Row:
        """Replace the row of the same attempt if that is still open, and give the row that then stands."""
        with self._lock, self._said("written"), _transaction(self._db):
            return self._settle(row)

    def release(self, row: Row) -> None:
        """Remove the row of the same attempt if it is still armed."""
        with self._lock, self._said("written"), _transaction(self._db):
            self._db.execute(
                f"DELETE FROM intents WHERE {_KEY} AND {_ATTEMPT} AND state = ?",  # noqa: S608
                (row.platform, row.intent, *row.attempt, RowState.ARMED),
            )

    def meter(self, platform: str, token: str, change: Callable[[Meter], tuple[Meter, T]]) -> T:
        """Replace the meter of *token* by what *change* makes of it, and give the rest of what it gave.

        It is kept under a hash that is keyed with this file's secret.
        """
        mark = hmac.new(self._key, f"meter {platform} {token}".encode(), hashlib.sha256).hexdigest()
        with self._meters_lock, self._said("written"):
            if self._meters_db is None:
                self._meters_db = self._open_meters()
            with _transaction(self._meters_db):
                found = self._meters_db.execute("SELECT meter FROM meters WHERE mark = ?", (mark,)).fetchone()
                meter, rest = change(_meter(found[0]) if found else Meter())
                now = time.time()
                if not found:
                    self._meters_db.execute("DELETE FROM meters WHERE at < ?", (now - STALE,))
                values = (mark, now, msgspec.json.encode(meter).decode())
                self._meters_db.execute("REPLACE INTO meters VALUES (?, ?, ?)", values)
        return rest

    def resolve(self, row: Row, *, at: float, who: str, reason: str) -> Row:
        """Settle an open row by a person's word, and keep who said so and why."""
        with self._lock, self._said("written"), _transaction(self._db):
            was = self._find(row.platform, row.intent)
            stands = self._settle(row)
            if stands == row:
                said = (at, row.platform, row.intent, was.state if was else "", row.state, who, reason)
                self._db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", said)
        return stands

    def history(
        self,
        *,
        number: str = "",
        tail: str = "",
        agent_id: str = "",
        intent: str = "",
        state: str = "",
        limit: int = 50,
    ) -> list[Row]:
        """Give rows, the newest first, that fit everything given; *number* is a whole number in E.164."""
        wanted = {"mark": self.mark(number) if number else "", "agent_id": agent_id, "intent": intent, "state": state}
        terms = [f"{name} = ?" for name, value in wanted.items() if value] + (["tail LIKE ?"] if tail else [])
        values = [value for value in wanted.values() if value] + ([f"%{tail[-TAIL:]}"] if tail else [])
        where = f"WHERE {' AND '.join(terms)}" if terms else ""
        query = f"SELECT {_COLUMNS} FROM intents {where} ORDER BY armed_at DESC LIMIT ?"  # noqa: S608
        with self._lock, self._said("read"):
            return [_row(found) for found in self._db.execute(query, (*values, limit))]

    def _settle(self, row: Row) -> Row:
        marks, sets = ", ".join("?" * len(FIELDS)), ", ".join(f"{name} = excluded.{name}" for name in FIELDS)
        settle = (
            f"INSERT INTO intents ({_COLUMNS}) VALUES ({marks}) ON CONFLICT DO UPDATE SET {sets} "  # noqa: S608
            f"WHERE {_ATTEMPT} AND intents.state IN ({_OPEN})"
        )
        if self._db.execute(settle, (*_values(row), *row.attempt)).rowcount == 1:
            return row
        return self._find(row.platform, row.intent) or row

    def _find(self, platform: str, intent: str) -> Row | None:
        query = f"SELECT {_COLUMNS} FROM intents WHERE {_KEY}"  # noqa: S608
        found = self._db.execute(query, (platform, intent)).fetchone()
        return _row(found) if found else None

    def _open(self) -> tuple[sqlite3.Connection, tuple[int, int]]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # In this order: who is making the file just now gives it its name first, and writes ahead after that.
        orphaned = self.path.with_name(f"{self.path.name}-wal").exists()
        if not os.path.lexists(self.path):
            self._make(orphaned=orphaned)
        self._check_file()
        db = self._connect()
        try:
            _set_up_journal(db)
            self._check_version(db)
        except BaseException:
            db.close()
            raise
        return db, _identity(self.path)

    def _make(self, *, orphaned: bool) -> None:
        """Make the file whole before it gets its name: so an empty one is always one that has lost its rows."""
        if orphaned:
            raise LedgerError(
                f"The ledger {self.path} is gone, and its -wal file is there",
                why="the intents in it would be forgotten, and could ring again; nothing was sent by this run",
                fix="put the file or a backup back, or remove what is left of it if no call is open",
            )
        import tempfile

        with tempfile.TemporaryDirectory(prefix=f".{self.path.name}-", dir=self.path.parent) as room:
            made = Path(room) / self.path.name
            with contextlib.closing(sqlite3.connect(made, isolation_level=None)) as db, _transaction(db):
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                db.execute("INSERT INTO secret VALUES (?)", (secrets.token_bytes(32),))
            made.chmod(0o600)
            # Another process may have been faster: then its file is the ledger.
            with contextlib.suppress(FileExistsError):
                os.link(made, self.path)

    def _check_file(self) -> None:
        found = self.path.stat()
        if found.st_mode & 0o077:
            raise LedgerError(
                f"The ledger {self.path} can be read by others",
                why="it says when whom was called; nothing was sent by this run",
                fix=f"chmod 600 {self.path}",
            )
        if found.st_size == 0:
            raise LedgerError(
                f"The ledger {self.path} is empty",
                why="a ledger never is, so its intents are lost and could ring again; nothing was sent by this run",
                fix="put a backup back, or remove the file if no call is open",
            )

    def _connect(self) -> sqlite3.Connection:
        """Open the file that is there: SQLite would make an empty one that others can read."""
        there = f"{self.path.absolute().as_uri()}?mode=rw"
        return sqlite3.connect(there, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False)

    def _open_meters(self) -> sqlite3.Connection:
        """Open a connection that does not wait for the disk: a lost meter is told anew by the next answer."""
        self._still_there()
        db = self._connect()
        db.execute("PRAGMA synchronous = NORMAL")
        return db

    def _check_version(self, db: sqlite3.Connection) -> None:
        with _transaction(db):
            [(version,)] = db.execute("PRAGMA user_version")
            if version == VERSION:
                db.execute(_METERS)
        if version != VERSION:
            raise LedgerError(
                f"The ledger {self.path} is of another version",
                why=f"it is version {version}, this program knows {VERSION}; nothing was sent by this run",
                fix="use the version of ringonce that wrote it, or move the file away",
            )

    def _still_there(self) -> None:
        """A file that was removed or replaced keeps taking writes, which nobody would ever find again."""
        try:
            there = _identity(self.path)
        except OSError:
            there = (0, 0)
        if there != self._file:
            raise LedgerError(
                f"The ledger {self.path} was removed or replaced while it was in use",
                why="an intent written now would not be found by the next run; nothing was sent by this run",
                fix="put the file back, or start again with a new one if no call is open",
            )

    @contextlib.contextmanager
    def _said(self, done: str) -> Iterator[None]:
        if os.getpid() != self._pid:
            # SQLite's connections don't survive a fork: two processes would undo each other's locks.
            raise LedgerError(
                f"The ledger {self.path} was opened by the process that was forked",
                why="a child can't share its connection; nothing was sent by this run",
                fix="open it after the fork",
            )
        try:
            yield
        except (sqlite3.Error, OSError, msgspec.ValidationError) as wrong:
            raise LedgerError(
                f"The ledger {self.path} can't be {done} ({wrong})",
                why="without it a second ring can't be ruled out, so nothing was sent by this run",
                fix=_way_out(wrong),
            ) from wrong


def _way_out(wrong: Exception) -> str:
    if isinstance(wrong, msgspec.ValidationError):
        return "a row of it is damaged: put a backup back, or use the version of ringonce that wrote it"
    if getattr(wrong, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return "another process holds it: try again, and end that process if it goes on"
    if getattr(wrong, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return "the file is damaged, or is no ledger: put a backup back, or move it away if no call is open"
    return "check the disk's space and the file's permissions"


def _set_up_journal(db: sqlite3.Connection) -> None:
    """Write ahead, and wait for the disk. SQLite does not wait for a lock to change the journal, so we do."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as busy:
            if busy.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            db.execute("PRAGMA synchronous = FULL")
            return


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Do everything or nothing; once it is left, it is on disk."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _values(row: Row) -> tuple[object, ...]:
    return tuple(int(value) if isinstance(value, bool) else value for value in msgspec.structs.astuple(row))


def _row(found: tuple[object, ...]) -> Row:
    return msgspec.convert(dict(zip(FIELDS, found, strict=True)), Row, strict=False)


def _meter(found: str) -> Meter:
    """Read a meter; one that another version wrote and this one can't read is told anew by the next answer."""
    try:
        return msgspec.json.decode(found, type=Meter)
    except msgspec.MsgspecError:
        return Meter()
