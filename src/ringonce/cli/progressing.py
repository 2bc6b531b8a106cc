"""How far a batch is: a bar on a terminal, JSON for programs, and a few words in the end."""

import datetime as dt
import sys
import time
import typing

import click

from ringonce.cli.words import printable

if typing.TYPE_CHECKING:
    from rich.progress import TaskID

Shown = dict[str, typing.Any]
ENOUGH = 5
"""Rows after which the time that is left can be told from how long they took."""
QUOTA = 270.0
"""Calls a minute that one token's quota of 300 requests has room for, at 1.1 requests a call."""


class Progress:
    """Tells on stderr how far a batch is; with *as_json*, one object a line on stdout instead."""

    def __init__(self, *, as_json: bool, clock: typing.Callable[[], float] = time.monotonic) -> None:
        self._as_json, self._clock = as_json, clock
        self._bar: typing.Any = None
        self._task: TaskID | None = None
        self._first: tuple[float, int] | None = None
        self._told: Shown = {}
        if not as_json and sys.stderr is not None and sys.stderr.isatty():
            from rich import progress
            from rich.console import Console

            console = Console(stderr=True)
            columns = (
                progress.TextColumn("{task.description}"),
                progress.BarColumn(),
                progress.MofNCompleteColumn(),
                progress.TextColumn("{task.fields[words]}"),
            )
            # What is written on stdout must not be moved to stderr.
            self._bar = progress.Progress(*columns, console=console, redirect_stdout=False, redirect_stderr=False)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()

    def faults(self, report: Shown) -> None:
        """Tell what is wrong in the file, to programs; people have been told."""
        if report.get("faulty"):
            self._line("faults", report)

    def taken(self, batch: Shown) -> None:
        """Tell that the file was taken."""
        self._line("batch", {"id": batch["id"], "state": batch["state"], "rows": batch["rows"]})
        if self._bar is not None:
            self._task = self._bar.add_task(printable(batch["name"]), total=batch["rows"], words="")
            self._bar.start()

    def foreseen(self, preview: Shown) -> None:
        """Tell what a dry run found."""
        if self._as_json:
            self._line("preview", preview)
            return
        click.echo(f"{preview['rows']} rows; nothing was kept, and nothing rang")
        click.echo(f"{preview['now']:>8}  may be dialled now, as fast as agents and the quota permit")
        for group in preview["later"]:
            at = dt.datetime.fromtimestamp(group["at"], dt.UTC)
            why = group["rule"] or "not_before"
            click.echo(f"{group['rows']:>8}  from {at:%Y-%m-%d %H:%M} UTC ({why}), such as row {_first_row(group)}")
        if preview["more_later"]:
            click.echo(f"{preview['more_later']:>8}  later still")
        for group in preview["refused"]:
            why = group["examples"][0]["why"] if group["examples"] else ""
            words = f"refused by {group['rule']}, such as row {_first_row(group)}: {why}"
            click.echo(f"{group['rows']:>8}  {printable(words)}")

    def stands(self, batch: Shown) -> None:
        """Tell how it stands now."""
        states = batch["progress"]["states"]
        over = batch["rows"] - batch["progress"]["open"]
        if self._first is None:
            self._first = (self._clock(), over)
        left = self._left(over, batch["progress"]["open"])
        if self._as_json:
            said = {"id": batch["id"], "state": batch["state"], "seconds_left": left, **batch["progress"]}
            if {**said, "seconds_left": 0} != self._told:
                self._told = {**said, "seconds_left": 0}
                self._line("progress", said)
        if self._bar is not None and self._task is not None:
            words = f"{states['live'] + states['dialing']} live, about {_duration(left)} left"
            self._bar.update(self._task, completed=over, words=words)

    def ended(self, batch: Shown) -> None:
        """Tell how it stands in the end."""
        self.close()
        if self._as_json:
            self._line("result", {"id": batch["id"], "state": batch["state"], **batch["progress"]})
            return
        counted = {name: rows for name, rows in batch["progress"]["states"].items() if rows and name != "ended"}
        counted = batch["progress"]["outcomes"] | counted
        click.echo(f"{batch['id']}  {batch['state']}: " + ", ".join(f"{rows} {name}" for name, rows in counted.items()))

    def _left(self, over: int, open_: int) -> float:
        """Give the seconds that are left: by how long rows took so far, or by the quota before there are any."""
        began, before = self._first or (self._clock(), over)
        took = self._clock() - began
        if over - before < ENOUGH or took <= 0:
            return open_ / QUOTA * 60
        return open_ * took / (over - before)

    def _line(self, event: str, fields: Shown) -> None:
        if self._as_json:
            import msgspec

            click.echo(msgspec.json.encode({"event": event} | fields).decode())


def _first_row(group: Shown) -> str:
    return str(group["examples"][0]["row"]) if group["examples"] else "?"


def _duration(seconds: float) -> str:
    if seconds < 90:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
