"""A worker dials what waits: for each agent one call at a time, when it may, and never twice."""

import asyncio
import itertools
import time
from collections import Counter

import pytest

from ringonce.sandbox import Sandbox
from ringonce.service import feed
from ringonce.service.calls import Retry, State
from ringonce.service.dialing import Verdict
from ringonce.service.stopping import STOP
from ringonce.service.store import Store
from ringonce.service.store.tables import settings
from service_dialing.conftest import Open, Working, ask, comes_true, every, until

CREATES = "/api/v2/conversations/calls*"


def test_a_call_that_waits_is_dialled_and_followed_to_its_end(store: Store, working: Working) -> None:
    ask(store, "crm-1")

    async def play() -> None:
        async with working():
            call = await until(store, "crm-1", State.ENDED)
        assert call.outcome == "answered"
        assert call.told["evidence"]["because"]

    asyncio.run(play())
    with store.read() as db:
        told = [(event.body["state"], event.body["progress"]) for event in feed.since(db, 0)]
    assert told[:3] == [("waiting", ""), ("dialing", ""), ("live", "")]
    assert told[-1] == ("ended", "ended")


def test_an_agent_is_never_in_two_calls_however_he_is_named(store: Store, sandbox: Sandbox, working: Working) -> None:
    names = ("ada@example.com", "Ada@Example.COM", "a1b2c3d4-e5f6-7890-abcd-ef1234567890")
    for number, name in enumerate(names):
        ask(store, f"crm-{number}", agent=name, to="+15559870006")

    async def play() -> None:
        async with working():
            for number in range(3):
                await until(store, f"crm-{number}", State.ENDED)

    asyncio.run(play())
    spans = sorted((call["createdAt"], call["endedAt"]) for call in sandbox.calls())
    assert len(spans) == 3
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


def test_agents_are_dialled_for_side_by_side(store: Store, working: Working) -> None:
    for number in range(1, 11):
        ask(store, f"crm-{number}", agent=f"agent-{number:05}@example.com", to="+15559870000")

    async def play() -> None:
        async with working():
            for number in range(1, 11):
                await until(store, f"crm-{number}", State.LIVE)

    asyncio.run(play())
    assert Counter(call.state for call in every(store)) == {State.LIVE: 10}


def test_the_more_urgent_call_of_an_agent_goes_first(store: Store, sandbox: Sandbox, working: Working) -> None:
    ask(store, "later", to="+15550100006", priority=5)
    ask(store, "now", to="+15550200006", priority=1)

    async def play() -> None:
        async with working():
            await until(store, "later", State.ENDED)

    asyncio.run(play())
    assert [call["to"] for call in sandbox.calls()] == ["+15550200006", "+15550100006"]


def test_what_the_guard_forbids_waits_until_it_is_allowed_or_is_refused(
    store: Store, sandbox: Sandbox, working: Working, guard: Open
) -> None:
    guard.verdict = Verdict(allowed=False, until=time.time() + 9_000, why={"rule": "hours"})
    ask(store, "crm-1")

    async def play() -> None:
        async with working():
            await comes_true(lambda: bool(every(store)[0].why))
            waiting = await until(store, "crm-1", State.WAITING)
            assert waiting.why == {"for": "guard", "rule": "hours"}
            assert waiting.due_at == pytest.approx(time.time() + 9_000, abs=60)
            guard.verdict = Verdict(allowed=False, why={"rule": "do-not-call"})
            ask(store, "crm-2")
            refused = await until(store, "crm-2", State.REFUSED)
            assert refused.why == {"rule": "do-not-call"}

    asyncio.run(play())
    assert sandbox.calls() == []


def test_while_the_kill_switch_is_on_nothing_rings(store: Store, sandbox: Sandbox, working: Working) -> None:
    with store.write() as db:
        db.execute(settings.insert().values(name=STOP, value=True, changed_at=0.0))
    ask(store, "crm-1")

    async def play() -> None:
        async with working():
            await comes_true(lambda: every(store)[0].why.get("for") == "stop")

    asyncio.run(play())
    assert sandbox.calls() == []


def test_an_agent_whom_nobody_knows_is_a_refusal_that_names_them(store: Store, working: Working) -> None:
    ask(store, "crm-1", agent="nobody@example.com")

    async def play() -> None:
        async with working():
            refused = await until(store, "crm-1", State.REFUSED)
            assert "nobody@example.com" in refused.why["said"]

    asyncio.run(play())


