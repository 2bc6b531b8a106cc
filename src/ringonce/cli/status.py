"""`ringonce status`: say how a call stands now."""

import os

import click

from ringonce.cli.options import Conversation, answering, connection


@click.command(short_help="Say how a call stands now.")
@click.argument("conversation", type=Conversation())
@connection
@answering
def command(*, conversation: str, as_json: bool, region: str | None, base_url: str | None) -> int:
    """Say how a call stands now, from one read."""
    from ringonce.cli.door import looking, settings_of
    from ringonce.cli.errand import run
    from ringonce.cli.telling import tell_once

    settings = settings_of(os.environ, region=region, base_url=base_url)

    async def asking() -> int:
        async with looking(settings, os.environ) as client:
            tell_once(await client.get_call(conversation), as_json=as_json)
        return 0

    return run(asking())
