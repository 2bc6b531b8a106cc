"""Transactions that get in each other's way: none of them fails for that."""

import asyncio
import sqlite3
import threading
from typing import Any

import pytest
import sqlalchemy as sa

from databases import new_database
from ringonce.service import feed, store
from ringonce.service.store import Store, StoreDown
from ringonce.service.store.tables import settings


def rows(opened: Store, *names: str) -> None:
    with opened.write() as db:
        db.execute(settings.insert(), [{"name": name, "value": 0, "changed_at": 0.0} for name in names])


def test_the_victim_of_a_deadlock_is_run_again(postgres: sa.URL) -> None:
    opened = Store(new_database(postgres))
    rows(opened, "a", "b")
    both_hold_one = threading.Barrier(2)
    runs: list[str] = []

    def cross(db: sa.Connection, first: str, second: str) -> None:
        runs.append(first)
        update = settings.update().values(changed_at=settings.c.changed_at + 1)
        db.execute(update.where(settings.c.name == first))
        if len(runs) <= 2:
            both_hold_one.wait(10)
        db.execute(update.where(settings.c.name == second))

    async def play() -> None:
        await asyncio.gather(opened.run(cross, "a", "b"), opened.run(cross, "b", "a"))

    asyncio.run(play())

    assert len(runs) == 3
    with opened.read() as db:
        assert db.scalars(sa.select(settings.c.changed_at)).all() == [2.0, 2.0]
    opened.close()


def test_who_is_always_the_victim_is_told_so_in_the_end(postgres: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Store(new_database(postgres))
    monkeypatch.setattr(store, "STEP_BACK", 0.0)
    runs: list[int] = []

    def undone(db: sa.Connection) -> None:
        runs.append(1)
        db.execute(sa.text("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$"))

    with pytest.raises(StoreDown, match="again"):
        asyncio.run(opened.run(undone))

    assert len(runs) == store.TRIES
    opened.close()


def test_an_error_that_would_come_again_is_told_at_once(postgres: sa.URL) -> None:
    opened = Store(new_database(postgres))
    runs: list[int] = []

    def wrong(db: sa.Connection) -> None:
        runs.append(1)
        db.execute(sa.text("DO $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END $$"))

    with pytest.raises(StoreDown, match="full"):
        asyncio.run(opened.run(wrong))

    assert len(runs) == 1
    opened.close()


def test_a_file_that_is_busy_for_a_moment_is_asked_again(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Store(f"sqlite:///{tmp_path}/calls.db")
    opened.engine.dispose()
    other = sqlite3.connect(tmp_path / "calls.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    @sa.event.listens_for(opened.engine, "connect")
    def impatient(db: Any, _record: object) -> None:
        db.execute("PRAGMA busy_timeout = 0")

    @sa.event.listens_for(opened.engine, "handle_error")
    def let_go(_: object) -> None:
        if other.in_transaction:
            other.execute("COMMIT")

    asyncio.run(opened.run(lambda db: feed.tell(db, "stop", "", {}, now=1.0)))

    with opened.read() as db:
        assert feed.latest(db) == 1
    other.close()
    opened.close()


def test_what_is_told_is_told_once_though_its_transaction_ran_twice(postgres: sa.URL) -> None:
    opened = Store(new_database(postgres))
    runs: list[int] = []

    def tell(db: sa.Connection) -> None:
        runs.append(1)
        feed.tell(db, "stop", "", {"run": len(runs)}, now=1.0)
        if len(runs) == 1:
            db.execute(sa.text("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$"))

    asyncio.run(opened.run(tell))

    with opened.read() as db:
        assert [event.body for event in feed.since(db, 0)] == [{"run": 2}]
    opened.close()
