"""Wrong usage, and what fails before anything rings: said in words, and with --json on stdout as well."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ringonce.cli.menu import menu
from ringonce.cli.telling import NOTHING
from ringonce.sandbox import Sandbox

Run = Callable[..., Result]
CALL = ("call", "--agent", "ada@example.com", "--to", "+15559876543")
NOBODYS = "00000000-0000-4000-8000-000000000000"


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    "option", ["--intent", "--base-url", "--region", "--queue", "--caller-id", "--country", "--agent", "--to"]
)
@pytest.mark.parametrize("value", ["", "  "])
def test_an_option_given_empty_is_wrong_usage_and_nothing_rings(
    run: Run, sandbox: Sandbox, option: str, value: str
) -> None:
    result = run(*CALL, option, value)

    assert result.exit_code == 2
    assert f"'{option}'" in result.stderr
    assert "it is empty" in result.stderr
    assert sandbox.requests() == []


@pytest.mark.parametrize("words", [("history", "--intent", ""), ("whoami", "--agent", ""), ("resolve", "")])
def test_so_it_is_for_every_command(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)

    assert result.exit_code == 2
    assert "it is empty" in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("status", NOBODYS), 3, "NotFound"),
        (("hangup", NOBODYS), 3, "NotFound"),
        (("watch", NOBODYS), 3, "NotFound"),
        (("watch", NOBODYS, "--region", "nowhere"), 2, "ConfigError"),
        (("check", "--agent", "ada@example.com", "--to", "911", "--region", "nowhere"), 2, "ConfigError"),
        (("whoami", "--base-url", "ftp://x"), 2, "ConfigError"),
        (("login", "--base-url", "ftp://x"), 2, "ConfigError"),
        (("logout", "--base-url", "ftp://x"), 2, "ConfigError"),
        (("history", "--number", "nonsense"), 3, "NumberRefused"),
        (("history", "--limit", "0"), 2, "ConfigError"),
        (("status", "ada"), 2, "ConfigError"),
        (("sandbox", "--port", "70000"), 2, "ConfigError"),
        (("sandbox", "--host", "192.0.2.1"), 2, "ConfigError"),
        (("demo", "--colour"), 2, "ConfigError"),
        (("nonsense",), 2, "ConfigError"),
    ],
)
def test_with_json_a_command_that_fails_says_so_on_stdout(
    run: Run, words: tuple[str, ...], code: int, error: str
) -> None:
    result = run(*words, "--json")

    (told,) = lines(result)
    assert result.exit_code == code
    assert list(told) == ["event", "error", "what", "why", "fix"]
    assert (told["event"], told["error"]) == ("error", error)
    assert "error: " in result.stderr


def test_without_json_stdout_stays_empty(run: Run) -> None:
    assert run("status", NOBODYS).stdout == ""


@pytest.mark.parametrize(
    "wrong", [("--timeout", "-1"), ("--nonsense",), ("--attribute", "x"), ("--intent", ""), ("one too many",)]
)
def test_a_call_that_was_asked_for_wrongly_ends_with_a_result_all_the_same(run: Run, wrong: tuple[str, ...]) -> None:
    result = run(*CALL, "--json", *wrong)

    assert result.exit_code == 2
    assert [one["event"] for one in lines(result)] == ["error", "result"]
    assert lines(result)[-1] == {"event": "result"} | NOTHING


def test_a_read_without_an_answer_is_not_a_call_that_may_have_rung(run: Run, sandbox: Sandbox) -> None:
    sandbox.fault(method="GET", path="/api/v2/conversations/*", action="truncate")
    sandbox.fault(path="/api/v2/users/search", action="truncate")

    status = run("status", NOBODYS)
    call = run(*CALL)

    assert (status.exit_code, call.exit_code) == (6, 6)
    assert sandbox.calls() == []


@pytest.mark.parametrize("command", [("token", "create"), ("dnc", "load"), ("serve",)], ids=" ".join)
def test_help_keeps_its_examples_in_lines_and_its_marks_to_itself(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(menu, (*command, "--help")).stdout

    assert "\\b" not in shown
    assert f"\n  ringonce {' '.join(command)} " in shown
