"""The ledger: where an intent is written before any byte of its POST leaves.

Whoever inserted an intent's row may send its POST; everybody else looks up what became of it.
"""

import enum
from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

T = TypeVar("T")
TAIL = 4
"""Digits of a number that a row shows."""


class RowState(enum.StrEnum):
    """How far an intent has come. It may go from `armed` and from `unknown` to any other, and from those nowhere."""

    ARMED = "armed"
    """Its POST is about to leave, or has left without an answer yet."""
    PLACED = "placed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """It may have rung; it is not dialled again."""
    NOT_PLACED = "not_placed"
    """A person said that it never rang."""


OPEN = frozenset({RowState.ARMED, RowState.UNKNOWN})


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of one intent. Times are seconds since the epoch. The number itself is not in it."""

    platform: str
    """The API's address (`Endpoints.platform`): the same key on another platform is another intent."""
    intent: str
    agent_id: str
    mark: str
    """The number, as the ledger marks it: equal marks are equal numbers."""
    tail: str
    """The number's last digits, for people."""
    incarnation: str
    """Names the process that armed the row."""
    deadline: float
    """Past this moment the POST may not be sent any more."""
    armed_at: float
    state: RowState = RowState.ARMED
    settled_at: float | None = None
    conversation_id: str = ""
    adopted: bool = False
    evidence: str = ""
    """How a lost call was recognised, why the intent is unknown, or who said what about it."""
    refusal: str = ""
    """For a refusal: the error's class, status, code and words as JSON, so that it can be told again."""

    @property
    def attempt(self) -> tuple[str, float]:
        """What tells this attempt from others of the same intent: who armed it, and when."""
        return self.incarnation, self.armed_at


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one token's quota by all who share a ledger. Times are seconds since the epoch.

    The client's quota room gives the numbers their meaning; a ledger only keeps them.
    """

    allowed: int = 0
    """Requests in a window; 0 as long as no answer has told."""
    taken: int = 0
    """Requests of this window that were sent, or may be sent by whoever took them."""
    reads: int = 0
    """How many of them were for reads."""
    began: float = 0.0
    """When this window was first heard of."""
    ends: float = 0.0
    """From then on it is over for certain."""
    known: bool = False
    """Whether an answer has told about this window."""
    probes: int = 0
    """How often requests were let out to hear about it."""
    probe_until: float = 0.0
    shut_until: float = 0.0
    """The platform wants nothing before."""
    dials_until: float = 0.0
    """Somewhere creates wait for their turn, at least until then."""
    credit: int = 0
    """Creates that went ahead of reads."""


class Ledger(Protocol):
    """Where rows live. Every method takes effect whole or not at all, before it returns; it raises `LedgerError`."""

    instant: bool
    """Whether methods return without waiting for a disk or a network."""

    def mark(self, number: str) -> str:
        """Give what stands for a number (E.164) in rows."""

    def look(self, platform: str, intent: str) -> Row | None:
        """Give the intent's row, if it has one."""

    def rivals(self, row: Row, since: float) -> list[Row]:
        """Give the other rows of the same platform and agent that were armed after *since*."""

    def arm(self, row: Row) -> Row | None:
        """Insert *row* and give None; or leave all as it is and give the row that was there.

        A row that a person has settled as not placed counts as none.
        """

    def settle(self, row: Row) -> Row:
        """Replace the row of the same attempt if that is still open, and give the row that then stands.

        An attempt that was taken back is written all the same; one that another attempt has taken the place of is not.
        """

    def release(self, row: Row) -> None:
        """Remove the row of the same attempt if it is still armed: it is certain that nothing was placed."""

    def meter(self, platform: str, token: str, change: Callable[[Meter], tuple[Meter, T]]) -> T:
        """Replace the meter of *token* by what *change* makes of it, alone among all who share the ledger.

        Give the rest of what *change* gave. The token itself is not kept. A meter may be lost in a crash.
        """
