"""`ringonce watch`: follow calls that are going on until they end."""

import asyncio
import contextlib
import os
import typing

import click

from ringonce.cli.menu import INTERRUPTED, exit_code, output_lost
from ringonce.cli.options import Conversation, Seconds, answering, connection
from ringonce.errors import RingonceError

if typing.TYPE_CHECKING:
    from ringonce import AsyncClient
    from ringonce.cli.telling import Teller


@click.command(short_help="Follow calls that are going on until they end.")
@click.argument("conversations", metavar="CONVERSATION…", type=Conversation(), nargs=-1, required=True)
@click.option("--timeout", type=Seconds(), metavar="S", help="Seconds to follow for; by default until the calls end.")
@connection
@answering
def command(
    *, conversations: tuple[str, ...], timeout: float | None, as_json: bool, region: str | None, base_url: str | None
) -> int:
    """Follow calls that are going on until they end, whoever placed them.

    The exit code is 0 once all have ended, and otherwise that of the worst error.
    """
    from ringonce.cli.door import looking, settings_of
    from ringonce.cli.errand import run
    from ringonce.cli.telling import teller

    settings = settings_of(os.environ, region=region, base_url=base_url)
    wanted = tuple(dict.fromkeys(conversations))

    async def watching() -> int:
        told = teller(as_json=as_json, several=len(wanted) > 1)
        try:
            async with looking(settings, os.environ) as client:
                return await _watch_all(client, wanted, timeout, told)
        finally:
            told.close()

    return run(watching())


async def _watch_all(
    client: "AsyncClient",
    conversations: tuple[str, ...],
    patience: float | None,
    told: "Teller",
) -> int:
    from ringonce.cli.interrupt import Interrupt, stopped

    def last_words() -> str:
        told.close()
        return "the calls go on"

    async def all_of_them() -> int:
        return max(await asyncio.gather(*(_watch(client, one, patience, told) for one in conversations)))

    try:
        with Interrupt(last_words) as interrupt:
            watching = await interrupt.race(all_of_them())
            if watching.done():
                return await watching
            await stopped(watching)
    except OSError as error:
        if not (why := output_lost(error)):
            raise
        told.say(f"{why}; the calls go on")
        return INTERRUPTED
    told.say("interrupted: the calls go on")
    return interrupt.code


async def _watch(client: "AsyncClient", conversation: str, patience: float | None, told: "Teller") -> int:
    try:
        async with contextlib.aclosing(client.follow(conversation, timeout=patience)) as calls:
            async for call in calls:
                told.call(call)
    except RingonceError as error:
        told.failed(error)
        return exit_code(error)
    return 0
