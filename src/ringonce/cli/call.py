"""`ringonce call`: place one call on behalf of an agent and follow it."""

import contextlib
import os
import typing
import uuid

import click

from ringonce.cli import interrupted_by
from ringonce.cli.menu import begin
from ringonce.cli.options import Seconds, answering, connection
from ringonce.cli.remote import chosen, reached, server
from ringonce.cli.words import printable, say
from ringonce.errors import ConfigError, RingonceError

if typing.TYPE_CHECKING:
    from ringonce.cli.errand import Errand
    from ringonce.cli.handing import Handed
    from ringonce.cli.telling import Teller
    from ringonce.config import Settings
    from ringonce.ledger.sqlite import SqliteLedger


class Attribute(click.ParamType[tuple[str, str]]):
    """A name and a value with an equals sign between them."""

    name = "attribute"

    def convert(self, value: typing.Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split at the first equals sign."""
        name, sign, text = str(value).partition("=")
        if not sign or not name.strip():
            self.fail(f"{str(value)[:40]!r} is no attribute; write it as NAME=VALUE", param, ctx)
        return name.strip(), text


@click.command(short_help="Place one call on behalf of an agent and follow it.")
@click.option("--agent", required=True, metavar="ID|EMAIL", help="Who talks; their own phone is reached first.")
@click.option("--to", required=True, metavar="NUMBER", help="Whom to call, in any form people write numbers in.")
@click.option("--caller-id", metavar="NUMBER", default="", help="The number to show.")
@click.option("--queue", metavar="ID|NAME", default="", help="Call for this queue, with its caller id.")
@click.option("--caller-name", metavar="NAME", default="", help="The name to show.")
@click.option(
    "--attribute",
    "attributes",
    type=Attribute(),
    multiple=True,
    metavar="NAME=VALUE",
    help="Kept with the call; may be repeated.",
)
@click.option("--intent", metavar="KEY", default="", help="Names this decision to call, over all runs.")
@click.option(
    "--until",
    type=click.Choice(["placed", "connected", "ended"]),
    default="ended",
    show_default=True,
    help="How far to follow.",
)
@click.option(
    "--timeout",
    type=Seconds(),
    default=120.0,
    show_default=True,
    metavar="S",
    help="Seconds to follow for; the call itself goes on.",
)
@click.option(
    "--wire",
    type=click.Choice(["platform", "tutorial"]),
    default="platform",
    show_default=True,
    help="Shape of the request.",
)
@click.option("--country", metavar="CODE", help="Country of numbers without a country code, such as US.")
@click.option("--allow-premium", is_flag=True, help="Dial premium-rate numbers too.")
@click.option("--dry-run", is_flag=True, help="Show the request; nothing that rings is sent.")
@server
@connection
@answering
def command(
    *,
    as_json: bool,
    dry_run: bool,
    region: str | None,
    base_url: str | None,
    country: str | None,
    intent: str,
    until: typing.Literal["placed", "connected", "ended"],
    timeout: float,
    attributes: tuple[tuple[str, str], ...],
    server: str,
    **order: typing.Any,
) -> int:
    r"""Place one call on behalf of an agent and follow it.

    \b
    ringonce call --agent ada@example.com --to "+1 555 987 6543"
    ringonce call --agent ada@example.com --to 5559876543 --queue Sales --until connected --json

    The request is sent once. If its answer is lost, the call is looked for; it is never dialled again by itself.
    With --server a service dials: it goes on with the call whatever becomes of this command.
    """
    from ringonce.cli.errand import Errand
    from ringonce.cli.handing import Handed
    from ringonce.cli.telling import teller

    others = {"region": region, "base_url": base_url, "country": country, "dry_run": dry_run}
    url = chosen(server, os.environ, **others, allow_premium=order["allow_premium"])
    errand = (Handed if url else Errand)(
        intent=intent or str(uuid.uuid4()),
        named=bool(intent),
        order=order | {"agent": order["agent"].strip(), "attributes": dict(attributes)},
        until=until,
        timeout=timeout,
    )
    told = teller(as_json=as_json)

    def tried() -> int:
        try:
            _consistent(order, attributes)
            if isinstance(errand, Handed):
                return _hand_in(errand, url, told)
            settings = _settings(order["agent"], region, base_url, country)
            return _plan(errand, settings, as_json=as_json) if dry_run else _place(errand, settings, told)
        except RingonceError as error:
            told.failed(error)
            told.result(errand.result())
            return errand.code_of(error)

    try:
        begin()
        return tried()
    except KeyboardInterrupt as stopped:
        told.result(errand.result())
        # If nothing is certain, it came after the end, which has told how it is.
        told.say(f"interrupted: {errand.certain or 'what became of the call has been told'}")
        return interrupted_by(stopped)
    finally:
        told.close()


def _consistent(order: typing.Mapping[str, typing.Any], attributes: tuple[tuple[str, str], ...]) -> None:
    if order["caller_id"] and order["queue"]:
        raise ConfigError(
            "--caller-id and --queue were both given", why="a queue brings its own caller id", fix="give one of them"
        )
    names = [name for name, _ in attributes]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(
            f"the attribute {min(twice)[:40]!r} was given twice", why="only one value can be kept", fix="give it once"
        )


def _settings(agent: str, region: str | None, base_url: str | None, country: str | None) -> "Settings":
    from ringonce.cli.door import settings_of

    return settings_of(os.environ, agent=agent, region=region, base_url=base_url, country=country)


def _place(errand: "Errand", settings: "Settings", told: "Teller") -> int:
    from ringonce.cli.door import client_of, ledger_of
    from ringonce.cli.errand import carry_out, run

    errand.platform = settings.endpoints.platform

    async def placing(ledger: "SqliteLedger") -> int:
        async with client_of(settings, os.environ, ledger) as client:
            return await carry_out(errand, client, ledger, told)

    with contextlib.closing(ledger_of(os.environ)) as ledger:
        return run(placing(ledger))


def _hand_in(errand: "Handed", url: str, told: "Teller") -> int:
    from ringonce.cli.errand import run
    from ringonce.cli.handing import carry_out

    errand.server = url

    async def handing() -> int:
        async with reached(url, os.environ) as service:
            return await carry_out(errand, service, told)

    return run(handing())


def _plan(errand: "Errand", settings: "Settings", *, as_json: bool) -> int:
    import msgspec

    from ringonce.cli.door import looking
    from ringonce.cli.errand import run

    async def planning() -> int:
        async with looking(settings, os.environ) as client:
            plan = await client.plan_call(intent=errand.intent, **errand.order)
        if as_json:
            click.echo(msgspec.json.encode({"event": "plan", **msgspec.to_builtins(plan)}).decode())
            return 0
        click.echo(printable(f"{plan.method} {plan.url}"))
        click.echo(msgspec.json.format(msgspec.json.encode(plan.body)).decode())
        say(f"as {plan.identity}")
        say("nothing that rings was sent; names given for the agent or the queue were looked up")
        return 0

    return run(planning())
