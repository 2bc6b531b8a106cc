"""Runs that use one token count its requests together."""

import base64
import contextlib
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from ringonce.ledger import Meter
from ringonce.ledger.sqlite import SqliteLedger
from ringonce.sandbox import Sandbox

Run = Callable[..., Result]
CALL = ("call", "--agent", "ada@example.com", "--to", "+15559870002", "--until", "placed", "--json")


@pytest.fixture
def token(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """A token that every run of this test uses."""
    basic = base64.b64encode(b"your_client_id:your_client_secret").decode()
    asked = urllib.request.Request(  # noqa: S310  our own sandbox
        f"{sandbox.url}/oauth/token", b"grant_type=client_credentials", {"Authorization": f"Basic {basic}"}
    )
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        token: str = json.load(answer)["access_token"]
    monkeypatch.setenv("GENESYSCLOUD_ACCESS_TOKEN", token)
    return token


@pytest.mark.parametrize("command", ["status", "watch", "hangup"])
def test_reading_and_steering_count_with_the_next_call(
    run: Run, sandbox: Sandbox, environ: dict[str, str], token: str, command: str
) -> None:
    placed = run(*CALL)
    conversation = json.loads(placed.stdout.splitlines()[0])["conversation_id"]
    before = meter(environ, sandbox, token)

    run(command, conversation)

    assert meter(environ, sandbox, token) != before


def test_a_ledger_that_can_not_be_used_keeps_nobody_from_looking(
    run: Run, sandbox: Sandbox, environ: dict[str, str]
) -> None:
    placed = run(*CALL)
    conversation = json.loads(placed.stdout.splitlines()[0])["conversation_id"]
    ledger_of(environ).write_bytes(b"no ledger at all")

    assert run("status", conversation).exit_code == 0


def meter(environ: dict[str, str], sandbox: Sandbox, token: str) -> Meter:
    def look(known: Meter) -> tuple[Meter, Meter]:
        return known, known

    with contextlib.closing(SqliteLedger(ledger_of(environ))) as ledger:
        return ledger.meter(sandbox.url, token, look)


def ledger_of(environ: dict[str, str]) -> Path:
    return Path(environ["RINGONCE_STATE_DIR"]) / "ledger.sqlite3"
