"""Dialling what waits: whose turn it is, what a turn does step by step, and the worker that does it durably."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from ringonce.service.calls import Record


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard says of a call right now."""

    allowed: bool
    until: float | None = None
    """The next moment at which it would be allowed; None where there is none."""
    why: dict[str, Any] = dataclasses.field(default_factory=dict)


class Guarding(Protocol):
    """Whoever has to agree before anything rings."""

    async def check(self, record: Record, now: float) -> Verdict:
        """Say whether the call may be placed at *now*; if so, note its attempt, which caps for each number count."""

    def foretell(self, db: sa.Connection, records: Sequence[Record], now: float) -> Sequence[Verdict]:
        """Say of several calls at once what `check` would say, in few queries, and note nothing."""
