"""A logout says `revoked` only of what it knows, and finds what no list names any more."""

import json
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from consenting import through_http
from ringonce.sandbox import Sandbox
from simulated import ADA

Run = Callable[..., Result]
FORGOTTEN = "could not be revoked, only forgotten"


@pytest.fixture(autouse=True)
def browser(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    """Ada sits at a browser; secrets go to a file."""
    monkeypatch.setenv("BROWSER", "a browser")
    monkeypatch.setenv("RINGONCE_SECRETS", "file")
    monkeypatch.setattr(webbrowser, "open", through_http())


def state(environ: dict[str, str]) -> Path:
    return Path(environ["RINGONCE_STATE_DIR"])


def secrets_in(environ: dict[str, str]) -> list[Path]:
    return sorted((state(environ) / "secrets").glob("*.secret"))


def told(logout: Result) -> list[dict[str, Any]]:
    assert logout.exit_code == 0
    return [json.loads(line) for line in logout.stdout.splitlines()]


def alive(sandbox: Sandbox) -> int:
    return sandbox.do(lambda world: sum(one.user_id != "" for one in world.tokens._tokens.values()))


def empty(path: Path) -> None:
    path.write_text("\n")


def garbage(path: Path) -> None:
    path.write_bytes(b"\xff\x00garbage")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [empty, garbage, folder, Path.unlink])
def test_a_secret_that_is_gone_or_spoiled_is_forgotten_and_not_called_revoked(
    run: Run, environ: dict[str, str], sandbox: Sandbox, spoil: Callable[[Path], None]
) -> None:
    run("login")
    [path] = secrets_in(environ)
    spoil(path)
    refused = run("whoami")
    assert "log in again" in refused.stderr

    logout = run("logout", "--json")

    assert told(logout) == [{"event": "logout", "agent_id": ADA, "email": "ada@example.com", "revoked": False}]
    assert FORGOTTEN in logout.stderr
    assert alive(sandbox) == 1
    assert list((state(environ) / "secrets").iterdir()) == []


def test_a_logout_that_was_killed_while_it_used_the_token_up_does_not_call_it_revoked(
    run: Run, environ: dict[str, str], sandbox: Sandbox
) -> None:
    run("login")
    sandbox.fault(method="POST", path="/oauth/token", action="drop_after", times=1)

    logout = run("logout", "--json")

    assert [one["revoked"] for one in told(logout)] == [False]
    assert "may live until" in logout.stderr
    assert alive(sandbox) == 1


@pytest.mark.parametrize(("asked_at", "revoked"), [(1_800_000_000.0, False), (None, True)])
def test_a_login_that_was_cut_off_is_called_withdrawn_only_if_no_token_was_on_its_way(
    run: Run, environ: dict[str, str], asked_at: float | None, revoked: bool
) -> None:
    run("login")
    path = state(environ) / "logins.json"
    [listed] = json.loads(path.read_text())
    path.write_text(json.dumps([listed | {"agent_id": "", "name": "", "email": "", "current": False}]))
    [secret] = secrets_in(environ)
    if asked_at:
        named = {name: json.loads(secret.read_text())[name] for name in ("name", "client_id", "api")}
        secret.write_text(json.dumps(named | {"asked_at": asked_at}))
    else:
        secret.unlink()

    logout = run("logout", "--json")

    assert told(logout) == [{"event": "logout", "agent_id": "", "email": "", "revoked": revoked}]
    assert (FORGOTTEN in logout.stderr) is not revoked


@pytest.mark.parametrize("spoil", [garbage, Path.unlink])
@pytest.mark.parametrize("command", ["login", "logout"])
def test_what_no_list_names_any_more_is_withdrawn_all_the_same(
    run: Run, environ: dict[str, str], sandbox: Sandbox, spoil: Callable[[Path], None], command: str
) -> None:
    run("login")
    spoil(state(environ) / "logins.json")

    done = run(command)

    assert done.exit_code == 0
    assert alive(sandbox) == len(secrets_in(environ)) == (1 if command == "login" else 0)
    assert "Ada" in run("whoami").stdout or command == "logout"


def test_a_secret_that_is_no_logins_is_left_alone(run: Run, environ: dict[str, str]) -> None:
    run("login")
    [path] = secrets_in(environ)
    other = path.with_name("0123456789abcdef01234567.secret")
    other.write_text(json.dumps(json.loads(path.read_text()) | {"name": "a program's own chain"}))
    other.chmod(0o600)

    run("logout")

    assert secrets_in(environ) == [other]
