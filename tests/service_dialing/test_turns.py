"""Whose turn it is, seen from two transactions at once."""

import asyncio
import threading
import time
from typing import Any

import pytest
import sqlalchemy as sa

from databases import new_database
from ringonce.service import store as stores
from ringonce.service.calls import Ask
from ringonce.service.calls.accepting import accept
from ringonce.service.dialing import turns
from ringonce.service.dialing.steps import Steps
from ringonce.service.store import Store
from ringonce.service.store.tables import calls, lines

ADA, TO = "ada@example.com", "+15559876543"


def test_a_call_that_comes_while_its_agents_line_is_looked_at_is_not_overlooked(postgres: sa.URL) -> None:
    store = Store(new_database(postgres))
    with store.write() as db:
        turns.named(db, "ada@example.com", "a1")

    def come() -> None:
        with store.write() as db:
            turns.look(db, "a1", 0.0)

    coming = threading.Thread(target=come)
    with store.write() as db:
        # What a worker writes that has found nothing for the agent.
        db.execute(lines.update().values(look_at=turns.NEVER))
        coming.start()
        coming.join(0.3)
    coming.join()

    with store.read() as db:
        assert db.scalar(sa.select(lines.c.look_at)) == 0.0
    store.close()


def test_a_call_that_ends_and_one_that_is_taken_in_for_the_same_agent_do_not_lock_each_other_out(
    postgres: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "TRIES", 1)
    store = Store(new_database(postgres))
    with store.write() as db:
        turns.named(db, ADA, "a1")
        first = accept(db, Ask(agent=ADA, to=TO, expires_at=1.0), key="1", number=TO, mark="m", by="t", agent_id="a1")
    with store.write() as db:
        assert [turn.call_id for turn in turns.take(db, "worker", time.time(), 1)] == [first.record.id]
    never_asked: Any = None
    steps = Steps(store, never_asked, never_asked, time.time, asyncio.sleep)
    # It is too late for the call, so that its turn is over at once.
    ending = threading.Thread(target=lambda: asyncio.run(steps.place(first.record.id)))

    with store.write() as db:
        turns.look(db, "a1", 0.0)
        ending.start()
        while not waits(store):
            time.sleep(0.01)
        accept(db, Ask(agent=ADA, to=TO), key="2", number=TO, mark="m", by="t", agent_id="a1")
    ending.join()

    with store.read() as db:
        assert db.scalars(sa.select(calls.c.state).order_by(calls.c.key)).all() == ["expired", "waiting"]
    store.close()


def waits(store: Store) -> bool:
    """Say whether a transaction waits for another's lock."""
    with store.read() as db:
        return bool(db.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
