"""A service's database as it is on a busy day, without waiting for one."""

import time

import sqlalchemy as sa

from ringonce.service.calls.accepting import new_id
from ringonce.service.store.tables import agents, calls, lines

PHASES = ("requested", "dialing", "ringing", "connected", "connected", "connected")


def in_flight(db: sa.Connection, number: int, *, now: float | None = None) -> list[str]:
    """Put that many calls in flight, each with an agent of its own; give their ids."""
    at = time.time() if now is None else now
    ids = [new_id("call", at + index / 1000) for index in range(number)]
    people = [f"00000000-0000-4000-8000-{index:012d}" for index in range(number)]
    db.execute(
        agents.insert(),
        [{"name": f"person-{index:05d}@example.com", "agent_id": one} for index, one in enumerate(people)],
    )
    db.execute(
        lines.insert(),
        [
            {"agent_id": one, "call_id": ids[index], "run": "", "worker": "", "free_at": 0.0, "look_at": 1e15}
            for index, one in enumerate(people)
        ],
    )
    db.execute(calls.insert(), [_call(ids[index], index, one, at) for index, one in enumerate(people)])
    return ids


def _call(call_id: str, index: int, agent_id: str, at: float) -> dict[str, object]:
    return {
        "id": call_id,
        "key": f"seeded-{index}",
        "fingerprint": "",
        "created_by": "",
        "created_at": at,
        "batch_id": None,
        "row": None,
        "agent": f"person-{index:05d}@example.com",
        "agent_id": agent_id,
        "number": f"+1555{2_000_000 + index}",
        "mark": f"mark-{index}",
        "zone": "",
        "asked": {"agent": agent_id, "to": ""},
        "priority": 0,
        "not_before": 0.0,
        "expires_at": None,
        "state": "live",
        "due_at": 0.0,
        "why": {},
        "attempt": 1,
        "conversation_id": f"10000000-0000-4000-8000-{index:012d}",
        "progress": PHASES[index % len(PHASES)],
        "outcome": "",
        "told": {},
        "placed_at": at - index % 300,
        "ended_at": None,
        "changed_at": at,
    }
