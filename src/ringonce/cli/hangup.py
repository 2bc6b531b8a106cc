"""`ringonce hangup`: end a call for everybody in it."""

import os

import click

from ringonce.cli.options import Called, answering, connection, of_the_platform
from ringonce.cli.remote import chosen, reached, server


@click.command(short_help="End a call for everybody in it.")
@click.argument("conversation", type=Called())
@server
@connection
@answering
def command(*, conversation: str, as_json: bool, region: str | None, base_url: str | None, server: str) -> int:
    """End a call for everybody in it, and wait until that shows. A call that has ended already is no error.

    With --server, a call that waits for its turn is cancelled: it never rings.
    """
    from ringonce.cli.door import client_of, settings_of
    from ringonce.cli.errand import run
    from ringonce.cli.telling import tell_once

    if url := chosen(server, os.environ, region=region, base_url=base_url):
        return run(_by_service(url, conversation, as_json=as_json))
    of_the_platform(conversation)
    settings = settings_of(os.environ, region=region, base_url=base_url)

    async def ending() -> int:
        async with client_of(settings, os.environ) as client:
            tell_once(await client.hang_up(conversation), as_json=as_json)
        return 0

    return run(ending())


async def _by_service(url: str, conversation: str, *, as_json: bool) -> int:
    from ringonce.cli.handing import hang_up, tell_standing

    async with reached(url, os.environ) as service:
        tell_standing(await hang_up(service, conversation), as_json=as_json)
    return 0
