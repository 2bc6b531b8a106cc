"""Where secrets live between runs: the system's keyring where there is one, else a file that only its owner can read.

Nothing here decides when something is stored; flows do (`Recall`, `Keep`, `Alone`).
"""

import asyncio
import contextlib
import hashlib
import importlib
import os
import stat
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ringonce.client.turns import no_turn, turn
from ringonce.errors import ConfigError

T = TypeVar("T")
SERVICE = "ringonce"
"""The name under which entries show in the system's keyring."""


class Safe(Protocol):
    """A place for secrets, each under a name that tells nothing. Its methods may block; each takes effect whole."""

    def recall(self, name: str) -> str | None:
        """Give what is kept under *name*. Raise `ConfigError` if the place is locked, or open to others."""

    def keep(self, name: str, secret: str | None) -> None:
        """Keep *secret*, which is safe when this returns; None forgets."""

    def alone(self, name: str, patience: float) -> AbstractAsyncContextManager[None]:
        """Be the only one, among all processes that share this safe, who deals with *name*."""


class MemorySafe:
    """Keeps secrets while the process lives: for tests, and for grants whose refresh token doesn't change."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def recall(self, name: str) -> str | None:
        """Give what is kept."""
        return self._kept.get(name)

    def keep(self, name: str, secret: str | None) -> None:
        """Keep or forget."""
        if secret is None:
            self._kept.pop(name, None)
        else:
            self._kept[name] = secret

    @contextlib.asynccontextmanager
    async def alone(self, name: str, patience: float) -> AsyncGenerator[None]:
        """Take turns, on one event loop."""
        turn = self._turns.setdefault(name, asyncio.Lock())
        try:
            await asyncio.wait_for(turn.acquire(), patience)
        except TimeoutError:
            raise no_turn(patience) from None
        try:
            yield
        finally:
            turn.release()


class FileSafe:
    """Keeps each secret in a file of mode 0600 in *folder*; what others can read is refused, for it has leaked.

    With *even_leaked* it is read all the same, as far as it can be: to be withdrawn, which takes the secret itself.
    """

    def __init__(self, folder: Path, *, even_leaked: bool = False) -> None:
        self._folder, self._even_leaked = folder, even_leaked

    def __repr__(self) -> str:
        return f"FileSafe({str(self._folder)!r})"

    def recall(self, name: str) -> str | None:
        """Give what is kept. Raise `ConfigError` if anybody else can read it."""
        path = self._path(name, "secret")
        try:
            with path.open(errors="replace" if self._even_leaked else "strict") as file:
                if not self._even_leaked:
                    _refuse_if_open(path, os.fstat(file.fileno()))
                return file.read()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            if self._even_leaked and isinstance(error, IsADirectoryError):
                return ""
            raise _unusable(path, error) from error

    def everything(self) -> list[str]:
        """Give every secret in the folder that can be read, leaked or not."""
        found = []
        for path in sorted(self._folder.glob("*.secret")):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                found.append(path.read_text())
        return found

    def keep(self, name: str, secret: str | None) -> None:
        """Write beside, then rename: a crash leaves the old secret or the new one, never half of one."""
        path = self._path(name, "secret")
        try:
            self._sweep(path)
            if secret is None:
                if path.is_dir() and not path.is_symlink():
                    path.rmdir()
                path.unlink(missing_ok=True)
                self._path(name, "lock").unlink(missing_ok=True)
                return
            self._make_folder()
            number, beside = tempfile.mkstemp(dir=self._folder, prefix=f".{path.stem}.", suffix=".new")  # of mode 0600
            try:
                with os.fdopen(number, "w") as file:
                    file.write(secret)
                    file.flush()
                    os.fsync(file.fileno())
                Path(beside).replace(path)
            except BaseException:
                Path(beside).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise _unusable(path, error) from error

    @contextlib.asynccontextmanager
    async def alone(self, name: str, patience: float) -> AsyncGenerator[None]:
        """Hold a lock file."""
        path = self._path(name, "lock")
        async with contextlib.AsyncExitStack() as held:
            try:
                self._make_folder()
                await held.enter_async_context(turn(path, patience))
            except OSError as error:
                raise _unusable(path, error) from error
            yield

    def _sweep(self, path: Path) -> None:
        """Remove what was being written when a process died."""
        for half in self._folder.glob(f".{path.stem}.*.new"):
            half.unlink(missing_ok=True)

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _path(self, name: str, kind: str) -> Path:
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.{kind}"


class KeyringSafe:
    """Keeps secrets in the system's keyring. The turns that processes take are lock files in *folder*."""

    def __init__(self, folder: Path, keyring: Any = None) -> None:
        self._keyring = keyring or importlib.import_module("keyring")
        self._turns = FileSafe(folder)

    def __repr__(self) -> str:
        return "KeyringSafe(…)"

    def recall(self, name: str) -> str | None:
        """Give what is kept. Raise `ConfigError` if the keyring is locked or fails."""
        found: str | None = self._ask(lambda: self._keyring.get_password(SERVICE, name))
        return found

    def keep(self, name: str, secret: str | None) -> None:
        """Keep or forget."""
        if secret is not None:
            self._ask(lambda: self._keyring.set_password(SERVICE, name, secret))
            return
        if self.recall(name) is not None:
            self._ask(lambda: self._keyring.delete_password(SERVICE, name))
        self._turns.keep(name, None)

    def alone(self, name: str, patience: float) -> AbstractAsyncContextManager[None]:
        """Take turns by lock files: keyrings have none."""
        return self._turns.alone(name, patience)

    def _ask(self, ask: Callable[[], T]) -> T:
        # Falling back to a file here would leave two chains of refresh tokens, one of them broken.
        try:
            return ask()
        except Exception as error:  # noqa: BLE001  backends raise errors of their own libraries as well
            locked = type(error).__name__ == "KeyringLocked"
            raise ConfigError(
                "The system's keyring is locked" if locked else "The system's keyring can't be used",
                why=type(error).__name__,
                fix="unlock it, or set RINGONCE_SECRETS=file to keep secrets in a file that only you can read "
                "(then log in again)",
            ) from None


