"""`ringonce sandbox`: a Genesys Cloud of your own on this machine."""

import errno
import shlex
import typing
from pathlib import Path

import click

from ringonce.cli.options import answering
from ringonce.cli.words import say
from ringonce.config import SANDBOX_CLIENT, sources
from ringonce.errors import ConfigError

if typing.TYPE_CHECKING:
    from ringonce.sandbox.org import Org

_CALL = "ringonce call"
USUAL = "usual"
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
    "--speed",
    type=Speed(),
    default=1.0,
    show_default=True,
    metavar="X",
    help="How many times faster than life, up to 10,000.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Throws the sandbox's dice: the same seed, the same run."
)
@click.option(
    "--rate-limit",
    type=click.IntRange(0, MOST_A_MINUTE),
    default=None,
    help="Requests a minute that a token has; 0 is no limit.  [default: the org's, 300]",
)
@click.option(
    "--hostile",
    is_flag=False,
    flag_value=USUAL,
    metavar="[DOSE=SHARE,…]",
    help="A little of every trouble, seeded; doses that differ are named, as lost_answers=0.3.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="JSON",
    help="A fault from the start, as POST /_sandbox/faults takes it; may be given again.",
)
@click.option("--org", metavar="FILE.toml", help="Another organization than the default one.")
@click.option("--print-org", is_flag=True, help="Write the organization as an org file, and end.")
@click.option("--manual", is_flag=True, help="Time stands still until POST /_sandbox/clock moves it.")
@click.option(
    "--start", metavar="DATE", help="With --manual: when world time begins, as 2026-01-01T00:00:00Z.  [default: now]"
)
@click.option("--ready-file", metavar="FILE", help="Holds the URL from when it listens until it stops.")
@click.option("--json", "as_json", is_flag=True, help='First line: {"event":"ready","url":…}.')
@answering
def command(  # click's options are described where they are declared
    *,
    host: str,
    port: int,
    agents: int,
    speed: float,
    seed: int,
    rate_limit: int | None,
    hostile: str | None,
    faults: tuple[str, ...],
    org: str | None,
    print_org: bool,
    manual: bool,
    start: str | None,
    ready_file: str | None,
    as_json: bool,
) -> int:
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
    from ringonce.sandbox.default_org import default_org
    from ringonce.sandbox.hostile import read_doses
    from ringonce.sandbox.org_file import read_org, write_org

    def greet(url: str) -> None:
        _greet(url, as_json=as_json, org=given)

    try:
        given = None if org is None else read_org(Path(org), agents=agents)
        if print_org:
            click.echo(write_org(given or default_org(agents)), nl=False)
            return 0
        sandbox.run(
            host=host,
            port=port,
            agents=agents,
            speed=speed,
            clock="manual" if manual else "real",
            start=start,
            seed=seed,
            rate_limit=rate_limit,
            hostile=hostile is not None and read_doses("" if hostile == USUAL else hostile),
            faults=[_fault(each) for each in faults],
            org=given,
            ready=greet,
            ready_file=ready_file,
        )
    except sandbox.SandboxError as error:
        cause = error.__cause__
        elsewhere = isinstance(cause, OSError) and cause.errno == errno.EADDRNOTAVAIL
        fix = "give --host an address of this machine, such as 127.0.0.1" if elsewhere else error.fix
        raise ConfigError(error.what, why=error.why, fix=fix) from error
    say("the sandbox has stopped; its calls are gone")
    return 0


def _fault(text: str) -> typing.Any:
    import msgspec

    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as broken:
        raise click.UsageError(
            f"--fault {text[:80]!r} is no JSON ({broken}); such as "
            """'{"path":"/api/v2/conversations/calls*","action":"drop_after","times":1}'"""
        ) from broken


def _greet(url: str, *, as_json: bool, org: "Org | None") -> None:
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode({"event": "ready", "url": url}).decode())
        return
    click.echo(f"{url}    everything that happens, live: {url}/_sandbox/")
    first = first_call(url, org) if org else f'{_CALL} --base-url {url} --agent ada@example.com --to "+1 555 987 6543"'
    click.echo((f"\ntry: {first}\n" if first else "\n") + "Ctrl-C ends it", err=True)


def first_call(url: str, org: "Org") -> str:
    """Give a command that places a call in an organization; nothing if nobody there can."""
    from ringonce.sandbox.desk.calls import ADD_CALL
    from ringonce.sandbox.desk.search import VIEW
    from ringonce.sandbox.org import CLIENT_CREDENTIALS
    from ringonce.sandbox.permissions import holds_any, of_roles

    agents = [user for user in org.users.values() if user.station_id and user.state == "active"]
    agents.sort(key=lambda user: not org.stations[str(user.station_id)].auto_answer)
    clients = [
        client
        for client in org.clients.values()
        if client.state == "active" and CLIENT_CREDENTIALS in client.grants
        if holds_any(of_roles(client.roles), ADD_CALL)
    ]
    if not (agents and clients):
        return ""
    client = next((each for each in clients if (each.id, each.secret) == SANDBOX_CLIENT), clients[0])
    # Whoever may not search for users has to name them by their ids.
    agent = agents[0].email if holds_any(of_roles(client.roles), VIEW) else agents[0].id
    scripted = (each.removeprefix("tel:") for each, story in org.callees.items() if story.answers is not None)
    number = next((each for each in scripted if each.startswith("+")), "+1 555 987 6543")
    command = f"{_CALL} --base-url {url} --agent {shlex.quote(agent)} --to {shlex.quote(number)}"
    if (client.id, client.secret) == SANDBOX_CLIENT:
        return command
    set_id, set_secret = (sources()[name].variable for name in ("client_id", "client_secret"))
    return f"{set_id}={shlex.quote(client.id)} {set_secret}=… {command}"
