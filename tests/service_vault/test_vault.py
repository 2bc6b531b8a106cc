"""Secrets are sealed at rest, bound to their names, and never lost for want of a key."""

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringonce.client.safe import FileSafe
from ringonce.errors import ConfigError
from ringonce.service import vault as vaults
from ringonce.service.store import Store, StoreDown
from ringonce.service.store.tables import identities, webhooks
from ringonce.service.vault import KEY, VARIABLE, Vault, VaultLocked, VaultSafe, open_vault


def new_key() -> str:
    return base64.b64encode(os.urandom(KEY)).decode()


@given(name=st.text(max_size=50), secret=st.text(max_size=500))
def test_what_was_sealed_opens_under_its_name(name: str, secret: str) -> None:
    vault = Vault([bytes(KEY)])

    assert vault.open(name, vault.seal(name, secret)) == secret


@given(place=st.integers(min_value=0, max_value=80), flip=st.integers(min_value=1, max_value=255))
def test_a_changed_byte_anywhere_is_noticed(place: int, flip: int) -> None:
    vault = Vault([bytes(KEY)])
    sealed = bytearray(vault.seal("ada", "x" * 50))
    sealed[place] ^= flip

    with pytest.raises(VaultLocked):
        vault.open("ada", bytes(sealed))


def test_a_secret_moved_to_another_name_does_not_open(vault: Vault) -> None:
    sealed = vault.seal("ada", "hers")

    with pytest.raises(VaultLocked, match="another name"):
        vault.open("grace", sealed)


def test_the_database_holds_no_secret_in_the_clear(store: Store, vault: Vault) -> None:
    VaultSafe(store, vault).keep("ada", "a-refresh-token")

    with store.read() as db:
        (row,) = db.execute(identities.select())
    assert b"a-refresh-token" not in row.sealed
    assert "a-refresh-token" not in repr(vault)


def test_a_safe_keeps_replaces_and_forgets(store: Store, vault: Vault) -> None:
    safe = VaultSafe(store, vault)
    assert safe.recall("ada") is None

    safe.keep("ada", "first")
    safe.keep("ada", "second")
    assert safe.recall("ada") == "second"
    assert VaultSafe(store, vault).recall("ada") == "second"

    safe.keep("ada", None)
    assert safe.recall("ada") is None


def test_a_secret_waits_for_a_database_that_is_down(
    store: Store, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    down, pauses = [True, True, False], list[float]()

    def keeping(*args: object) -> None:
        if down.pop(0):
            raise StoreDown("The database can't be used")
        real(*args)  # type: ignore[arg-type]  # what it was given

    real = vaults._keep
    monkeypatch.setattr(vaults, "_keep", keeping)
    safe = VaultSafe(store, vault, pauses.append)

    safe.keep("ada", "the next one")

    assert pauses == [vaults.PAUSE] * 2
    assert safe.recall("ada") == "the next one"


def test_the_wrong_key_is_said_and_loses_nothing(store: Store) -> None:
    right, wrong = {VARIABLE: new_key()}, {VARIABLE: new_key()}
    safe = VaultSafe(store, open_vault(store, right))
    safe.keep("ada", "hers")

    with pytest.raises(VaultLocked, match="its key is missing") as locked:
        open_vault(store, wrong)
    with pytest.raises(VaultLocked):
        VaultSafe(store, Vault(vaults.read_keys(wrong[VARIABLE]))).recall("ada")

    assert VARIABLE in str(locked.value)
    assert wrong[VARIABLE] not in str(locked.value)
    assert safe.recall("ada") == "hers"


def test_rotation_seals_all_with_the_new_key_while_others_still_have_the_old_one_first(store: Store) -> None:
    old, new = new_key(), new_key()
    running = VaultSafe(store, open_vault(store, {VARIABLE: f"{old},{new}"}))
    for number in range(vaults.PAGE + 5):
        running.keep(f"agent {number}", f"token {number}")
    with store.write() as db:
        sealed = vaults.seal(db, Vault(vaults.read_keys(old)), "webhook hook_1", "whsec")
        values = {"url": "https://example.com", "kinds": [], "created_at": 1.0, "next_seq": 1, "failures": 0}
        db.execute(webhooks.insert().values(id="hook_1", sealed=sealed, due_at=0.0, paused="", said="", **values))

    rotating = open_vault(store, {VARIABLE: f"{new},{old}"})
    assert vaults.rotate(store, rotating) == vaults.PAGE + 6
    assert vaults.rotate(store, rotating) == 0
    running.keep("agent 1", "token 1b")

    alone = open_vault(store, {VARIABLE: new})
    assert vaults.check(store, alone) == vaults.PAGE + 6
    assert VaultSafe(store, alone).recall("agent 1") == "token 1b"
    with pytest.raises(VaultLocked):
        open_vault(store, {VARIABLE: old})


def test_a_secret_that_can_not_be_opened_stays_and_the_others_are_sealed_anew(store: Store) -> None:
    old, new = new_key(), new_key()
    safe = VaultSafe(store, open_vault(store, {VARIABLE: old}))
    safe.keep("ada", "hers")
    safe.keep("grace", "hers too")
    with store.write() as db:
        db.execute(identities.update().where(identities.c.name == "ada").values(sealed=b"\x01" + b"x" * 60))

    with pytest.raises(VaultLocked):
        vaults.rotate(store, open_vault(store, {VARIABLE: f"{new},{old}"}))

    assert VaultSafe(store, open_vault(store, {VARIABLE: new})).recall("grace") == "hers too"


@pytest.mark.parametrize(
    "bad", ["x", "AAAA", new_key() + ",", f"{new_key()},ä"], ids=["letter", "short", "half", "foreign"]
)
def test_a_key_that_is_none_is_refused_without_being_quoted(bad: str) -> None:
    with pytest.raises(ConfigError, match="32 bytes in base64") as refused:
        vaults.read_keys(bad)

    assert "openssl rand" in refused.value.fix
    assert bad.partition(",")[0] not in str(refused.value) or bad == "x"


def test_no_key_is_made_for_a_database_that_machines_may_share(store: Store, tmp_path: Path) -> None:
    place = FileSafe(tmp_path / "secrets")

    if store.lasting:
        with pytest.raises(ConfigError, match="may be shared"):
            open_vault(store, {}, place)
        assert place.recall(vaults.KEPT_AS) is None
    else:
        assert open_vault(store, {}, place).keys == open_vault(store, {}, place).keys
        assert place.recall(vaults.KEPT_AS)


def test_a_key_file_that_was_lost_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    store, place = Store(f"sqlite:///{tmp_path}/calls.db"), FileSafe(tmp_path / "secrets")
    VaultSafe(store, open_vault(store, {}, place)).keep("ada", "hers")
    elsewhere = FileSafe(tmp_path / "empty")

    with pytest.raises(VaultLocked, match="there is none here"):
        open_vault(store, {}, elsewhere)

    assert elsewhere.recall(vaults.KEPT_AS) is None
    store.close()


def test_a_process_that_runs_on_takes_up_a_key_that_was_added_beside_it(tmp_path: Path) -> None:
    store, place = Store(f"sqlite:///{tmp_path}/calls.db"), FileSafe(tmp_path / "secrets")
    running = VaultSafe(store, open_vault(store, {}, place))
    running.keep("ada", "hers")

    vaults.add_key({}, place)
    assert vaults.rotate(store, open_vault(store, {}, place)) == 1

    assert running.recall("ada") == "hers"
    running.keep("ada", "her next")
    assert vaults.check(store, open_vault(store, {}, place)) == 1
    store.close()
