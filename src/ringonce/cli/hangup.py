"""`ringonce hangup`: end a call for everybody in it."""

import os

import click

from ringonce.cli.options import Conversation, answering, connection


@click.command(short_help="End a call for everybody in it.")
@click.argument("conversation", type=Conversation())
@connection
@answering
def command(*, conversation: str, as_json: bool, region: str | None, base_url: str | None) -> int:
    """End a call for everybody in it, and wait until that shows. A call that has ended already is no error."""
    from ringonce.cli.door import looking, settings_of
    from ringonce.cli.errand import run
    from ringonce.cli.telling import tell_once

    settings = settings_of(os.environ, region=region, base_url=base_url)

    async def ending() -> int:
        async with looking(settings, os.environ) as client:
            tell_once(await client.hang_up(conversation), as_json=as_json)
        return 0

    return run(ending())
