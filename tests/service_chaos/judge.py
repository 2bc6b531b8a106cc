"""What must be true afterwards: counted in the sandbox's own record, and held against the service's tables."""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from ringonce.client.fold import STAMP
from ringonce.service.calls import OPEN, Record, State, record
from ringonce.service.store import Store
from ringonce.service.store.tables import calls


@dataclasses.dataclass(slots=True)
class Figures:
    """What happened, added up."""

    intents: int = 0
    creates_received: int = 0
    calls_made: int = 0
    lost_answers: int = 0
    kills: int = 0
    stops: int = 0
    database_crashes: int = 0
    sandbox_restarts: int = 0
    double_rings: int = 0
    lost_intents: int = 0
    two_calls_at_once: int = 0
    unknown: int = 0
    slowest_take_over: float = 0.0
    """Seconds for which a call had a dead worker though another one was up, at the most."""
    nobody_up: float = 0.0
    """Seconds without any worker that was up."""


def every(store: Store) -> list[Record]:
    """Give all calls."""
    with store.read() as db:
        return [record(found) for found in db.execute(sa.select(calls).order_by(calls.c.key)).mappings()]


def verdict(asked: list[Record], made: list[dict[str, Any]], figures: Figures) -> Iterator[str]:
    """Say everything that is wrong, and count."""
    by_number: dict[str, list[dict[str, Any]]] = {}
    for call in made:
        by_number.setdefault(call["to"].removeprefix("tel:"), []).append(call)
    figures.intents, figures.calls_made = len(asked), len(made)
    for one in asked:
        rings = by_number.pop(one.number, [])
        ids = [call["conversationId"] for call in rings]
        if len(rings) > 1:
            figures.double_rings += len(rings) - 1
            yield f"{one.key}: rang {len(rings)} times"
        if any(call["attributes"].get(STAMP) != one.key for call in rings):
            yield f"{one.key}: its number and its stamp are on different calls"
        if one.state in OPEN:
            figures.lost_intents += 1
            yield f"{one.key}: still {one.state}"
        figures.unknown += one.state is State.UNKNOWN or one.outcome == "unknown"
        if one.state is State.ENDED and ids != [one.conversation_id]:
            yield f"{one.key}: ended as {one.conversation_id}, in truth {ids}"
        if one.state is State.REFUSED and rings:
            yield f"{one.key}: refused, and yet a call"
        if one.state is State.UNKNOWN and any(call["rang"] and not call["forgotten"] for call in rings):
            yield f"{one.key}: unknown, though the platform shows its call"
    for strays in by_number.values():
        yield f"calls that nobody wanted: {strays}"
    yield from _at_once(made, figures)


def _at_once(made: list[dict[str, Any]], figures: Figures) -> Iterator[str]:
    lives: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for call in made:
        lives.setdefault((call["agentId"], call["life"]), []).append(call)
    for (agent, _), theirs in lives.items():
        for before, after in itertools.pairwise(sorted(theirs, key=lambda call: call["createdAt"])):
            if before["endedAt"] is None or before["endedAt"] > after["createdAt"]:
                figures.two_calls_at_once += 1
                yield f"{agent} was in {before['conversationId']} when {after['conversationId']} began"
