"""`ringonce token`: who may use the service."""

import os
import time

import click

from ringonce.cli.database import address, database_or_sandbox, opened
from ringonce.cli.options import answering
from ringonce.cli.words import printable, say
from ringonce.errors import Refused


@click.group(short_help="Make, list and revoke tokens of the service.")
def command() -> None:
    """Make, list and revoke tokens of the service. Only their hashes are kept."""


@command.command(short_help="Make a token and print it, once.")
@click.option("--name", required=True, metavar="WORDS", help="Who uses it.")
@click.option("--role", type=click.Choice(["viewer", "dialer", "admin"]), default="dialer", show_default=True)
@click.option("--agent", "agents", metavar="AGENT", multiple=True, help="A dialer's agent; without any: all agents.")
@database_or_sandbox
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@answering
def create(*, name: str, role: str, agents: tuple[str, ...], database: str | None, as_json: bool) -> int:
    r"""Make a token and print it, once: it is kept nowhere.

    \b
    ringonce token create --name "the shop's CRM" --role dialer --agent ada@example.com
    """
    import msgspec

    with opened(address(database, os.environ)) as store:
        from ringonce.service import access

        with store.write() as db:
            made = access.issue(db, name, access.Role(role), agents)
    if as_json:
        shown = msgspec.to_builtins(made.token) | {"secret": made.secret}
        click.echo(msgspec.json.encode(shown).decode())
    else:
        click.echo(made.secret)
        say(f"{made.token.id}, a token of role {role}; it is not shown again")
    return 0


@command.command("list", short_help="List the tokens.")
@database_or_sandbox
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout.")
@answering
def listed(*, database: str | None, as_json: bool) -> int:
    """List the tokens, the oldest first, the revoked ones too."""
    import msgspec

    with opened(address(database, os.environ)) as store:
        from ringonce.service import access

        with store.read() as db:
            found = access.every(db)
    for one in found:
        if as_json:
            click.echo(msgspec.json.encode(one).decode())
            continue
        whose = f" for {', '.join(one.agents)}" if one.agents else ""
        used = f"used {_day(one.used_at)}" if one.used_at else "never used"
        end = f"revoked {_day(one.revoked_at)}" if one.revoked_at else used
        click.echo(printable(f"{one.id}  {one.role:6}  {_day(one.created_at)}  {end}  {one.name}{whose}"))
    if not found:
        say("there are no tokens; `ringonce token create` makes one")
    return 0


@command.command(short_help="Revoke a token at once.")
@click.argument("token_id", metavar="ID")
@database_or_sandbox
@answering
def revoke(*, token_id: str, database: str | None) -> int:
    """Revoke a token at once; its ID is what `list` shows."""
    with opened(address(database, os.environ)) as store:
        from ringonce.service import access

        with store.write() as db:
            good = access.revoke(db, token_id)
    if not good:
        raise Refused(
            f"There is no token {token_id[:60]!r} that is still good",
            why="it was never made, or is revoked already",
            fix="see ringonce token list",
        )
    say(f"{token_id} is revoked")
    return 0


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
