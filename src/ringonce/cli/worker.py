"""`ringonce worker`: one more that dials what waits."""

import asyncio
import os
import typing
from pathlib import Path

import click

from ringonce.cli.database import address, database, guard, logging_to_stderr, reaching, rules
from ringonce.cli.options import answering, connection
from ringonce.cli.words import say

if typing.TYPE_CHECKING:
    from ringonce.cli.serve import Made


@click.command(short_help="Dial what waits in the service's database.")
@database
@guard
@connection
@answering
def command(*, database: str | None, guard: str | None, region: str | None, base_url: str | None, as_json: bool) -> int:
    r"""Dial what waits in the service's database, until Ctrl-C or SIGTERM.

    Run as many as you like, on as many machines as reach the database (PostgreSQL); what a dead one had, the others
    go on with.

    \b
    ringonce worker --database postgresql://ringonce@db/ringonce
    """
    from ringonce.cli.serve import platform_and_client

    url = address(database, os.environ)
    logging_to_stderr(os.environ)
    with reaching():
        return asyncio.run(_work(url, platform_and_client(region, base_url), rules(guard, os.environ), as_json=as_json))


async def _work(url: str, made: "Made", guard: Path | None, *, as_json: bool) -> int:
    import msgspec

    from ringonce.cli.interrupt import Interrupt, stopped
    from ringonce.cli.serve import drained
    from ringonce.service import house

    platform, make_client = made
    with Interrupt(lambda: "calls that are live go on, and another worker follows them") as interrupt:
        async with house.opened(url, platform, make_client, guard=guard) as home:
            worker = home.worker
            if worker is not None:  # it was asked for
                if as_json:
                    click.echo(msgspec.json.encode({"event": "ready", "worker": worker.id}).decode())
                else:
                    click.echo(f"{worker.id} dials what waits in {home.store.name}")
                await stopped(await interrupt.race(asyncio.Event().wait()))
                await drained(worker)
    say("the worker has stopped; what waits is kept")
    return 0
