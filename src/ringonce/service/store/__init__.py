"""The service's database: SQLite in a file, or PostgreSQL for many machines; the same tables and code for both.

All of it is plain SQL in threads: transactions are short, and the event loop never waits for a disk.
"""

import asyncio
import concurrent.futures
import contextlib
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa

from ringonce.errors import ConfigError, RingonceError
from ringonce.service.store import last, migrating

P = ParamSpec("P")
T = TypeVar("T")
THREADS, URGENT = 8, 2
"""Transactions that one process runs at once, and how many more of those that can't wait behind them."""
STUCK = 10
"""Seconds after which PostgreSQL ends a transaction whose process stands still, and with it what it keeps locked."""
PATIENCE = 15.0
"""Seconds that one transaction waits for another's, or for a connection."""
TRIES, STEP_BACK = 6, 0.05
"""Runs of a transaction that the database undoes for another's sake, and the seconds between two of them, doubled."""
UNDONE = frozenset({"40P01", "40001"})
"""PostgreSQL's words for that: a deadlock's victim, and one that can't be put in an order with the others."""

_OURS = (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError, sa.exc.NotSupportedError)
"""What the database says about a statement, not about itself."""


class StoreDown(RingonceError):
    """The database can't be reached or written; nothing was changed."""


class Store:
    """One database, with its tables as this version knows them.

    *url* is `sqlite:///path` or `postgresql://user:password@host/database`. Raise `ConfigError` if it is neither or
    the database was made by a newer version, `StoreDown` if it can't be reached.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self.lasting = self.url.get_backend_name() == "postgresql"
        """Whether other machines may share it."""
        self.engine = _engine(self.url)
        self._threads = concurrent.futures.ThreadPoolExecutor(THREADS, thread_name_prefix="store")
        self._urgent = concurrent.futures.ThreadPoolExecutor(URGENT, thread_name_prefix="store-urgent")
        try:
            with self.said(), migrating.alone(self.engine) as db:
                migrating.upgrade(db, self.name)
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """The database's address as one would give it, its password hidden."""
        return self.url.set(drivername=self.url.get_backend_name()).render_as_string(hide_password=True)

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Open a transaction that ends whole, on disk, or not at all."""
        with self.said(), self.engine.begin() as db, last.things(db):
            yield db

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open a transaction that changes nothing, and keeps no writer waiting."""
        with self.said(), self.engine.connect() as db:
            yield db.execution_options(reading=True)

    async def run(self, do: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call *do* with a connection, in a transaction that writes, beside the event loop.

        It is called anew if the database undoes the transaction for another's sake, so all that it does is in there.
        """
        return await self._beside(self._threads, self.write, do, *args, **kwargs)

    async def look(self, do: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call *do* with a connection, in a transaction that only reads, beside the event loop."""
        return await self._beside(self._threads, self.read, do, *args, **kwargs)

    async def run_urgently(
        self, do: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do as `run`, but not behind transactions that wait: for what keeps the service alive."""
        return await self._beside(self._urgent, self.write, do, *args, **kwargs)

    async def look_urgently(
        self, do: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do as `look`, but not behind transactions that wait."""
        return await self._beside(self._urgent, self.read, do, *args, **kwargs)

    async def _beside(
        self,
        threads: concurrent.futures.Executor,
        opened: Callable[[], contextlib.AbstractContextManager[sa.Connection]],
        do: Callable[..., T],
        *args: Any,
        **kwargs: Any,
    ) -> T:
        def once() -> T:
            with opened() as db:
                return do(db, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(threads, _until_it_stands, once)

    def close(self) -> None:
        """Close every connection, once what is under way has ended."""
        self._threads.shutdown()
        self._urgent.shutdown()
        self.engine.dispose()

    @contextlib.contextmanager
    def said(self) -> Iterator[None]:
        """Tell what goes wrong with the database itself as `StoreDown`."""
        try:
            yield
        except _OURS:
            raise
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as wrong:
            cause = getattr(wrong, "orig", None) or wrong
            raise StoreDown(
                f"The database {self.name} can't be used",
                why=str(cause).strip().partition("\n")[0],
                fix="check that it runs, its address and rights, and the disk's space",
            ) from wrong


def _until_it_stands(once: Callable[[], T]) -> T:
    give_up, pause = time.monotonic() + PATIENCE, STEP_BACK
    for _ in range(TRIES - 1):
        try:
            return once()
        except StoreDown as down:
            if not _undone(down.__cause__) or time.monotonic() > give_up:
                raise
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  no secret
        pause *= 2
    return once()


def _undone(wrong: BaseException | None) -> bool:
    """Say whether the database undid a transaction for another's sake, which says nothing against running it again."""
    cause = getattr(wrong, "orig", None)
    if isinstance(cause, sqlite3.OperationalError):
        # Of an extended code the lowest byte is the kind; an error of the driver's own has none.
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
    return getattr(cause, "sqlstate", None) in UNDONE


def _checked(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except (sa.exc.ArgumentError, ValueError, AttributeError) as wrong:
        raise ConfigError("The database's address can't be read", why="it is no URL", fix=_FORMS) from wrong
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ConfigError(f"The database can't be a {backend}", why="SQLite and PostgreSQL are supported", fix=_FORMS)
    if not parsed.database or parsed.database == ":memory:":
        raise ConfigError("The database needs a file", why="one in memory forgets who was called", fix=_FORMS)
    Path(parsed.database).expanduser().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return parsed.set(drivername="sqlite+pysqlite", database=str(Path(parsed.database).expanduser()))


_FORMS = "give sqlite:///calls.db, or postgresql://user:password@host/database"


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "postgresql":
        limits = ("lock_timeout=15s", "statement_timeout=60s", f"idle_in_transaction_session_timeout={STUCK}s")
        return sa.create_engine(
            url,
            pool_size=THREADS,
            max_overflow=URGENT + 2,
            pool_timeout=PATIENCE,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "options": " ".join(f"-c {limit}" for limit in limits)},
        )
    engine = sa.create_engine(url, pool_size=THREADS, max_overflow=URGENT + 2, pool_timeout=PATIENCE)

    @sa.event.listens_for(engine, "connect")
    def ahead(db: Any, _record: object) -> None:
        # The driver would open transactions at times of its own choosing.
        db.isolation_level = None
        db.execute(f"PRAGMA busy_timeout = {int(PATIENCE * 1000)}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def begin(db: sa.Connection) -> None:
        # A transaction that reads first and writes later can't be waited for in SQLite, so writers ask at once.
        db.exec_driver_sql("BEGIN" if db.get_execution_options().get("reading") else "BEGIN IMMEDIATE")

    return engine
