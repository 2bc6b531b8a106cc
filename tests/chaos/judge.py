"""What must be true afterwards, counted in the sandbox's own record."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ringonce.client.fold import STAMP
from ringonce.ledger import Row, RowState

SETTLED = frozenset({RowState.PLACED, RowState.REFUSED, RowState.UNKNOWN})


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """One decision to call. Its number is its own, so that a call without a stamp is counted too."""

    intent: str
    agent: str
    to: str

    def order(self) -> dict[str, str]:
        """Give it as the arguments of `place_call`."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(slots=True)
class Figures:
    """What happened, added up."""

    intents: int = 0
    creates_received: int = 0
    calls_made: int = 0
    lost_answers: int = 0
    kills: int = 0
    stops: int = 0
    signals: int = 0
    sandbox_restarts: int = 0
    double_rings: int = 0
    lost_intents: int = 0
    unknown: int = 0

    def add(self, other: "Figures") -> None:
        """Add another's figures to these."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


@dataclasses.dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that must not be."""

    intent: str
    what: str


def verdict(
    wanted: Iterable[Wanted],
    record: list[dict[str, Any]],
    rows: Mapping[str, Row],
    told: Mapping[str, list[dict[str, Any]]],
    figures: Figures,
) -> Iterator[Wrong]:
    """Say everything that is wrong, and add to the *figures* what there is to count."""
    by_number: dict[str, list[dict[str, Any]]] = {}
    for call in record:
        by_number.setdefault(call["to"].removeprefix("tel:"), []).append(call)
    figures.calls_made += len(record)
    for one in wanted:
        figures.intents += 1
        made, row = by_number.pop(one.to, []), rows.get(one.intent)
        stamped = [call for call in record if call["attributes"].get(STAMP) == one.intent]
        if made != stamped:
            yield Wrong(one.intent, "its number and its stamp are on different calls")
        if len(made) > 1:
            figures.double_rings += len(made) - 1
            yield Wrong(one.intent, f"rang {len(made)} times")
        if row is None or row.state not in SETTLED:
            figures.lost_intents += 1
            yield Wrong(one.intent, f"lost: {row.state if row else 'the ledger knows nothing of it'}")
            continue
        figures.unknown += row.state is RowState.UNKNOWN
        if row.state is RowState.UNKNOWN and any(call["rang"] and not call["forgotten"] for call in made):
            yield Wrong(one.intent, "unknown, though the platform shows its call")
        yield from _true(one.intent, [call["conversationId"] for call in made], row, told.get(one.intent, ()))
    for stray in (call for calls in by_number.values() for call in calls):
        yield Wrong(stray["attributes"].get(STAMP, "?"), f"a call that nobody wanted: {stray}")


def _true(intent: str, made: list[str], row: Row, told: Iterable[dict[str, Any]]) -> Iterator[Wrong]:
    """Hold what was written and what was told against the calls that were *made*."""
    if row.state is RowState.PLACED and made != [row.conversation_id]:
        yield Wrong(intent, f"placed as {row.conversation_id}, in truth {made}")
    if row.state is RowState.REFUSED and made:
        yield Wrong(intent, "refused, and yet a call")
    for answer in told:
        if answer["became"] == "placed" and made != [answer["conversation_id"]]:
            yield Wrong(intent, f"told of {answer['conversation_id']}, in truth {made}")
        if answer["became"] == "refused" and made:
            yield Wrong(intent, "told that it was refused, and yet a call")
