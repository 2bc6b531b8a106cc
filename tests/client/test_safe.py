"""Where secrets live: what others can't read, what a crash can't halve, and whose turn it is."""

import asyncio
import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ringonce import ConfigError, FileSafe, KeyringSafe, MemorySafe, Safe
from ringonce.client import safe as safes
from ringonce.client import turns
from ringonce.client.safe import safe_in


class Keyring:
    """A keyring that works, is locked, or fails in its own way."""

    def __init__(self, trouble: Exception | None = None, priority: float = 5) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.trouble, self.priority = trouble, priority

    def get_keyring(self) -> "Keyring":
        return self

    def _check(self) -> None:
        if self.trouble:
            raise self.trouble

    def get_password(self, service: str, name: str) -> str | None:
        self._check()
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, secret: str) -> None:
        self._check()
        self.kept[service, name] = secret

    def delete_password(self, service: str, name: str) -> None:
        self._check()
        del self.kept[service, name]


class KeyringLocked(Exception):
    """As the package keyring names it."""


@pytest.fixture(params=["memory", "file", "keyring"])
def safe(request: pytest.FixtureRequest, tmp_path: Path) -> Safe:
    places: dict[str, Safe] = {
        "memory": MemorySafe(),
        "file": FileSafe(tmp_path / "secrets"),
        "keyring": KeyringSafe(tmp_path / "secrets", Keyring()),
    }
    return places[request.param]


def test_what_is_kept_can_be_recalled_replaced_and_forgotten(safe: Safe) -> None:
    assert safe.recall("chain") is None
    safe.keep("chain", "one")
    safe.keep("chain", "two")
    assert safe.recall("chain") == "two"
    safe.keep("chain", None)
    safe.keep("chain", None)
    assert safe.recall("chain") is None


def test_one_at_a_time_deals_with_a_name(safe: Safe) -> None:
    busy = most = 0

    async def turn() -> None:
        nonlocal busy, most
        async with safe.alone("chain", patience=30):
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(0)
            busy -= 1

    async def all_turns() -> None:
        await asyncio.gather(*(turn() for _ in range(5)))

    asyncio.run(all_turns())

    assert most == 1


def test_waiting_for_ones_turn_has_an_end(safe: Safe) -> None:
    async def two() -> None:
        async with safe.alone("another", 1), safe.alone("chain", 1), safe.alone("chain", 0.01):
            pass

    with pytest.raises(ConfigError, match="Another process"):
        asyncio.run(two())


def test_a_turn_is_given_back_whatever_happens(safe: Safe) -> None:
    async def two() -> None:
        with contextlib.suppress(OSError):
            async with safe.alone("chain", patience=1):
                raise OSError
        async with safe.alone("chain", patience=1):
            pass

    asyncio.run(two())


def test_what_is_forgotten_leaves_nothing_behind_and_its_turn_can_be_taken_again(tmp_path: Path) -> None:
    safe = FileSafe(tmp_path)

    async def forget() -> None:
        async with safe.alone("chain", patience=1):
            safe.keep("chain", "a secret")
            safe.keep("chain", None)

    for _ in range(2):
        asyncio.run(forget())
        assert list(tmp_path.iterdir()) == []


def test_a_lock_on_a_file_that_is_gone_is_no_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    safe, looks = FileSafe(tmp_path), []

    def gone_once(path: Path, number: int) -> bool:
        looks.append(number)
        return len(looks) > 1

    monkeypatch.setattr(turns, "_is_still", gone_once)

    async def turn() -> None:
        async with safe.alone("chain", patience=1):
            pass

    asyncio.run(turn())

    assert len(looks) == 2


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    FileSafe(tmp_path / "secrets").keep("chain", "a secret")

    [path] = (tmp_path / "secrets").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    safe = FileSafe(tmp_path)
    safe.keep("chain", "a secret")
    [path] = tmp_path.iterdir()
    path.chmod(mode)

    with pytest.raises(ConfigError, match=f"{mode:04o}") as caught:
        safe.recall("chain")

    assert "ringonce logout" in caught.value.fix
    assert "log in again" in caught.value.fix
    assert "a secret" not in str(caught.value)


def test_somebody_elses_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    safe = FileSafe(tmp_path)
    safe.keep("chain", "a secret")
    monkeypatch.setattr(os, "geteuid", lambda: 4711)

    with pytest.raises(ConfigError, match="somebody else"):
        safe.recall("chain")


