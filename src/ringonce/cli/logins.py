"""Who has logged in on this machine: a list without secrets, which are kept under the names that are in it."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from ringonce.errors import ConfigError

FILE = "logins.json"


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """One agent's login at one platform."""

    api: str
    """The platform's address."""
    client_id: str
    agent_id: str
    name: str = ""
    email: str = ""
    store_as: str
    """The name under which the refresh token is kept."""

    @property
    def who(self) -> str:
        """The agent, for people."""
        return f"{self.name} <{self.email}>" if self.email else self.name or self.agent_id

    def is_of(self, agent: str) -> bool:
        """Whether *agent* (id, e-mail or full name) is meant."""
        return agent.strip().casefold() in {self.agent_id, self.email.casefold(), self.name.casefold()}


def read(folder: Path, api: str, agent: str = "") -> list[Login]:
    """Give the logins at the platform *api*, the newest first; of *agent* alone, if one is named."""
    return [one for one in _all(folder) if one.api == api and (not agent or one.is_of(agent))]


def add(folder: Path, login: Login) -> list[Login]:
    """Note a login, and give those that it replaces: the same agent's at the same platform."""
    known = _all(folder)
    old = [one for one in known if (one.api, one.agent_id) == (login.api, login.agent_id)]
    _write(folder, [login, *(one for one in known if one not in old)])
    return old


def remove(folder: Path, login: Login) -> None:
    """Forget a login."""
    _write(folder, [one for one in _all(folder) if one.store_as != login.store_as])


def _all(folder: Path) -> list[Login]:
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Login])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(
            f"the list of logins {str(path)!r} can't be read", why=str(error), fix="delete it, and log in again"
        ) from error


def _write(folder: Path, logins: Iterable[Login]) -> None:
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".new", delete=False) as file:
        file.write(msgspec.json.format(msgspec.json.encode(list(logins))))
    Path(file.name).replace(folder / FILE)
