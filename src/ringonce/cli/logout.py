"""`ringonce logout`: withdraw what `login` was given, and forget it."""

import os
import typing

import click

from ringonce.cli.options import answering, connection
from ringonce.cli.words import printable, say

if typing.TYPE_CHECKING:
    from ringonce.cli.logins import Login
    from ringonce.client.safe import Safe
    from ringonce.config import Settings


@click.command(short_help="Withdraw the access token that login was given, and forget the rest.")
@click.option("--agent", metavar="EMAIL|ID", default="", help="Who; by default everybody who is logged in there.")
@connection
@answering
def command(*, agent: str, as_json: bool, region: str | None, base_url: str | None) -> int:
    """Withdraw the access token that login was given, and forget the rest.

    The platform is asked to revoke the token; whether it can be or not, nothing of it stays on this machine.
    """
    import msgspec

    from ringonce import config
    from ringonce.cli import logins
    from ringonce.cli.door import platform_of
    from ringonce.cli.errand import run
    from ringonce.client.safe import safe_in

    settings = platform_of(os.environ, region=region, base_url=base_url)
    folder = config.state_dir(os.environ)
    safe = safe_in(folder, settings.secrets)
    found = logins.read(folder, settings.endpoints.api, agent)
    if not found:
        who = f"{agent} is not" if agent else "nobody is"
        say(f"{who} logged in at {settings.endpoints.api}")

    async def logging_out() -> int:
        for login in found:
            revoked = await _revoke(settings, login, safe)
            safe.keep(login.store_as, None)
            logins.remove(folder, login)
            if as_json:
                event = {"event": "logout", "agent_id": login.agent_id, "email": login.email, "revoked": revoked}
                click.echo(msgspec.json.encode(event).decode())
            else:
                click.echo(printable(f"{login.who} is logged out"))
        return 0

    return run(logging_out())


async def _revoke(settings: "Settings", login: "Login", safe: "Safe") -> bool:
    from ringonce import AsyncClient, RefreshToken, RingonceError

    endpoints = settings.endpoints
    auth = RefreshToken(login.client_id, store_as=login.store_as)
    async with AsyncClient(
        base_url=endpoints.api, login_url=endpoints.login, allow_http=True, auth=auth, safe=safe
    ) as client:
        try:
            await client.revoke_token()
        except RingonceError as error:
            say(f"note: the token of {login.who} could not be revoked, only forgotten: {error}")
            return False
    return True
