"""Logging in by a browser, being somebody, and logging out."""

import json
import signal
import stat
import subprocess
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
Start = Callable[..., "subprocess.Popen[str]"]
CALL = ("call", "--to", "+1 555 987 6543", "--until", "placed")


@pytest.fixture(autouse=True)
def browser(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    """Ada sits at a browser; secrets go to a file."""
    monkeypatch.setenv("BROWSER", "a browser")
    monkeypatch.setenv("RINGONCE_SECRETS", "file")
    monkeypatch.setattr(webbrowser, "open", through_http())


def json_of(stdout: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(stdout.splitlines()[-1])
    return told


def secret_files(environ: dict[str, str]) -> list[Path]:
    return sorted((Path(environ["RINGONCE_STATE_DIR"]) / "secrets").glob("*.secret"))


def creates(sandbox: Sandbox) -> list[str]:
    return [
        one["path"].removeprefix("/api/v2")
        for one in sandbox.requests()
        if one["method"] == "POST" and one["path"].startswith("/api/v2/conversations/calls")
    ]


def test_after_a_login_calls_go_out_as_the_agent(run: Run, sandbox: Sandbox) -> None:
    login = run("login", "--agent", "ada@example.com", "--json")
    call = run(*CALL, "--agent", "ada@example.com")

    assert login.exit_code == 0
    told = json_of(login.stdout)
    assert (told["event"], told["agent_id"], told["email"]) == ("login", ADA, "ada@example.com")
    assert call.exit_code == 0
    assert "as Ada Lovelace" in call.stderr
    assert creates(sandbox) == ["/conversations/calls"]
    assert sandbox.calls()[0]["agentId"] == ADA


def test_a_dry_run_says_as_whom(run: Run) -> None:
    run("login")

    assert "as the agent" in run(*CALL, "--agent", "ada@example.com", "--dry-run").stderr
    assert "on behalf of" in run(*CALL, "--agent", "grace@example.com", "--dry-run").stderr


def test_runs_share_the_token_and_renew_it_when_it_is_over(run: Run, sandbox: Sandbox) -> None:
    run("login")
    for _ in range(3):
        assert run("whoami").exit_code == 0
    sandbox.do(lambda world: world.tokens.expire())
    assert run("whoami").exit_code == 0

    assert sum(one["path"] == "/oauth/token" for one in sandbox.requests()) == 2


def test_whoami_says_which_grant_whose_what_and_how_long(run: Run) -> None:
    run("login")

    shown = run("whoami")
    told = json_of(run("whoami", "--json").stdout)

    assert "Ada Lovelace <ada@example.com>" in shown.stdout
    assert "refresh token of your_client_id" in shown.stdout
    assert ", in 2" in shown.stdout
    assert told["user_id"] == ADA
    assert "conversations" in told["scopes"]
    assert any(one.startswith("conversation:") for one in told["permissions"])


def test_whoami_without_a_login_is_the_application(run: Run) -> None:
    shown = run("whoami")

    assert shown.exit_code == 0
    assert shown.stdout.startswith("an application, Example service, in Example Org")


def test_given_credentials_beat_a_login(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("login")
    monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_ID", "your_client_id")
    monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_SECRET", "your_client_secret")

    assert "client credentials" in run("whoami").stdout


def test_a_login_as_somebody_else_is_refused_and_leaves_nothing(
    run: Run, environ: dict[str, str], sandbox: Sandbox
) -> None:
    refused = run("login", "--agent", "grace@example.com", "--json")

    assert refused.exit_code == 3
    assert "logged in as Ada Lovelace" in refused.stderr
    assert secret_files(environ) == []
    assert any(one["method"] == "DELETE" and one["path"] == "/api/v2/tokens/me" for one in sandbox.requests())


def test_several_agents_can_be_logged_in(run: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    run("login")
    monkeypatch.setattr(webbrowser, "open", through_http("grace@example.com"))
    run("login")

    run(*CALL, "--agent", "ada@example.com")
    run(*CALL, "--agent", "grace@example.com")

    assert creates(sandbox) == ["/conversations/calls"] * 2
    assert len({call["agentId"] for call in sandbox.calls()}) == 2


def test_a_second_login_of_the_same_agent_replaces_the_first(run: Run, environ: dict[str, str]) -> None:
    run("login")
    run("login")

    assert len(secret_files(environ)) == 1


def test_after_a_logout_nothing_is_left(run: Run, environ: dict[str, str], sandbox: Sandbox) -> None:
    run("login")
    logout = run("logout")
    again = run("logout")

    assert logout.exit_code == again.exit_code == 0
    assert "Ada Lovelace" in logout.stdout
    assert "nobody is logged in" in again.stderr
    assert secret_files(environ) == []
    assert any(one["method"] == "DELETE" and one["path"] == "/api/v2/tokens/me" for one in sandbox.requests())
    assert "an application" in run("whoami").stdout


def test_a_logout_that_cannot_revoke_forgets_all_the_same(run: Run, environ: dict[str, str], sandbox: Sandbox) -> None:
    run("login")
    sandbox.fault(method="DELETE", path="/api/v2/tokens/me", action="status", status=403)

    logout = run("logout", "--json")

    assert json_of(logout.stdout) == {"event": "logout", "agent_id": ADA, "email": "ada@example.com", "revoked": False}
    assert "could not be revoked" in logout.stderr
    assert secret_files(environ) == []


def test_without_a_browser_the_address_is_shown_and_the_wait_is_bounded(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BROWSER")

    waited = run("login", "--timeout", "0.05")

    assert waited.exit_code == 3
    assert "/oauth/authorize?client_id=your_client_id" in waited.stderr
    assert "nobody consented" in waited.stderr
    assert waited.stdout == ""


def test_an_agent_who_says_no_is_not_logged_in(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", through_http(decision="deny"))

    refused = run("login")

    assert refused.exit_code == 3
    assert "access_denied" in refused.stderr


def test_a_platform_needs_a_client_to_log_in_with(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RINGONCE_BASE_URL")

    refused = run("login", "--region", "eu_central_1")

    assert refused.exit_code == 2
    assert "RINGONCE_LOGIN_CLIENT_ID" in refused.stderr


def test_a_secret_file_that_others_can_read_is_refused(run: Run, environ: dict[str, str]) -> None:
    run("login")
    [path] = secret_files(environ)
    path.chmod(0o644)

    refused = run(*CALL, "--agent", "ada@example.com")

    assert refused.exit_code == 2
    assert "log in again" in refused.stderr
    assert run("logout").exit_code == 0


def test_processes_at_once_share_one_renewal(run: Run, start: Start, sandbox: Sandbox) -> None:
    run("login")
    sandbox.do(lambda world: world.tokens.expire())

    processes = [start("whoami", "--json") for _ in range(3)]
    told = [json_of(process.communicate(timeout=120)[0])["email"] for process in processes]

    assert told == ["ada@example.com"] * 3
    assert sum(one["path"] == "/oauth/token" for one in sandbox.requests()) == 2


def test_an_interrupted_login_leaves_no_secret(
    start: Start, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BROWSER")
    login = start("login")
    assert login.stderr
    assert any("/oauth/authorize?" in line for line in login.stderr)

    login.send_signal(signal.SIGINT)

    assert login.wait(120) == 130
    assert list((Path(environ["RINGONCE_STATE_DIR"]) / "secrets").iterdir()) == []


def test_a_list_of_logins_that_is_broken_is_told(run: Run, environ: dict[str, str]) -> None:
    run("login")
    (Path(environ["RINGONCE_STATE_DIR"]) / "logins.json").write_text("[half")

    refused = run("whoami")

    assert refused.exit_code == 2
    assert "log in again" in refused.stderr


def test_no_secret_is_printed_or_left_where_others_look(
    run: Run, environ: dict[str, str], sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    commands = [
        ("login", "--json"),
        ("whoami",),
        ("whoami", "--json"),
        (*CALL, "--agent", "ada@example.com"),
        (*CALL, "--agent", "ada@example.com", "--dry-run", "--json"),
    ]
    shown = "".join(str((done.stdout, done.stderr)) for done in [run(*command) for command in commands])
    kept = "".join(path.read_text() for path in secret_files(environ))
    tokens = sandbox.do(lambda world: [*world.tokens._tokens, *world.consents._by_refresh_token])
    sandbox.do(lambda world: world.tokens.expire())
    sandbox.fault(path="/oauth/token", action="status", status=400)
    shown += str([(done.stdout, done.stderr) for done in [run("whoami"), run("logout")]])
    shown += "".join(capfd.readouterr())
    shown += (Path(environ["RINGONCE_STATE_DIR"]) / "logins.json").read_text()

    assert len(tokens) >= 2
    assert any(token in kept for token in tokens)
    assert [token for token in [*tokens, "your_client_secret"] if token in shown] == []
    mode = stat.S_IMODE(Path(environ["RINGONCE_STATE_DIR"]).stat().st_mode)
    assert mode & 0o077 == 0


def test_whoami_says_that_the_agent_it_was_asked_about_is_not_logged_in(run: Run) -> None:
    run("login")

    assert "not logged in" not in run("whoami", "--agent", "ada@example.com").stderr
    assert "nobody@example.com is not logged in here" in run("whoami", "--agent", "nobody@example.com").stderr


def test_a_client_id_with_a_wrong_character_is_told_by_its_flag(run: Run) -> None:
    refused = run("login", "--client-id", "\u00e9")

    assert refused.exit_code == 2
    assert "--client-id can't be used" in refused.stderr


def test_a_ledger_that_cannot_be_written_is_a_set_up_to_be_put_right(run: Run, environ: dict[str, str]) -> None:
    (Path(environ["RINGONCE_STATE_DIR"]) / "ledger.sqlite3").mkdir(parents=True)

    assert run(*CALL, "--agent", "ada@example.com").exit_code == 2
