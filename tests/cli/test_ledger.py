"""The promise over runs: the same intent from two terminals, after a crash, and a person's word."""

import contextlib
import json
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ringonce.sandbox import Sandbox

Run = Callable[..., Result]
CALL = ("call", "--agent", "ada@example.com", "--to", "+15559876543", "--until", "placed", "--json")
CREATE = {"method": "POST", "path": "/api/v2/conversations/calls*"}


def result_of(output: str) -> dict[str, Any]:
    last: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return last


def test_the_same_intent_in_a_second_run_is_the_first_call(sandbox: Sandbox, run: Run) -> None:
    first, second = (result_of(run(*CALL, "--intent", "crm-4711").stdout) for _ in "12")

    assert len(sandbox.calls()) == 1
    assert second["conversation_id"] == first["conversation_id"]
    assert (first["replayed"], second["replayed"]) == (False, True)


def test_the_same_intent_at_another_spelling_of_the_address_is_the_first_call(sandbox: Sandbox, run: Run) -> None:
    first = result_of(run(*CALL, "--intent", "crm-4711").stdout)
    elsewhere = sandbox.url.replace("127.0.0.1", "LocalHost")
    second = result_of(run(*CALL, "--intent", "crm-4711", "--base-url", elsewhere).stdout)

    assert second["conversation_id"] == first["conversation_id"]
    assert second["replayed"]
    assert len(sandbox.calls()) == 1


def test_two_terminals_at_once_are_one_call(sandbox: Sandbox, start: Callable[..., Any]) -> None:
    both = [start(*CALL, "--intent", "crm-4711") for _ in "12"]
    told = [result_of(one.communicate(timeout=120)[0]) for one in both]

    assert len(sandbox.calls()) == 1
    assert {one["conversation_id"] for one in told} == {sandbox.calls()[0]["conversationId"]}
    assert sorted(one["replayed"] for one in told) == [False, True]


def test_a_run_that_was_killed_after_its_request_left_is_found_by_the_next(
    sandbox: Sandbox, run: Run, start: Callable[..., Any]
) -> None:
    sandbox.fault(**CREATE, action="delay", delay_s=3000)
    killed = start(*CALL, "--intent", "crm-4711")
    deadline = time.monotonic() + 120
    while not sandbox.calls():
        assert time.monotonic() < deadline
    killed.send_signal(signal.SIGKILL)
    killed.wait()

    found = result_of(run(*CALL, "--intent", "crm-4711").stdout)

    assert len(sandbox.calls()) == 1
    assert found["conversation_id"] == sandbox.calls()[0]["conversationId"]
    assert found["adopted"]


def test_an_intent_is_told_as_it_stands_though_the_platform_is_gone(sandbox: Sandbox, run: Run) -> None:
    first = result_of(run(*CALL, "--intent", "crm-4711").stdout)
    sandbox.stop()

    again = run(*CALL, "--intent", "crm-4711")
    new = run(*CALL, "--intent", "crm-4712")

    assert (again.exit_code, result_of(again.stdout)) == (0, first | {"replayed": True})
    assert "error" not in again.stderr
    assert new.exit_code == 6
    assert "nothing was sent" in new.stderr


def test_an_intent_that_may_have_rung_is_not_told_as_unsent_though_the_platform_is_gone(
    sandbox: Sandbox, run: Run, unknown: str
) -> None:
    sandbox.stop()

    told = run(*CALL, "--intent", unknown)

    assert told.exit_code == 5
    assert "may have rung" in told.stderr
    assert "the platform can't be asked now" in told.stderr
    assert "nothing was sent" not in told.stderr


def test_history_lists_and_searches_without_a_whole_number(sandbox: Sandbox, run: Run) -> None:
    run(*CALL, "--intent", "crm-4711")
    run("call", "--agent", "joan@example.com", "--to", "+15550001111", "--intent", "no-phone")

    shown = run("history").stdout
    assert "crm-4711" in shown
    assert "conversation.error.no.user.station" in shown
    assert "5559876543" not in shown
    [one] = [json.loads(line) for line in run("history", "--number", "(555) 987-6543", "--json").stdout.splitlines()]
    assert (one["intent"], one["state"], one["tail"]) == ("crm-4711", "placed", "6543")
    assert "no-phone" in run("history", "--ending", "1111").stdout
    assert run("history", "--state", "unknown").stdout == ""


