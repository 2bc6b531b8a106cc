"""The ledger: where an intent is written before any byte of its POST leaves.

Whoever inserted an intent's row may send its POST; everybody else looks up what became of it.
"""

import enum
from typing import Protocol

import msgspec


class RowState(enum.StrEnum):
    """How far an intent has come."""

    ARMED = "armed"
    """Its POST is about to leave, or has left without an answer yet."""
    PLACED = "placed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """It may have rung; it is not dialled again."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one intent. Times are seconds since the epoch."""

    intent: str
    agent_id: str
    to: str
    """The number in E.164."""
    incarnation: str
    """Names the process that armed the row."""
    deadline: float
    """Past this moment the POST may not be sent any more."""
    armed_at: float
    state: RowState = RowState.ARMED
    conversation_id: str = ""
    adopted: bool = False
    evidence: str = ""
    """How a lost call was recognised, or why the intent was refused or is unknown."""
    refusal: str = ""
    """For a refusal: the error's class, status, code and words as JSON, so that it can be told again."""


class Ledger(Protocol):
    """Where rows live. Every method takes effect whole or not at all, before it returns."""

    def look(self, intent: str) -> Row | None:
        """Give the intent's row, if it has one."""

    def arm(self, row: Row) -> Row | None:
        """Insert *row* and give None; or leave all as it is and give the row that was there."""

    def settle(self, row: Row) -> None:
        """Replace the row of the same intent, armed by the same incarnation."""

    def release(self, row: Row) -> None:
        """Remove the row: it is certain that nothing was placed for it."""
