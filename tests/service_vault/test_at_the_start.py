"""A vault that can't be opened is told at the start."""

import asyncio
import base64
import os
from pathlib import Path

import pytest

from ringonce import AsyncClient
from ringonce.errors import ConfigError
from ringonce.ledger import Ledger
from ringonce.service import house
from ringonce.service.store import Store
from ringonce.service.vault import KEY, VARIABLE, Vault, VaultLocked, VaultSafe


def start(database: str) -> None:
    platform = house.Platform(api="http://127.0.0.1:1")

    def client(ledger: Ledger) -> AsyncClient:
        return AsyncClient(base_url=platform.api, ledger=ledger)

    async def opened() -> None:
        async with house.opened(database, platform, client, dialling=False):
            pass

    asyncio.run(opened())


@pytest.fixture(autouse=True)
def nobodys_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("RINGONCE_STATE_DIR", str(tmp_path / "state"))


def test_a_service_whose_agents_tokens_need_another_key_does_not_start(
    store: Store, vault: Vault, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    VaultSafe(store, vault).keep("client/grant", "a refresh token")
    monkeypatch.setenv(VARIABLE, base64.b64encode(os.urandom(KEY)).decode())

    with pytest.raises(VaultLocked, match=VARIABLE):
        start(database)


def test_a_key_that_is_none_is_told_at_the_start_though_nobody_is_enrolled_yet(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "secret")

    with pytest.raises(ConfigError, match="32 bytes"):
        start(database)


def test_without_secrets_no_key_is_needed(database: str, tmp_path: Path) -> None:
    start(database)

    assert not (tmp_path / "state").exists()
