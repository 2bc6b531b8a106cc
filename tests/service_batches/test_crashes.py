"""A process that is killed in the middle loses nothing and takes nothing half."""

import asyncio
import contextlib
import csv
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringonce.sandbox import Sandbox
from ringonce.service.batches import results
from ringonce.service.calls import State
from ringonce.service.calls.batch import BatchState, every
from ringonce.service.dialing import batched
from ringonce.service.store import Store
from service_batches.conftest import Working, act, csv_of, reaches, rows_of, some_are, taken

PROCESS = Path(__file__).with_name("process.py")
SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@contextlib.contextmanager
def process(*args: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, str(PROCESS), *args]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:  # noqa: S603  our own file
        try:
            yield started
        finally:
            started.kill()


def test_an_intake_that_is_killed_takes_nothing(store: Store, database: str) -> None:
    with process("intake", database) as killed:
        assert killed.stdout
        for _ in range(4):
            killed.stdout.readline()
        killed.kill()

    with store.read() as db:
        (draft,) = every(db)
    assert draft.state is BatchState.DRAFT
    staged = rows_of(store)
    assert staged
    assert {row.state for row in staged} == {State.DRAFT}
    with store.write() as db:
        while batched.tend(db, draft.id, time.time() + 700):
            pass
    assert rows_of(store) == []
    assert taken(store, csv_of(3), key="file").batch.state is BatchState.READY


@SQLITE
def test_a_worker_that_is_killed_in_mid_batch_leaves_exact_results(
    store: Store, database: str, sandbox: Sandbox, working: Working
) -> None:
    batch = taken(store, csv_of(60, agents=20)).batch
    act(store, batch.id, "start")

    async def play() -> str:
        with process("worker", database, sandbox.url) as killed:
            await some_are(store, batch.id, State.ENDED, 10)
            killed.kill()
        async with working():
            await reaches(store, batch.id, BatchState.DONE)
        return b"".join([piece async for piece in results.lines(store, batch.id, whole_numbers=True)]).decode()

    rows = list(csv.DictReader(asyncio.run(play()).splitlines()))
    made = [(call["attributes"]["ringonce.intent"], call["conversationId"]) for call in sandbox.calls()]
    assert len(rows) == 60
    assert sorted((row["key"], row["conversation_id"]) for row in rows if row["state"] == "ended") == sorted(made)
    # Killed after it was written down that the call goes out, and before it went: nobody can know, and nobody dials.
    assert {row["state"] for row in rows} <= {"ended", "unknown"}
    assert len(made) > 60 - 20, "more are unknown than there were agents to be calling"
    assert {row["attempts"] for row in rows} == {"1"}
