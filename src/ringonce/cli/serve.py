"""`ringonce serve`: the dialing service, with its HTTP API."""

import asyncio
import collections.abc
import contextlib
import os
import typing

import click

from ringonce import config
from ringonce.cli.database import address, database, guard, logging_to_stderr, reaching, rules
from ringonce.cli.options import answering
from ringonce.cli.words import say
from ringonce.errors import ConfigError

if typing.TYPE_CHECKING:
    from ringonce import AsyncClient
    from ringonce.ledger import Ledger
    from ringonce.service.dialing.worker import Worker
    from ringonce.service.house import House, Platform
    from ringonce.service.web.desk import Desk

SAMPLE_AGENTS = 20
NOTHING_RINGS = "nothing real rings: every call goes to an embedded sandbox, which forgets everything when it stops"
Made = tuple["Platform", collections.abc.Callable[["Ledger"], "AsyncClient"]]


@click.command(short_help="Run the dialing service: its HTTP API and a worker.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="0 takes a free one.")
@database
@guard
@click.option("--region", metavar="REGION", help="Region id, domain or API host, such as eu_central_1.")
@click.option("--base-url", metavar="URL", help="A gateway, or a sandbox that runs elsewhere.")
@click.option("--sandbox", is_flag=True, help="Start a sandbox with sample agents and dial only that.")
@click.option("--no-worker", is_flag=True, help="Only take calls in; `ringonce worker` dials them.")
@click.option("--behind-tls", is_flag=True, help="A proxy in front of it speaks TLS: listen where --host says.")
@click.option("--insecure", is_flag=True, help="Listen where --host says without TLS; tokens travel in the clear.")
@click.option("--allow-host", "names", metavar="NAME", multiple=True, help="A name by which clients reach it.")
@click.option(
    "--requests-per-minute",
    type=click.IntRange(min=1),
    default=6000,
    show_default=True,
    help="Requests that one token may make in a minute.",
)
@click.option("--json", "as_json", is_flag=True, help='First line: {"event":"ready","url":…}.')
@answering
def command(
    *,
    host: str,
    port: int,
    database: str | None,
    guard: str | None,
    region: str | None,
    base_url: str | None,
    sandbox: bool,
    no_worker: bool,
    behind_tls: bool,
    insecure: bool,
    names: tuple[str, ...],
    requests_per_minute: int,
    as_json: bool,
) -> int:
    r"""Run the dialing service until Ctrl-C or SIGTERM: calls come in by HTTP and are dialled once each.

    \b
    ringonce serve --sandbox          # to try it: nothing real rings
    curl -d '{"agent": "ada@example.com", "to": "+1 555 987 6543"}' \
         -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \
         http://127.0.0.1:8090/v1/calls

    The first start makes an admin's token and prints it, once. /docs describes the API.
    """
    from ringonce.service.web.doorkeeper import is_loopback

    if sandbox and (base_url or region):
        raise click.UsageError("--sandbox dials its own sandbox only: leave --base-url and --region out")
    if not is_loopback(host) and not (behind_tls or insecure):
        raise ConfigError(
            f"The service doesn't listen on {host}",
            why="others on the network could reach it, and its tokens would travel in the clear",
            fix="put a proxy that speaks TLS in front and say --behind-tls, or --insecure on a network that you trust",
        )
    web: dict[str, typing.Any] = {"host": host, "port": port, "names": names, "per_minute": requests_per_minute}
    web["behind_tls"] = behind_tls
    url = address(database, os.environ, sandbox=sandbox)
    web["guard"] = rules(guard, os.environ)
    logging_to_stderr(os.environ)
    with contextlib.ExitStack() as stack:
        stack.enter_context(reaching())
        made = _sandbox(stack) if sandbox else platform_and_client(region, base_url)
        return asyncio.run(_serve(url, made, web, first=is_loopback(host), dialling=not no_worker, as_json=as_json))


def platform_and_client(region: str | None, base_url: str | None) -> Made:
    """Give where calls go, and what makes the client for it, by flags and environment."""
    from ringonce.cli.door import client_of, platform_of
    from ringonce.service.house import Platform

    settings = platform_of(os.environ, region=region, base_url=base_url).with_credentials()
    api = settings.endpoints.api
    enrols = settings.login_client_id or (config.SANDBOX_CLIENT[0] if config.is_loopback(api) else "")
    platform = Platform(api=api, country=settings.country, login=settings.endpoints.login, login_client_id=enrols)
    # No channel is kept for the next run: the processes of one machine would take it from each other.
    return platform, lambda ledger: client_of(settings, os.environ, ledger, kept=False)


def _sandbox(stack: contextlib.ExitStack) -> Made:
    from ringonce import AsyncClient, ClientCredentials
    from ringonce.sandbox import Sandbox, SandboxError
    from ringonce.service.house import Platform

    try:
        running = stack.enter_context(Sandbox(port=0, agents=SAMPLE_AGENTS))
    except SandboxError as error:
        raise ConfigError(error.what, why=error.why, fix=error.fix) from error
    say(NOTHING_RINGS.upper())
    auth = ClientCredentials(*config.SANDBOX_CLIENT)

    def make_client(ledger: "Ledger") -> "AsyncClient":
        return AsyncClient(base_url=running.url, login_url=running.url, auth=auth, ledger=ledger)

    platform = Platform(api=running.url, sandbox=True, login_client_id=config.SANDBOX_CLIENT[0])
    return platform, make_client


async def _serve(
    url: str, made: Made, web: dict[str, typing.Any], *, first: bool, dialling: bool, as_json: bool
) -> int:
    from ringonce.cli.interrupt import Interrupt, stopped
    from ringonce.service import house
    from ringonce.service.web import app, server

    platform, make_client = made
    with (
        contextlib.closing(server.bound(web["host"], web["port"])) as listener,
        Interrupt(lambda: "calls that are live go on, and another worker follows them") as interrupt,
    ):
        async with (
            house.opened(url, platform, make_client, dialling=dialling, moving=True, guard=web["guard"]) as home,
            app.opened(
                home, names=[web["host"], *web["names"]], per_minute=web["per_minute"], behind_tls=web["behind_tls"]
            ) as (
                application,
                desk,
            ),
            server.serving(application, desk, listener),
        ):
            secret = await home.store.run(_first_token) if first else ""
            _greet(server.url_of(web["host"], listener), home, secret, as_json=as_json)
            await stopped(await interrupt.race(asyncio.Event().wait()))
            await _drain(home, desk)
    say("the service has stopped; what waits is kept")
    return 0


async def _drain(home: "House", desk: "Desk") -> None:
    desk.health.draining = True
    if home.worker is not None:
        await drained(home.worker)


async def drained(worker: "Worker") -> None:
    """End a worker, and say so if that can last."""
    if worker.busy:
        say(f"ending, calls under way: {worker.busy}; live ones go on (again: quit at once)")
    await worker.drain()


def _first_token(db: typing.Any) -> str:
    from ringonce.service import access

    if access.every(db):
        return ""
    return access.issue(db, "first token", access.Role.ADMIN).secret


def _greet(url: str, home: "House", secret: str, *, as_json: bool) -> None:
    import msgspec

    ready = {"event": "ready", "url": url} | ({"token": secret} if secret else {})
    ready |= {"sandbox": home.platform.api} if home.platform.sandbox else {}
    if as_json:
        click.echo(msgspec.json.encode(ready).decode())
        return
    click.echo(f"{url}    its API: {url}/docs")
    if secret:
        click.echo(f"token: {secret}    an admin's; it is not shown again")
    else:
        say(
            "its tokens were made before; another one: ringonce token create --name NAME --role admin "
            f"--database '{home.store.name}'"
        )
    say(f"calls go to {home.platform.api} and are kept in {home.store.name}; Ctrl-C ends it")
    if home.platform.sandbox:
        say(f"ringonce token, dnc, audit and vault reach it with --database '{home.store.name}', or the same --sandbox")
