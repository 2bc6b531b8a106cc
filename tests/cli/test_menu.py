"""The menu: quick to show, plain about what it does not know, and one exit code for each kind of error."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner, Result

from ringonce import errors
from ringonce.cli.door import settings_of
from ringonce.cli.menu import COMMANDS, EXIT_CODES, exit_code, menu

Run = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_menu_says_of_a_command_what_the_command_says_itself(name: str) -> None:
    command = menu.get_command(click.Context(menu), name)

    assert command is not None
    assert command.short_help == COMMANDS[name]


def test_help_lists_every_command_and_every_exit_code() -> None:
    result = CliRunner().invoke(menu, ["--help"])

    assert result.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in result.stdout
    assert EXIT_CODES.splitlines()[-1] in result.stdout


@pytest.mark.parametrize(("typed", "says"), [("cal", "did you mean call?"), ("xyzzy", "the commands are demo, call")])
def test_a_command_that_there_is_not(typed: str, says: str) -> None:
    result = CliRunner().invoke(menu, [typed])

    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: there is no command {typed!r}: ")
    assert says in result.stderr


def test_an_argument_that_is_no_text(run: Run) -> None:
    result = run("call", "--agent", "ada@example.com", "--to", "\udcff", "--json")

    assert result.exit_code == 2
    assert "UTF-8" in result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), 2),
        (errors.NumberRefused("x"), 3),
        (errors.IntentConflict("x"), 3),
        (errors.TooLate("x"), 3),
        (errors.RateLimited("x"), 3),
        (errors.StillGoing("x"), 4),
        (errors.StillGoing("x", followable=False), 5),
        (errors.OutcomeUnknown("x"), 5),
        (errors.NoAnswer("x"), 6),
        (errors.Unreachable("x"), 6),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_kind_of_error_has_its_exit_code(error: errors.RingonceError, code: int) -> None:
    assert exit_code(error) == code


def test_with_nothing_configured_it_is_the_sandbox_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_of({})

    assert settings.endpoints.api == "http://127.0.0.1:8080"
    assert "ringonce sandbox" in capsys.readouterr().err


def test_what_was_set_aside_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    settings_of({"GENESYSCLOUD_REGION": "eu_west_1"}, base_url="http://127.0.0.1:1")

    assert "'eu_west_1' was set aside" in capsys.readouterr().err


def test_the_demo_places_one_call_and_shows_it_to_its_end(environ: dict[str, str]) -> None:
    result = CliRunner().invoke(menu, ["demo"])

    assert result.exit_code == 0
    words = [line.split()[2] for line in result.stdout.splitlines()]
    assert words[0] == "placed"
    assert words[-2:] == ["connected", "ended"]
    assert "ended      answered" in result.stdout
    assert "nothing real rings" in result.stderr


def test_the_sandbox_says_where_it_is_and_ends_on_ctrl_c(start: Start) -> None:
    process = start("sandbox", "--port", "0", "--agents", "2", "--json")
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    with urllib.request.urlopen(f"{ready['url']}/_sandbox/calls") as answer:  # noqa: S310  # our own sandbox
        calls = json.load(answer)

    process.send_signal(signal.SIGINT)
    _, words = process.communicate()

    assert ready["event"] == "ready"
    assert ready["url"].startswith("http://127.0.0.1:")
    assert calls == {"calls": []}
    assert process.returncode == 0
    assert "the sandbox has stopped" in words
    assert "Traceback" not in words


def test_a_port_that_is_taken_is_said_in_words(run: Run, environ: dict[str, str]) -> None:
    port = environ["RINGONCE_BASE_URL"].rpartition(":")[2]

    result = run("sandbox", "--port", port)

    assert result.exit_code == 2
    assert "hint: " in result.stderr
    assert "--port 0" in result.stderr


@pytest.mark.parametrize(
    ("option", "value"), [("--speed", "0"), ("--speed", "nan"), ("--port", "70000"), ("--agents", "-1")]
)
def test_a_sandbox_that_cannot_be(run: Run, option: str, value: str) -> None:
    result = run("sandbox", "--port", "0", option, value)

    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")


def test_help_costs_no_heavy_package() -> None:
    heavy = {"aiohttp", "phonenumbers", "starlette", "uvicorn", "rich"}
    code = (
        "import sys\nfrom ringonce.cli.menu import menu\n"
        "try:\n    menu(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print(*sorted({heavy} & set(sys.modules)), file=sys.stderr, end='')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # our own

    assert done.stderr == ""
