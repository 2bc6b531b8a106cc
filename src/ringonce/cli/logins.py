"""Who has logged in on this machine: a list without secrets, which are kept under the names that are in it.

A login is on the list before there is a secret, and until there is none any more: whatever a process that dies
leaves behind is found by the next `login` or `logout`.
"""

import contextlib
import os
import re
import uuid
from collections.abc import AsyncGenerator, Callable, Iterable
from pathlib import Path

import msgspec

from ringonce.errors import ConfigError

FILE = "logins.json"
NAME = re.compile(r"login [0-9a-f]{32}")
PATIENCE = 10.0
"""Seconds to wait for another process that changes the list, which takes it a moment."""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """One agent's login at one platform."""

    api: str
    """The platform's address."""
    client_id: str
    agent_id: str = ""
    name: str = ""
    email: str = ""
    store_as: str
    """The name under which the refresh token is kept."""
    current: bool = True
    """Whether it is used: one that is under way is not yet, and one that is over has only to be withdrawn."""

    @property
    def who(self) -> str:
        """The agent, for people."""
        return f"{self.name} <{self.email}>" if self.email else self.name or self.agent_id

    @property
    def under_way(self) -> str:
        """The name of the turn that whoever makes or withdraws this login holds."""
        return f"{self.store_as} under way"

    def is_of(self, agent: str) -> bool:
        """Whether *agent* (id, e-mail or full name) is meant."""
        return agent.strip().casefold() in {self.agent_id, self.email.casefold(), self.name.casefold()}


def read(folder: Path, api: str, agent: str = "") -> list[Login]:
    """Give the logins at the platform *api*, the newest first; of *agent* alone, if one is named."""
    return [one for one in _all(folder) if one.api == api and one.current and (not agent or one.is_of(agent))]


def new_name() -> str:
    """Make a name under which a login's refresh token can be kept."""
    return f"login {uuid.uuid4().hex}"


def is_name(name: str) -> bool:
    """Say whether a secret's name is a login's."""
    return NAME.fullmatch(name) is not None


def leftovers(folder: Path, api: str) -> list[Login]:
    """Give what is on the list and not used: logins under way, cut off, replaced or over."""
    return [one for one in _all(folder) if one.api == api and not one.current]


async def note(folder: Path, login: Login) -> None:
    """Note a login down. If it is used, it takes the place of the same agent's at the same platform."""

    def changed(known: list[Login]) -> list[Login]:
        others = [one for one in known if one.store_as != login.store_as]
        if login.current:
            others = [_over(one) if (one.api, one.agent_id) == (login.api, login.agent_id) else one for one in others]
        return [login, *others]

    await _change(folder, changed)


async def end(folder: Path, ended: Iterable[Login]) -> None:
    """Have logins used no more. They stay on the list until they are withdrawn."""
    names = {one.store_as for one in ended}
    await _change(folder, lambda known: [_over(one) if one.store_as in names else one for one in known])


async def take_up(folder: Path, orphans: Callable[[Iterable[str]], Iterable[Login]]) -> None:
    """Put logins on the list whose secrets are there though it does not name them. One that can't be read is remade.

    *orphans* gives them; what it is given are names that could still be made out in a list that can't be read.
    """
    async with _turn(folder):
        found: Iterable[str] = ()
        try:
            known, remade = _all(folder), False
        except ConfigError as broken:
            if not isinstance(broken.__cause__, msgspec.MsgspecError):
                raise
            known, remade, found = [], True, NAME.findall((folder / FILE).read_text(errors="replace"))
        named = {one.store_as for one in known}
        new = [one for one in orphans(found) if one.store_as not in named]
        if new or remade:
            _write(folder, [*known, *new])


async def remove(folder: Path, login: Login) -> None:
    """Forget a login."""
    await _change(folder, lambda known: [one for one in known if one.store_as != login.store_as])


def _over(login: Login) -> Login:
    return msgspec.structs.replace(login, current=False)


async def _change(folder: Path, change: Callable[[list[Login]], list[Login]]) -> None:
    async with _turn(folder):
        known = _all(folder)
        if (changed := change(known)) != known:
            _write(folder, changed)


@contextlib.asynccontextmanager
async def _turn(folder: Path) -> AsyncGenerator[None]:
    from ringonce.client.turns import turn

    async with contextlib.AsyncExitStack() as held:
        try:
            await held.enter_async_context(turn(folder / "logins.lock", PATIENCE))
        except OSError as error:
            raise _unusable(folder, error) from error
        yield


def _all(folder: Path) -> list[Login]:
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Login])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(
            f"the list of logins {str(path)!r} can't be read",
            why=str(error),
            fix="check that you may read it"
            if isinstance(error, OSError)
            else "`ringonce logout` withdraws what it finds and starts a new list; then log in again",
        ) from error


def _write(folder: Path, logins: list[Login]) -> None:
    beside = folder / f".{FILE}.new"  # whoever writes it has the turn
    try:
        number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(logins)))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / FILE)
    except OSError as error:
        raise _unusable(folder, error) from error


def _unusable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"the list of logins {str(folder / FILE)!r} can't be written",
        why=error.strerror or str(error),
        fix="check the folder, or set RINGONCE_STATE_DIR to one that you may write to",
    )
