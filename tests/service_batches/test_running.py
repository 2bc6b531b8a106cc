"""A batch is dialled once for each row, can be paused, drained and cancelled, and its results are exact."""

import asyncio
import csv
import itertools
import time
from collections import Counter

import pytest
import sqlalchemy as sa

from ringonce.errors import Refused
from ringonce.sandbox import Sandbox
from ringonce.service import audit, feed
from ringonce.service.batches import results
from ringonce.service.batches.steering import steer
from ringonce.service.calls import Retry, State, by_key
from ringonce.service.calls.batch import BatchState
from ringonce.service.dialing.turns import NEVER
from ringonce.service.store import Store
from ringonce.service.store.tables import calls, lines
from service_batches.conftest import (
    TALKS_ON,
    Working,
    act,
    csv_of,
    reaches,
    rows_of,
    some_are,
    stands,
    taken,
)
from service_dialing.conftest import ask, until

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ENDS_SOON = "4321"
POOL = tuple(f"agent-{number:05}@example.com" for number in range(1, 5))


def results_of(store: Store, batch_id: str, *, whole_numbers: bool = True) -> list[dict[str, str]]:
    async def read() -> str:
        pieces = [piece async for piece in results.lines(store, batch_id, whole_numbers=whole_numbers)]
        return b"".join(pieces).decode()

    return list(csv.DictReader(asyncio.run(read()).splitlines()))


def test_nothing_rings_before_the_start_and_then_each_row_rings_once(
    store: Store, sandbox: Sandbox, working: Working
) -> None:
    batch = taken(store, csv_of(12, agents=4)).batch

    async def play() -> None:
        async with working():
            await asyncio.sleep(1.2)  # longer than the worker takes to look at batches
            assert sandbox.calls() == []
            await store.run(_steer, batch.id, "start")
            await reaches(store, batch.id, BatchState.DONE)

    asyncio.run(play())
    assert len(sandbox.calls()) == 12
    assert stands(store, batch.id) == (BatchState.DONE, {"ended": 12})
    told = results_of(store, batch.id)
    ground = {call["attributes"]["ringonce.intent"]: call["conversationId"] for call in sandbox.calls()}
    assert {row["key"]: row["conversation_id"] for row in told} == ground
    assert [row["row"] for row in told] == [str(number) for number in range(2, 14)]
    assert {(row["to"], row["state"], row["outcome"], row["attempts"]) for row in told} == {
        ("+12125550006", "ended", "answered", "1")
    }
    assert all(row["evidence"] and row["placed_at"] < row["ended_at"] for row in told)


def _steer(db: sa.Connection, batch_id: str, what: str) -> None:
    steer(db, batch_id, what, by="test", now=time.time())


def test_a_paused_batch_rings_nobody_new_and_goes_on_where_it_was(
    store: Store, sandbox: Sandbox, working: Working
) -> None:
    batch = taken(store, csv_of(20, agents=4)).batch
    act(store, batch.id, "start")

    async def play() -> None:
        async with working():
            await some_are(store, batch.id, State.ENDED, 3)
            await store.run(_steer, batch.id, "pause")
            await asyncio.sleep(0.3)
            rung = len(sandbox.calls())
            assert rung < 20
            await asyncio.sleep(0.7)
            assert len(sandbox.calls()) == rung
            await store.run(_steer, batch.id, "resume")
            await reaches(store, batch.id, BatchState.DONE)

    asyncio.run(play())
    rung = Counter(call["attributes"]["ringonce.intent"] for call in sandbox.calls())
    assert set(rung.values()) == {1}
    assert len(rung) == 20


@SQLITE
def test_a_drained_batch_finishes_what_is_live_and_rests(store: Store, sandbox: Sandbox, working: Working) -> None:
    batch = taken(store, csv_of(10, story=ENDS_SOON, agents=2)).batch
    act(store, batch.id, "start")

    async def play() -> None:
        async with working():
            await some_are(store, batch.id, State.LIVE, 2)
            await store.run(_steer, batch.id, "drain")
            assert stands(store, batch.id)[0] is BatchState.DRAINING
            await reaches(store, batch.id, BatchState.PAUSED)

    asyncio.run(play())
    assert len(sandbox.calls()) == 2
    assert stands(store, batch.id) == (BatchState.PAUSED, {"waiting": 8, "ended": 2})


@SQLITE
def test_a_cancelled_batch_cancels_what_has_not_rung(store: Store, sandbox: Sandbox, working: Working) -> None:
    batch = taken(store, csv_of(3000, story=TALKS_ON, agents=2)).batch
    act(store, batch.id, "start")

    async def play() -> None:
        async with working():
            await some_are(store, batch.id, State.LIVE, 2)
            await store.run(_steer, batch.id, "cancel")
            await some_are(store, batch.id, State.CANCELLED, 2998)

    asyncio.run(play())
    assert len(sandbox.calls()) == 2
    assert {row["why"] for row in results_of(store, batch.id)} == {"", '{"by":"batch"}'}