def safe_in(folder: Path, choice: str = "", *, even_leaked: bool = False) -> Safe:
    """Give the safe of *choice*: `keyring`, `file`, or (empty) the keyring where a usable one is installed.

    *even_leaked* is `FileSafe`'s.
    """
    if choice not in {"", "keyring", "file"}:
        raise ConfigError(
            f"secrets cannot be kept in {choice[:40]!r}", why="it is no place for them", fix="use keyring or file"
        )
    folder /= "secrets"
    if choice == "file":
        return FileSafe(folder, even_leaked=even_leaked)
    # Whoever asks for the keyring has chosen its backend; by itself, only one that the package recommends is used.
    keyring = _keyring(at_least=0.1 if choice else 1)
    if keyring is not None:
        return KeyringSafe(folder, keyring)
    if choice == "keyring":
        raise ConfigError(
            "there is no keyring to keep secrets in",
            why="the package keyring is missing, or finds nothing that it can use here",
            fix="pip install 'ringonce[keyring]' on a desktop system, or set RINGONCE_SECRETS=file",
        )
    return FileSafe(folder, even_leaked=even_leaked)


def _keyring(at_least: float) -> Any:
    try:
        keyring = importlib.import_module("keyring")
        backend = keyring.get_keyring()
    except Exception:  # noqa: BLE001  the package is missing, or its set-up is broken: either way there is none
        return None
    # The backends that keep nothing (`fail`, `null`) have priority 0 and less; `chainer` counts those behind it.
    return keyring if getattr(backend, "priority", 0) >= at_least else None


def _refuse_if_open(path: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077 or found.st_uid != os.geteuid():
        whose = f"its mode is {mode:04o}" if mode & 0o077 else "it belongs to somebody else"
        raise ConfigError(
            f"The secret file {str(path)!r} is not used",
            why=f"{whose}, so others may have read it",
            fix="withdraw what others have read and delete the file: `ringonce logout` does both for a login, else an "
            "administrator can delete the user's tokens (DELETE /api/v2/tokens/{userId}); then log in again",
        )


def _unusable(path: Path, error: Exception) -> ConfigError:
    broken = isinstance(error, (UnicodeDecodeError, IsADirectoryError))
    return ConfigError(
        f"The secret file {str(path)!r} can't be used",
        why=(error.strerror or "") if isinstance(error, OSError) else "it is no text",
        fix="delete it (`ringonce logout` does), and log in again"
        if broken
        else "check the folder, or set RINGONCE_STATE_DIR to one that you may write to",
    )
