"""A person at a real browser logs in, and calls then go out as them. `make browser` runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.conftest import PATIENCE, Visiting
from ringonce.sandbox import Sandbox
from simulated import ADA

pytestmark = pytest.mark.browser


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, speed=20) as running:
        yield running


@pytest.fixture
def environ(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    state = {"RINGONCE_STATE_DIR": str(tmp_path), "RINGONCE_SECRETS": "file"}
    return kept | state | {"RINGONCE_BASE_URL": sandbox.url}


def ringonce(*args: str) -> list[str]:
    return [sys.executable, "-m", "ringonce.cli", *args]


def consent(page: Any, address: str, agent: str, button: str) -> str:
    """Open the page, choose who one is, press the button, and give what is shown in the end."""
    page.goto(address, timeout=PATIENCE)
    page.get_by_label("You are").select_option(label=agent)
    page.get_by_role("button", name=button).click(timeout=PATIENCE)
    page.wait_for_url("http://127.0.0.1:*/callback?*", timeout=PATIENCE)
    shown: str = page.get_by_role("heading").inner_text(timeout=PATIENCE)
    return shown


def log_in(tab: Any, environ: dict[str, str], agent: str, button: str) -> tuple[int, str, str]:
    """Run `ringonce login` while somebody is at the browser; give its exit code, its output and the last page."""
    pipe, command = subprocess.PIPE, ringonce("login", "--json", "--timeout", "30")
    with subprocess.Popen(command, env=environ, text=True, stdout=pipe, stderr=pipe) as login:  # noqa: S603  # our own
        assert login.stderr
        assert login.stdout
        address = next(line.strip() for line in login.stderr if "/oauth/authorize?" in line)
        page = consent(tab, address, agent, button)
        return login.wait(20), login.stdout.read(), page


def test_a_login_in_a_browser_makes_calls_go_out_as_the_agent(
    visiting: Visiting, sandbox: Sandbox, environ: dict[str, str]
) -> None:
    code, told, page = log_in(visiting(), environ, "Ada Lovelace, ada@example.com", "Allow")
    call = subprocess.run(  # noqa: S603  # our own
        ringonce("call", "--agent", "ada@example.com", "--to", "+1 555 987 6543", "--json"),
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert code == 0
    assert json.loads(told)["agent_id"] == ADA
    assert page == "ringonce has your answer"
    assert call.returncode == 0
    assert json.loads(call.stdout.splitlines()[-1])["outcome"] == "answered"
    creates = [one["path"] for one in sandbox.requests() if one["path"].startswith("/api/v2/conversations/calls")]
    assert creates == ["/api/v2/conversations/calls"]
    assert sandbox.calls()[0]["agentId"] == ADA


def test_a_no_in_the_browser_is_a_no(visiting: Visiting, environ: dict[str, str]) -> None:
    code, told, page = log_in(visiting(), environ, "Ada Lovelace, ada@example.com", "Deny")

    assert code == 3
    assert json.loads(told)["error"] == "NotAuthenticated"
    assert page == "ringonce has your answer"
