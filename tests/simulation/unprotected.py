"""The client with one of its protections switched off, to see whether the judge finds out."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from ringonce.client import policy
from ringonce.client.flows import placing, reconciling
from ringonce.client.fold import Facts
from ringonce.client.wishes import Flow, Lost, Request, Response
from ringonce.ledger import Row
from ringonce.ledger.memory import MemoryLedger

Options = Callable[[], dict[str, Any]]


class _Unarmed(MemoryLedger):
    """A ledger that lets everybody send."""

    def arm(self, row: Row) -> Row | None:
        """Write the row, whether or not there was one."""
        self._rows[row.platform, row.intent] = row
        return None

    def look(self, platform: str, intent: str) -> Row | None:
        """Know of nothing while a call is placed."""
        row = super().look(platform, intent)
        return None if row is not None and row.settled_at is None else row


class _Lonely(MemoryLedger):
    """A ledger that knows of no other intent."""

    def rivals(self, row: Row, since: float) -> list[Row]:
        """Give none."""
        return []


def _careless(request: Request, outcome: Response | Lost) -> bool:
    return isinstance(outcome, Lost) or _honest(request, outcome)


_honest = policy.may_repeat


def _nothing_shows(_: object, *, answered: bool, waited: float) -> Flow[None]:
    del answered
    yield from ()


PROTECTIONS: dict[str, tuple[Options, tuple[tuple[object, str, object], ...]]] = {
    "arming": (lambda: {"ledger": _Unarmed()}, ()),
    "no-repeat": (dict, ((policy, "may_repeat", _careless), (placing._Careful, "again", _nothing_shows))),
    "fencing": (lambda: {"fencing": False}, ()),
    "stamp": (dict, ((Facts, "stamp", ""),)),
    "rivals": (lambda: {"ledger": _Lonely()}, ()),
    "stamp-and-rivals": (lambda: {"ledger": _Lonely()}, ((Facts, "stamp", ""),)),
    "settle": (lambda: {"settle": 0.0}, ((reconciling, "STATION_PATIENCE", 0.0),)),
}
"""What each one is called, and how it is switched off: options of a stage, and attributes that are replaced."""


@contextlib.contextmanager
def without(protection: str) -> Iterator[Options]:
    """Switch a protection off (empty: none); gives what makes the options of each stage."""
    options, replaced = PROTECTIONS[protection] if protection else (dict, ())
    with contextlib.ExitStack() as patched:
        for owner, name, value in replaced:
            patched.enter_context(mock.patch.object(owner, name, value))
        yield options
