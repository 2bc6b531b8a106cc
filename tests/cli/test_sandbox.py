"""`ringonce sandbox`: its switches, and how other programs learn that it is there."""

import json
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Run, Start
from ringonce.cli.sandbox import first_call
from ringonce.sandbox.default_org import default_org
from ringonce.sandbox.dice import named
from ringonce.sandbox.hostile import USUAL
from ringonce.sandbox.org_file import parse_org


def ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  # our own sandbox
        return json.load(answer)


def ready(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    url: str = json.loads(process.stdout.readline())["url"]
    return url


def stop(process: "subprocess.Popen[str]") -> tuple[int, str]:
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=120)
    return process.returncode, told


def test_hostile_takes_its_usual_doses_or_those_that_are_named(start: Start, tmp_path: Path) -> None:
    usual = start("sandbox", "--port", "0", "--json", "--hostile", "--seed", "7")
    named = start("sandbox", "--port", "0", "--json", "--hostile", "lost_answers=0.3,throttled=0")

    assert ask(f"{ready(usual)}/_sandbox/hostile")["doses"] == USUAL
    assert ask(f"{ready(named)}/_sandbox/hostile")["doses"] == {**USUAL, "lost_answers": 0.3, "throttled": 0}
    assert (stop(usual)[0], stop(named)[0]) == (0, 0)


def test_faults_and_a_manual_clock_hold_from_the_start(start: Start) -> None:
    fault = '{"action":"drop_after","path":"/api/v2/conversations/calls*","times":1}'
    process = start("sandbox", "--port", "0", "--json", "--manual", "--fault", fault)
    url = ready(process)

    assert [each["action"] for each in ask(f"{url}/_sandbox/faults")["faults"]] == ["drop_after"]
    assert ask(f"{url}/_sandbox/clock")["mode"] == "manual"
    assert stop(process)[0] == 0


