"""Before anything rings, the service asks the guard: with the database's attempts, lists, stop and overrides."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ringonce.errors import ConfigError
from ringonce.ledger.sql import SqlLedger
from ringonce.sandbox import Sandbox
from ringonce.service import access, audit, guard
from ringonce.service.calls import Ask, Override, Record, State, by_key
from ringonce.service.calls.accepting import accept
from ringonce.service.guarding import Guarding, opened, path_of
from ringonce.service.store import Store
from ringonce.service.store.tables import attempts, listed, lists, settings
from service_dialing.conftest import ADA, until
from service_guarding.conftest import Guarded, monday

HOURS = '[hours]\nprofile = "own"\n[hours.own]\nweekdays = ["09:00-17:00"]\nsaturday = []\nsunday = []\n'
ONCE_A_DAY = "[attempts]\nper_day = 1\n"
NEW_YORK, ENDS_AT_ONCE = "America/New_York", "+12125550006"
BOB = "agent-00001@example.com"


def ask(store: Store, key: str, at: float, to: str = ENDS_AT_ONCE, *, by: str = "test", **options: Any) -> Record:
    asked = Ask(**{"agent": ADA, "to": to, "zone": NEW_YORK} | options)
    mark = SqlLedger(store.engine).mark(to)
    with store.write() as db:
        return accept(db, asked, key=key, number=to, mark=mark, by=by, now=at).record


def tell(store: Store, statement: Any) -> None:
    with store.write() as db:
        db.execute(statement)


def on_list(store: Store, number: str, taken_at: float, max_age: float | None = None) -> None:
    row = {"name": "own", "source": "letters", "taken_at": taken_at, "max_age": max_age}
    tell(store, lists.insert().values(**row, edition="first", numbers=1, changed_at=taken_at))
    tell(store, listed.insert().values(mark=SqlLedger(store.engine).mark(number), edition="first"))


def test_outside_of_the_hours_a_call_waits_until_the_very_moment(
    store: Store, sandbox: Sandbox, working: Guarded
) -> None:
    at = monday("08:59:55")
    ask(store, "early", at)

    async def play() -> Record:
        async with working(HOURS, at):
            async with asyncio.timeout(120):
                while True:
                    found = await store.look(by_key, "early")
                    if found and found.why:
                        break
                    await asyncio.sleep(0.02)
            assert found.state is State.WAITING
            assert monday("09:00") <= found.due_at < monday("09:00:01")
            assert found.why["rule"] == "calling hours"
            assert sandbox.calls() == []
            return await until(store, "early", State.ENDED)

    ended = asyncio.run(play())
    assert ended.placed_at
    assert ended.placed_at >= monday("09:00")


def test_whoever_is_on_a_list_is_refused(store: Store, sandbox: Sandbox, working: Guarded) -> None:
    at = monday("12:00")
    on_list(store, ENDS_AT_ONCE, at)
    ask(store, "listed", at)
    ask(store, "other", at, "+12125560006")

    async def play() -> tuple[Record, Record]:
        async with working("", at):
            return await until(store, "listed", State.REFUSED), await until(store, "other", State.ENDED)

    refused, other = asyncio.run(play())
    assert refused.why["rule"] == "do-not-call"
    assert "letters" in refused.why["said"]
    assert other.outcome == "answered"
    assert [call["to"] for call in sandbox.calls()] == ["+12125560006"]


def test_an_admins_override_dials_and_is_audited_once(store: Store, sandbox: Sandbox, working: Guarded) -> None:
    at = monday("12:00")
    on_list(store, ENDS_AT_ONCE, at)
    with store.write() as db:
        boss = access.issue(db, "boss", access.Role.ADMIN).token.id
        clerk = access.issue(db, "clerk", access.Role.DIALER).token.id
    word = Override(rules=("do-not-call",), reason="she asked to be called back")
    ask(store, "hers", at, by=boss, override=word)
    ask(store, "not his to say", at, by=clerk, override=word)

    async def play() -> None:
        async with working("", at):
            await until(store, "hers", State.ENDED)
            assert (await until(store, "not his to say", State.REFUSED)).why["rule"] == "do-not-call"

    asyncio.run(play())
    assert len(sandbox.calls()) == 1
    with store.read() as db:
        noted = [entry for entry in audit.entries(db) if entry.what == "call.override"]
    assert [(entry.who, "called back" in entry.details) for entry in noted] == [(boss, True)]
    assert ENDS_AT_ONCE not in noted[0].details


def test_a_cap_holds_over_two_agents_calls_to_one_number_at_once(
    store: Store, sandbox: Sandbox, working: Guarded
) -> None:
    at = monday("12:00")
    for number in range(4):
        ask(store, f"crm-{number}", at, agent=f"agent-{number + 1:05}@example.com")

    async def play() -> None:
        async with working(ONCE_A_DAY, at), asyncio.timeout(120):
            while True:
                found = [await store.look(by_key, f"crm-{number}") for number in range(4)]
                waiting = [one for one in found if one and one.why.get("rule") == "attempt cap"]
                ended = [one for one in found if one and one.state is State.ENDED]
                if len(waiting) == 3 and ended:
                    assert all(0 <= one.due_at - monday("00:00") - 86_400 < 1 for one in waiting)
                    return
                await asyncio.sleep(0.02)

    asyncio.run(play())
    assert len(sandbox.calls()) == 1


def test_two_checks_at_the_same_moment_share_the_last_place_under_a_cap(store: Store) -> None:
    at = monday("12:00")
    first, second = ask(store, "a", at), ask(store, "b", at, agent=BOB)
    guarding = Guarding(store, guard.parse(ONCE_A_DAY))

    async def play() -> list[bool]:
        said = await asyncio.gather(guarding.check(first, at), guarding.check(second, at))
        return [one.allowed for one in said]

    assert sorted(asyncio.run(play())) == [False, True]


def test_an_attempt_that_a_crash_cut_short_does_not_count_against_itself(store: Store) -> None:
    at = monday("12:00")
    call = ask(store, "a", at)
    guarding = Guarding(store, guard.parse(ONCE_A_DAY))

    assert asyncio.run(guarding.check(call, at)).allowed
    assert asyncio.run(guarding.check(call, at + 60)).allowed


def test_looking_ahead_notes_nothing(store: Store) -> None:
    at = monday("12:00")
    call = ask(store, "a", at)
    guarding = Guarding(store, guard.parse(ONCE_A_DAY))

    assert asyncio.run(guarding.foresee(call, at)).allowed
    with store.read() as db:
        assert db.execute(attempts.select()).all() == []


def test_the_kill_switch_is_waited_for_and_refuses_nothing(store: Store) -> None:
    at = monday("12:00")
    call = ask(store, "a", at)
    tell(store, settings.insert().values(name="stop", value={"by": "ops", "reason": "fire"}, changed_at=at))

    said = asyncio.run(Guarding(store).check(call, at))

    assert not said.allowed
    assert said.until == at + 5
    assert "fire" in said.why["said"]


def test_a_list_that_is_too_old_holds_calls_back_and_refuses_none(store: Store) -> None:
    at = monday("12:00")
    on_list(store, "+12125559999", at - 10 * 86_400, max_age=5 * 86_400)

    said = asyncio.run(Guarding(store).check(ask(store, "a", at), at))

    assert said.why["rule"] == "list age"
    assert said.until == at + 300


@pytest.mark.parametrize("wrong", [{"zone": "Mars/Olympus"}, {"override": Override(rules=("hours",), reason="x")}])
def test_what_the_guard_cannot_read_is_refused_and_stops_no_worker(store: Store, wrong: dict[str, Any]) -> None:
    at = monday("12:00")
    said = asyncio.run(Guarding(store).check(ask(store, "a", at, **wrong), at))
    assert (said.allowed, said.until, said.why["rule"]) == (False, None, "input")


def test_a_foreign_caller_id_is_refused_however_the_own_one_is_written(store: Store) -> None:
    at = monday("12:00")
    guarding = Guarding(store, guard.parse('[caller_ids]\nowned = ["+15551234567"]'))

    own = asyncio.run(guarding.check(ask(store, "a", at, caller_id="(555) 123-4567"), at))
    foreign = asyncio.run(guarding.check(ask(store, "b", at, caller_id="+15557654321"), at))

    assert (own.allowed, foreign.why["rule"]) == (True, "caller id")


def test_the_settings_and_their_lists_are_found_and_read_at_the_start(store: Store, tmp_path: Path) -> None:
    at = monday("12:00")
    (tmp_path / "wishes.txt").write_text(f"{ENDS_AT_ONCE}\n")
    toml = f'[[list]]\nname = "wishes"\nsource = "letters"\ntaken = 2026-11-20\nfile = "{tmp_path}/wishes.txt"\n'
    assert path_of({}, tmp_path) is None
    (tmp_path / "guard.toml").write_text(toml)
    assert path_of({}, tmp_path) == tmp_path / "guard.toml"
    assert path_of({"RINGONCE_GUARD": "/else/where"}, tmp_path) == Path("/else/where")
    assert path_of({"RINGONCE_GUARD": "/else/where"}, tmp_path, "/flag") == Path("/flag")

    guarding = asyncio.run(opened(store, path_of({}, tmp_path)))

    assert asyncio.run(guarding.check(ask(store, "a", at), at)).why["rule"] == "do-not-call"
    (tmp_path / "wishes.txt").write_text("nobody\n")
    with pytest.raises(Exception, match="no number"):
        asyncio.run(opened(store, path_of({}, tmp_path)))
    with pytest.raises(ConfigError):
        asyncio.run(opened(store, tmp_path / "missing.toml"))
