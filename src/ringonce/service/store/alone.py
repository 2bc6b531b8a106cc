"""Turns that processes take, on one machine or on many: whoever has one loses it when it dies."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path

import sqlalchemy as sa

from ringonce.client.turns import no_turn, turn
from ringonce.errors import ConfigError
from ringonce.service.store import Store

AT_ONCE = 8
"""Turns that one process has or tries for at once: on PostgreSQL each takes a connection."""
PAUSE, LONGEST_PAUSE = 0.02, 0.25
"""Seconds between two tries."""


class Turns:
    """Turns by name, among all processes that share *store*: advisory locks on PostgreSQL, lock files beside SQLite.

    On PostgreSQL the lock belongs to a transaction, not to a session: so it holds behind a pooler of connections too.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._room = asyncio.Semaphore(AT_ONCE)
        # Apart from the store's connections, for transactions would wait for those who have turns.
        options = "-c idle_in_transaction_session_timeout=0"
        self._engine = store.lasting and sa.create_engine(
            store.url, poolclass=sa.NullPool, connect_args={"connect_timeout": 10, "options": options}
        )

    @contextlib.asynccontextmanager
    async def alone(self, name: str, patience: float) -> AsyncGenerator[None]:
        """Hold the turn called *name*. Raise `ConfigError` if it does not come within *patience* seconds."""
        if self._engine:
            async with self._locked(self._engine, name, patience):
                yield
            return
        path = self.path(name)
        async with contextlib.AsyncExitStack() as held:
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                await held.enter_async_context(turn(path, patience))
            except OSError as error:
                raise ConfigError(
                    f"The lock file {str(path)!r} can't be used",
                    why=error.strerror or str(error),
                    fix="check the rights of the folder that the database is in",
                ) from error
            yield

    def path(self, name: str) -> Path:
        """Give the lock file of *name*, beside an SQLite database."""
        digest = hashlib.sha256(name.encode()).hexdigest()[:24]
        return Path(f"{self._store.url.database}.locks") / f"{digest}.lock"

    @contextlib.asynccontextmanager
    async def _locked(self, engine: sa.Engine, name: str, patience: float) -> AsyncGenerator[None]:
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        give_up, pause = asyncio.get_running_loop().time() + patience, PAUSE
        while True:
            async with self._room:
                db = await self._try(engine, key)
                if db is not None:
                    try:
                        yield
                    finally:
                        await asyncio.shield(asyncio.to_thread(db.close))
                    return
            if asyncio.get_running_loop().time() > give_up:
                raise no_turn(patience)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _try(self, engine: sa.Engine, key: int) -> sa.Connection | None:
        def lock() -> sa.Connection | None:
            with self._store.said():
                db = engine.connect()
                try:
                    if db.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(key))):
                        return db
                except BaseException:
                    db.close()
                    raise
                db.close()
                return None

        trying = asyncio.ensure_future(asyncio.to_thread(lock))
        try:
            return await asyncio.shield(trying)
        except asyncio.CancelledError:
            # The thread can't be called back, and a lock that nobody knows of would never be let go.
            await asyncio.wait({trying})
            if not trying.cancelled() and not trying.exception() and (db := trying.result()) is not None:
                db.close()
            raise
