"""A batch of 100,000 rows: memory and time to take it in, then 5,000 of them dialled through kill -9, results checked.

`make bench-batch`, or `python bench/batches.py ROWS DIALLED [DATABASE]`. It prints what it measured, and fails where
a row rang twice, was lost, or is told otherwise than the sandbox knows.
"""

import asyncio
import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable

from ringonce import AsyncClient
from ringonce.ledger.sql import SqlLedger
from ringonce.sandbox import Sandbox
from ringonce.service.batches import results
from ringonce.service.batches.intake import Order, take
from ringonce.service.batches.preview import preview
from ringonce.service.batches.steering import steer
from ringonce.service.calls.batch import progress
from ringonce.service.dialing.steps import Steps
from ringonce.service.dialing.worker import Worker
from ringonce.service.guard import parse
from ringonce.service.guarding import Guarding
from ringonce.service.store import Store

AGENTS, SPEED, KILLS = 200, 60, 2


async def rows(count: int) -> AsyncIterator[bytes]:
    yield b"key,agent,to,attribute.ticket\n"
    for start in range(0, count, 100):
        numbers = range(start, min(count, start + 100))
        lines = [f"crm-{n},agent-{n % AGENTS + 1:05}@example.com,+1{212 + n % 5}55{n % 10}0006,{n}\n" for n in numbers]
        yield "".join(lines).encode()


async def intake(database: str, count: int) -> None:
    store = Store(database)
    began, cpu = time.perf_counter(), time.process_time()
    taken = await take(store, rows(count), Order(key="bench", by="bench"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"taken in: {taken.batch.rows} rows in {time.perf_counter() - began:.1f} s", end=", ")
    print(f"{time.process_time() - cpu:.1f} s of CPU, peak {peak} MB of memory")
    began = time.perf_counter()
    said = await preview(store, Guarding(store, parse('[hours]\nprofile = "country"')), taken.batch.id, time.time())
    print(f"preview: {said.rows} rows in {time.perf_counter() - began:.1f} s")


async def work(database: str, sandbox: str) -> None:
    store = Store(database)
    async with (
        AsyncClient(base_url=sandbox, ledger=SqlLedger(store.engine), settle=5.0) as client,
        Worker(Steps(store, client, Guarding(store), time.time, asyncio.sleep)),
    ):
        await asyncio.Event().wait()


def dial(database: str, batch_id: str, wanted: int, sandbox: Sandbox) -> None:
    store = Store(database)
    act(store, batch_id, "start")
    began = time.perf_counter()
    for turn in range(KILLS + 1):
        worker = subprocess.Popen([sys.executable, __file__, "work", database, sandbox.url])
        try:
            enough = wanted * (turn + 1) // (KILLS + 1)
            until(store, batch_id, lambda states, enough=enough: states["ended"] >= enough)  # type: ignore[misc]  # it can't infer a default
            if turn == KILLS:
                act(store, batch_id, "drain")
                until(store, batch_id, lambda states: not states["dialing"] + states["live"])
        finally:
            worker.kill()
            worker.wait()
    with store.read() as db:
        counted = progress(db, batch_id)
    ended = counted["states"]["ended"]
    seconds = time.perf_counter() - began
    print(f"dialled: {ended} rows in {seconds:.0f} s, the worker killed {KILLS} times: {counted['outcomes']}")
    began = time.perf_counter()
    found = {row["key"]: row for row in csv.DictReader(asyncio.run(told(store, batch_id)).splitlines())}
    print(f"results: {len(found)} rows in {time.perf_counter() - began:.1f} s")
    ground = {call["attributes"]["ringonce.intent"]: call["conversationId"] for call in sandbox.calls()}
    twice = len(sandbox.calls()) - len(ground)
    wrong = [key for key, conversation in ground.items() if found[key]["conversation_id"] != conversation]
    never = [row for row in found.values() if row["conversation_id"] and row["key"] not in ground]
    print(f"rang twice: {twice}, told otherwise than it was: {len(wrong)}, told and never rang: {len(never)}")
    if twice or wrong or never:
        sys.exit(1)


def act(store: Store, batch_id: str, what: str) -> None:
    with store.write() as db:
        steer(db, batch_id, what, by="bench", now=time.time())


def until(store: Store, batch_id: str, so: Callable[[dict[str, int]], bool]) -> None:
    while True:
        with store.read() as db:
            if so(progress(db, batch_id)["states"]):
                return
        time.sleep(0.5)


async def told(store: Store, batch_id: str) -> str:
    return b"".join([piece async for piece in results.lines(store, batch_id, whole_numbers=True)]).decode()


def main(count: int, wanted: int, database: str) -> None:
    subprocess.run([sys.executable, __file__, "intake", database, str(count)], check=True)
    store = Store(database)
    with store.read() as db:
        batch_id = db.exec_driver_sql("SELECT id FROM batches").scalar_one()
    with Sandbox(port=0, agents=AGENTS, speed=SPEED) as sandbox:
        dial(database, batch_id, wanted, sandbox)


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[:1] == ["intake"]:
        asyncio.run(intake(words[1], int(words[2])))
    elif words[:1] == ["work"]:
        asyncio.run(work(words[1], words[2]))
    else:
        here = f"sqlite:///{tempfile.mkdtemp(prefix='bench-')}/calls.db"
        main(int(words[0]), int(words[1]), words[2] if words[2:] else here)
