"""A sandbox fifty times faster than life, and the command line pointed at it."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ringonce.cli.menu import menu
from ringonce.sandbox import Sandbox

Run = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, speed=50) as sandbox:
        yield sandbox


@pytest.fixture
def environ(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    given = {"RINGONCE_BASE_URL": sandbox.url, "RINGONCE_STATE_DIR": str(tmp_path / "state")}
    for name in list(os.environ):
        if name.startswith(("GENESYSCLOUD_", "RINGONCE_", "FORCE_COLOR", "TTY_")):
            monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


@pytest.fixture
def run(environ: dict[str, str]) -> Run:
    """Run a command in this process."""

    def run(*args: str) -> Result:
        result = CliRunner().invoke(menu, args, prog_name="ringonce")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        sys.stdout.write(result.output)  # what a test prints is searched for secrets
        return result

    return run


@pytest.fixture
def start(environ: dict[str, str]) -> Iterator[Start]:
    """Start a command as people do: as a process of its own."""
    with contextlib.ExitStack() as stack:

        def start(*args: str, **options: Any) -> "subprocess.Popen[str]":
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
            process = subprocess.Popen([sys.executable, "-m", "ringonce.cli", *args], **pipes)  # noqa: S603  # our own
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start
