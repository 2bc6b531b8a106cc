"""Taking a call in: once for each key, whole or not at all."""

import hashlib
import secrets
import time

import msgspec
import sqlalchemy as sa

from ringonce.errors import IntentConflict
from ringonce.service import feed
from ringonce.service.calls import Ask, Record, State, by_key
from ringonce.service.store.tables import calls

LONGEST_KEY = 120
"""Characters: the number of an attempt has room behind it in the ledger's key."""


class Accepted(msgspec.Struct, frozen=True):
    """A call, and whether it was there already."""

    record: Record
    replayed: bool


def new_id(kind: str, now: float) -> str:
    """Make an id that sorts by time, such as `call_01j9…`."""
    return f"{kind}_{int(now * 1000):011x}{secrets.token_hex(6)}"


def fingerprint(ask: Ask, number: str) -> str:
    """Give what tells two asks under one key apart; spellings of one number are the same."""
    plain = msgspec.to_builtins(msgspec.structs.replace(ask, to=number))
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()


def accept(
    db: sa.Connection,
    ask: Ask,
    *,
    key: str,
    number: str,
    mark: str,
    by: str,
    now: float | None = None,
    batch_id: str | None = None,
    row: int | None = None,
    paused: bool = False,
    agent_id: str = "",
) -> Accepted:
    """Insert the call, waiting; or give the one that its key stands for already.

    *number* is the asked one in E.164, *mark* the ledger's of it, *by* the API token's id, and *paused* keeps it from
    being dialled until its batch goes on. *agent_id*, if it is known, is one whose line there is.
    Raise `IntentConflict` if the key stands for another call.
    """
    now = time.time() if now is None else now
    given = fingerprint(ask, number)
    there = by_key(db, key)
    if there is not None:
        if there.state is State.DRAFT:
            raise IntentConflict(
                f"The key {key!r} is a row's of a batch that has not been started",
                why=f"row {there.row} of batch {there.batch_id} has it",
                fix="start the batch, or cancel it and give the call a key of its own",
            )
        if there.fingerprint != given:
            raise IntentConflict(
                f"The key {key!r} stands for another call",
                why=f"it was used for agent {there.agent} and a number in {there.number[-4:]}, or with other options",
                fix="one key is one decision to call: give this one a key of its own",
            )
        return Accepted(there, replayed=True)
    made = drafted(ask, key=key, number=number, mark=mark, by=by, now=now)
    why = {"for": "batch"} if paused else {}
    made = msgspec.structs.replace(made, batch_id=batch_id, row=row, why=why, agent_id=agent_id)
    try:
        with db.begin_nested():
            db.execute(calls.insert().values(msgspec.to_builtins(made)))
    except sa.exc.IntegrityError:
        # Somebody else's transaction was quicker with the same key.
        if by_key(db, key) is None:
            raise
        return accept(db, ask, key=key, number=number, mark=mark, by=by, now=now, batch_id=batch_id, row=row)
    feed.tell(db, "call.accepted", made.id, made.shown(), agent_id=ask.agent, now=now)
    return Accepted(made, replayed=False)


def drafted(ask: Ask, *, key: str, number: str, mark: str, by: str, now: float) -> Record:
    """Give the call that would be taken in; nothing is kept."""
    return Record(
        id=new_id("call", now),
        key=key,
        fingerprint=fingerprint(ask, number),
        created_by=by,
        created_at=now,
        batch_id=None,
        row=None,
        agent=ask.agent,
        agent_id="",
        number=number,
        mark=mark,
        zone=ask.zone,
        asked=msgspec.to_builtins(ask),
        priority=ask.priority,
        not_before=ask.not_before,
        expires_at=ask.expires_at,
        state=State.WAITING,
        due_at=max(now, ask.not_before),
        why={},
        attempt=1,
        conversation_id="",
        progress="",
        outcome="",
        told={},
        placed_at=None,
        ended_at=None,
        changed_at=now,
    )
