"""`ringonce audit`: what people did with the service."""

import os
import time

import click

from ringonce.cli.database import address, database_or_sandbox, opened
from ringonce.cli.menu import NOT_AS_ASKED
from ringonce.cli.options import answering
from ringonce.cli.words import complain, printable, say


@click.group(short_help="Read and verify the service's audit log.")
def command() -> None:
    """Read and verify the audit log of the service: tokens, overrides, stops, and what was said of unknown calls."""


@command.command("list", short_help="List the entries.")
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="N", help="Only entries after number N.")
@click.option("--limit", type=click.IntRange(min=1), help="How many at the most.")
@database_or_sandbox
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout: the way to export it.")
@answering
def listed(*, after: int, limit: int | None, database: str | None, as_json: bool) -> int:
    """List the entries, the oldest first."""
    import msgspec

    with opened(address(database, os.environ)) as store:
        from ringonce.service import audit

        with store.read() as db:
            for entry in audit.entries(db, after=after, limit=limit):
                if as_json:
                    click.echo(msgspec.json.encode(entry).decode())
                    continue
                at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.at))
                said = f"{entry.seq:6}  {at}  {entry.who}  {entry.what}  {entry.subject}  {entry.details}"
                click.echo(printable(said))
    return 0


@command.command(short_help="Say whether the chain of entries holds.")
@click.option("--last", metavar="HASH", default="", help="The hash of an entry that was exported before.")
@database_or_sandbox
@answering
def verify(*, last: str, database: str | None) -> int:
    """Go through the whole chain: each entry is hashed together with the one before, so that a change shows.

    Somebody who can write the database can build a new chain. Keep the last hash elsewhere, and give it as --last.
    """
    with opened(address(database, os.environ)) as store:
        from ringonce.service import audit

        with store.read() as db:
            count, broken = audit.verify(db)
            hashes = [entry.hash for entry in audit.entries(db)] if broken is None else []
        where = store.name
    if broken is not None:
        complain(
            f"the audit log is broken at entry {broken.seq}",
            broken.why,
            f"the {count} entries before hold; compare with an export or a backup",
        )
        return NOT_AS_ASKED
    if last and last not in hashes:
        complain("the audit log is another one", "it has no entry with that hash", "compare with an export or a backup")
        return NOT_AS_ASKED
    told = f"; the last is {hashes[-1]}" if hashes else ": nothing was noted there yet"
    click.echo(printable(f"{count} entries hold in {where}{told}"))
    if not hashes:
        say("if the service has another database, name it: --database URL, or --sandbox")
    return 0
