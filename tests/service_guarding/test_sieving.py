"""Of a list that may not be dialled yet each row is asked about once, in pages, and no turn begins for it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ringonce.ledger import Row
from ringonce.ledger.sql import SqlLedger
from ringonce.service import guard
from ringonce.service.calls import Ask, Record, State
from ringonce.service.calls.accepting import accept
from ringonce.service.dialing import Verdict, batched, turns
from ringonce.service.guarding import Guarding
from ringonce.service.store import Store
from ringonce.service.store.tables import calls, lines
from service_batches.conftest import act, csv_of, rows_of, taken
from service_guarding.conftest import monday

HOURS = '[hours]\nprofile = "own"\n[hours.own]\nweekdays = ["09:00-12:00"]\nsaturday = []\nsunday = []\n'
AGENTS = 3


def listed(store: Store, file: str, now: float, *, pool: bool = False) -> None:
    """A batch that runs, its rows let go, its agents known."""
    members = [f"agent-{number:05}@example.com" for number in range(1, AGENTS + 1)]
    batch = taken(store, file, agents=tuple(members) if pool else ()).batch
    act(store, batch.id, "start")
    with store.write() as db:
        while batched.tend(db, batch.id, now):
            pass
        for name in members:
            turns.named(db, name, name, now)
        db.execute(calls.update().values(due_at=now))


class Asked:
    """The real guard, and how many rows it was asked about."""

    def __init__(self, store: Store) -> None:
        self._guarding, self.rows = Guarding(store, guard.parse(HOURS)), 0

    def __call__(self, db: sa.Connection, records: Sequence[Record], now: float) -> list[Verdict]:
        said = self._guarding.foretell(db, records, now)
        self.rows += len(said)
        return said


def taken_until_quiet(store: Store, asked: Asked, now: float) -> list[turns.Turn]:
    found = []
    for _ in range(100):
        with store.write() as db:
            found += turns.take(db, "worker", now, 50, asked)
            free = sa.select(sa.func.min(lines.c.look_at)).where(lines.c.call_id == "")
            if db.scalar(free) > now:
                return found
    raise AssertionError("it never comes to rest")


@pytest.mark.parametrize("pool", [False, True])
def test_rows_outside_their_hours_begin_nothing_and_are_asked_about_once(store: Store, pool: bool) -> None:
    early, opens = monday("07:00"), monday("09:00")
    listed(store, csv_of(900, agents=AGENTS, pool=pool), early, pool=pool)
    asked = Asked(store)

    assert taken_until_quiet(store, asked, early) == []
    assert asked.rows == 900
    assert {(row.state, row.due_at, row.why["rule"]) for row in rows_of(store)} == {
        (State.WAITING, opens, "calling hours")
    }
    with store.read() as db:
        assert set(db.scalars(sa.select(lines.c.look_at))) == {opens}

    with store.write() as db:
        assert len(turns.take(db, "worker", opens, 50, asked)) == AGENTS


def test_a_row_that_may_be_dialled_is_found_behind_many_that_may_not(store: Store) -> None:
    early = monday("06:00")
    rows = [f"crm-{row},agent-00001@example.com,+12125550006," for row in range(300)]
    listed(
        store, "\n".join(["key,agent,to,zone", *rows, "far,agent-00001@example.com,+12125550006,Europe/London"]), early
    )

    (turn,) = taken_until_quiet(store, Asked(store), early)
    assert turn.call_id == rows_of(store)[-1].id


def test_a_call_that_may_be_ringing_is_past_holding_back(store: Store) -> None:
    early = monday("07:00")
    listed(store, csv_of(3, agents=AGENTS), early)
    record = rows_of(store)[0]
    armed = Row(
        platform="http://sandbox.test",
        intent=record.intent,
        agent_id=record.agent_id,
        mark=record.mark,
        tail="0006",
        incarnation="gone",
        deadline=early,
        armed_at=early,
    )
    SqlLedger(store.engine).arm(armed)

    (turn,) = taken_until_quiet(store, Asked(store), early)
    assert turn.call_id == record.id


def test_a_single_call_is_taken_before_a_list_that_must_wait_is_looked_through(store: Store) -> None:
    early = monday("06:00")
    listed(store, csv_of(900, agents=AGENTS), early)
    asked = Asked(store)
    number = "+442071234567"
    ask = Ask(agent="eve@example.com", to=number)
    with store.write() as db:
        turns.named(db, ask.agent, "eve")
        accept(db, ask, key="single", number=number, mark="m", by="test", now=early, agent_id="eve")
        (turn,) = turns.take(db, "worker", early, 50, asked)
        assert db.scalar(sa.select(calls.c.key).where(calls.c.id == turn.call_id)) == "single"

    assert asked.rows <= turns.SIEVED + turns.PAGE


def test_finding_the_rows_of_a_page_reads_no_others(tmp_path: Path) -> None:
    sqlite_store = Store(f"sqlite:///{tmp_path}/rows.db")
    listed(sqlite_store, csv_of(30), monday("06:00"))
    asked, plans = Asked(sqlite_store), list[str]()

    @sa.event.listens_for(sqlite_store.engine, "before_cursor_execute")
    def explain(db: sa.Connection, _: object, said: str, values: object, *__: object) -> None:
        raw: Any = db.connection.driver_connection
        if said.startswith("SELECT"):
            plans.extend(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {said}", values))

    with sqlite_store.write() as db:
        turns.take(db, "worker", monday("06:00"), 50, asked)

    assert plans
    assert not [plan for plan in plans if "ix_calls_state_due_at" in plan or plan.startswith("SCAN intents")]
    sqlite_store.close()
