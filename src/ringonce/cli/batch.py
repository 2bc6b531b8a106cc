"""`ringonce batch`: dial a file of calls, each row once."""

import asyncio
import collections.abc
import contextlib
import os
import typing
from pathlib import Path

import click

from ringonce.cli.batching import FaultyFile, Handed, Own, Place, Server, Shown, key_of
from ringonce.cli.database import address, database, guard, reaching, rules
from ringonce.cli.menu import REFUSED, UNKNOWN
from ringonce.cli.options import answering, connection
from ringonce.cli.progressing import Progress
from ringonce.cli.words import printable, say, utter
from ringonce.errors import ConfigError, InvalidInput

if typing.TYPE_CHECKING:
    from ringonce.cli.interrupt import Interrupt
    from ringonce.service.calls.batch import BatchSettings

EVERY = 0.5
"""Seconds between two looks at how far it is."""
OVER = frozenset({"done", "cancelled"})
FAULTS_SAID = 20


@click.command(short_help="Dial a file of calls, each row once.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be dialled when, and what not; nothing is kept.")
@click.option("--start/--no-start", default=True, show_default=True, help="Dial it, or only take it in.")
@click.option("--name", default="", help="For people.  [default: the file's name]")
@click.option("--key", default="", help="The batch's own key.  [default: made of the file and its settings]")
@click.option(
    "--agent", "agents", multiple=True, metavar="ID|EMAIL", help="Of the pool for rows without one; repeated."
)
@click.option("--caller-id", metavar="NUMBER", default="", help="For rows that have none.")
@click.option("--queue", metavar="ID|NAME", default="", help="For rows that have none.")
@click.option("--zone", metavar="ZONE", default="", help="The callees' time zone, such as Europe/Paris.")
@click.option("--priority", type=int, default=0, show_default=True, help="From -1000 to 1000; the lower goes first.")
@click.option("--not-before", metavar="TIME", default="", help="Like 2026-11-22T09:00:00+01:00.")
@click.option("--expires-at", metavar="TIME", default="", help="Rows that had no turn by then are given up.")
@click.option("--attempts", type=click.IntRange(1, 10), default=1, show_default=True, help="For each row, in all.")
@click.option("--gap", type=float, default=3600.0, show_default=True, help="Seconds between two of them, 60 at least.")
@click.option("--retry-after", multiple=True, metavar="OUTCOME", help="Repeated.  [default: no_answer, busy]")
@click.option("--pace", type=float, default=0.0, help="Calls a minute at the most.")
@click.option("--skip-bad", is_flag=True, help="Take the good rows of a file that has bad ones.")
@click.option("--results", "results_to", type=click.Path(dir_okay=False, path_type=Path), help="Write them there.")
@click.option("--server", metavar="URL", default="", help="A service that dials; also RINGONCE_SERVER.")
@click.option("--token", metavar="TOKEN", default="", help="Of the service; better in RINGONCE_TOKEN.")
@database
@guard
@connection
@answering
def command(
    *,
    file: Path,
    dry_run: bool,
    start: bool,
    name: str,
    key: str,
    results_to: Path | None,
    server: str,
    token: str,
    database: str | None,
    guard: str | None,
    region: str | None,
    base_url: str | None,
    as_json: bool,
    **words: typing.Any,
) -> int:
    r"""Take a file of calls in whole, dial each row once, and say what became of it.

    CSV (with the columns key, agent, to, …) or one JSON object a line; docs/batches.md has every column.

    \b
    ringonce batch monday.csv --dry-run
    ringonce batch monday.csv --results monday-results.csv

    Without a service (--server) it dials by itself, and remembers in a file how far it is: Ctrl-C pauses, and the
    same command goes on. Exit code 0: every row was dealt with; 3: nothing rang; 5: a row may have rung.
    """
    settings = _settings(words)
    handed = Handed(key=key or key_of(file, settings), name=name or file.name, settings=settings)
    running = _Running(file, handed, results_to, Progress(as_json=as_json), go_on=_go_on(file, server, start=start))
    server = server or os.environ.get("RINGONCE_SERVER", "").strip()
    if server:
        if database or region or base_url or guard:
            raise click.UsageError("--server has its own database, platform and guard: leave those options out")
        return asyncio.run(running.on_server(server, token, dry_run=dry_run, start=start))
    with reaching():
        url, by = address(database, os.environ), rules(guard, os.environ)
        return asyncio.run(running.here(url, (region, base_url), by, dry_run=dry_run, start=start))


def _settings(words: typing.Mapping[str, typing.Any]) -> "BatchSettings":
    from ringonce.service.batches.wording import moment
    from ringonce.service.calls import Retry
    from ringonce.service.calls.batch import BatchSettings, checked
    from ringonce.service.dialing import retrying

    moments: dict[str, float | None] = {}
    for name in ("not_before", "expires_at"):
        try:
            moments[name] = moment(words[name], words["zone"]) if words[name] else None
        except ValueError as wrong:
            raise InvalidInput(f"--{name.replace('_', '-')} can't be used", why=str(wrong)) from None
    retry = Retry(attempts=words["attempts"], gap=words["gap"], outcomes=words["retry_after"] or Retry().outcomes)
    plain = {name: words[name] for name in ("agents", "caller_id", "queue", "zone", "priority", "pace", "skip_bad")}
    not_before, expires_at = moments["not_before"] or 0.0, moments["expires_at"]
    retrying.checked(retry)
    return checked(BatchSettings(**plain, retry=retry, not_before=not_before, expires_at=expires_at))


