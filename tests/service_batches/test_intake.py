"""A file is taken in whole or not at all, and what is wrong with it is told by row and column."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from ringonce.errors import IntentConflict, InvalidInput
from ringonce.service.batches.intake import Order, take
from ringonce.service.batches.reading import LONGEST_ROW
from ringonce.service.calls import Ask, Retry, State
from ringonce.service.calls.accepting import accept
from ringonce.service.calls.batch import BatchSettings, BatchState
from ringonce.service.dialing import batched
from ringonce.service.store import Store
from ringonce.service.store.tables import batches, calls
from service_batches.conftest import ADA, csv_of, pieces, rows_of, taken

GOOD = f"key,agent,to\na,{ADA},+12125550006\nb,{ADA},+12125560006\n"
UMLAUT = f"key,agent,to,caller_name\na,{ADA},+12125550006,Jürgen\n"
MALFORMED = {
    "UTF-16": (GOOD.encode("utf-16"), 0, "", "UTF-16"),
    "a spreadsheet": (b"PK\x03\x04" + bytes(100), 0, "", "spreadsheet"),
    "a wrong delimiter": (GOOD.replace(",", "#").encode(), 1, "", "no column 'agent'"),
    "a quote never closed": (GOOD.encode() + b'c,"ada,+12125550006\nd,x,y\n', 4, "", "never closed"),
    "a stray quote": (GOOD.encode() + b'c,"a"b"",+12125550006\n', 4, "", "no CSV"),
    "a NUL": (GOOD.encode() + b"c,\0,+12125550006\n", 4, "", "NUL"),
    "a line that never ends": (GOOD.encode() + b"x" * (LONGEST_ROW + 10), 4, "", "longer than"),
    "a duplicate key": (GOOD.encode() + f"a,{ADA},+12125570006\n".encode(), 4, "key", "'a' is used already"),
    "a missing column": (b"key,agent\na,ada\n", 1, "", "no column 'to'"),
    "another encoding": (UMLAUT.encode("cp1252"), 2, "", "not UTF-8"),
    "a column of its own": (b"key,agent,to,colour\na,ada,+12125550006,red\n", 1, "", "'colour'"),
    "the same column twice": (b"key,agent,to,To\na,ada,+12125550006,1\n", 1, "", "twice"),
    "a field too many": (GOOD.encode() + f"c,{ADA},+12125570006,oh\n".encode(), 4, "", "does not fit"),
    "nothing": (b"", 0, "", "empty"),
    "a header alone": (b"key,agent,to\n", 0, "", "no calls"),
    "no number": (GOOD.encode() + f"c,{ADA},call me\n".encode(), 4, "to", "no"),
    "an emergency number": (GOOD.encode() + f"c,{ADA},911\n".encode(), 4, "to", "not dialled"),
    "no agent": (GOOD.encode() + b"c,,+12125570006\n", 4, "agent", "no agent"),
    "half a JSON": (b'{"key": "a", "agent": "x", "to": "+12125550006"}\n{"key": \n', 2, "", "no JSON"),
    "a NUL in JSON": (
        b'{"agent": "x", "to": "+12125550006", "attributes": {"a": "b\\u0000"}}\n',
        1,
        "attribute.a",
        "NUL",
    ),
    "JSON without an end to its depth": (b'{"agent": ' + b"[" * 50_000 + b"\n", 1, "", "nested too deeply"),
    "a list for JSON": (b'{"key": "a", "agent": "x", "to": "+12125550006"}\n[1]\n', 2, "", "no object"),
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_file_is_told_by_row_and_nothing_of_it_is_taken(
    sqlite_store: Store, content: tuple[bytes, int, str, str]
) -> None:
    whole, row, column, words = content

    batch = taken(sqlite_store, whole).batch

    first = batch.report["faults"][0]
    assert batch.state is BatchState.INVALID
    assert (first["row"], first["column"]) == (row, column)
    assert words.casefold() in (first["what"] + first["why"]).casefold()
    assert first["fix"]
    assert rows_of(sqlite_store) == []


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("not_before", "tomorrow", "no moment"),
        ("not_before", "2026-12-01T09:00:00", "no offset"),
        ("expires_at", "2020-01-01T00:00:00Z", "never be made"),
        ("zone", "Mars/Olympus", "Mars"),
        ("priority", "high", "no priority"),
        ("priority", "-99999999999999999999", "from -1000 to 1000"),
        ("priority", "1001", "from -1000 to 1000"),
        ("caller_id", "12", "12"),
        ("wire", "copper", "no wire"),
        ("key", "crm~2", "can't be used"),
        ("uui", "x" * 3000, "too long"),
        ("attribute.ringonce.intent", "mine", "reserved"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_column(
    sqlite_store: Store, column: str, value: str, words: str
) -> None:
    names = ["agent", "to", column]
    batch = taken(sqlite_store, f"{','.join(names)}\n{ADA},+12125550006,{value}\n").batch

    (fault,) = batch.report["faults"]
    assert words in fault["what"] + fault["why"]
    assert fault["column"] in {column, ""}
    assert fault["row"] == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_delimiters_byte_order_marks_quotes_and_line_ends_are_read_however_the_bytes_come(
    sqlite_store: Store, delimiter: str, size: int
) -> None:
    lines = [
        "key,Agent,TO,attribute.note",
        f'a,{ADA},+1 (212) 555-0006,"he said ""ja""',
        'two lines"',
        "",
        f"b,{ADA},+12125560006,",
    ]
    content = ("\ufeff" + "\r\n".join(lines).replace(",", delimiter)).encode()

    async def play() -> Any:
        return await take(sqlite_store, pieces(content, size), Order(key="k", by="test"))

    batch = asyncio.run(play()).batch
    # A line's end within a field is a control character, which the platform has no place for.
    assert batch.state is BatchState.INVALID
    (fault,) = batch.report["faults"]
    assert (fault["row"], fault["column"]) == (2, "attribute.note")


def test_every_field_of_a_row_becomes_the_call_that_waits(store: Store) -> None:
    header = "key;agent;to;caller_id;zone;priority;not_before;expires_at;attribute.ticket"
    row = f"a;{ADA};(212) 555-0006;+15551234567;Europe/Paris;-3;2030-01-01T09:00;1900000000;4711"

    batch = taken(store, f"{header}\n{row}\n", retry=Retry(attempts=3)).batch

    (call,) = rows_of(store)
    assert (batch.state, batch.rows) == (BatchState.READY, 1)
    assert (call.state, call.key, call.number, call.row) == (State.DRAFT, "a", "+12125550006", 2)
    assert call.ask == Ask(
        agent=ADA,
        to="(212) 555-0006",
        caller_id="+15551234567",
        zone="Europe/Paris",
        priority=-3,
        not_before=1893484800.0,
        expires_at=1900000000.0,
        attributes={"ticket": "4711"},
        retry=Retry(attempts=3),
    )
    assert call.due_at == call.not_before


def test_lines_of_json_are_read_as_well(store: Store) -> None:
    line = f'{{"key": "a", "agent": "{ADA}", "to": "+12125550006", "priority": 2, "attributes": {{"ticket": 4711}}}}\n'
    taken(store, line + "\n" + line.replace('"a"', '"b"'))
    first, second = rows_of(store)
    assert (first.ask.priority, first.ask.attributes, first.row) == (2, {"ticket": "4711"}, 1)
    assert second.key == "b"


def test_a_key_that_a_call_has_already_is_told(store: Store) -> None:
    with store.write() as db:
        accept(db, Ask(agent=ADA, to="+12125550006"), key="b", number="+12125550006", mark="m", by="crm")
    batch = taken(store, GOOD).batch
    (fault,) = batch.report["faults"]
    assert (fault["row"], fault["column"]) == (3, "key")
    assert "waiting" in fault["why"]
    assert [call.key for call in rows_of(store)] == ["b"]


def test_good_rows_are_taken_beside_bad_ones_only_if_that_is_asked_for(store: Store) -> None:
    content = GOOD + "c,,+12125570006\n"
    batch = taken(store, content, skip_bad=True).batch
    assert (batch.state, batch.rows, batch.report["faulty"]) == (BatchState.READY, 2, 1)
    assert [call.key for call in rows_of(store)] == ["a", "b"]


def test_the_same_file_is_the_same_batch_and_another_one_needs_another_key(store: Store) -> None:
    first = taken(store, GOOD)
    again = taken(store, GOOD)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.batch.id == first.batch.id
    with pytest.raises(IntentConflict, match="another file"):
        taken(store, GOOD + f"c,{ADA},+12125570006\n")
    with pytest.raises(IntentConflict, match="other settings"):
        taken(store, GOOD, priority=3)
    assert len(rows_of(store)) == 2


def test_a_file_that_was_corrected_is_taken_under_the_same_key(store: Store) -> None:
    assert taken(store, GOOD + "c,,1\n").batch.state is BatchState.INVALID
    assert taken(store, GOOD).batch.state is BatchState.READY


def test_rows_without_a_key_get_one_that_stays_the_same(store: Store) -> None:
    taken(store, f"agent,to\n{ADA},+12125550006\n", key="monday")
    assert [call.key for call in rows_of(store)] == ["monday.2"]


def test_a_key_of_a_row_that_is_not_started_is_no_other_calls(store: Store) -> None:
    taken(store, GOOD)
    with store.write() as db, pytest.raises(IntentConflict, match="not been started"):
        accept(db, Ask(agent=ADA, to="+12125550006"), key="a", number="+12125550006", mark="m", by="crm")


def test_an_upload_that_breaks_off_leaves_nothing(store: Store) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield csv_of(5000).encode()
        raise ConnectionResetError

    async def play() -> None:
        with pytest.raises(ConnectionResetError):
            await take(store, broken(), Order(key="k", by="test"))

    asyncio.run(play())
    assert rows_of(store) == []
    assert taken(store, GOOD, key="k").batch.state is BatchState.READY


def test_a_draft_that_nobody_finishes_is_swept_and_gives_way_to_another_upload(store: Store) -> None:
    now = time.time()
    draft = {"id": "batch_1", "key": "k", "digest": "", "name": "", "state": "draft", "settings": {}, "rows": 0}
    draft |= {"report": {}, "gap": 0.0, "paced_at": 0.0, "created_by": "x", "created_at": now}
    with store.write() as db:
        db.execute(batches.insert().values(**draft, changed_at=now - 2))
    with pytest.raises(IntentConflict, match="being used"):
        taken(store, GOOD, key="k")
    with store.write() as db:
        db.execute(batches.update().values(changed_at=now - 700))
        assert batched.stirring(db, now) == ["batch_1"]
        assert batched.tend(db, "batch_1", now) is False
        assert db.scalar(sa.select(sa.func.count()).select_from(batches)) == 0
    assert taken(store, GOOD, key="k").batch.state is BatchState.READY


@pytest.mark.parametrize("settings", [{"pace": -1}, {"retry": Retry(outcomes=("declined",))}, {"agents": (" ",)}])
def test_settings_that_cannot_be_kept_are_refused_before_the_file_is_read(store: Store, settings: Any) -> None:
    with pytest.raises(InvalidInput):
        taken(store, GOOD, **settings)
    assert BatchSettings().pace == 0


def test_a_dialer_cannot_hand_in_rows_for_another_agent(store: Store) -> None:
    batch = taken(store, GOOD + "c,eve@example.com,+12125570006\n", may_call_for=lambda agent: agent == ADA).batch
    assert [(fault["row"], fault["column"]) for fault in batch.report["faults"]] == [(4, "agent")]


def test_twenty_thousand_rows_are_taken_in_the_order_of_the_file(sqlite_store: Store) -> None:
    batch = taken(sqlite_store, csv_of(20_000)).batch
    assert (batch.state, batch.rows) == (BatchState.READY, 20_000)
    with sqlite_store.read() as db:
        found = db.execute(sa.select(calls.c.row, calls.c.key).order_by(calls.c.due_at, calls.c.id)).all()
    assert [tuple(row) for row in found] == [(row + 2, f"crm-{row}") for row in range(20_000)]
