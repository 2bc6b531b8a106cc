"""`ringonce login`: let an agent say in their browser that this machine may act as them."""

import contextlib
import os
import typing
import uuid

import click

from ringonce.cli.options import Seconds, answering, connection
from ringonce.cli.words import printable, say
from ringonce.errors import RingonceError

if typing.TYPE_CHECKING:
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
    import msgspec

    from ringonce import config
    from ringonce.cli.door import platform_of
    from ringonce.cli.errand import run
    from ringonce.client.safe import safe_in

    settings = platform_of(os.environ, region=region, base_url=base_url, login_client_id=client_id)
    safe = safe_in(config.state_dir(os.environ), settings.secrets)

    async def logging_in() -> int:
        login = await _log_in(settings, safe, agent, timeout)
        if as_json:
            shown = msgspec.to_builtins(login)
            del shown["store_as"]
            click.echo(msgspec.json.encode({"event": "login", **shown}).decode())
        else:
            click.echo(printable(f"{login.who}, user {login.agent_id}"))
            say(f"their calls now go out as themselves: ringonce call --agent {login.email} …")
        return 0

    return run(logging_in())


async def _log_in(settings: "Settings", safe: "Safe", agent: str, timeout: float) -> "Login":  # noqa: ASYNC109  a person's
    from ringonce import AsyncClient, AuthorizationCode, config
    from ringonce.cli import logins

    endpoints = settings.endpoints
    auth = AuthorizationCode(
        _client_id(settings),
        redirect_uri=settings.redirect_uri,
        login_hint=agent if "@" in agent else "",
        timeout=timeout,
        store_as=f"login {uuid.uuid4().hex}",
    )
    async with AsyncClient(
        base_url=endpoints.api, login_url=endpoints.login, allow_http=True, auth=auth, safe=safe
    ) as client:
        try:
            who = await client.whoami()
            login = logins.Login(
                api=endpoints.api,
                client_id=auth.client_id,
                agent_id=who.user_id,
                name=who.name,
                email=who.email,
                store_as=auth.store_as,
            )
            if agent and not login.is_of(agent):
                with contextlib.suppress(RingonceError):  # whose login it was matters more
                    await client.revoke_token()
                _refuse(login, agent)
            replaced = logins.add(config.state_dir(os.environ), login)
        except BaseException:
            safe.keep(auth.store_as, None)
            raise
    for old in replaced:
        safe.keep(old.store_as, None)
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
