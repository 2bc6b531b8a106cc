"""`ringonce batch`: a file of calls, each row once, with a worker of its own or a service that runs."""

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringonce.sandbox import Sandbox

HEADER = "key,agent,to\n"
ADA = "ada@example.com"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    return keep | {"RINGONCE_STATE_DIR": str(tmp_path / "state")}


@pytest.fixture
def sandbox() -> Any:
    with Sandbox(port=0, speed=10, agents=10) as running:
        yield running


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "ringonce", *map(str, words)]


def run(environ: dict[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own program
        command(*words), env=environ, capture_output=True, text=True, timeout=120, check=False
    )


@contextlib.contextmanager
def ended(process: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    """Have the process end, also when the test fails: a service would wait for ever, and the test for it."""
    with process:
        try:
            yield process
        finally:
            process.terminate()


def file_of(folder: Path, rows: int, story: str = "0006") -> Path:
    lines = [f"crm-{row},agent-{row % 4 + 1:05}@example.com,+1212555{story}" for row in range(rows)]
    path = folder / "calls.csv"
    path.write_text(HEADER + "\n".join(lines) + "\n")
    return path


def events(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_file_is_dialled_and_its_results_are_written(
    tmp_path: Path, environ: dict[str, str], sandbox: Sandbox
) -> None:
    file, results = file_of(tmp_path, 6), tmp_path / "results.csv"

    done = run(environ, "batch", file, "--base-url", sandbox.url, "--results", results, "--json")

    assert done.returncode == 0, done.stderr
    told = events(done.stdout)
    assert told[0]["event"] == "batch"
    assert (told[-1]["event"], told[-1]["state"], told[-1]["outcomes"]) == ("result", "done", {"answered": 6})
    rows = list(csv.DictReader(results.read_text().splitlines()))
    assert {row["key"]: row["conversation_id"] for row in rows} == {
        call["attributes"]["ringonce.intent"]: call["conversationId"] for call in sandbox.calls()
    }

    again = run(environ, "batch", file, "--base-url", sandbox.url)

    assert again.returncode == 0
    assert "done: 6 answered" in again.stdout
    assert len(sandbox.calls()) == 6


def test_ctrl_c_pauses_and_the_same_command_goes_on(tmp_path: Path, environ: dict[str, str], sandbox: Sandbox) -> None:
    file = file_of(tmp_path, 80)
    words = command("batch", file, "--base-url", sandbox.url)

    with ended(subprocess.Popen(words, env=environ, stdout=-1, stderr=-1, text=True)) as first:  # noqa: S603  our own program
        deadline = time.monotonic() + 120
        while len(sandbox.calls()) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        first.send_signal(signal.SIGINT)
        out, err = first.communicate(timeout=120)

    assert first.returncode == 130, err
    assert "paused: " in err
    assert f"go on with: ringonce batch {file}" in err
    assert "paused" in out
    rung = len(sandbox.calls())
    assert 4 <= rung < 80
    second = run(environ, "batch", file, "--base-url", sandbox.url)
    assert second.returncode == 0, second.stderr
    intents = [call["attributes"]["ringonce.intent"] for call in sandbox.calls()]
    assert len(intents) == len(set(intents)) == 80


def test_a_dry_run_rings_nobody_and_keeps_nothing(tmp_path: Path, environ: dict[str, str], sandbox: Sandbox) -> None:
    file = tmp_path / "calls.csv"
    file.write_text(HEADER + f"a,{ADA},+12125550006\nb,{ADA},+19005550006\n")

    seen = run(environ, "batch", file, "--base-url", sandbox.url, "--dry-run")

    assert seen.returncode == 0, seen.stderr
    assert "1  may be dialled now" in seen.stdout
    assert "1  refused by premium rate, such as row 3" in seen.stdout
    assert sandbox.calls() == []


def test_a_file_that_is_only_taken_in_says_how_to_start_it_and_that_starts_it(
    tmp_path: Path, environ: dict[str, str], sandbox: Sandbox
) -> None:
    file = file_of(tmp_path, 1)
    taken = run(environ, "batch", file, "--no-start", "--base-url", sandbox.url)
    assert taken.returncode == 0, taken.stderr
    assert f"go on with: ringonce batch {file} (and the same options, without --no-start)" in taken.stderr
    assert not sandbox.calls()

    assert run(environ, "batch", file, "--base-url", sandbox.url).returncode == 0
    assert len(sandbox.calls()) == 1


def test_a_faulty_file_is_told_row_by_row(tmp_path: Path, environ: dict[str, str], sandbox: Sandbox) -> None:
    file = tmp_path / "calls.csv"
    file.write_text(HEADER + f"a,{ADA},+12125550006\nb,,+12125560006\nc,{ADA},911\n")

    refused = run(environ, "batch", file, "--base-url", sandbox.url)

    assert refused.returncode == 3
    assert "row 3, agent: The row has no agent" in refused.stderr
    assert "row 4, to: '911' was not dialled" in refused.stderr
    assert "nothing of it was taken" in refused.stderr
    assert sandbox.calls() == []


def test_a_service_dials_the_file(tmp_path: Path, environ: dict[str, str], sandbox: Sandbox) -> None:
    file = file_of(tmp_path, 5)
    words = command("serve", "--port", 0, "--base-url", sandbox.url, "--json")
    with ended(subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, text=True)) as serving:  # noqa: S603  our own program
        assert serving.stdout
        ready = json.loads(serving.stdout.readline())
        with_token = environ | {"RINGONCE_TOKEN": ready["token"]}
        results = tmp_path / "results.csv"
        done = run(with_token, "batch", file, "--server", ready["url"], "--results", results)
        strangers = run(environ | {"RINGONCE_TOKEN": "ro_wrong"}, "batch", file, "--server", ready["url"])
        file.write_text(HEADER + "z,,1\n")
        faulty = run(with_token, "batch", file, "--server", ready["url"])

    assert done.returncode == 0, done.stderr
    assert "done: 5 answered" in done.stdout
    assert len(results.read_text().splitlines()) == 6
    assert (strangers.returncode, faulty.returncode) == (3, 3)
    assert "row 2, agent" in faulty.stderr
    assert run(with_token, "batch", file, "--server", ready["url"]).returncode == 6


def test_options_that_do_not_go_together_and_settings_that_cannot_be_kept_are_refused(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    file = file_of(tmp_path, 1)
    assert run(environ, "batch", file, "--server", "http://127.0.0.1:1", "--database", "sqlite:///x").returncode == 2
    assert run(environ, "batch", file, "--server", "http://127.0.0.1:1").returncode == 2
    wrong = run(environ, "batch", file, "--not-before", "tomorrow")
    assert (wrong.returncode, "--not-before" in wrong.stderr) == (3, True)
    assert run(environ, "batch", tmp_path / "missing.csv").returncode == 2
