"""One call's whole story, from the decision to call to what its outcome was seen by, in order."""

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from ringonce.service import feed
from ringonce.service.calls import Record
from ringonce.service.store.tables import attempts, audit, intents, tokens

MOST = 2_000
"""Events of one call that are told; a call that waits long is looked at again and again."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to the call."""

    at: float
    source: str
    """`feed` (it changed), `ledger` (its create), `guard` (what the rules said) or `audit` (what a person did)."""
    what: str
    body: dict[str, Any]


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """The entries in order, and the names of the tokens that are named in them."""

    entries: list[Entry]
    more: bool
    """Whether events were left out: those in the middle of a very long story."""
    who: dict[str, str]


def of(db: sa.Connection, call: Record, *, audited: bool) -> Story:
    """Tell the story of a call; of what people did only where *audited*, since the audit log is not for everybody."""
    told = feed.since(db, 0, limit=MOST + 1, subject=call.id)
    keys = _intents(db, call)
    entries = [
        *(_audited(db, call) if audited else ()),
        *_guarded(db, call),
        *_ledger(db, keys),
        *(_changed(event) for event in told[:MOST]),
    ]
    # Sorting is stable: of one moment, what people and the guard said goes before the create, and that before what
    # came of it.
    entries.sort(key=lambda entry: entry.at)
    return Story(entries=entries, more=len(told) > MOST, who=_names(db, call, entries))


def _changed(event: feed.Event) -> Entry:
    kept = ("state", "progress", "outcome", "attempt", "why", "due_at", "conversation_id", "evidence")
    body = {"seq": event.seq} | {name: event.body[name] for name in kept if event.body.get(name) not in (None, "")}
    ruled = (body.get("why") or {}).get("rule") or (body.get("why") or {}).get("for") == "guard"
    guarded = ruled and (body.get("why") or {}).get("rule") not in {"platform", "intent", "agent"}
    return Entry(at=event.at, source="guard" if guarded else "feed", what=event.kind, body=body)


def _guarded(db: sa.Connection, call: Record) -> Iterator[Entry]:
    query = attempts.select().where(attempts.c.call_id == call.id).order_by(attempts.c.at)
    for row in db.execute(query):
        body = {"intent": row.intent, "outcome": row.outcome}
        yield Entry(at=row.at, source="guard", what="allowed", body=body)


def _ledger(db: sa.Connection, keys: list[str]) -> Iterator[Entry]:
    query = intents.select().where(intents.c.intent.in_(keys)).order_by(intents.c.armed_at)
    for row in db.execute(query):
        who = {"intent": row.intent, "platform": row.platform, "incarnation": row.incarnation}
        yield Entry(at=row.armed_at, source="ledger", what="armed", body=who | {"deadline": row.deadline})
        if row.settled_at is not None:
            came = {name: getattr(row, name) for name in ("conversation_id", "adopted", "evidence", "refusal")}
            body = who | {name: value for name, value in came.items() if value}
            yield Entry(at=row.settled_at, source="ledger", what=row.state, body=body)


def _audited(db: sa.Connection, call: Record) -> Iterator[Entry]:
    for row in db.execute(audit.select().where(audit.c.subject == call.id).order_by(audit.c.seq)):
        body = {"who": row.who, "seq": row.seq} | msgspec.json.decode(row.details)
        yield Entry(at=row.at, source="audit", what=row.what, body=body)


def _intents(db: sa.Connection, call: Record) -> list[str]:
    """Give the ledger's keys of all attempts there were."""
    numbered = (msgspec.structs.replace(call, attempt=number).intent for number in range(1, call.attempt + 1))
    noted = db.scalars(sa.select(attempts.c.intent).where(attempts.c.call_id == call.id))
    return sorted({*numbered, *noted})


def _names(db: sa.Connection, call: Record, entries: list[Entry]) -> dict[str, str]:
    ids = {call.created_by} | {entry.body["who"] for entry in entries if "who" in entry.body}
    ids |= {by for entry in entries if isinstance(by := (entry.body.get("why") or {}).get("by"), str)}
    return {row.id: row.name for row in db.execute(sa.select(tokens.c.id, tokens.c.name).where(tokens.c.id.in_(ids)))}
