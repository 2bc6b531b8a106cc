"""`ringonce dnc`: the do-not-call lists that the service keeps."""

import asyncio
import os
import time
import typing
from pathlib import Path

import click

from ringonce import config
from ringonce.cli.database import address, database_or_sandbox, opened
from ringonce.cli.options import answering
from ringonce.cli.words import printable, say, utter
from ringonce.errors import InvalidInput, Refused

if typing.TYPE_CHECKING:
    from ringonce.service.batches.reading import Fault
    from ringonce.service.donotcall.keeping import Kept

BY = "command line"
FAULTS_SAID = 20
country = click.option("--country", metavar="CODE", help="Of numbers without a country code, such as US.")
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout.")


@click.group(short_help="Load, list and change do-not-call lists.")
def command() -> None:
    """Load, list and change the do-not-call lists that the service asks before every ring.

    Numbers are kept as keyed hashes: nobody can read a list back.
    """


@command.command("list", short_help="List them, with age and count.")
@database_or_sandbox
@as_json
@answering
def listed(*, database: str | None, as_json: bool) -> int:
    """List the lists in the database, with their age and count of numbers."""
    with opened(address(database, os.environ)) as store:
        from ringonce.service.donotcall import keeping

        with store.read() as db:
            found = keeping.every(db, time.time())
    for one in found:
        _tell(one, as_json=as_json)
    if not found:
        say("there are no lists; `ringonce dnc load NAME FILE` makes one")
    return 0


@command.command(short_help="Put a file in the place of a list.")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, metavar="WORDS", help="Where it is from.")
@click.option("--taken", type=click.DateTime(["%Y-%m-%d"]), help="The day it was taken from there.  [default: today]")
@click.option("--max-age-days", type=click.IntRange(1, 36_500), help="Older than that, calls wait for a new one.")
@click.option("--column", "columns", multiple=True, help="Of a CSV: makes up the number; may be repeated.")
@click.option("--prefix", default="", help="Before each number, such as +1.")
@click.option("--empty", is_flag=True, help="Take a file without any number.")
@country
@database_or_sandbox
@as_json
@answering
def load(
    *,
    name: str,
    file: Path,
    source: str,
    taken: typing.Any,
    max_age_days: int | None,
    columns: tuple[str, ...],
    prefix: str,
    empty: bool,
    country: str | None,
    database: str | None,
    as_json: bool,
) -> int:
    r"""Put a file in the place of a list, whole or not at all: one number a line, CSV with a header, or NDJSON.

    \b
    ringonce dnc load national national.csv --source "the national registry" --taken 2026-11-20 --max-age-days 31
    """
    import datetime as dt

    home = _home(country)
    at = taken.replace(tzinfo=dt.UTC).timestamp() if taken else time.time()
    if at > time.time() + 86_400:
        raise InvalidInput("The list can't have been taken then", why="that is yet to come", fix="correct --taken")
    with opened(address(database, os.environ)) as store:
        from ringonce.cli.batching import pieces
        from ringonce.ledger.sql import SqlLedger
        from ringonce.service.donotcall import keeping, reading, taking

        limit = None if max_age_days is None else max_age_days * keeping.DAY
        told = asyncio.run(
            taking.take(
                store,
                pieces(file),
                reading.Reader(columns=columns, prefix=prefix, country=home),
                keeping.Taken(name=keeping.sound_name(name), source=source, taken_at=at, max_age=limit),
                mark=SqlLedger(store.engine).mark,
                by=BY,
                clock=time.time,
                may_be_empty=empty,
            )
        )
    if isinstance(told, taking.Faulty):
        _tell_faults(told.faults, told.faulty)
        raise InvalidInput("The file has faults", why="nothing of it was taken", fix="correct the lines above")
    _tell(told, as_json=as_json)
    return 0


@command.command(short_help="Put numbers on a list.")
@click.argument("name")
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER…")
@country
@database_or_sandbox
@as_json
@answering
def add(*, name: str, numbers: tuple[str, ...], country: str | None, database: str | None, as_json: bool) -> int:
    """Put numbers on a list that is there already. It holds from this moment on."""
    from ringonce.numbers import dialable

    home = _home(country)
    plain = [dialable(one, country=home, allow_premium=True) for one in numbers]
    with opened(address(database, os.environ)) as store:
        from ringonce.ledger.sql import SqlLedger
        from ringonce.service.donotcall import keeping

        mark = SqlLedger(store.engine).mark
        with store.write() as db:
            kept, new = keeping.add(db, name, [(one, mark(one)) for one in plain], by=BY, now=time.time())
    _tell(kept, as_json=as_json)
    say(f"{new} of them were not on it")
    return 0


@command.command(short_help="Take a number off a list.")
@click.argument("name")
@click.argument("number")
@click.option("--reason", metavar="WORDS", default="", help="Kept in the audit log.")
@country
@database_or_sandbox
@answering
def remove(*, name: str, number: str, reason: str, country: str | None, database: str | None) -> int:
    """Take a number off a list: it may ring again, unless another list has it."""
    from ringonce.numbers import dialable

    plain = dialable(number, country=_home(country), allow_premium=True)
    with opened(address(database, os.environ)) as store:
        from ringonce.ledger.sql import SqlLedger
        from ringonce.service.donotcall import keeping

        mark = SqlLedger(store.engine).mark(plain)
        with store.write() as db:
            done = keeping.remove(db, name, plain, mark, by=BY, now=time.time(), reason=reason)
    if not done:
        raise Refused(f"The number is not on the list {name[:80]!r}", fix="see ringonce dnc list for the others")
    say(f"it is off the list {name}")
    return 0


@command.command(short_help="Forget a list.")
@click.argument("name")
@database_or_sandbox
@answering
def drop(*, name: str, database: str | None) -> int:
    """Forget a list: its numbers may ring again, unless another list has them."""
    with opened(address(database, os.environ)) as store:
        from ringonce.service.donotcall import taking

        asyncio.run(taking.forget(store, name, by=BY, now=time.time()))
    say(f"the list {name} is forgotten")
    return 0


def _home(country: str | None) -> str:
    return config.load(flags={"country": country}, environ=os.environ).country


def _tell(kept: "Kept", *, as_json: bool) -> None:
    import msgspec

    if as_json:
        click.echo(msgspec.json.encode(kept).decode())
        return
    limit = f" of {kept.max_age_days}" if kept.max_age_days else ""
    old = f"{kept.age_days}{limit} days old" + (", STALE: calls wait for a new one" if kept.stale else "")
    click.echo(printable(f"{kept.name}  {kept.numbers} numbers  taken {kept.taken}, {old}  {kept.source}"))


def _tell_faults(faults: "list[Fault]", count: int) -> None:
    for fault in faults[:FAULTS_SAID]:
        where = f"line {fault.row}" if fault.row else "the file"
        utter(printable(f"{where}: {fault.what}" + (f": {fault.why}" if fault.why else "")))
    if (more := count - min(FAULTS_SAID, len(faults))) > 0:
        say(f"and {more} more")
