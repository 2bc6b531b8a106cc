"""`ringonce sandbox`: a Genesys Cloud of your own on this machine."""

import errno
import typing

import click

from ringonce.cli.options import answering
from ringonce.cli.words import say
from ringonce.errors import ConfigError

MOST_AGENTS = 99_999
FASTEST = 10_000.0
MOST_A_MINUTE = 1_000_000_000


class Speed(click.ParamType[float]):
    """How many times faster than life."""

    name = "speed"

    def convert(self, value: typing.Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number."""
        try:
            speed = float(value)
        except ValueError:
            speed = 0.0
        if not 0 < speed <= FASTEST:
            self.fail(f"{value!r} is no number above 0 and up to {FASTEST:.0f}", param, ctx)
        return speed


@click.command(short_help="Run a Genesys Cloud of your own on this machine.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@click.option(
    "--agents",
    type=click.IntRange(0, MOST_AGENTS),
    default=0,
    show_default=True,
    help="More agents: agent-00001@example.com, …",
)
@click.option(
    "--speed", type=Speed(), default=1.0, show_default=True, metavar="X", help="How many times faster than life."
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Throws the sandbox's dice: the same seed, the same run."
)
@click.option(
    "--rate-limit",
    type=click.IntRange(0, MOST_A_MINUTE),
    default=300,
    show_default=True,
    help="Requests a minute that a token has; 0 is no limit.",
)
@click.option("--json", "as_json", is_flag=True, help='First line: {"event":"ready","url":…}.')
@answering
def command(*, host: str, port: int, agents: int, speed: float, seed: int, rate_limit: int, as_json: bool) -> int:
    r"""Run a Genesys Cloud of your own on this machine, until Ctrl-C.

    It keeps everything in memory and needs no account; the last four digits dialled choose what happens:

    \b
    0000 answers, talks until hung up   0005 voicemail
    0001 nobody answers                 0006 answers and hangs up at once
    0002 busy                           0007 the agent's phone never answers
    0003 declined                       0008 the line drops in mid-call
    0004 cannot be routed               0009 rings until answered by hand
    any other: answers after 2 s, hangs up 8 s later
    """
    from ringonce import sandbox

    def greet(url: str) -> None:
        _greet(url, as_json=as_json)

    try:
        sandbox.run(host=host, port=port, agents=agents, speed=speed, seed=seed, rate_limit=rate_limit, ready=greet)
    except sandbox.SandboxError as error:
        cause = error.__cause__
        elsewhere = isinstance(cause, OSError) and cause.errno == errno.EADDRNOTAVAIL
        fix = "give --host an address of this machine, such as 127.0.0.1" if elsewhere else error.fix
        raise ConfigError(error.what, why=error.why, fix=fix) from error
    say("the sandbox has stopped; its calls are gone")
    return 0


def _greet(url: str, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode({"event": "ready", "url": url}).decode())
    else:
        click.echo(f"{url}    everything that happens, live: {url}/_sandbox/")
        click.echo(
            f'\ntry: ringonce call --base-url {url} --agent ada@example.com --to "+1 555 987 6543"\nCtrl-C ends it',
            err=True,
        )
