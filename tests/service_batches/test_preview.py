"""Before anything rings, a preview says what would be dialled when, and what not and why."""

import asyncio
import datetime as dt

from ringonce.ledger.sql import SqlLedger
from ringonce.service import guard
from ringonce.service.batches.preview import Preview, preview
from ringonce.service.guarding import Guarding
from ringonce.service.store import Store
from ringonce.service.store.tables import listed, lists
from service_batches.conftest import ADA, taken

OFFICE = '[hours]\nprofile = "own"\n[hours.own]\nweekdays = ["09:00-17:00"]\nsaturday = []\nsunday = []\n'
MONDAY_NOON = dt.datetime.fromisoformat("2026-11-23T12:00-05:00").timestamp()


def seen(store: Store, content: str, toml: str = OFFICE) -> Preview:
    batch = taken(store, content, clock=lambda: MONDAY_NOON).batch
    return asyncio.run(preview(store, Guarding(store, guard.parse(toml)), batch.id, MONDAY_NOON))


def test_rows_are_told_apart_by_when_they_may_be_dialled(store: Store) -> None:
    mark = SqlLedger(store.engine).mark("+12125550003")
    with store.write() as db:
        row = {"name": "own", "source": "letters", "taken_at": MONDAY_NOON, "edition": "first", "numbers": 1}
        db.execute(lists.insert().values(**row, changed_at=MONDAY_NOON))
        db.execute(listed.insert().values(mark=mark, edition="first"))
    content = "\n".join(
        [
            "key,agent,to,not_before,expires_at",
            f"now,{ADA},+12125550001,,",
            f"berlin,{ADA},+493012345678,,",
            f"listed,{ADA},+12125550003,,",
            f"tomorrow,{ADA},+12125550004,2026-11-24T10:00-05:00,",
            f"too late,{ADA},+493012345679,,2026-11-23T20:00-05:00",
        ]
    )

    said = seen(store, content)

    assert (said.rows, said.now) == (5, 1)
    berlin, tomorrow = said.later
    assert (berlin.rule, berlin.rows, berlin.at) == ("calling hours", 1, MONDAY_NOON + 15 * 3600)
    assert berlin.examples[0]["key"] == "berlin"
    assert "+493012345678" not in str(berlin.examples)
    assert tomorrow.at == MONDAY_NOON + 22 * 3600
    assert {(group.rule, group.rows) for group in said.refused} == {("do-not-call", 1), ("expires_at", 1)}
