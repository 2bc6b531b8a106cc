"""`ringonce watch`: follow calls that are going on until they end."""

import asyncio
import collections.abc
import contextlib
import os
import typing

import click

from ringonce.cli.menu import INTERRUPTED, UNKNOWN, exit_code, output_lost
from ringonce.cli.options import Called, Seconds, answering, connection, of_the_platform
from ringonce.cli.remote import chosen, reached, server
from ringonce.errors import ConfigError, InvalidInput, NotFound, RingonceError, StillGoing

if typing.TYPE_CHECKING:
    from ringonce import AsyncClient
    from ringonce.cli.remote import Service
    from ringonce.cli.telling import Teller


@click.command(short_help="Follow calls that are going on until they end.")
@click.argument("conversations", metavar="CONVERSATION…", type=Called(), nargs=-1, required=True)
@click.option("--timeout", type=Seconds(), metavar="S", help="Seconds to follow for; by default until the calls end.")
@server
@connection
@answering
def command(
    *,
    conversations: tuple[str, ...],
    timeout: float | None,
    as_json: bool,
    region: str | None,
    base_url: str | None,
    server: str,
) -> int:
    """Follow calls that are going on until they end, whoever placed them.

    The exit code is 0 once all have ended, and otherwise that of the worst error.
    """
    from ringonce.cli.door import looking, settings_of
    from ringonce.cli.errand import run
    from ringonce.cli.telling import teller

    wanted = tuple(dict.fromkeys(conversations))
    url = chosen(server, os.environ, region=region, base_url=base_url)
    if not url:
        of_the_platform(*wanted)
        settings = settings_of(os.environ, region=region, base_url=base_url)

    async def watching() -> int:
        told = teller(as_json=as_json, several=len(wanted) > 1)
        try:
            if url:
                async with reached(url, os.environ) as service:
                    return await _watch_all([_watch_there(service, one, timeout, told) for one in wanted], told)
            async with looking(settings, os.environ) as client:
                return await _watch_all([_watch(client, one, timeout, told) for one in wanted], told)
        finally:
            told.close()

    return run(watching())


async def _watch_all(watches: list[collections.abc.Coroutine[typing.Any, typing.Any, int]], told: "Teller") -> int:
    from ringonce.cli.interrupt import Interrupt, stopped

    def last_words() -> str:
        told.close()
        return "the calls go on"

    async def all_of_them() -> int:
        return max(await asyncio.gather(*watches))

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


async def _watch_there(service: "Service", call: str, patience: float | None, told: "Teller") -> int:
    from ringonce.cli.handing import watch

    try:
        await watch(service, call, told, patience)
    except RingonceError as error:
        told.failed(error)
        return _code_of(error)
    return 0


def _code_of(error: RingonceError) -> int:
    """Give the exit code: what keeps a call from being watched is not said of the call, which may go on."""
    known = isinstance(error, (ConfigError, InvalidInput, NotFound, StillGoing))
    return exit_code(error) if known else UNKNOWN


async def _watch(client: "AsyncClient", conversation: str, patience: float | None, told: "Teller") -> int:
    try:
        async with contextlib.aclosing(client.follow(conversation, timeout=patience)) as calls:
            async for call in calls:
                told.call(call)
    except RingonceError as error:
        told.failed(error)
        return _code_of(error)
    return 0
