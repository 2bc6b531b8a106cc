"""`ringonce check`: one finding a line, an exit code to script on, and nothing that rings."""

import json
import socket
from collections.abc import Callable

from click.testing import Result

from ringonce.cli.check import _line
from ringonce.models import Finding, Verdict
from ringonce.sandbox import Sandbox

Run = Callable[..., Result]
GRACE = ("--agent", "grace@example.com", "--to", "+44 20 7946 0958")


def test_a_set_up_that_works_passes_line_by_line_and_rings_nothing(run: Run, sandbox: Sandbox) -> None:
    result = run("check", *GRACE, "--caller-id", "+15551234568")

    assert result.exit_code == 0, result.output
    names = ["host", "clock", "token", "permission", "agent", "station", "caller", "number", "quota"]
    assert [line.split()[1] for line in result.stdout.splitlines()] == names
    assert not any(line.startswith("fail") for line in result.stdout.splitlines())
    assert "country GB, time zone Europe/London" in result.stdout
    assert sandbox.calls() == []
    assert len(sandbox.requests()) <= 8


def test_what_fails_has_a_remedy_and_exit_code_3(run: Run) -> None:
    result = run("check", "--agent", "joan@example.com", "--to", "911")

    assert result.exit_code == 3
    fails = [line for line in result.stdout.splitlines() if line.startswith("fail")]
    assert [line.split()[1] for line in fails] == ["station", "number"]
    assert all(" → " in line for line in fails)


def test_json_has_one_finding_a_line(run: Run) -> None:
    result = run("check", *GRACE, "--queue", "Sales", "--json")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert {frozenset(line) for line in lines} == {frozenset({"event", "name", "verdict", "evidence", "remedy"})}
    assert {line["event"] for line in lines} == {"finding"}
    assert {line["verdict"] for line in lines} <= {"pass", "warn", "fail"}
    assert "a member of Sales" in next(line["evidence"] for line in lines if line["name"] == "queue")


def test_a_finding_keeps_to_its_line_whatever_the_platform_says() -> None:
    finding = Finding(name="host", verdict=Verdict.FAIL, evidence="no\n<html>\r\n way", remedy="look\tthere")

    assert _line(finding, as_json=False).splitlines()[0].endswith("no <html> way → look there")


def test_a_host_that_is_not_there_is_a_finding_too(run: Run) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        result = run("check", *GRACE, "--base-url", f"http://127.0.0.1:{bound.getsockname()[1]}")

    assert result.exit_code == 3
    assert result.stdout.startswith("fail  host")
    assert "nothing listens there" in result.stdout


def test_a_caller_id_beside_a_queue_is_refused_before_anything_is_asked(run: Run, sandbox: Sandbox) -> None:
    result = run("check", *GRACE, "--queue", "Sales", "--caller-id", "+15551234568")

    assert result.exit_code == 3
    assert "hint: give one of them" in result.stderr
    assert sandbox.requests() == []
