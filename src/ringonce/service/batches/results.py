"""Every row of a batch and what became of it, as CSV, at any moment."""

import csv
import datetime as dt
import io
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import sqlalchemy as sa

from ringonce.numbers import masked
from ringonce.service.calls import State
from ringonce.service.store import Store
from ringonce.service.store.tables import attempts, calls

PAGE = 1000
COLUMNS = (
    "row",
    "key",
    "to",
    "agent",
    "state",
    "outcome",
    "conversation_id",
    "attempts",
    "placed_at",
    "ended_at",
    "next_at",
    "why",
    "evidence",
)
_READ = (
    calls.c.id,
    calls.c.row,
    calls.c.key,
    calls.c.number,
    calls.c.agent,
    calls.c.state,
    calls.c.outcome,
    calls.c.conversation_id,
    calls.c.placed_at,
    calls.c.ended_at,
    calls.c.due_at,
    calls.c.why,
    calls.c.told,
    calls.c.asked,
)


async def lines(store: Store, batch_id: str, *, whole_numbers: bool) -> AsyncIterator[bytes]:
    """Give the file piece by piece, in the order of the rows, each row as it stands when its piece is read."""
    yield _csv([list(COLUMNS)])
    after = -1
    while True:
        page, after = await store.look(_page, batch_id, after, whole_numbers=whole_numbers)
        if not page:
            return
        yield page


def _page(db: sa.Connection, batch_id: str, after: int, *, whole_numbers: bool) -> tuple[bytes, int]:
    query = sa.select(*_READ).where(calls.c.batch_id == batch_id, calls.c.row > after)
    found = db.execute(query.order_by(calls.c.row).limit(PAGE)).all()
    if not found:
        return b"", after
    tried = sa.select(attempts.c.call_id, sa.func.count().label("tried")).where(
        attempts.c.call_id.in_([row.id for row in found])
    )
    counts = {one.call_id: one.tried for one in db.execute(tried.group_by(attempts.c.call_id))}
    rows = [_fields(row, counts.get(row.id, 0), whole_numbers=whole_numbers) for row in found]
    return _csv(rows), found[-1].row


def _fields(row: Any, tried: int, *, whole_numbers: bool) -> list[str]:
    waits = row.state in {State.DRAFT, State.WAITING}
    evidence = (row.told or {}).get("evidence") or {}
    return [
        str(row.row),
        row.key,
        row.asked["to"] if whole_numbers else masked(row.number),
        row.agent,
        str(State.WAITING) if row.state == State.DRAFT else row.state,
        row.outcome,
        row.conversation_id,
        str(tried),
        _when(row.placed_at),
        _when(row.ended_at),
        _when(row.due_at) if row.state == State.WAITING else "",
        _harmless(_said(row.why) if not waits or row.why else ""),
        _harmless(str(evidence.get("because") or "")),
    ]


def _said(why: dict[str, object]) -> str:
    said = str(why.get("said") or "")
    rule = str(why.get("rule") or why.get("for") or "")
    return ": ".join(part for part in (rule, said) if part) or (msgspec.json.encode(why).decode() if why else "")


def _when(moment: float | None) -> str:
    if moment is None:
        return ""
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _harmless(text: str) -> str:
    """Keep a spreadsheet from taking what the platform said for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _csv(rows: list[list[str]]) -> bytes:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows(rows)
    return file.getvalue().encode()
