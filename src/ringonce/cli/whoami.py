"""`ringonce whoami`: which grant is used, whose token it gives, what that may do, and how long."""

import os
import time
import typing

import click

from ringonce.cli.options import answering, connection
from ringonce.cli.words import printable, say

if typing.TYPE_CHECKING:
    from ringonce.models import Identity


@click.command(short_help="Say whose token is used, what it may do, and how long.")
@click.option("--agent", metavar="EMAIL|ID", default="", help="Say it of the token that calls for this agent use.")
@connection
@answering
def command(*, agent: str, as_json: bool, region: str | None, base_url: str | None) -> int:
    """Say which grant is used, whose token it gives, what that may do, and how long."""
    import msgspec

    from ringonce.cli.door import looking, settings_of
    from ringonce.cli.errand import run

    settings = settings_of(os.environ, agent=agent, region=region, base_url=base_url)

    async def asking() -> int:
        async with looking(settings, os.environ) as client:
            who = await client.whoami()
        if agent and not (settings.stored_login or agent.strip().casefold() in {who.user_id, who.email.casefold()}):
            say(f"note: {agent} is not logged in here, so their calls use this token (log in with: ringonce login)")
        if as_json:
            click.echo(msgspec.json.encode({"event": "whoami", **msgspec.to_builtins(who)}).decode())
        else:
            click.echo("\n".join(printable(line, None) for line in _lines(who)))
        return 0

    return run(asking())


def _lines(who: "Identity") -> typing.Iterator[str]:
    if who.user_id:
        person = f"{who.name} <{who.email}>" if who.email else who.name
        yield f"{person}, user {who.user_id} in {who.organization}"
    else:
        yield f"an application, {who.name}, in {who.organization}"
    yield f"grant:        {who.grant}"
    yield f"expires:      {_until(who.expires_at)}"
    if who.user_id:
        yield f"scopes:       {', '.join(who.scopes) or 'none told'}"
    yield f"roles:        {', '.join(who.roles) or 'none told'}"
    yield f"permissions:  {', '.join(who.permissions) or 'none told'}"


def _until(expires_at: float | None) -> str:
    if expires_at is None:
        return "not known"
    minutes = max(0, round((expires_at - time.time()) / 60))
    when = time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(expires_at))
    return f"{when}, in {minutes // 60} h {minutes % 60} min"
