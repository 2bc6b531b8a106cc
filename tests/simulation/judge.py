"""What must be true after a schedule, told from the world's own record."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ringonce.client.fold import STAMP
from ringonce.errors import OutcomeUnknown, Refused, Unreachable
from ringonce.ledger import Row, RowState
from simulated import ORIGIN
from simulation.stage import LAST_ASKED, SETTLE, STORIES, Stage, Told

ORDER_TAKES = 30.0
"""Seconds after arming for which a create may leave: the default of `place_call`."""


STAMPED_AFTER, GIVEN_UP_AFTER = 5.0, 75.0
"""Seconds after which a call shows its stamp, and after which a call to a silent station has ended."""


def faults_of(stage: Stage) -> Iterator[str]:
    """Say everything that is wrong with how a schedule ended."""
    yield from _late_creates(stage)
    yield from _creates_in_doubt(stage)
    calls: dict[str, list[dict[str, Any]]] = {intent: [] for intent in stage.intents}
    for call in stage.world.calls():
        calls[call["attributes"].get(STAMP, "")].append(call)
    rows = {intent: stage.ledger.look(ORIGIN, intent) for intent in stage.intents}
    for intent, row in rows.items():
        told, made = stage.told[intent], calls[intent]
        if len(made) > 1:
            yield f"{intent}: {len(made)} calls"
        if row is None:
            yield from _without_row(intent, told, made)
        else:
            yield from _with_row(intent, row, told, made, alone=len(rows) == 1)
            yield from _outcome(stage, intent, row, told)


def is_grave(fault: str) -> bool:
    """Say whether a fault is a second ring, or an untruth about what became of an intent."""
    return re.search(r"\d calls|another call|refused, and yet|in truth|ledger knows nothing", fault) is not None


def _without_row(intent: str, told: Told, made: list[dict[str, Any]]) -> Iterator[str]:
    if made:
        yield f"{intent}: a call, and the ledger knows nothing of it"
    elif not told.errors or not isinstance(told.errors[-1][1], (Refused, Unreachable)):
        yield f"{intent}: lost, nobody was told anything"


def _with_row(intent: str, row: Row, told: Told, made: list[dict[str, Any]], *, alone: bool) -> Iterator[str]:
    ids = [call["conversationId"] for call in made]
    if row.state is RowState.PLACED and (told.placed is None or [told.placed.conversation_id] != ids):
        yield f"{intent}: told of another call than the one that there is"
    if row.state is RowState.REFUSED and made:
        yield f"{intent}: refused, and yet a call"
    if row.state is RowState.UNKNOWN and made and _findable(made[0], told, alone=alone):
        yield f"{intent}: unknown, though its call could be found"
    if row.state is RowState.ARMED:
        yield f"{intent}: still open in the end"


def _findable(call: dict[str, Any], told: Told, *, alone: bool) -> bool:
    """Say whether the call could be found by whoever asked last: it was there, and showed whose it is."""
    began = datetime.fromisoformat(call["createdAt"]).timestamp()
    asked = told.errors[-1][0]
    if call["rang"]:
        return began + STAMPED_AFTER < asked
    # A call whose agent never picked up carries no stamp: beside another intent, nobody can say whose it was.
    return alone and began + GIVEN_UP_AFTER < asked


def _outcome(stage: Stage, intent: str, row: Row, told: Told) -> Iterator[str]:
    truth = STORIES[stage.intents[intent]]
    if told.last is not None and told.last.ended and told.last.outcome is not truth:
        yield f"{intent}: outcome {told.last.outcome}, in truth {truth}"
    if row.state is RowState.PLACED and (told.last is None or not told.last.ended):
        yield f"{intent}: not followed to its end"
    for at, error in told.errors:
        if isinstance(error, OutcomeUnknown) and row.armed_at <= at < min(row.armed_at + SETTLE, LAST_ASKED):
            yield f"{intent}: given up {at - row.armed_at:.1f} s after arming"


def _creates_in_doubt(stage: Stage) -> Iterator[str]:
    """Find creates that left after somebody was told that the call may have rung: that is nobody's to try again."""
    for intent, at, _ in stage.creates:
        if intent not in stage.resolved and any(
            isinstance(error, OutcomeUnknown) and told < at for told, error in stage.told[intent].errors
        ):
            yield f"{intent}: a create left although the call may have rung"


def _late_creates(stage: Stage) -> Iterator[str]:
    for intent, at, armed_at in stage.creates:
        if armed_at is None:
            yield f"{intent}: a create left that its sender had not armed"
        elif at > armed_at + ORDER_TAKES:
            yield f"{intent}: a create left {at - armed_at:.0f} s after its intent was armed"
