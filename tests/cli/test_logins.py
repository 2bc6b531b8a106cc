"""Logins that are cut off, replaced, made at once or leaked: nothing is left that somebody could use."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from consenting import through_http
from ringonce.cli import logins
from ringonce.sandbox import Sandbox
from ringonce.sandbox.world import World
from simulated import ADA

Run = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[str]"]
GRACE = "grace@example.com"


@pytest.fixture(autouse=True)
def browser(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    """Ada sits at a browser; secrets go to a file."""
    monkeypatch.setenv("BROWSER", "a browser")
    monkeypatch.setenv("RINGONCE_SECRETS", "file")
    monkeypatch.setattr(webbrowser, "open", through_http())


def secrets_in(environ: dict[str, str]) -> list[Path]:
    return sorted((Path(environ["RINGONCE_STATE_DIR"]) / "secrets").glob("*.secret"))


def listed(environ: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((Path(environ["RINGONCE_STATE_DIR"]) / "logins.json").read_text())
    return found


def usable(sandbox: Sandbox, files: list[Path]) -> list[str]:
    """Give which tokens of these files somebody who has copied them could use."""
    copies = [json.loads(path.read_text()) for path in files]

    def look(world: World) -> list[str]:
        found = [one["access_token"] for one in copies if world.tokens.find(one["access_token"])]
        for one in copies:
            consent = world.consents.of_refresh_token(one["refresh_token"])
            if consent and consent.refresh_token == one["refresh_token"]:
                found.append(one["refresh_token"])
        return found

    return sandbox.do(look)


def copied(environ: dict[str, str], folder: Path) -> list[Path]:
    """Copy the secret files, as a thief would."""
    folder.mkdir()
    return [Path(shutil.copy(path, folder)) for path in secrets_in(environ)]


DYING = """
import os, sys, webbrowser
def dies(*_, **__):
    os._exit(9)
