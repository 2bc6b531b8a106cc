"""From words and environment to a client."""

import collections.abc
import typing
from pathlib import Path

import click
import msgspec

from ringonce import config
from ringonce.errors import ConfigError

if typing.TYPE_CHECKING:
    from ringonce import AsyncClient
    from ringonce.ledger import Ledger
    from ringonce.ledger.sqlite import SqliteLedger

CONFIGURED_BY = ("region", "base_url", "client_id", "client_secret", "access_token")


def settings_of(environ: collections.abc.Mapping[str, str], **flags: str | None) -> config.Settings:
    """Read the settings, credentials included, and say on stderr what was set aside or assumed."""
    settings = config.load(flags=flags, environ=environ)
    for note in settings.notes:
        click.echo(f"note: {note}", err=True)
    if not any(getattr(settings, name) for name in CONFIGURED_BY):
        # Whoever has set nothing up is trying things out, and a sandbox is where that should happen.
        click.echo(
            f"note: no account is configured, so this goes to the sandbox at {config.SANDBOX_URL} "
            "(start it with: ringonce sandbox)",
            err=True,
        )
        settings = msgspec.structs.replace(settings, base_url=config.SANDBOX_URL)
    return settings.with_credentials()


def client_of(
    settings: config.Settings,
    environ: collections.abc.Mapping[str, str],
    ledger: "Ledger | None" = None,
) -> "AsyncClient":
    """Make the client that *settings* lead to. It keeps its notification channel for the next run."""
    from ringonce import AccessToken, AsyncClient, ClientCredentials

    auth = (
        AccessToken(settings.access_token)
        if settings.access_token
        else ClientCredentials(settings.client_id, settings.client_secret)
    )
    endpoints = settings.endpoints
    return AsyncClient(
        base_url=endpoints.api,
        login_url=endpoints.login,
        allow_http=True,  # where plain http is not allowed, the endpoints have just been refused
        auth=auth,
        country=settings.country,
        ledger=ledger,
        channel_store=_kept(environ),
    )


def ledger_of(environ: collections.abc.Mapping[str, str]) -> "SqliteLedger":
    """Open the ledger that every run of this user shares. Raise `LedgerError` or `ConfigError`."""
    from ringonce.ledger.sqlite import SqliteLedger

    return SqliteLedger(config.state_dir(environ) / "ledger.sqlite3")


def _kept(environ: collections.abc.Mapping[str, str]) -> Path | None:
    try:
        return config.state_dir(environ)
    except ConfigError as error:
        # A channel of its own for every run is dearer, but no reason not to call.
        click.echo(f"note: {error}", err=True)
        return None
