"""Words: what comes from outside can't move a terminal's cursor, and everything that help shows can be typed."""

import subprocess
import sys
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner, Result

from ringonce.cli.check import _line
from ringonce.cli.menu import COMMANDS, menu
from ringonce.cli.telling import LineTeller, Teller, tell_once
from ringonce.cli.words import LONGEST, complain, complaint, printable
from ringonce.errors import ApiRefusal
from ringonce.models import Call, Finding, Placed, State, Verdict

Run = Callable[..., Result]
CLEAR = "\x1b[2J"


def test_an_error_from_outside_cannot_clear_the_screen_or_fill_it() -> None:
    words = complaint(f"refused {CLEAR}", "x" * 3000, "call\nsomebody\x9b")

    assert words.isascii() is False  # the cut is shown
    assert len(words) < LONGEST + 100
    assert words.startswith("error: refused \\x1b[2J: xxx")
    assert words.endswith("x…\n\nhint: call\\nsomebody\\x9b")


def test_letters_of_every_script_stay_as_they_are() -> None:
    assert printable("Zoë → 12\u00a0km, 渡辺 🙂") == "Zoë → 12 km, 渡辺 🙂"
    assert printable("\u202eevil") == "\\u202eevil"
    assert printable("\udcff") == "\\udcff"


def test_the_platforms_words_are_made_printable_wherever_they_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    told = LineTeller()
    told.placed(Placed(conversation_id=f"id\n{CLEAR}", intent="i", agent_id="a", to="+15559876543"), "ada\n")
    told.call(Call(conversation_id=f"id{CLEAR}", state=State.RINGING))
    told.failed(ApiRefusal(f"no {CLEAR}"))
    told.say(f"hang up with: ringonce hangup id\n{CLEAR}")
    Teller().say(CLEAR)
    tell_once(Call(conversation_id=f"id\n{CLEAR}", state=State.RINGING), as_json=False)
    complain(CLEAR)

    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert (len(out.splitlines()), len(err.splitlines())) == (3, 4)


def test_a_finding_is_one_printable_line() -> None:
    finding = Finding(name="host", verdict=Verdict.FAIL, evidence=f"it says {CLEAR}\nmore", remedy="")

    line = click.unstyle(_line(finding, as_json=False))

    assert "\x1b" not in line
    assert "\n" not in line


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_no_mark_up_in_it(name: str) -> None:
    result = CliRunner().invoke(menu, [name, "--help"])

    assert result.exit_code == 0
    assert "\\b" not in result.stdout


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("call", '  ringonce call --agent ada@example.com --to "+1 555 987 6543"\n'),
        ("resolve", "  ringonce resolve crm-4711 --placed 1b4e28ba-2fa1-11d2-883f-0016d3cca427\n"),
        ("sandbox", "  0001 nobody answers                 0006 answers and hangs up at once\n"),
    ],
)
def test_an_example_in_the_help_has_a_line_of_its_own(name: str, line: str) -> None:
    assert line in CliRunner().invoke(menu, [name, "--help"]).stdout


def test_an_agent_with_a_line_end_behind_it_is_told_without(run: Run) -> None:
    result = run("call", "--agent", "ada@example.com\n", "--to", "+15559876543", "--until", "placed")

    assert result.exit_code == 0
    assert "ada@example.com → +15559876543" in result.stdout


@pytest.mark.parametrize("speed", ["0", "nan", "-1", "fast", "1e9"])
def test_a_speed_that_cannot_be_is_told_of_the_option(run: Run, speed: str) -> None:
    result = run("sandbox", "--port", "0", "--speed", speed)

    assert result.exit_code == 2
    assert "--speed" in result.stderr
    assert "{" not in result.stderr


def test_a_host_of_another_machine_is_told_of_the_host(run: Run) -> None:
    result = run("sandbox", "--port", "0", "--host", "192.0.2.1")  # TEST-NET-1: nobody's

    assert result.exit_code == 2
    assert "hint: give --host an address of this machine" in result.stderr


def test_the_package_is_a_command_too() -> None:
    done = subprocess.run([sys.executable, "-m", "ringonce", "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("ringonce ")
