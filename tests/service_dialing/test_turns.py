"""Whose turn it is, seen from two transactions at once."""

import threading

import sqlalchemy as sa

from databases import new_database
from ringonce.service.dialing import turns
from ringonce.service.store import Store
from ringonce.service.store.tables import lines


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
