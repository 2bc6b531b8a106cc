"""From words and environment to a client."""

import collections.abc
import contextlib
import typing
from pathlib import Path

import msgspec

from ringonce import config
from ringonce.cli.words import say
from ringonce.errors import ConfigError, LedgerError

if typing.TYPE_CHECKING:
    from ringonce import AsyncClient
    from ringonce.cli import logins
    from ringonce.ledger import Ledger
    from ringonce.ledger.sqlite import SqliteLedger

CONFIGURED_BY = ("region", "base_url", "client_id", "client_secret", "access_token")


def platform_of(environ: collections.abc.Mapping[str, str], **flags: str | None) -> config.Settings:
    """Read the settings, and say on stderr what was set aside or assumed. Credentials may be missing."""
    settings = config.load(flags=flags, environ=environ, spelled=_option)
    for note in settings.notes:
        say(f"note: {note}")
    if not any(getattr(settings, name) for name in CONFIGURED_BY):
        # Whoever has set nothing up is trying things out, and a sandbox is where that should happen.
        say(
            f"note: no account is configured, so this goes to the sandbox at {config.SANDBOX_URL} "
            "(start it with: ringonce sandbox)"
        )
        settings = msgspec.structs.replace(settings, base_url=config.SANDBOX_URL)
    return settings


def _option(setting: str) -> str:
    return "--" + setting.removeprefix("login_").replace("_", "-")


def settings_of(environ: collections.abc.Mapping[str, str], *, agent: str = "", **flags: str | None) -> config.Settings:
    """Read the settings, credentials included: those that were given, a login of *agent* (or anybody), a sandbox's."""
    settings = platform_of(environ, **flags)
    if settings.access_token or settings.client_id or settings.client_secret:
        return settings.with_credentials()
    found = _login(settings, environ, agent)
    if found is None:
        return settings.with_credentials()
    say(f"note: as {found.who}, who is logged in here")
    return msgspec.structs.replace(
        settings, login_client_id=found.client_id, stored_login=found.store_as, stored_login_of=found.who
    )


def _login(settings: config.Settings, environ: collections.abc.Mapping[str, str], agent: str) -> "logins.Login | None":
    from ringonce.cli import logins

    try:
        folder = config.state_dir(environ)
    except ConfigError:
        return None  # told where the folder is missed
    api = settings.endpoints.api
    found = logins.read(folder, api, agent)
    if not found and not config.is_loopback(api):
        # Another agent's login may do it on behalf; a sandbox has a client for that.
        found = logins.read(folder, api)
    return found[0] if found else None


def client_of(
    settings: config.Settings,
    environ: collections.abc.Mapping[str, str],
    ledger: "Ledger | None" = None,
    *,
    kept: bool = True,
) -> "AsyncClient":
    """Make the client that *settings* lead to. Its notification channels are *kept* for the next run."""
    from ringonce import AccessToken, AsyncClient, Auth, ClientCredentials, RefreshToken

    auth: Auth
    if settings.stored_login:
        auth = RefreshToken(settings.login_client_id, store_as=settings.stored_login, whose=settings.stored_login_of)
    elif settings.access_token:
        auth = AccessToken(settings.access_token)
    else:
        auth = ClientCredentials(settings.client_id, settings.client_secret)
    endpoints = settings.endpoints
    return AsyncClient(
        base_url=endpoints.api,
        login_url=endpoints.login,
        allow_http=True,  # where plain http is not allowed, the endpoints have just been refused
        auth=auth,
        country=settings.country,
        ledger=ledger,
        channel_store=_kept(environ) if kept else None,
    )


@contextlib.asynccontextmanager
async def looking(
    settings: config.Settings, environ: collections.abc.Mapping[str, str]
) -> "collections.abc.AsyncIterator[AsyncClient]":
    """Open a client for what places nothing. Its requests count together with those of this user's other runs."""
    with contextlib.ExitStack() as opened:
        ledger = None
        # Who places nothing needs no ledger: without one the quota is only kept less well.
        with contextlib.suppress(LedgerError, ConfigError):
            ledger = opened.enter_context(contextlib.closing(ledger_of(environ)))
        async with client_of(settings, environ, ledger) as client:
            yield client


def ledger_of(environ: collections.abc.Mapping[str, str]) -> "SqliteLedger":
    """Open the ledger that every run of this user shares. Raise `LedgerError` or `ConfigError`."""
    from ringonce.ledger.sqlite import SqliteLedger

    return SqliteLedger(config.state_dir(environ) / "ledger.sqlite3")


def _kept(environ: collections.abc.Mapping[str, str]) -> Path | None:
    try:
        return config.state_dir(environ)
    except ConfigError as error:
        # A channel of its own for every run is dearer, but no reason not to call.
        say(f"note: {error}")
        return None
