"""A person's word about a call that may have rung: in the ledger, in the call and in the audit log, all or nothing."""

from typing import Any

import msgspec
import sqlalchemy as sa

from ringonce.errors import Refused
from ringonce.ledger import OPEN, RowState, sql
from ringonce.models import Call
from ringonce.service import audit
from ringonce.service.calls import Record, State
from ringonce.service.calls.changing import change
from ringonce.service.store.tables import attempts


def placed(db: sa.Connection, record: Record, platform: str, call: Call, *, by: str, reason: str, now: float) -> Record:
    """Settle that it rang, as *call*, which has ended. Raise `Refused` if it is settled otherwise already."""
    word = {"state": RowState.PLACED, "conversation_id": call.conversation_id, "evidence": f"{by} said so: {reason}"}
    _settle(db, record, platform, word, now)
    outcome = str(call.outcome or "")
    db.execute(attempts.update().where(attempts.c.intent == record.intent).values(outcome=outcome))
    became = {
        "state": State.ENDED,
        "conversation_id": call.conversation_id,
        "outcome": outcome,
        "told": msgspec.to_builtins(call),
        "why": {"by": by, "said": reason},
        "ended_at": call.ended_at.timestamp() if call.ended_at else now,
    }
    stands = _changed(db, record, now, became)
    audit.note(db, by, "call.resolved", record.id, now=now, placed=call.conversation_id, reason=reason)
    return stands


def not_placed(
    db: sa.Connection, record: Record, platform: str, *, again: bool, by: str, reason: str, now: float
) -> Record:
    """Settle that it never rang. It is cancelled then, or waits to be dialled *again*; raise as `placed` does."""
    word = {"state": RowState.NOT_PLACED, "evidence": f"{by} said so: {reason}"}
    _settle(db, record, platform, word, now)
    db.execute(attempts.delete().where(attempts.c.intent == record.intent))
    why = {"by": by, "said": reason}
    if again:
        became: dict[str, Any] = {"state": State.WAITING, "due_at": now, "outcome": "", "why": why, "ended_at": None}
    else:
        became = {"state": State.CANCELLED, "outcome": "", "why": why, "ended_at": now}
    stands = _changed(db, record, now, became)
    audit.note(db, by, "call.resolved", record.id, now=now, placed=None, reason=reason, dial_again=again)
    return stands


def _settle(db: sa.Connection, record: Record, platform: str, word: dict[str, Any], now: float) -> None:
    row = sql.find(db, platform, record.intent)
    if row is None:
        return  # it was dialled on another platform, or not at all: there is nothing that a settled row would protect
    if row.state is RowState.ARMED and now <= row.deadline:
        raise Refused(
            "The call is being placed right now",
            why=f"its request may leave for another {row.deadline - now:.0f} s",
            fix="wait until then, and look again",
        )
    if row.state not in OPEN:
        known = f", as conversation {row.conversation_id}" if row.conversation_id else ""
        raise Refused(
            "The ledger knows better what became of the call",
            why=f"its intent is {row.state.replace('_', ' ')}{known}",
            fix="say the same, or look at the conversation",
        )
    sql.settle(db, msgspec.structs.replace(row, **word, settled_at=now))


def _changed(db: sa.Connection, record: Record, now: float, became: dict[str, Any]) -> Record:
    stands = change(db, record.id, of={State.UNKNOWN}, now=now, **became)
    if stands is None:
        raise Refused(
            "The call is not unknown any more", why="somebody settled it meanwhile", fix="look at the call again"
        )
    return stands
