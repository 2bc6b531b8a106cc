"""The command line as a service's client: the same words, exit codes and lines, and the key is the intent."""

import json
import signal
import subprocess
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from ringonce.cli import remote
from ringonce.errors import NoAnswer
from ringonce.sandbox import Sandbox
from service_web.conftest import Service

Run = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]
ADA = ("--agent", "ada@example.com")
TALKS = (*ADA, "--to", "+15559870000")


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def opened(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> Iterator[Callable[[bool], str]]:
    """Open a service, one that dials or one that only takes calls in; the environment has a token of it."""
    del environ
    with ExitStack() as stack:

        def opening(dialling: bool) -> str:
            service = Service(f"sqlite:///{tmp_path}/calls.db", sandbox, dialling=dialling)
            stack.callback(service.close)
            monkeypatch.setenv("RINGONCE_TOKEN", service.admin)
            return service.url

        yield opening


@pytest.fixture
def server(opened: Callable[[bool], str]) -> str:
    """The address of a service that dials."""
    return opened(True)


@pytest.fixture
def waiting(opened: Callable[[bool], str]) -> str:
    """The address of a service that takes calls in, and dials none."""
    return opened(False)


@pytest.mark.parametrize(
    ("to", "code", "state", "outcome"),
    [
        ("+15559870006", 0, "ended", "answered"),
        ("+15559870002", 4, "ended", "busy"),
        ("+15559870003", 4, "ended", "declined"),
        ("911", 3, None, None),
        ("+19005551234", 3, None, None),
    ],
)
def test_a_service_s_call_is_told_like_one_that_is_dialled_here(
    run: Run, server: str, to: str, code: int, state: str | None, outcome: str | None
) -> None:
    here = run("call", *ADA, "--to", to, "--json", "--intent", "here")
    there = run("call", *ADA, "--to", to, "--json", "--intent", "there", "--server", server)

    assert (there.exit_code, here.exit_code) == (code, code)
    mine, its = lines(here)[-1], lines(there)[-1]
    assert its | {"conversation_id": mine["conversation_id"], "intent": "here"} == mine
    assert (its["event"], its["intent"], its["state"], its["outcome"]) == ("result", "there", state, outcome)
    assert {line["event"] for line in lines(there)} == {line["event"] for line in lines(here)}
    if code == 3:
        assert lines(there)[0]["error"] == lines(here)[0]["error"]


def test_the_words_are_those_of_a_call_that_is_dialled_here(run: Run, server: str) -> None:
    told = run("call", *TALKS[:2], "--to", "+15559870006", "--server", server)

    assert "placed     ada@example.com → +15559870006, conversation" in told.stdout
    assert "the far end answered" in told.stdout
    assert "answered: " in told.stdout


def test_the_same_intent_again_rings_nobody_and_is_told_as_what_it_was(run: Run, server: str, sandbox: Sandbox) -> None:
    first = run("call", *TALKS[:2], "--to", "+15559870006", "--intent", "crm-1", "--json", "--server", server)
    again = run("call", *TALKS[:2], "--to", "+15559870006", "--intent", "crm-1", "--json", "--server", server)
    other = run("call", *TALKS[:2], "--to", "+15559870002", "--intent", "crm-1", "--json", "--server", server)

    assert (lines(first)[-1]["replayed"], lines(again)[-1]["replayed"]) == (False, True)
    assert lines(again)[-1] | {"replayed": False} == lines(first)[-1]
    assert (other.exit_code, lines(other)[0]["error"]) == (3, "IntentConflict")
    assert len(sandbox.calls()) == 1


def test_a_call_is_placed_looked_at_watched_and_hung_up_by_either_name(run: Run, server: str, sandbox: Sandbox) -> None:
    placed = run("call", *TALKS, "--until", "connected", "--json", "--server", server)
    conversation = lines(placed)[-1]["conversation_id"]
    call_id = placed.stderr.partition("call_")[1] + placed.stderr.partition("call_")[2].split()[0]

    stands = [lines(run("status", name, "--json", "--server", server))[0] for name in (conversation, call_id)]
    gone = run("hangup", call_id, "--json", "--server", server)
    watched = run("watch", conversation, "--json", "--server", server)
    again = run("hangup", conversation, "--server", server)

    assert placed.exit_code == 0
    assert stands[0] == stands[1]
    assert (stands[0]["event"], stands[0]["conversation_id"]) == ("call", conversation)
    assert stands[0]["state"] == "connected"
    assert (gone.exit_code, watched.exit_code, again.exit_code) == (0, 0, 0)
    assert lines(watched)[-1]["state"] == "ended"
    assert sandbox.calls()[0]["state"] == "ended"


def test_a_call_that_waits_is_told_so_and_a_hangup_keeps_it_from_ringing(run: Run, waiting: str) -> None:
    left = run("call", *TALKS, "--intent", "crm-1", "--timeout", "0.3", "--json", "--server", waiting)
    call_id = left.stderr.partition("call_")[1] + left.stderr.partition("call_")[2].split()[0]

    stands = run("status", call_id, "--json", "--server", waiting)
    ended = run("hangup", call_id, "--json", "--server", waiting)
    again = run("call", *TALKS, "--intent", "crm-1", "--json", "--server", waiting)

    assert left.exit_code == 4
    assert f"ringonce hangup {call_id} --server {waiting}" in left.stderr
    assert lines(left)[-1]["state"] is None
    assert [lines(one)[0]["state"] for one in (stands, ended)] == ["waiting", "cancelled"]
    assert lines(ended)[0]["conversation_id"] is None
    assert (again.exit_code, lines(again)[0]["what"]) == (3, "The call was cancelled: nothing rang")


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_says_that_the_service_goes_on_and_how_to_end_the_call(
    start: Start, run: Run, server: str, sandbox: Sandbox, sign: signal.Signals, code: int
) -> None:
    process = start("call", *TALKS, "--server", server)
    assert process.stdout is not None
    while "answered" not in (line := process.stdout.readline()):
        assert line

    process.send_signal(sign)
    _, words = process.communicate()

    assert process.returncode == code
    (hint,) = [line for line in words.splitlines() if line.startswith("interrupted: the service goes on")]
    assert sandbox.calls()[0]["state"] == "connected"
    assert run(*hint.partition("ringonce ")[2].split()).exit_code == 0
    assert sandbox.calls()[0]["state"] == "ended"


@pytest.fixture
def losing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Lose so many answers, after the service has acted; give the keys that were sent."""
    real, sent = remote.Service._take, list[str]()

    def lose(times: int) -> list[str]:
        async def cut(service: remote.Service, key: str, body: dict[str, Any]) -> Any:
            sent.append(key)
            taken = await real(service, key, body)
            if len(sent) <= times:
                raise NoAnswer("the line was cut")
            return taken

        monkeypatch.setattr(remote.Service, "_take", cut)
        monkeypatch.setattr(remote, "AGAIN", (0.0, 0.0))
        return sent

    return lose


def test_a_lost_answer_is_asked_for_again_under_the_same_key(
    run: Run, server: str, sandbox: Sandbox, losing: Callable[[int], list[str]]
) -> None:
    sent = losing(2)

    told = run("call", *TALKS[:2], "--to", "+15559870006", "--json", "--server", server)

    assert told.exit_code == 0
    assert sent == [lines(told)[-1]["intent"]] * 3
    assert len(sandbox.calls()) == 1


def test_answers_that_are_lost_for_good_leave_the_outcome_unknown_and_say_how_to_find_out(
    run: Run, waiting: str, losing: Callable[[int], list[str]]
) -> None:
    losing(99)

    told = run("call", *TALKS, "--intent", "crm-1", "--json", "--server", waiting)

    assert told.exit_code == 5
    error, result = lines(told)
    assert error["error"] == "OutcomeUnknown"
    assert "--intent crm-1" in error["fix"]
    assert (result["event"], result["conversation_id"]) == ("result", None)


def test_a_service_that_goes_away_is_waited_for_and_followed_on(
    start: Start, server: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    # The door that goes away is another process than the worker, which goes on.
    door = ("serve", "--no-worker", "--json", "--database", f"sqlite:///{tmp_path}/calls.db", "--port")
    first = start(*door, "0")
    assert first.stdout is not None
    url = json.loads(first.stdout.readline())["url"]
    process = start("call", *TALKS, "--json", "--server", url)
    assert process.stdout is not None
    while '"connected"' not in (line := process.stdout.readline()):
        assert line

    first.kill()
    first.wait()
    assert process.stderr is not None
    while "asking again" not in (line := process.stderr.readline()):
        assert line
    sandbox.phone("+15559870000", "hangup")
    start(*door, url.rpartition(":")[2])
    out, _ = process.communicate(timeout=120)

    assert url != server
    assert process.returncode == 0
    assert json.loads(out.splitlines()[-1])["outcome"] == "answered"


def test_a_service_whose_database_went_back_is_followed_from_the_calls_beginning(
    run: Run, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = remote.Service._events
    asked: list[int] = []

    async def told_by_a_database_that_is_gone(self: remote.Service, call_id: str, seq: int) -> AsyncGenerator[bytes]:
        asked.append(seq)
        if len(asked) == 1:
            yield b'{"seq": 1000000, "body": {"state": "waiting", "why": {}, "conversation_id": ""}}'
            return
        async with aclosing(real(self, call_id, seq)) as events:
            async for event in events:
                yield event

    monkeypatch.setattr(remote.Service, "_events", told_by_a_database_that_is_gone)
    monkeypatch.setattr(remote, "COME_BACK", 0.0)
    result = run("call", *ADA, "--to", "+15559870006", "--json", "--server", server)

    assert result.exit_code == 0, result.stderr
    assert asked[:3] == [0, 1_000_000, 0]
    assert lines(result)[-1]["outcome"] == "answered"


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("call", *TALKS, "--server", "127.0.0.1:1"), 2, "no web address"),
        (("call", *TALKS, "--server", "http://127.0.0.1:1"), 6, "can't be reached"),
        (("status", "call_0019aac1f2c03b1c7d9e0f24", "--server", "http://127.0.0.1:1"), 6, "ringonce serve"),
        (("call", *TALKS, "--server", "http://127.0.0.1:1", "--base-url", "http://x"), 2, "leave --base-url out"),
        (("call", *TALKS, "--server", "http://127.0.0.1:1", "--dry-run"), 2, "leave --dry-run out"),
        (("hangup", "call_0019aac1f2c03b1c7d9e0f24"), 2, "give --server"),
        (("watch", "call_0019aac1f2c03b1c7d9e0f24"), 2, "give --server"),
        (("status", "nonsense", "--server", "http://127.0.0.1:1"), 2, "no conversation id"),
    ],
    ids=lambda value: " ".join(value[-3:]) if isinstance(value, tuple) else "",
)
def test_what_can_not_be_asked_of_a_service(
    run: Run, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], code: int, says: str
) -> None:
    monkeypatch.setenv("RINGONCE_TOKEN", "ro_guessed")

    told = run(*args)

    assert (told.exit_code, says in told.stderr) == (code, True), told.stderr


def test_without_a_good_token_nothing_is_handed_in(run: Run, waiting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGONCE_TOKEN", "ro_guessed")
    guessed = run("call", *TALKS, "--json", "--server", waiting)
    monkeypatch.delenv("RINGONCE_TOKEN")
    none = run("call", *TALKS, "--json", "--server", waiting)

    assert (guessed.exit_code, lines(guessed)[0]["error"]) == (3, "NotAuthenticated")
    assert (none.exit_code, lines(none)[0]["error"]) == (2, "ConfigError")
    assert "ringonce token create" in lines(none)[0]["fix"]
    assert lines(guessed)[-1]["event"] == lines(none)[-1]["event"] == "result"
