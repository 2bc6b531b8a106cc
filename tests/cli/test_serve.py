"""The service as one starts it: a process that says where it is, and drains when it is told to end."""

import contextlib
import json
import signal
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ringonce.cli.menu import menu

Run = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]


def ready(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()
    told: dict[str, Any] = json.loads(line)
    return told


def ask(told: dict[str, Any], path: str, body: dict[str, Any] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {told['token']}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{told['url']}{path}", data, headers)  # noqa: S310  our own service
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def test_it_starts_with_a_sandbox_dials_drains_and_goes_on_where_it_stopped(start: Start) -> None:
    process = start("serve", "--sandbox", "--port", "0", "--json")
    told = ready(process)
    call = ask(told, "/v1/calls", {"agent": "ada@example.com", "to": "+15559870000"})
    deadline = time.monotonic() + 120
    while ask(told, f"/v1/calls/{call['id']}")["state"] != "live":
        assert time.monotonic() < deadline
    assert ask(told, "/readyz")["ready"]
    made = start("token", "create", "--name", "a second one", "--sandbox").communicate(timeout=120)[0].strip()
    assert ask(told | {"token": made}, f"/v1/calls/{call['id']}")["id"] == call["id"]

    process.send_signal(signal.SIGTERM)
    _, words = process.communicate(timeout=120)
    again = start("serve", "--sandbox", "--port", "0", "--no-worker", "--json")
    told_again = ready(again)
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=120)

    assert process.returncode == again.returncode == 0
    assert told["event"] == "ready"
    assert "NOTHING REAL RINGS" in words
    assert "the service has stopped" in words
    assert "Traceback" not in words
    assert "token" not in told_again


def test_a_worker_dials_what_a_server_has_taken_in(start: Start, environ: dict[str, str], tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/calls.db"
    server = start("serve", "--no-worker", "--port", "0", "--json", "--database", database)
    told = ready(server)
    call = ask(told, "/v1/calls", {"agent": "ada@example.com", "to": "+15559870006"})
    worker = start("worker", "--json", "--database", database)
    assert ready(worker)["worker"]

    deadline = time.monotonic() + 120
    while ask(told, f"/v1/calls/{call['id']}")["state"] != "ended":
        assert time.monotonic() < deadline

    worker.send_signal(signal.SIGTERM)
    _, words = worker.communicate(timeout=120)
    assert worker.returncode == 0
    assert "the worker has stopped" in words


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("serve", "--host", "192.0.2.1"), "--behind-tls"),
        (("serve", "--sandbox", "--base-url", "http://127.0.0.1:1"), "--sandbox dials its own"),
        (("serve", "--database", "mysql://x/y"), "sqlite:///calls.db"),
        (("worker", "--database", "nonsense"), "sqlite:///calls.db"),
        (("ready", "--server", "ftp://x"), "http://"),
    ],
)
def test_what_can_not_be_served(run: Run, args: tuple[str, ...], says: str) -> None:
    result = run(*args)

    assert result.exit_code == 2
    assert says in result.stderr


def test_a_database_that_is_down_is_nobody_reached(run: Run) -> None:
    result = run("token", "list", "--database", "postgresql://nobody@127.0.0.1:1/calls")

    assert result.exit_code == 6
    assert "can't be used" in result.stderr


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("serve", "--port", "0", "--no-worker"), ("worker",)])
def test_a_service_does_not_start_without_its_database_and_says_what_to_check(
    run: Run, command: tuple[str, ...]
) -> None:
    result = run(*command, "--database", "postgresql://ringonce:hunter2@127.0.0.1:1/calls")

    assert result.exit_code == 6
    assert "postgresql://ringonce:***@127.0.0.1:1/calls can't be used" in result.stderr
    assert "check that it runs" in result.stderr
    assert "hunter2" not in result.stderr


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",), ("token", "list")])
def test_a_database_of_a_newer_version_is_refused_at_the_start_with_what_to_do(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    assert run("token", "list", "--database", url).exit_code == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "calls.db")) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
        db.commit()

    result = run(*command, "--database", url)

    assert result.exit_code == 2
    assert "newer version of ringonce" in result.stderr
    assert "restore a backup from before the upgrade" in result.stderr


def test_tokens_are_made_listed_and_revoked_and_the_audit_log_says_so(environ: dict[str, str]) -> None:
    def run(*args: str) -> Result:  # unlike the fixture, without printing secrets and hashes
        return CliRunner().invoke(menu, args)

    made = json.loads(run("token", "create", "--name", "a CRM", "--agent", "ada@example.com", "--json").stdout)
    listed = run("token", "list").stdout
    revoked = run("token", "revoke", made["id"])
    twice = run("token", "revoke", made["id"])
    entries = [json.loads(line)["what"] for line in run("audit", "list", "--json").stdout.splitlines()]
    verified = run("audit", "verify")

    assert made["secret"].startswith("ro_")
    assert "a CRM for ada@example.com" in listed
    assert made["secret"] not in listed
    assert (revoked.exit_code, twice.exit_code) == (0, 3)
    assert entries == ["token.issued", "token.revoked"]
    assert verified.stdout.startswith("2 entries hold in sqlite:///")
    assert run("audit", "verify", "--last", verified.stdout.split()[-1]).exit_code == 0
    assert run("audit", "verify", "--last", "0" * 64).exit_code == 4


def test_an_audit_log_without_entries_is_told_by_the_database_that_was_looked_in(
    run: Run, tmp_path: Path, environ: dict[str, str]
) -> None:
    result = run("audit", "verify", "--database", f"sqlite:///{tmp_path}/other.db")

    assert result.exit_code == 0
    assert result.stdout == f"0 entries hold in sqlite:///{tmp_path}/other.db: nothing was noted there yet\n"
    assert "--database" in result.stderr


def test_a_service_that_is_not_there_is_not_ready(run: Run) -> None:
    result = run("ready", "--server", "http://127.0.0.1:1")

    assert result.exit_code == 6
    assert "ringonce serve" in result.stderr
