"""What would be dialled when, and what not and why: every open row of a batch held to the guard, and nothing rings."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ringonce.errors import InvalidInput
from ringonce.numbers import masked
from ringonce.service import guard
from ringonce.service.calls import Record, State, record
from ringonce.service.guarding import Guarding, Known
from ringonce.service.store import Store
from ringonce.service.store.tables import calls

PAGE = 1000
EXAMPLES = 5
MOST_MOMENTS = 100
"""Moments that are told apart; rows with later ones are counted together."""


class Group(msgspec.Struct, kw_only=True):
    """Rows of which the same is true."""

    rule: str = ""
    """Of the guard; empty for what the rows' own not_before says."""
    at: float | None = None
    """From when on they would be dialled, to the minute; None where that is never."""
    rows: int = 0
    examples: list[dict[str, Any]] = []


class Preview(msgspec.Struct, kw_only=True):
    """What a batch would do if it went on at *at*: each row by itself, without the agents' and the quota's own time."""

    at: float
    rows: int = 0
    now: int = 0
    """Rows that may be dialled at once."""
    later: list[Group] = []
    """By moment."""
    more_later: int = 0
    refused: list[Group] = []
    """By rule, the most frequent first."""


async def preview(store: Store, guarding: Guarding, batch_id: str, now: float) -> Preview:
    """Hold every row that has not been dialled to the guard."""
    sorting = _Sorting(guarding, now)
    after = -1
    while page := await store.look(_page, guarding, batch_id, after, now):
        after = page[-1][0].row or 0
        await asyncio.to_thread(sorting.add, page)
    return sorting.told()


def _page(db: sa.Connection, guarding: Guarding, batch_id: str, after: int, now: float) -> list[tuple[Record, Known]]:
    query = calls.select().where(calls.c.batch_id == batch_id, calls.c.row > after)
    query = query.where(calls.c.state.in_([State.DRAFT, State.WAITING])).order_by(calls.c.row).limit(PAGE)
    found = [record(row) for row in db.execute(query).mappings()]
    return list(zip(found, guarding.known_of(db, found, now), strict=True)) if found else []


class _Sorting:
    def __init__(self, guarding: Guarding, now: float) -> None:
        self._guarding, self._now = guarding, now
        self._rows = self._at_once = 0
        self._later: dict[float, Group] = {}
        self._refused: dict[str, Group] = {}

    def add(self, page: Sequence[tuple[Record, Known]]) -> None:
        for call, known in page:
            self._rows += 1
            self._sort(call, known)

    def told(self) -> Preview:
        moments = sorted(self._later)
        return Preview(
            at=self._now,
            rows=self._rows,
            now=self._at_once,
            later=[self._later[moment] for moment in moments[:MOST_MOMENTS]],
            more_later=sum(self._later[moment].rows for moment in moments[MOST_MOMENTS:]),
            refused=sorted(self._refused.values(), key=lambda group: -group.rows),
        )

    def _sort(self, call: Record, known: Known) -> None:
        moment = max(self._now, call.not_before, call.due_at if call.state is State.WAITING else 0.0)
        try:
            verdict = self._guarding.judge(call, moment, known)
        except InvalidInput as wrong:
            return self._refuse("input", call, str(wrong))
        opens = verdict.next_allowed
        if verdict.allowed and moment <= self._now:
            self._at_once += 1
        elif opens is None:
            self._refuse(str(verdict.refusals[0].rule), call, _because(verdict))
        elif call.expires_at is not None and call.expires_at <= opens.timestamp():
            self._refuse("expires_at", call, f"it expires before it is allowed: {_because(verdict)}")
        else:
            rule = str(verdict.refusals[0].rule) if verdict.refusals else ""
            minute = opens.timestamp() // 60 * 60
            _add(self._later.setdefault(minute, Group(rule=rule, at=minute)), call, _because(verdict))
        return None

    def _refuse(self, rule: str, call: Record, why: str) -> None:
        _add(self._refused.setdefault(rule, Group(rule=rule)), call, why)


def _because(verdict: guard.Verdict) -> str:
    return "; ".join(one.evidence for one in verdict.refusals) or "its not_before"


def _add(group: Group, call: Record, why: str) -> None:
    group.rows += 1
    if len(group.examples) < EXAMPLES:
        group.examples.append({"row": call.row, "key": call.key, "to": masked(call.number), "why": why})
