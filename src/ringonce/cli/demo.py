"""`ringonce demo`: one call against an embedded sandbox."""

import typing

import click

from ringonce.cli.options import answering
from ringonce.cli.words import say
from ringonce.errors import ConfigError

if typing.TYPE_CHECKING:
    from ringonce.cli.telling import Teller

AGENT, NUMBER, CALLER_ID = "ada@example.com", "+15559876543", "+15551234567"
SPEED = 2.5
"""Times as fast as life, so that the twelve seconds of the call take five."""
PATIENCE = 60.0


@click.command(short_help="Place one call against an embedded sandbox and show its life; nothing real rings.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout.")
@answering
def command(*, as_json: bool) -> int:
    """Place one call on behalf of Ada against an embedded sandbox and show its life; nothing real rings."""
    from ringonce.cli.errand import run
    from ringonce.cli.telling import teller
    from ringonce.sandbox import Sandbox, SandboxError

    try:
        with Sandbox(port=0, speed=SPEED) as sandbox:
            say(f"a call for Ada to {NUMBER}, in a sandbox at {sandbox.url}; nothing real rings")
            return run(_call(sandbox.url, teller(as_json=as_json)))
    except SandboxError as error:
        raise ConfigError(error.what, why=error.why, fix=error.fix) from error


async def _call(url: str, told: "Teller") -> int:
    from ringonce import AsyncClient, ClientCredentials
    from ringonce.cli.errand import Errand, carry_out
    from ringonce.config import SANDBOX_CLIENT
    from ringonce.ledger.memory import MemoryLedger

    ledger = MemoryLedger()
    order = {"agent": AGENT, "to": NUMBER, "caller_id": CALLER_ID}
    errand = Errand(intent="demo", order=order, until="ended", timeout=PATIENCE, platform=url, sandboxed=True)
    async with AsyncClient(
        base_url=url, auth=ClientCredentials(*SANDBOX_CLIENT), country="US", ledger=ledger
    ) as client:
        return await carry_out(errand, client, ledger, told)