def test_the_ready_file_holds_the_address_while_the_sandbox_listens(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "ready"
    process = start("sandbox", "--port", "0", "--json", "--ready-file", str(file))
    url = ready(process)

    assert file.read_text() == f"{url}\n"
    assert [each.name for each in tmp_path.iterdir() if "ready" in each.name] == ["ready"]
    assert stop(process)[0] == 0
    assert not file.exists()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_ends_it_an_answer_that_is_held_goes_out_first(start: Start, sign: signal.Signals) -> None:
    if signal.getsignal(sign) is signal.SIG_IGN:
        pytest.skip("whoever started the tests decided that this signal means nothing")
    hold = '{"action":"delay","delay_s":3000,"path":"/api/v2/users/me"}'
    process = start("sandbox", "--port", "0", "--json", "--fault", hold)
    url = ready(process)

    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=120) as line:
        line.sendall(b"GET /api/v2/users/me HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        while not ask(f"{url}/_sandbox/faults")["faults"][0]["fired"]:
            pass
        process.send_signal(sign)
        answer = line.recv(65_536).decode()

    _, told = process.communicate(timeout=120)
    assert answer.startswith("HTTP/1.1 401 ")
    assert (process.returncode, told.splitlines()[-1]) == (0, "the sandbox has stopped; its calls are gone")


def printed_org() -> str:
    page = Path(__file__).parents[2].joinpath("docs", "sandbox.md").read_text("utf-8")
    return page.partition("### An organization of your own")[2].partition("```toml\n")[2].partition("```")[0]


def test_the_documented_organization_places_a_call_as_its_own_greeting_says(
    start: Start, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "org.toml"
    file.write_text(printed_org(), "utf-8")
    process = start("sandbox", "--port", "0", "--org", str(file), "--speed", "100")
    assert process.stdout
    assert process.stderr
    url = process.stdout.readline().split()[0]
    greeting = next(line for line in process.stderr if line.startswith("try: "))

    client, secret, *command = shlex.split(greeting.removeprefix("try: "))
    assert (client, secret) == ("GENESYSCLOUD_OAUTHCLIENT_ID=my_client_id", "GENESYSCLOUD_OAUTHCLIENT_SECRET=…")
    monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_ID", "my_client_id")
    monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_SECRET", "my_client_secret")
    called = run(*command[1:], "--json")

    assert command[:3] == ["ringonce", "call", "--base-url"]
    assert called.exit_code == 0, called.output
    assert '"outcome":"answered"' in called.output
    assert ask(f"{url}/_sandbox/calls")["calls"][0]["to"] == "+15559870123"


def test_the_default_client_of_an_org_that_has_it_not_is_refused_with_what_to_set(
    start: Start, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "org.toml"
    file.write_text(printed_org(), "utf-8")
    url = ready(start("sandbox", "--port", "0", "--json", "--org", str(file)))

    called = run("call", "--base-url", url, "--agent", "kim@example.com", "--to", "+15559870123")

    assert called.exit_code != 0
    assert "(its [[clients]]): set GENESYSCLOUD_OAUTHCLIENT_ID and GENESYSCLOUD_OAUTHCLIENT_SECRET" in called.output
    assert "Admin >" not in called.output


@pytest.mark.parametrize(
    ("before", "after", "first"),
    [
        pytest.param(
            '"my_client_id"\nsecret = "my_client_secret"',
            '"your_client_id"\nsecret = "your_client_secret"',
            "ringonce call --base-url http://here --agent kim@example.com --to +15559870123",
            id="the usual client",
        ),
        pytest.param(
            ', "directory:user:view"',
            "",
            "GENESYSCLOUD_OAUTHCLIENT_ID=my_client_id GENESYSCLOUD_OAUTHCLIENT_SECRET=… "
            f"ringonce call --base-url http://here --agent {named('users/kim@example.com')} --to +15559870123",
            id="a client that may not search",
        ),
        pytest.param('"conversation:call:add", ', "", "", id="nobody may call"),
        pytest.param('station = "Kim\'s browser"', "", "", id="nobody has a phone"),
        pytest.param('name = "My service"', 'name = "x"\nstate = "disabled"', "", id="no client is active"),
        pytest.param(
            "answers = 3.5\nhangs_up = 20",
            "",
            "GENESYSCLOUD_OAUTHCLIENT_ID=my_client_id GENESYSCLOUD_OAUTHCLIENT_SECRET=… "
            "ringonce call --base-url http://here --agent kim@example.com --to '+1 555 987 6543'",
            id="no number that answers is scripted",
        ),
    ],
)
def test_the_first_call_is_one_that_the_organization_can_make(before: str, after: str, first: str) -> None:
    text = printed_org()
    assert before in text

    assert first_call("http://here", parse_org(text.replace(before, after))) == first


def test_a_ready_file_that_cannot_be_written_is_told(run: Run, tmp_path: Path) -> None:
    result = run("sandbox", "--port", "0", "--ready-file", str(tmp_path / "nowhere" / "ready"))

    assert result.exit_code == 2
    assert "no such file" in result.output


def test_the_default_org_is_printed_as_a_file_that_it_takes() -> None:
    command = [sys.executable, "-m", "ringonce.cli", "sandbox", "--print-org"]

    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # our own

    assert parse_org(done.stdout) == default_org()


def test_an_org_file_with_more_agents_is_printed_whole(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "org.toml"
    file.write_text('[[users]]\nname = "Kim"\nemail = "kim@example.com"\n')
    command = [sys.executable, "-m", "ringonce.cli", "sandbox", "--print-org", "--org", str(file), "--agents", "1"]

    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # our own

    org = parse_org(done.stdout)
    assert [user.email for user in org.users.values()] == ["kim@example.com", "agent-00001@example.com"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--hostile", "lost_answer=1"], "did you mean lost_answers?"),
        (["--fault", "{"], "is no JSON"),
        (["--fault", '{"action":"explode"}'], "action must be one of"),
        (["--org", "/nowhere.toml"], "no such file"),
        (["--org", "/nowhere.toml", "--print-org"], "no such file"),
    ],
)
def test_a_wrong_switch_is_told_with_what_to_do(run: Run, words: list[str], told: str) -> None:
    result = run("sandbox", "--port", "0", *words)

    assert result.exit_code == 2
    assert told in result.output


def test_a_bad_field_of_an_org_file_is_named_by_its_path(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "org.toml"
    file.write_text('[[users]]\nname = "Kim"\nemail = "kim@example.com"\nstation = "Desk"\n')

    result = run("sandbox", "--port", "0", "--org", str(file))

    assert result.exit_code == 2
    assert "users[0].station" in result.output
    assert "Traceback" not in result.output


def test_world_time_begins_when_it_is_told_to(start: Start) -> None:
    process = start("sandbox", "--port", "0", "--json", "--manual", "--start", "2026-01-01T00:00:00Z")

    assert ask(f"{ready(process)}/_sandbox/clock")["now"] == "2026-01-01T00:00:00.000Z"
    assert stop(process)[0] == 0


def test_a_clock_that_runs_by_itself_begins_now(run: Run) -> None:
    done = run("sandbox", "--port", "0", "--start", "2026-01-01T00:00:00Z")

    assert done.exit_code == 2
    assert "--manual" in done.output
