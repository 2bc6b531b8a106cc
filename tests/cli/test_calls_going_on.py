"""`watch`, `status` and `hangup`: calls that somebody placed, by their conversations' ids."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from ringonce.sandbox import Sandbox

Run = Callable[..., Result]
NOBODYS = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def place(run: Run) -> Callable[[str], str]:
    def place(to: str) -> str:
        result = run("call", "--agent", "ada@example.com", "--to", to, "--until", "placed", "--json")
        conversation: str = json.loads(result.stdout.splitlines()[-1])["conversation_id"]
        return conversation

    return place


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_call_is_watched_to_its_end(run: Run, place: Callable[[str], str]) -> None:
    conversation = place("+15559876543")

    result = run("watch", conversation, "--json")

    assert result.exit_code == 0
    assert {one["conversation_id"] for one in lines(result)} == {conversation}
    assert (lines(result)[-1]["state"], lines(result)[-1]["outcome"]) == ("ended", "answered")


def test_several_calls_are_watched_at_once(run: Run, place: Callable[[str], str]) -> None:
    answered, busy = place("+15559876543"), place("+15559870002")

    result = run("watch", answered, busy, answered)

    assert result.exit_code == 0
    assert any(answered[:8] in line and "answered" in line for line in result.stdout.splitlines())
    assert any(busy[:8] in line and "busy" in line for line in result.stdout.splitlines())


def test_one_call_that_nobody_knows_does_not_end_the_watch_of_another(run: Run, place: Callable[[str], str]) -> None:
    result = run("watch", NOBODYS, place("+15559876543"), "--json")

    assert result.exit_code == 3
    assert [one["error"] for one in lines(result) if one["event"] == "error"] == ["NotFound"]
    assert lines(result)[-1]["state"] == "ended"


def test_watching_ends_when_time_runs_out(run: Run, place: Callable[[str], str]) -> None:
    result = run("watch", place("+15559870000"), "--timeout", "0.2")

    assert result.exit_code == 4
    assert "still" in result.stderr


READS = {"method": "GET", "path": "/api/v2/conversations/*", "action": "status"}


@pytest.mark.parametrize("status", [429, 503])
def test_watching_a_call_that_can_not_be_read_ends_when_time_runs_out(
    run: Run, place: Callable[[str], str], sandbox: Sandbox, status: int
) -> None:
    conversation = place("+15559870000")
    sandbox.fault(**READS, status=status, retry_after=30)

    result = run("watch", conversation, "--timeout", "0.5")

    assert result.exit_code == 4
    assert "may go on" in result.stderr
    assert "nothing rang" not in result.stderr


@pytest.mark.parametrize("status", [403, 503])
def test_what_keeps_a_call_from_being_watched_is_not_said_of_the_call(
    run: Run, place: Callable[[str], str], sandbox: Sandbox, status: int
) -> None:
    conversation = place("+15559870000")
    sandbox.fault(**READS, status=status, retry_after=0)

    result = run("watch", conversation)

    assert result.exit_code == 5
    assert ("check the id" in result.stderr) == (status == 403)


def test_the_status_is_one_read(run: Run, place: Callable[[str], str], sandbox: Sandbox) -> None:
    conversation = place("+15559870000")
    sandbox.advance(60)
    before = len(sandbox.requests())

    result = run("status", conversation)

    assert result.exit_code == 0
    assert result.stdout == f"{conversation}  connected  the far end answered\n"
    reads = [one for one in sandbox.requests()[before:] if "/oauth/" not in one["path"]]
    assert [one["method"] for one in reads] == ["GET"]
    assert reads[0]["path"].endswith(conversation)


def test_hanging_up_ends_the_call_and_says_so(run: Run, place: Callable[[str], str], sandbox: Sandbox) -> None:
    conversation = place("+15559870000")
    sandbox.advance(60)

    result = run("hangup", conversation)

    assert result.exit_code == 0
    assert f"{conversation}  ended  answered" in result.stdout
    assert sandbox.calls()[0]["state"] == "ended"


def test_hanging_up_twice_is_no_error(run: Run, place: Callable[[str], str]) -> None:
    conversation = place("+15559870000")

    first, second = run("hangup", conversation, "--json"), run("hangup", conversation, "--json")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert lines(second)[0]["state"] == "ended"


@pytest.mark.parametrize("command", ["watch", "status", "hangup"])
def test_a_call_that_nobody_knows(run: Run, command: str) -> None:
    result = run(command, NOBODYS)

    assert result.exit_code == 3
    assert result.stderr.startswith("error: ")


@pytest.mark.parametrize("command", ["watch", "status", "hangup"])
@pytest.mark.parametrize("text", ["", "ada", "../../users/me", "\x1b[31m"])
def test_an_id_that_is_none_is_wrong_usage(run: Run, sandbox: Sandbox, command: str, text: str) -> None:
    result = run(command, text)

    assert result.exit_code == 2
    assert "is no conversation id" in result.stderr
    assert "\x1b" not in result.stderr
    assert sandbox.requests() == []


def test_one_run_after_another_uses_one_notification_channel(run: Run, sandbox: Sandbox) -> None:
    for digits in ("0002", "0003", "0006"):
        run("call", "--agent", "ada@example.com", "--to", f"+1555987{digits}")

    made = [
        one for one in sandbox.requests() if one["path"].endswith("/notifications/channels") and one["method"] == "POST"
    ]
    assert len(sandbox.calls()) == 3
    assert len(made) == 1
