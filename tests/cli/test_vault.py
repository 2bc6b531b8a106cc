"""`ringonce vault` changes the key, and says so when it is the wrong one."""

import base64
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from ringonce.cli.menu import menu
from ringonce.service.store import Store
from ringonce.service.vault import VARIABLE, VaultSafe, open_vault


def key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RINGONCE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("RINGONCE_SECRETS", "file")
    return f"sqlite:///{tmp_path}/calls.db"


def run(*words: str, **environ: str) -> tuple[int, str]:
    done = CliRunner().invoke(menu, ["vault", *words], env=environ)
    return done.exit_code, done.output


def keep(url: str, **environ: str) -> None:
    store = Store(url)
    try:
        VaultSafe(store, open_vault(store, {**os.environ, **environ})).keep("ada", "her-refresh-token")
    finally:
        store.close()


def test_a_key_that_the_machine_keeps_is_replaced_and_everything_sealed_anew(url: str) -> None:
    keep(url)

    assert run("rotate", "--database", url)[0] == 0
    code, said = run("check", "--database", url)

    assert code == 0
    assert "all 1 secrets" in said


def test_keys_of_the_environment_are_changed_by_putting_the_new_one_in_front(url: str) -> None:
    old, new = key(), key()
    keep(url, **{VARIABLE: old})

    code, said = run("rotate", "--database", url, **{VARIABLE: f"{new},{old}"})

    assert code == 0
    assert "sealed 1 secrets anew" in said
    assert run("check", "--database", url, **{VARIABLE: new})[0] == 0
    assert old not in said
    assert new not in said


def test_the_wrong_key_ends_with_a_remedy(url: str) -> None:
    keep(url, **{VARIABLE: key()})

    code, said = run("check", "--database", url, **{VARIABLE: key()})

    assert code == 2
    assert "its key is missing" in said
    assert VARIABLE in said