def _go_on(file: Path, server: str, *, start: bool) -> str:
    options = "and the same options" if start else "and the same options, without --no-start"
    return f"go on with: ringonce batch {file}" + (f" --server {server}" if server else "") + f" ({options})"


class _Running:
    """One file on its way."""

    def __init__(self, file: Path, handed: Handed, results_to: Path | None, progress: Progress, *, go_on: str) -> None:
        self._file, self._handed, self._results_to = file, handed, results_to
        self._progress, self._go_on = progress, go_on
        self._id = ""

    async def on_server(self, server: str, token: str, **how: bool) -> int:
        """Have a service dial it."""
        import aiohttp

        secret = token or os.environ.get("RINGONCE_TOKEN", "").strip()
        if not secret:
            fix = "set RINGONCE_TOKEN; `ringonce token create --role dialer` makes one"
            raise ConfigError("The service needs a token", why="none was given", fix=fix)
        headers = {"Authorization": f"Bearer {secret}"}
        try:
            session = aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=60))
            async with session:
                return await self._carry_out(Server(session, server), **how)
        except aiohttp.InvalidURL as wrong:
            raise ConfigError(f"{server[:80]!r} is no web address", fix="such as http://127.0.0.1:8090") from wrong

    async def here(
        self, url: str, where: tuple[str | None, str | None], guard: Path | None, *, dry_run: bool, start: bool
    ) -> int:
        """Dial it ourselves."""
        from ringonce.cli.serve import platform_and_client
        from ringonce.service import house

        platform, make_client = platform_and_client(*where)
        dialling = start and not dry_run
        async with house.opened(url, platform, make_client, guard=guard, dialling=dialling) as home:
            return await self._carry_out(Own(home), dry_run=dry_run, start=start)

    async def _carry_out(self, place: Place, *, dry_run: bool, start: bool) -> int:
        from ringonce.cli.interrupt import Interrupt, stopped

        with Interrupt(self._last_words) as interrupt, contextlib.closing(self._progress):
            taking = await interrupt.race(place.take(self._file, self._handed, dry_run=dry_run))
            if not taking.done():
                await stopped(taking)
                say("interrupted: nothing of the file was taken")
                return interrupt.code
            try:
                taken = await taking
            except FaultyFile as faulty:
                self._tell_faults(faulty.report)
                raise FaultyFile(faulty.what, why=faulty.why, fix=faulty.fix or "correct the rows above") from None
            batch = taken["batch"]
            self._tell_faults(batch["report"])
            if dry_run:
                self._progress.foreseen(taken["preview"])
                return 0
            self._id = batch["id"]
            self._progress.taken(batch)
            if not start:
                say(f"{self._id} has {batch['rows']} rows and waits for its start; {self._go_on}")
                return 0
            return await self._dial(place, batch, interrupt)

    async def _dial(self, place: Place, batch: Shown, interrupt: "Interrupt") -> int:
        if batch["state"] not in OVER:
            await place.steer(self._id, "start")
        watching = await interrupt.race(self._watch(place))
        if not watching.done():
            from ringonce.cli.interrupt import stopped

            await stopped(watching)
            await place.steer(self._id, "pause")
            stands = await place.show(self._id)
            await self._write_results(place)
            live = stands["progress"]["states"]["live"] + stands["progress"]["states"]["dialing"]
            self._progress.ended(stands)
            say(f"paused: {stands['progress']['open'] - live} rows wait, {live} calls go on; {self._go_on}")
            return interrupt.code
        stands = await watching
        await self._write_results(place)
        self._progress.ended(stands)
        return _code(stands)

    async def _watch(self, place: Place) -> Shown:
        while True:
            stands = await place.show(self._id)
            self._progress.stands(stands)
            if stands["state"] in OVER and not stands["progress"]["open"]:
                return stands
            await asyncio.sleep(EVERY)

    async def _write_results(self, place: Place) -> None:
        if self._results_to is None:
            return
        # Whole or as it was: a file that is half written would look like a batch that lost rows.
        half = self._results_to.with_name(f".{self._results_to.name}.half")
        with half.open("wb") as opened:
            async for piece in place.results(self._id):
                opened.write(piece)
        half.replace(self._results_to)

    def _tell_faults(self, report: Shown) -> None:
        for fault in report.get("faults", [])[:FAULTS_SAID]:
            where = f"row {fault['row']}" if fault["row"] else "the file"
            column = f", {fault['column']}" if fault["column"] else ""
            why = f": {fault['why']}" if fault["why"] else ""
            utter(printable(f"{where}{column}: {fault['what']}{why}" + (f" ({fault['fix']})" if fault["fix"] else "")))
        if (more := report.get("faulty", 0) - min(FAULTS_SAID, len(report.get("faults", [])))) > 0:
            say(f"and {more} more")
        self._progress.faults(report)

    def _last_words(self) -> str:
        return f"what was started goes on only while somebody dials; {self._go_on}" if self._id else "nothing was taken"


def _code(stands: Shown) -> int:
    states: collections.abc.Mapping[str, int] = stands["progress"]["states"]
    if states["unknown"] or stands["progress"]["outcomes"].get("unknown"):
        return UNKNOWN
    return 0 if states["ended"] else REFUSED