def test_rows_without_an_agent_go_to_whoever_of_the_pool_is_free(
    store: Store, sandbox: Sandbox, working: Working
) -> None:
    batch = taken(store, csv_of(16, pool=True), agents=(*POOL, "nobody@example.com")).batch
    act(store, batch.id, "start")

    async def play() -> None:
        async with working():
            await reaches(store, batch.id, BatchState.DONE)

    asyncio.run(play())
    assert len(sandbox.calls()) == 16
    shares = Counter(call["agentId"] for call in sandbox.calls())
    assert len(shares) == len(POOL)
    assert max(shares.values()) < 10
    spans = sorted((call["agentId"], call["createdAt"], call["endedAt"]) for call in sandbox.calls())
    assert all(a[0] != b[0] or a[2] <= b[1] for a, b in itertools.pairwise(spans))


@SQLITE
def test_a_pool_of_strangers_refuses_its_rows(store: Store, working: Working) -> None:
    batch = taken(store, csv_of(3, pool=True), agents=("nobody@example.com",)).batch
    act(store, batch.id, "start")

    async def play() -> None:
        async with working():
            await reaches(store, batch.id, BatchState.DONE)

    asyncio.run(play())
    assert [(row["state"], row["why"].partition(":")[0]) for row in results_of(store, batch.id)] == [
        ("refused", "agent")
    ] * 3


@SQLITE
def test_a_row_that_is_tried_again_is_anybodys_of_the_pool(store: Store, working: Working) -> None:
    batch = taken(
        store, "key,agent,to\na,,+12125550002\n", agents=POOL, retry=Retry(attempts=2, gap=3600, outcomes=("busy",))
    ).batch
    act(store, batch.id, "start")

    async def play() -> None:
        async with working(), asyncio.timeout(120):
            while True:
                call = await store.look(by_key, "a")
                if call is not None and call.attempt > 1:
                    return
                await asyncio.sleep(0.02)

    asyncio.run(play())
    (call,) = rows_of(store)
    assert (call.state, call.agent, call.agent_id, call.why["for"]) == (State.WAITING, "", "", "retry")
    with store.read() as db:
        assert min(db.scalars(sa.select(lines.c.look_at)).all()) <= call.due_at < NEVER
    (row,) = results_of(store, batch.id)
    assert (row["attempts"], row["outcome"], row["next_at"] > row["ended_at"]) == ("1", "busy", True)


@SQLITE
def test_a_pace_is_kept(store: Store, sandbox: Sandbox, working: Working) -> None:
    batch = taken(store, csv_of(4, agents=4), pace=120).batch
    act(store, batch.id, "start")

    async def play() -> float:
        began = time.monotonic()
        async with working():
            await reaches(store, batch.id, BatchState.DONE)
        return time.monotonic() - began

    assert asyncio.run(play()) >= 1.5
    assert len(sandbox.calls()) == 4


@SQLITE
def test_a_call_of_its_own_goes_between_the_rows_of_a_paused_batch(store: Store, working: Working) -> None:
    batch = taken(store, csv_of(50)).batch
    act(store, batch.id, "start")

    async def play() -> None:
        async with working():
            await some_are(store, batch.id, State.ENDED, 1)
            await store.run(_steer, batch.id, "pause")
            ask(store, "urgent", to="+12125560006", agent=POOL[0])
            await until(store, "urgent", State.ENDED)

    asyncio.run(play())
    assert stands(store, batch.id)[0] is BatchState.PAUSED


def test_what_people_do_to_a_batch_is_audited_and_told(store: Store) -> None:
    batch = taken(store, csv_of(2)).batch
    for what in ("start", "pause", "pause", "resume", "cancel"):
        act(store, batch.id, what)
    with store.read() as db:
        noted = [entry.what for entry in audit.entries(db) if entry.subject == batch.id]
        told = [event.body["state"] for event in feed.since(db, 0, subject=batch.id)]
    assert noted == ["batch.ready", "batch.started", "batch.paused", "batch.resumed", "batch.cancelled"]
    assert told == ["ready", "running", "paused", "running", "cancelled"]


@SQLITE
def test_what_is_over_cannot_be_started_again(store: Store) -> None:
    batch = taken(store, csv_of(2)).batch
    with pytest.raises(Refused, match="it is ready"):
        act(store, batch.id, "pause")
    act(store, batch.id, "cancel")
    with pytest.raises(Refused, match="it is cancelled"):
        act(store, batch.id, "start")
    invalid = taken(store, "key,to\n", key="other").batch
    with pytest.raises(Refused, match="report"):
        act(store, invalid.id, "start")


@SQLITE
def test_results_mask_numbers_for_those_who_may_not_see_them(store: Store) -> None:
    batch = taken(store, csv_of(1)).batch
    (row,) = results_of(store, batch.id, whole_numbers=False)
    assert row["to"] == "+1••••••0006"
    with store.write() as db:
        db.execute(calls.update().values(why={"rule": "=1+1", "said": "x"}))
    assert results_of(store, batch.id)[0]["why"] == "'=1+1: x"