def test_a_name_that_fits_several_agents_is_a_refusal_that_lists_them_and_holds_up_nobody_else(
    store: Store, working: Working
) -> None:
    ask(store, "crm-1", agent="Agent 0000")
    ask(store, "crm-2", agent="agent-00001@example.com")

    async def play() -> None:
        async with working():
            refused = await until(store, "crm-1", State.REFUSED)
            assert refused.why["rule"] == "agent"
            assert "agent-00001@example.com" in refused.why["said"]
            await until(store, "crm-2", State.LIVE)

    asyncio.run(play())


def test_a_call_whose_time_is_over_is_not_dialled(store: Store, sandbox: Sandbox, working: Working) -> None:
    ask(store, "crm-1", expires_at=time.time() - 1)

    async def play() -> None:
        async with working():
            await until(store, "crm-1", State.EXPIRED)

    asyncio.run(play())
    assert sandbox.calls() == []


def test_a_lost_answer_is_one_call_that_is_followed_all_the_same(
    store: Store, sandbox: Sandbox, working: Working
) -> None:
    sandbox.fault(method="POST", path=CREATES, action="drop_after")
    ask(store, "crm-1")

    async def play() -> None:
        async with working():
            call = await until(store, "crm-1", State.ENDED)
            assert call.outcome == "answered"

    asyncio.run(play())
    assert len(sandbox.calls()) == 1


def test_a_lost_call_that_never_shows_is_unknown_and_stays_so(store: Store, sandbox: Sandbox, working: Working) -> None:
    sandbox.fault(method="POST", path=CREATES, action="drop_before", times=1)
    ask(store, "crm-1", retry=Retry(attempts=3, gap=60.0))

    async def play() -> None:
        async with working():
            call = await until(store, "crm-1", State.UNKNOWN)
            assert call.attempt == 1

    asyncio.run(play())
    assert sandbox.calls() == []


def test_a_call_that_nobody_answered_is_tried_again_after_its_gap_and_no_more_often_than_asked(
    store: Store, sandbox: Sandbox, working: Working
) -> None:
    ask(store, "crm-1", to="+15559870002", retry=Retry(attempts=2, gap=60.0, outcomes=("busy",)))

    async def play() -> None:
        ahead = 0.0
        async with working() as worker:
            worker._steps.clock = lambda: time.time() + ahead
            await comes_true(lambda: every(store)[0].attempt == 2)
            [waiting] = every(store)
            assert waiting.why == {"for": "retry", "after": "busy"}
            assert waiting.due_at > time.time() + 50
            ahead = 61.0
            ended = await until(store, "crm-1", State.ENDED)
            assert (ended.attempt, ended.outcome) == (2, "busy")

    asyncio.run(play())
    assert len(sandbox.calls()) == 2


def test_a_worker_that_stops_leaves_its_live_calls_to_the_next(
    store: Store, sandbox: Sandbox, working: Working
) -> None:
    ask(store, "crm-1", to="+15559870000")

    async def play() -> None:
        async with working():
            live = await until(store, "crm-1", State.LIVE)
            await comes_true(lambda: every(store)[0].progress == "connected")  # a call is live before anybody rings
        async with working():
            sandbox.phone(live.number, "hangup")
            ended = await until(store, "crm-1", State.ENDED)
            assert ended.outcome == "answered"

    asyncio.run(play())
    assert len(sandbox.calls()) == 1


def test_refusals_for_lack_of_rights_make_the_worker_pause_instead_of_burning_the_list(
    store: Store, sandbox: Sandbox, working: Working
) -> None:
    sandbox.fault(method="POST", path=CREATES, action="status", status=403)
    for number in range(1, 21):
        ask(store, f"crm-{number}", agent="ada@example.com", to=f"+1555987{number:04}")

    async def play() -> None:
        async with working() as worker:
            await comes_true(lambda: not worker.healthy)

    asyncio.run(play())
    states = Counter(call.state for call in every(store))
    assert states[State.REFUSED] <= 4
    assert states[State.WAITING] >= 16


def test_a_call_that_was_seen_connected_was_answered_even_if_the_platform_knows_it_no_more(
    store: Store, sandbox: Sandbox, working: Working
) -> None:
    ask(store, "crm-1", to="+15559870000")

    async def play() -> None:
        async with working():
            await comes_true(lambda: every(store)[0].progress == "connected")
        sandbox.fault(method="GET", path="/api/v2/conversations/*", action="status", status=404)
        async with working():
            ended = await until(store, "crm-1", State.ENDED)
        assert ended.outcome == "answered"
        assert "its end was not seen" in ended.why["said"]
        assert "its end was not seen" in ended.told["evidence"]["because"]

    asyncio.run(play())
