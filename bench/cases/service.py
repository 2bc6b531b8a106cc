"""Calls a second that the service's workers dial and follow to their ends, on either database, by one worker or two.

Nothing is pinned to a core: workers, database and sandbox share the machine as they would.
"""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.measuring import Measured, Row
from bench.servers.postgres import postgres
from ringonce.ledger.sql import SqlLedger
from ringonce.service.calls import OPEN, Ask
from ringonce.service.calls.accepting import accept
from ringonce.service.store import Store
from ringonce.service.store.tables import calls

AGENTS, SPEED = 200, 60.0
PATIENCE = 300.0
LOOK = 0.1


def measure(*, quick: bool) -> dict[str, Any]:
    number = 60 if quick else 2_000
    kinds = ("sqlite", "postgresql")
    rows = {
        f"{kind}, {workers} worker{'s' * (workers > 1)}": run(kind, workers, number)
        for kind in kinds
        for workers in (1, 2)
    }
    return {"rows": {"service": rows}}


def run(kind: str, workers: int, number: int) -> Row:
    """Have *number* calls dialled; give how fast that went and what each cost."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        database = f"sqlite:///{folder}/calls.db" if kind == "sqlite" else stack.enter_context(postgres())
        store = Store(database)
        stack.callback(store.close)
        sandbox = stack.enter_context(Measured("bench.servers.sandbox", str(AGENTS), str(SPEED)))
        hands = [
            stack.enter_context(Measured("bench.contenders.dialing", database, sandbox.url)) for _ in range(workers)
        ]
        before = [hand.ask() for hand in hands]
        _ask(store, number)
        began = time.perf_counter()
        while _open(store):
            if time.perf_counter() > began + PATIENCE:
                raise RuntimeError(f"{_open(store)} of {number} calls are open after {PATIENCE:g} s")
            time.sleep(LOOK)
        took = time.perf_counter() - began
        spent = [
            {name: after[name] - first[name] for name in after}
            for first, after in zip(before, [hand.ask() for hand in hands], strict=True)
        ]
    return {
        "intents_s": round(number / took, 1),
        "cpu_ms": round(sum(one["cpu"] for one in spent) / number * 1e3, 2),
        "statements": round(sum(one["statements"] for one in spent) / number, 1),
        "commits": round(sum(one["commits"] for one in spent) / number, 1),
        "calls": number,
    }


def _ask(store: Store, number: int) -> None:
    mark = SqlLedger(store.engine).mark
    with store.write() as db:
        for n in range(number):
            to = f"+1212{2_000_006 + n * 10}"
            agent = f"agent-{n % AGENTS + 1:05d}@example.com"
            accept(db, Ask(agent=agent, to=to), key=f"i{n}", number=to, mark=mark(to), by="bench")


def _open(store: Store) -> int:
    with store.read() as db:
        return db.scalar(sa.select(sa.func.count()).where(calls.c.state.in_(sorted(OPEN)))) or 0
