"""`ringonce logout`: withdraw what `login` was given, and forget it."""

import os

import click

from ringonce.cli.options import answering, connection
from ringonce.cli.words import printable, say


@click.command(short_help="Withdraw what login was given, and forget it.")
@click.option("--agent", metavar="EMAIL|ID", default="", help="Who; by default everybody who is logged in there.")
@connection
@answering
def command(*, agent: str, as_json: bool, region: str | None, base_url: str | None) -> int:
    """Withdraw what login was given, and forget it.

    The platform is asked to revoke the access token, and the refresh token is used up; whether that succeeds or not,
    nothing of it stays on this machine. What a login that was cut off has left is withdrawn as well.
    """
    import msgspec

    from ringonce import config
    from ringonce.cli import logins
    from ringonce.cli.door import platform_of
    from ringonce.cli.errand import run
    from ringonce.cli.withdrawing import take_up_orphans, withdraw_leftovers

    settings = platform_of(os.environ, region=region, base_url=base_url)
    folder = config.state_dir(os.environ)

    async def logging_out() -> int:
        await take_up_orphans(settings, folder)
        await logins.end(folder, logins.read(folder, settings.endpoints.api, agent))
        withdrawn = await withdraw_leftovers(settings, folder)
        if not any(one.login.who for one in withdrawn):
            who = f"{agent} is not" if agent else "nobody is"
            say(f"{who} logged in at {settings.endpoints.api}")
        for one in withdrawn:
            login, trouble = one
            if trouble:
                say(f"note: the token of {one.who} could not be revoked, only forgotten: {trouble}")
            if as_json:
                event = {"event": "logout", "agent_id": login.agent_id, "email": login.email, "revoked": not trouble}
                click.echo(msgspec.json.encode(event).decode())
            elif login.who:
                click.echo(printable(f"{one.who} is logged out"))
            elif not trouble:
                say(f"{one.who} is withdrawn as well")
        return 0

    return run(logging_out())