def test_a_crash_while_writing_leaves_the_secret_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    safe = FileSafe(tmp_path)
    safe.keep("chain", "one")

    def crash(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        safe.keep("chain", "two")

    assert safe.recall("chain") == "one"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("in the way")

    with pytest.raises(ConfigError, match="can't be used"):
        FileSafe(tmp_path / "secrets").keep("chain", "a secret")


def test_a_process_that_dies_lets_go_of_its_turn(tmp_path: Path) -> None:
    code = (
        "import asyncio, os, sys, pathlib\n"
        "from ringonce import FileSafe\n"
        "async def hold():\n"
        "    async with FileSafe(pathlib.Path(sys.argv[1])).alone('chain', 1):\n"
        "        os._exit(0)\n"
        "asyncio.run(hold())\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)  # noqa: S603  # our own

    async def mine() -> None:
        async with FileSafe(tmp_path).alone("chain", patience=1):
            pass

    asyncio.run(mine())


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        pytest.param(KeyringLocked("secret-in-an-error"), "is locked", id="locked"),
        pytest.param(RuntimeError("secret-in-an-error"), "can't be used", id="failing"),
    ],
)
def test_a_keyring_that_gives_nothing_says_what_to_do(tmp_path: Path, trouble: Exception, words: str) -> None:
    safe = KeyringSafe(tmp_path, Keyring(trouble))

    asked: list[Callable[[], object]] = [
        partial(safe.recall, "chain"),
        partial(safe.keep, "chain", "a secret"),
        partial(safe.keep, "chain", None),
    ]
    for ask in asked:
        with pytest.raises(ConfigError, match=words) as caught:
            ask()
        assert "RINGONCE_SECRETS=file" in caught.value.fix
        assert "secret-in-an-error" not in str(caught.value)
        assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("keyring", "choice", "kind"),
    [
        pytest.param(Keyring(), "", KeyringSafe, id="there is one"),
        pytest.param(Keyring(), "file", FileSafe, id="there is one, and a file is wanted"),
        pytest.param(Keyring(priority=0), "", FileSafe, id="one that keeps nothing"),
        pytest.param(Keyring(priority=0.5), "", FileSafe, id="one that is not recommended"),
        pytest.param(Keyring(priority=0.5), "keyring", KeyringSafe, id="one that is not recommended, and is wanted"),
        pytest.param(None, "", FileSafe, id="none is installed"),
    ],
)
def test_the_keyring_is_used_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keyring: Any, choice: str, kind: type[Safe]
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", keyring)

    assert isinstance(safe_in(tmp_path, choice), kind)


@pytest.mark.parametrize("keyring", [None, Keyring(priority=0), Keyring(priority=-1)])
def test_a_keyring_that_is_wanted_and_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keyring: Any
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", keyring)

    with pytest.raises(ConfigError, match=r"no keyring"):
        safe_in(tmp_path, "keyring")
    with pytest.raises(ConfigError, match="cannot be kept"):
        safe_in(tmp_path, "cupboard")


def test_a_place_shows_nothing_of_what_is_in_it(tmp_path: Path) -> None:
    for safe in (FileSafe(tmp_path), KeyringSafe(tmp_path, Keyring()), MemorySafe()):
        safe.keep("chain", "a secret")
        assert "a secret" not in repr(safe)


def test_entries_are_found_in_the_systems_keyring_by_the_programs_name(tmp_path: Path) -> None:
    keyring = Keyring()
    KeyringSafe(tmp_path, keyring).keep("chain", "a secret")

    assert keyring.kept == {(safes.SERVICE, "chain"): "a secret"}


def test_what_others_can_read_is_given_to_whoever_withdraws_it(tmp_path: Path) -> None:
    FileSafe(tmp_path).keep("chain", "a secret")
    [path] = tmp_path.iterdir()
    path.chmod(0o644)

    assert FileSafe(tmp_path, even_leaked=True).recall("chain") == "a secret"
    assert safe_in(tmp_path.parent, "file", even_leaked=True).recall("chain") is None


@pytest.mark.parametrize("then", ["another", None])
def test_a_process_that_dies_while_it_writes_leaves_a_half_that_the_next_one_removes(
    tmp_path: Path, then: str | None
) -> None:
    code = (
        "import os, sys, pathlib\n"
        "from ringonce import FileSafe\n"
        "os.fsync = lambda _: os._exit(0)\n"
        "FileSafe(pathlib.Path(sys.argv[1])).keep('chain', 'half a secret')\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)  # noqa: S603  # our own
    assert "half a secret" in [path.read_text() for path in tmp_path.iterdir()]

    FileSafe(tmp_path).keep("chain", then)

    assert [path.read_text() for path in tmp_path.iterdir()] == ([then] if then else [])
