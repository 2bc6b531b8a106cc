"""The service's database, as its commands open it."""

import collections.abc
import contextlib
import importlib.util
import typing
from pathlib import Path

import click

from ringonce import config
from ringonce.errors import ConfigError, Unreachable

if typing.TYPE_CHECKING:
    from ringonce.service.store import Store

F = typing.TypeVar("F", bound=collections.abc.Callable[..., typing.Any])
VARIABLE = "RINGONCE_DATABASE"
PLAIN, SANDBOX = "service.db", "service-sandbox.db"
"""Files in the state folder: what waits for a sandbox must never ring for real, so it has a file of its own."""


def database(command: F) -> F:
    """Add the option that says which database."""
    words = f"sqlite:///FILE or postgresql://…; also {VARIABLE}. By default a file in the state folder."
    return click.option("--database", metavar="URL", help=words)(command)


def database_or_sandbox(command: F) -> F:
    """Add the options that say which database, for commands that read and write beside a service that runs."""
    words = "By default that of `ringonce serve --sandbox`."
    option = click.option("--sandbox", is_flag=True, expose_value=False, callback=_of_sandbox, help=words)
    return database(option(command))


def _of_sandbox(context: click.Context, _: click.Parameter, given: bool) -> None:
    context.meta[SANDBOX] = given


def guard(command: F) -> F:
    """Add the option that says by which rules calls are held back."""
    words = "The guard's settings; also RINGONCE_GUARD.  [default: guard.toml in the state folder, if there is one]"
    return click.option("--guard", metavar="FILE", help=words)(command)


def rules(given: str | None, environ: collections.abc.Mapping[str, str]) -> Path | None:
    """Give the file of the guard's settings: the flag's, the environment's, or that in the state folder."""
    from ringonce.service.guarding import path_of

    return path_of(environ, config.state_dir(environ), given or "")


def address(given: str | None, environ: collections.abc.Mapping[str, str], *, sandbox: bool = False) -> str:
    """Give the database's URL: the flag's, the environment's, or that of a file in the state folder."""
    for package in ("sqlalchemy", "alembic", "litestar", "dbos"):
        if importlib.util.find_spec(package) is None:
            raise ConfigError(
                "The service is not installed", why=f"{package} is missing", fix="pip install 'ringonce[service]'"
            )
    context = click.get_current_context(silent=True)
    if context is not None and context.meta.get(SANDBOX):
        sandbox = True
        if given:
            raise click.UsageError("--sandbox names a database already: leave --database out")
    chosen = given or environ.get(VARIABLE, "").strip()
    return chosen or f"sqlite:///{config.state_dir(environ) / (SANDBOX if sandbox else PLAIN)}"


def logging_to_stderr(environ: collections.abc.Mapping[str, str]) -> None:
    """Log masked, as the environment says: RINGONCE_LOG_FORMAT (json or text) and RINGONCE_LOG_LEVEL."""
    from ringonce.service import logs

    logs.configure(environ.get("RINGONCE_LOG_FORMAT", ""), environ.get("RINGONCE_LOG_LEVEL", "") or "warning")


@contextlib.contextmanager
def reaching() -> collections.abc.Iterator[None]:
    """Have a database that is down be told as what it is: nobody was reached, nothing was done."""
    from ringonce.service.store import StoreDown

    try:
        yield
    except StoreDown as down:
        raise Unreachable(down.what, why=down.why, fix=down.fix) from down


@contextlib.contextmanager
def opened(url: str) -> collections.abc.Iterator["Store"]:
    """Open the database, and close it in the end."""
    from ringonce.service.store import Store

    with reaching(), contextlib.closing(Store(url)) as store:
        yield store
