"""What a Ctrl-C, or a reader that goes away, leaves behind: the command always says whether the call goes on."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ringonce.ledger import Row, RowState
from ringonce.ledger.sqlite import SqliteLedger
from ringonce.sandbox import Sandbox

Start = Callable[..., "subprocess.Popen[str]"]
Run = Callable[..., Result]
TALK = ("call", "--agent", "ada@example.com", "--to", "+15559870000")
FULL = Path("/dev/full")
SLOW = 5_000.0
"""World seconds; a hundred of ours at the sandbox's speed."""


SILENCE = "no answer after"
"""How a line begins that says how long nothing was heard: on a busy machine any command may have to say so."""


def last_words(words: str) -> str:
    return "".join(line for line in words.splitlines(keepends=True) if not line.startswith(SILENCE))


def next_words(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    return next((line for line in process.stderr if not line.startswith(SILENCE)), "")


def until_asked(sandbox: Sandbox, path: str) -> None:
    """Spin until a request for *path* has come in."""
    while not any(path in request["path"] for request in sandbox.requests()):
        pass


def test_while_a_call_is_followed_ctrl_c_leaves_it_going_and_says_how_to_end_it(
    start: Start, run: Run, sandbox: Sandbox
) -> None:
    process = start(*TALK)
    assert process.stdout is not None
    while "connected" not in process.stdout.readline():
        pass

    process.send_signal(signal.SIGINT)
    _, words = process.communicate()

    (call,) = sandbox.calls()
    assert process.returncode == 130
    assert f"the call goes on; hang up with: ringonce hangup {call['conversationId']}" in words
    assert call["state"] == "connected"
    assert run("hangup", call["conversationId"]).exit_code == 0


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("command", ["call", "watch"])
def test_a_shutdown_or_a_closed_terminal_is_as_orderly_as_a_ctrl_c(
    start: Start, run: Run, sandbox: Sandbox, command: str, sign: signal.Signals, code: int
) -> None:
    if signal.getsignal(sign) is signal.SIG_IGN:
        pytest.skip("whoever started the tests decided that this signal means nothing")
    run(*TALK, "--until", "connected")
    (call,) = sandbox.calls()
    process = start("watch", call["conversationId"]) if command == "watch" else start(*TALK)
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(sign)
    _, words = process.communicate()

    assert process.returncode == code
    assert last_words(words).startswith("interrupted: the call")
    assert "on" in words
    assert "Traceback" not in words


def test_under_nohup_a_closed_terminal_changes_nothing(start: Start, sandbox: Sandbox) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = start(*TALK, "--until", "connected")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(signal.SIGHUP)
    process.communicate()

    assert process.returncode == 0


@pytest.mark.parametrize(
    ("sign", "code", "imported"),
    [
        (signal.SIGINT, 130, "click.utils"),
        (signal.SIGTERM, 143, "click.utils"),
        (signal.SIGHUP, 129, "click.utils"),
        (signal.SIGTERM, 143, "ringonce.cli.menu"),
        (signal.SIGTERM, 143, "msgspec"),
        (signal.SIGINT, 130, "ringonce.cli.errand"),
    ],
)
def test_before_the_command_has_begun_every_signal_is_told_and_nothing_is_sent(
    start: Start, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, sign: signal.Signals, code: int, imported: str
) -> None:
    if signal.getsignal(sign) is signal.SIG_IGN:
        pytest.skip("whoever started the tests decided that this signal means nothing")
    sandbox.fault(path="/oauth/token", action="delay", delay_s=SLOW)
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    process = start(*TALK, "--json")
    assert process.stderr is not None
    while imported not in process.stderr.readline():
        pass

    process.send_signal(sign)
    told, words = process.communicate()

    # A Ctrl-C in the middle of an import ends CPython by the signal itself, which shells show as the same code.
    assert process.returncode in {code, -sign}
    assert "interrupted" in words
    assert "nothing was sent by this run" in words
    assert "Traceback" not in words
    assert [json.loads(line)["event"] for line in told.splitlines()] == ["result"]
    assert sandbox.calls() == []


def test_before_the_request_ctrl_c_means_that_nothing_was_sent(start: Start, sandbox: Sandbox) -> None:
    sandbox.fault(path="/api/v2/users/search", action="delay", delay_s=SLOW)
    process = start(*TALK, "--json")
    until_asked(sandbox, "/users/search")

    process.send_signal(signal.SIGINT)
    told, words = process.communicate()

    assert process.returncode == 130
    assert last_words(words) == "interrupted: nothing was sent\n"
    assert json.loads(told)["event"] == "result"
    assert sandbox.calls() == []


def test_once_the_request_has_left_ctrl_c_waits_for_its_answer(start: Start, sandbox: Sandbox) -> None:
    sandbox.fault(method="POST", path="/api/v2/conversations/calls*", action="delay", delay_s=SLOW)
    process = start(*TALK, "--json")
    until_asked(sandbox, "/conversations/calls")
    process.send_signal(signal.SIGINT)
    assert "interrupted, but the request has left: waiting for its answer" in next_words(process)

    sandbox.clear_faults()
    sandbox.advance(SLOW)
    told, words = process.communicate()

    conversation = json.loads(told.splitlines()[-1])["conversation_id"]
    assert process.returncode == 130
    assert last_words(words) == f"interrupted: the call goes on; hang up with: ringonce hangup {conversation}\n"
    assert [call["conversationId"] for call in sandbox.calls()] == [conversation]


def test_while_the_quota_is_waited_for_ctrl_c_means_that_nothing_was_sent_and_the_intent_is_free(
    start: Start, run: Run, sandbox: Sandbox
) -> None:
    sandbox.fault(method="POST", path="/api/v2/conversations/calls*", action="status", status=429, retry_after=20)
    process = start(*TALK, "--intent", "crm-4711")
    until_asked(sandbox, "/conversations/calls")

    process.send_signal(signal.SIGINT)
    _, words = process.communicate()

    assert process.returncode == 130
    assert words.endswith("interrupted: nothing was sent\n")
    assert sandbox.calls() == []
    assert run("history", "--intent", "crm-4711").stdout == ""


@pytest.mark.parametrize(
    ("became", "words"),
    [
        ({}, "this run sent nothing, but another one may have: then the call may ring"),
        ({"state": RowState.UNKNOWN}, "the request has left and the call may ring"),
    ],
    ids=["open", "unknown"],
)
def test_a_ctrl_c_while_another_runs_call_is_waited_for_does_not_say_that_nothing_rings(
    start: Start, sandbox: Sandbox, environ: dict[str, str], became: dict[str, Any], words: str
) -> None:
    with contextlib.closing(SqliteLedger(Path(environ["RINGONCE_STATE_DIR"]) / "ledger.sqlite3")) as ledger:
        now = time.time()
        row = Row(
            platform=sandbox.url,
            intent="crm-4711",
            agent_id="a1b2c3d4-e5f6-7890-abcd-ef1234567890",
            mark=ledger.mark("+15559870000"),
            tail="0000",
            incarnation="another",
            armed_at=now,
            deadline=now + 30,
            **became,
        )
        ledger.arm(row)
    sandbox.fault(path="/api/v2/analytics/*", action="delay", delay_s=SLOW)
    process = start(*TALK, "--intent", "crm-4711")
    until_asked(sandbox, "/analytics/")

    process.send_signal(signal.SIGINT)
    _, told = process.communicate()

    assert process.returncode == 130
    assert told.endswith(f"interrupted: {words}; its attribute ringonce.intent is crm-4711\n")


def test_a_second_ctrl_c_quits_at_once_and_says_that_it_may_ring(start: Start, sandbox: Sandbox) -> None:
    sandbox.fault(method="POST", path="/api/v2/conversations/calls*", action="delay", delay_s=SLOW)
    process = start(*TALK, "--intent", "crm-4711", "--json")
    until_asked(sandbox, "/conversations/calls")
    process.send_signal(signal.SIGINT)
    next_words(process)

    process.send_signal(signal.SIGINT)
    told, words = process.communicate()

    assert process.returncode == 130
    assert "the call may ring; its attribute ringonce.intent is crm-4711" in words
    last = json.loads(told.splitlines()[-1])
    assert (last["event"], last["intent"], last["conversation_id"]) == ("result", "crm-4711", None)


def test_watching_is_interrupted_without_a_word_against_the_calls(start: Start, run: Run, sandbox: Sandbox) -> None:
    run(*TALK, "--until", "connected")
    (call,) = sandbox.calls()
    process = start("watch", call["conversationId"])
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(signal.SIGINT)
    _, words = process.communicate()

    assert (process.returncode, words) == (130, "interrupted: the calls go on\n")
    assert sandbox.calls()[0]["state"] == "connected"


def test_a_reader_that_goes_away_gets_no_traceback_and_the_call_goes_on(start: Start, sandbox: Sandbox) -> None:
    process = start(*TALK, "--json")
    assert process.stdout is not None
    process.stdout.readline()

    process.stdout.close()
    assert process.stderr is not None
    words = process.stderr.read()
    process.wait()

    assert process.returncode == 130
    assert "Traceback" not in words
    assert f"the call goes on; hang up with: ringonce hangup {sandbox.calls()[0]['conversationId']}" in words


@pytest.mark.skipif(not FULL.exists(), reason="there is no full disk to write to")
@pytest.mark.parametrize("more", [(), ("--json",)], ids=["lines", "json"])
def test_on_a_full_disk_the_calls_id_is_told_where_it_can_be(
    start: Start, sandbox: Sandbox, more: tuple[str, ...]
) -> None:
    with FULL.open("w") as full:
        process = start(*TALK, *more, stdout=full)
    _, words = process.communicate()

    assert process.returncode == 130
    assert "Traceback" not in words
    assert "No space left on device" in words
    assert f"the call goes on; hang up with: ringonce hangup {sandbox.calls()[0]['conversationId']}" in words


@pytest.mark.skipif(not FULL.exists(), reason="there is no full disk to write to")
@pytest.mark.parametrize("command", ["watch", "status", "history", "--help", "call --help"])
def test_on_a_full_disk_every_command_says_so(start: Start, run: Run, sandbox: Sandbox, command: str) -> None:
    run(*TALK, "--until", "placed")
    (call,) = sandbox.calls()
    ids = (call["conversationId"],) if command in {"watch", "status"} else ()
    with FULL.open("w") as full:
        process = start(*command.split(), *ids, stdout=full)
    _, words = process.communicate()

    assert process.returncode == 130
    assert "Traceback" not in words
    assert "No space left on device" in words


def test_a_demo_that_is_interrupted_does_not_say_that_its_call_goes_on(start: Start) -> None:
    process = start("demo", "--json")
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(signal.SIGINT)
    _, words = process.communicate()

    assert process.returncode == 130
    assert words.endswith("interrupted: the sandbox ends now, and its call with it\n")


def test_a_demo_without_a_reader_does_not_either(start: Start) -> None:
    process = start("demo")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()

    process.stdout.close()
    words = process.stderr.read()

    assert process.wait() == 130
    assert words.endswith("nobody reads the output any more; the sandbox ends now, and its call with it\n")


@pytest.mark.parametrize("colours", [True, False])
def test_a_terminal_sees_the_call_live_and_in_colour_unless_told_not_to(
    start: Start, colours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if not colours:
        monkeypatch.setenv("NO_COLOR", "1")
    screen, terminal = pty.openpty()
    process = start(*TALK, "--timeout", "1", stdout=terminal)
    os.close(terminal)

    shown = b""
    try:
        while chunk := os.read(screen, 4096):
            shown += chunk
    except OSError:  # the other side has closed
        pass
    os.close(screen)
    _, words = process.communicate()

    assert process.returncode == 4
    assert "still connected" in words
    assert b"connected for 0 s" in shown
    assert (b"\x1b[32m" in shown) is colours
    assert shown.count(b"\x1b[?25h") == shown.count(b"\x1b[?25l")  # the cursor is back
