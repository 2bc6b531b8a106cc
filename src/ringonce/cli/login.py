"""`ringonce login`: let an agent say in their browser that this machine may act as them."""

import asyncio
import contextlib
import os
import typing

import click
import msgspec

from ringonce.cli.options import Seconds, answering, connection
from ringonce.cli.words import printable, say
from ringonce.errors import RingonceError

if typing.TYPE_CHECKING:
    from pathlib import Path

    from ringonce.cli.logins import Login
    from ringonce.client.safe import Safe
    from ringonce.config import Settings


@click.command(short_help="Let an agent say in their browser that this machine may act as them.")
@click.option("--agent", metavar="EMAIL|ID", default="", help="Who has to be the one that logs in.")
@click.option("--client-id", metavar="ID", default=None, help="OAuth client of grant type code, with PKCE.")
@click.option(
    "--timeout", type=Seconds(), default=300.0, show_default=True, metavar="S", help="Seconds to wait for the browser."
)
@connection
@answering
def command(
    *, agent: str, client_id: str | None, timeout: float, as_json: bool, region: str | None, base_url: str | None
) -> int:
    """Let an agent say in their browser that this machine may act as them; later calls need no browser.

    The refresh token is kept in the system's keyring where there is one, else in a file that only you can read.
    If no browser opens by itself, open the address that is shown.
    """
    from ringonce import config
    from ringonce.cli.door import platform_of
    from ringonce.cli.errand import run
    from ringonce.cli.withdrawing import take_up_orphans, withdraw_leftovers
    from ringonce.client.safe import safe_in

    settings = platform_of(os.environ, region=region, base_url=base_url, login_client_id=client_id)
    folder = config.state_dir(os.environ)
    safe = safe_in(folder, settings.secrets)

    async def logging_in() -> int:
        await take_up_orphans(settings, folder)
        try:
            login = await _log_in(settings, folder, safe, agent, timeout)
        except BaseException:
            with contextlib.suppress(RingonceError):  # what went wrong first matters more
                await withdraw_leftovers(settings, folder)
            raise
        try:
            if as_json:
                shown = msgspec.to_builtins(login)
                del shown["store_as"], shown["current"]
                click.echo(msgspec.json.encode({"event": "login", **shown}).decode())
            else:
                click.echo(printable(f"{login.who}, user {login.agent_id}"))
                say(f"their calls now go out as themselves: ringonce call --agent {login.email} …")
            withdrawn = await withdraw_leftovers(settings, folder)
        except (asyncio.CancelledError, KeyboardInterrupt):
            say("note: the login stands; what an earlier one was given is withdrawn by the next login or logout")
            raise
        for old in withdrawn:
            if old.trouble:
                which = f"an earlier login of {old.login.who}" if old.login.who else old.who
                say(f"note: {which} is forgotten, not revoked: {old.trouble}")
        return 0

    return run(logging_in())


async def _log_in(
    settings: "Settings",
    folder: "Path",
    safe: "Safe",
    agent: str,
    timeout: float,  # noqa: ASYNC109  a person's
) -> "Login":
    from ringonce import AsyncClient, AuthorizationCode
    from ringonce.cli import logins

    endpoints = settings.endpoints
    begun = logins.Login(api=endpoints.api, client_id=_client_id(settings), store_as=logins.new_name(), current=False)
    auth = AuthorizationCode(
        begun.client_id,
        redirect_uri=settings.redirect_uri,
        login_hint=agent if "@" in agent else "",
        timeout=timeout,
        store_as=begun.store_as,
    )
    async with safe.alone(begun.under_way, patience=timeout):
        await logins.note(folder, begun)  # before there is a secret: a process that dies leaves none that nobody knows
        async with AsyncClient(
            base_url=endpoints.api, login_url=endpoints.login, allow_http=True, auth=auth, safe=safe
        ) as client:
            who = await client.whoami()
        login = msgspec.structs.replace(begun, agent_id=who.user_id, name=who.name, email=who.email, current=True)
        if agent and not login.is_of(agent):
            _refuse(login, agent)
        await logins.note(folder, login)
        safe.keep(begun.under_way, None)
    return login


def _refuse(login: "Login", agent: str) -> typing.NoReturn:
    from ringonce.errors import NotAuthenticated

    raise NotAuthenticated(
        f"{agent} has not logged in",
        why=f"the browser was logged in as {login.who}",
        fix="log out of Genesys Cloud in the browser, and try again",
    )


def _client_id(settings: "Settings") -> str:
    from ringonce import config
    from ringonce.errors import ConfigError

    if settings.login_client_id:
        return settings.login_client_id
    if config.is_loopback(settings.endpoints.api):
        return config.SANDBOX_CLIENT[0]
    variable = config.sources()["login_client_id"].variable
    raise ConfigError(
        "there is no OAuth client to log in with",
        why=f"neither --client-id nor {variable} is given",
        fix="in Genesys Cloud, Admin > Integrations > OAuth, add a client of grant type Code Authorization with "
        f"redirect URI {settings.redirect_uri}, and give its id",
    )