import {module} as module
module.{name} = dies
from consenting import through_http
webbrowser.open = through_http()
from ringonce.cli.menu import menu
menu(sys.argv[1:], prog_name="ringonce")
"""
HAS_TOKEN = ("ringonce.client.flows.identity", "Identity")
WITHDRAWS = ("ringonce.cli.withdrawing", "_revoke")


def die_at(step: tuple[str, str], *args: str) -> None:
    """Run a command in a process that ends, as by kill -9, when it comes to *step*."""
    code = DYING.format(module=step[0], name=step[1])
    path = {"PYTHONPATH": str(Path(__file__).parents[1])}
    died = subprocess.run(  # noqa: S603  # our own
        [sys.executable, "-c", code, *args], check=False, capture_output=True, text=True, env=os.environ | path
    )
    assert died.returncode == 9, died.stderr


def test_a_login_that_is_killed_leaves_nothing_that_a_logout_does_not_withdraw(
    run: Run, environ: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    die_at(HAS_TOKEN, "login")
    copies = copied(environ, tmp_path / "copies")
    assert len(usable(sandbox, copies)) == 2
    assert "an application" in run("whoami").stdout

    logout = run("logout")

    assert logout.exit_code == 0
    assert "cut off is withdrawn" in logout.stderr
    assert usable(sandbox, copies) == []
    assert listed(environ) == []
    assert list((Path(environ["RINGONCE_STATE_DIR"]) / "secrets").iterdir()) == []


def test_the_next_login_sweeps_up_after_one_that_was_killed(
    run: Run, environ: dict[str, str], sandbox: Sandbox
) -> None:
    die_at(HAS_TOKEN, "login")
    [left] = secrets_in(environ)
    copy = left.read_text()

    assert run("login").exit_code == 0

    assert left not in secrets_in(environ)
    left.write_text(copy)
    assert usable(sandbox, [left]) == []
    assert [one["agent_id"] for one in listed(environ)] == [ADA]


@pytest.mark.parametrize("command", ["login", "logout"])
def test_whatever_dies_before_an_old_login_is_withdrawn_it_is_withdrawn_later(
    run: Run, environ: dict[str, str], sandbox: Sandbox, tmp_path: Path, command: str
) -> None:
    run("login")
    copies = copied(environ, tmp_path / "copies")
    die_at(WITHDRAWS, command)
    assert len(usable(sandbox, copies)) == 2

    run("logout")

    assert usable(sandbox, copies) == []
    assert (secrets_in(environ), listed(environ)) == ([], [])


def test_logging_in_again_withdraws_what_the_login_before_was_given(
    run: Run, environ: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    run("login")
    copies = copied(environ, tmp_path / "copies")

    again = run("login")

    assert "not revoked" not in again.stderr
    assert usable(sandbox, copies) == []
    assert len(usable(sandbox, secrets_in(environ))) == 2
    assert "Ada" in run("whoami").stdout


def test_an_old_login_that_cannot_be_revoked_is_forgotten_and_told(
    run: Run, environ: dict[str, str], sandbox: Sandbox
) -> None:
    run("login")
    sandbox.fault(method="DELETE", path="/api/v2/tokens/me", action="status", status=403)

    again = run("login")

    assert again.exit_code == 0
    assert "earlier login of Ada Lovelace <ada@example.com> is forgotten, not revoked" in again.stderr
    assert len(secrets_in(environ)) == 1


def test_a_secret_that_leaked_is_withdrawn_by_a_logout(
    run: Run, environ: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    run("login")
    [path] = secrets_in(environ)
    path.chmod(0o644)
    copies = copied(environ, tmp_path / "copies")
    refused = run("whoami")
    assert refused.exit_code == 2
    assert "ringonce logout" in refused.stderr

    logout = run("logout", "--json")

    assert json.loads(logout.stdout)["revoked"] is True
    assert usable(sandbox, copies) == []
    assert secrets_in(environ) == []


def test_a_login_that_fails_gives_back_what_it_was_given(run: Run, environ: dict[str, str], sandbox: Sandbox) -> None:
    sandbox.fault(method="GET", path="/api/v2/tokens/me", action="status", status=403)

    assert run("login").exit_code == 3

    assert sandbox.do(lambda world: list(world.tokens._tokens)) == []
    assert (secrets_in(environ), listed(environ)) == ([], [])


def test_logins_at_once_are_all_kept(run: Run, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BROWSER")
    agents = ["ada@example.com", GRACE]
    under_way = [start("login", "--agent", agent) for agent in agents]
    for login, agent in zip(under_way, agents, strict=True):
        assert login.stderr
        url = next(line.strip() for line in login.stderr if "/oauth/authorize?" in line)
        threading.Thread(target=through_http(agent), args=(url,)).start()
    for login in under_way:
        assert login.wait(120) == 0

    told = [json.loads(run("whoami", "--agent", agent, "--json").stdout)["email"] for agent in agents]

    assert told == agents


def test_a_login_that_is_under_way_is_left_alone_by_a_logout(
    run: Run, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BROWSER")
    login = start("login")
    assert login.stderr
    url = next(line.strip() for line in login.stderr if "/oauth/authorize?" in line)

    run("logout")
    through_http()(url)

    assert login.wait(120) == 0
    assert "Ada" in run("whoami").stdout


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_login_that_is_interrupted_once_it_is_made_says_that_it_stands(
    run: Run, start: Start, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, sign: signal.Signals, code: int
) -> None:
    run("login")
    monkeypatch.delenv("BROWSER")
    sandbox.fault(method="DELETE", path="/api/v2/tokens/me", action="delay", delay_s=100)
    login = start("login")
    assert login.stderr
    assert login.stdout
    url = next(line.strip() for line in login.stderr if "/oauth/authorize?" in line)
    through_http()(url)
    assert "Ada" in login.stdout.readline()
    waited = next(line for line in login.stderr if "calls now go out" in line)

    login.send_signal(sign)

    assert waited
    assert "the login stands" in login.communicate(timeout=120)[1]
    assert login.returncode == code
    assert "Ada" in run("whoami").stdout


def test_many_who_change_the_list_at_once_lose_nothing(tmp_path: Path) -> None:
    many = [logins.Login(api="x", client_id="y", agent_id=f"agent {n}", store_as=f"login {n}") for n in range(20)]

    def note(login: logins.Login) -> None:
        asyncio.run(logins.note(tmp_path, login))

    threads = [threading.Thread(target=note, args=(login,)) for login in many]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {one.agent_id for one in logins.read(tmp_path, "x")} == {one.agent_id for one in many}


def test_a_strangers_page_does_not_end_the_login(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def visit_first(url: str) -> bool:
        back = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["redirect_uri"][0]
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{back}?error=access_denied&state=made-up", timeout=60)  # noqa: S310  # loopback
        refused.value.close()
        return consents(url)

    consents = through_http()
    monkeypatch.setattr(webbrowser, "open", visit_first)
    login = run("login")
    assert login.exit_code == 0

    consents = lambda _: True  # noqa: E731  # nobody consents
    late = run("login", "--timeout", "1")
    assert late.exit_code == 3
    assert "once it came back with an answer to another question (state), which was passed over" in late.stderr


def test_a_chain_that_broke_names_the_agent(run: Run, sandbox: Sandbox) -> None:
    run("login")
    sandbox.do(lambda world: world.consents.withdraw_all("your_client_id"))

    refused = run("whoami")

    assert refused.exit_code == 3
    assert "refresh token of your_client_id for Ada Lovelace <ada@example.com>" in refused.stderr
    assert "ringonce login" in refused.stderr


class Keyring:
    """A keyring that its owner can lock."""

    priority = 5
    locked = False

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get_keyring(self) -> "Keyring":
        return self

    def _check(self) -> None:
        if self.locked:
            raise type("KeyringLocked", (Exception,), {})

    def get_password(self, _: str, name: str) -> str | None:
        self._check()
        return self.kept.get(name)

    def set_password(self, _: str, name: str, secret: str) -> None:
        self._check()
        self.kept[name] = secret

    def delete_password(self, _: str, name: str) -> None:
        self._check()
        del self.kept[name]


def test_a_keyring_that_is_locked_is_told_by_every_command_and_logged_out_of_once_it_is_open(
    run: Run, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.delenv("RINGONCE_SECRETS")
    assert run("login").exit_code == 0
    assert len(keyring.kept) == 1
    assert secrets_in(environ) == []

    keyring.locked = True
    for command in ("whoami", "login", "logout"):
        refused = run(command)
        assert refused.exit_code == 2
        assert "keyring is locked" in refused.stderr
        assert "RINGONCE_SECRETS=file" in refused.stderr
    keyring.locked = False
    logout = run("logout")

    assert "Ada Lovelace <ada@example.com> is logged out" in logout.stdout
    assert "nobody" not in logout.stderr
    assert (keyring.kept, listed(environ)) == ({}, [])


def test_a_login_leaves_no_file_but_the_secret(run: Run, environ: dict[str, str]) -> None:
    run("login")

    [path] = secrets_in(environ)
    assert {one.stem for one in path.parent.iterdir()} == {path.stem}