@pytest.fixture
def unknown(sandbox: Sandbox, run: Run, environ: dict[str, str]) -> str:
    """An intent that may have rung, left by a run long ago."""
    from ringonce.ledger import Row, RowState
    from ringonce.ledger.sqlite import SqliteLedger

    ledger = SqliteLedger(Path(environ["RINGONCE_STATE_DIR"]) / "ledger.sqlite3")
    row = Row(
        platform=sandbox.url,
        intent="crm-4711",
        agent_id="a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        mark=ledger.mark("+15559876543"),
        tail="6543",
        incarnation="gone",
        armed_at=1_000.0,
        deadline=1_030.0,
        state=RowState.UNKNOWN,
    )
    ledger.arm(row)
    ledger.close()
    return row.intent


def test_an_unknown_intent_is_not_dialled_again(sandbox: Sandbox, run: Run, unknown: str) -> None:
    assert run(*CALL, "--intent", unknown).exit_code == 5
    assert sandbox.calls() == []


def test_a_person_may_say_that_it_never_rang_and_then_it_is_placed(sandbox: Sandbox, run: Run, unknown: str) -> None:
    assert run("resolve", unknown, "--not-placed", "--reason", "she has no missed call").exit_code == 0
    assert "she has no missed call" in run("history").stdout

    assert run(*CALL, "--intent", unknown).exit_code == 0
    assert len(sandbox.calls()) == 1


def test_a_person_may_say_that_it_rang_and_then_it_stays_so(sandbox: Sandbox, run: Run, unknown: str) -> None:
    conversation = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
    assert run("resolve", unknown, "--placed", conversation).exit_code == 0

    assert result_of(run(*CALL, "--intent", unknown).stdout)["conversation_id"] == conversation
    assert run("resolve", unknown, "--not-placed").exit_code == 3
    assert sandbox.calls() == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("resolve", "crm-4711"), 2),
        (("resolve", "crm-4711", "--not-placed", "--placed", "1b4e28ba-2fa1-11d2-883f-0016d3cca427"), 2),
        (("resolve", "crm-4711", "--placed", "x"), 2),
        (("resolve", "never-heard-of", "--not-placed"), 3),
        (("history", "--ending", "abc"), 2),
        (("history", "--limit", "0"), 2),
        (("history", "--number", "nonsense"), 3),
    ],
)
def test_what_makes_no_sense_is_said(run: Run, words: tuple[str, ...], code: int) -> None:
    assert run(*words).exit_code == code


def test_a_ledger_that_cannot_be_used_sends_nothing(sandbox: Sandbox, run: Run, environ: dict[str, str]) -> None:
    folder = Path(environ["RINGONCE_STATE_DIR"])
    folder.mkdir(exist_ok=True)
    (folder / "ledger.sqlite3").write_bytes(b"dear diary, " * 100)
    (folder / "ledger.sqlite3").chmod(0o600)

    done = run(*CALL)

    assert done.exit_code == 2
    assert "nothing was sent" in done.stderr
    assert result_of(done.stdout)["conversation_id"] is None
    assert sandbox.calls() == []


def test_without_the_ledger_nobody_says_that_a_chosen_intent_never_rang(
    run: Run, environ: dict[str, str], unknown: str
) -> None:
    (Path(environ["RINGONCE_STATE_DIR"]) / "ledger.sqlite3").chmod(0o644)

    done = run(*CALL, "--intent", unknown)

    assert done.exit_code == 5
    assert "by this run" in done.stderr


def test_an_intent_that_was_armed_before_the_clock_was_set_back_can_be_resolved(
    run: Run, environ: dict[str, str], unknown: str
) -> None:
    with contextlib.closing(sqlite3.connect(Path(environ["RINGONCE_STATE_DIR"]) / "ledger.sqlite3")) as db, db:
        tomorrow = time.time() + 86_400
        db.execute("UPDATE intents SET state = 'armed', armed_at = ?, deadline = ?", (tomorrow, tomorrow + 30))

    assert run("resolve", unknown, "--not-placed").exit_code == 0


def test_an_intent_that_is_being_placed_can_not_be_resolved(run: Run, environ: dict[str, str], unknown: str) -> None:
    with contextlib.closing(sqlite3.connect(Path(environ["RINGONCE_STATE_DIR"]) / "ledger.sqlite3")) as db, db:
        db.execute("UPDATE intents SET state = 'armed', armed_at = ?, deadline = ?", (time.time(), time.time() + 30))

    assert run("resolve", unknown, "--not-placed").exit_code == 3
