"""What was measured, as tables: for a terminal and for the docs."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench.targets import MOST, Verdict

UNITS = {
    "cpu_us": "CPU µs",
    "life_cpu_us": "CPU µs, the call's whole life",
    "cpu_ms": "CPU ms",
    "wall_ms": "wall ms",
    "calls_s": "calls/s",
    "requests_s": "requests/s",
    "intents_s": "intents/s",
    "statements": "SQL statements a call",
    "commits": "commits a call",
    "place_cpu_us": "CPU µs to place",
    "whole_cpu_us": "CPU µs, whole life",
    "rss_mib": "MiB held",
    "rss_grew_kib": "KiB a call",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "timed": "events timed",
    "requests": "requests a call",
    "reads": "of these reads",
    "subscriptions": "of these for channels",
    "calls": "calls",
}
Table = list[list[str]]


def number(value: float) -> str:
    """Write three digits that count, thousands apart."""
    if value == 0:
        return "0"
    for least, form in ((100, ",.0f"), (10, ".1f"), (1, ".2f"), (0.1, ".3f")):
        if abs(value) >= least:
            return format(value, form)
    return format(value, ".2g")


def of_targets(verdicts: list[Verdict]) -> Table:
    """Give the table that says what is met."""
    table = [["what", "measured", "target", ""]]
    for one in verdicts:
        sign = "≤" if one.bound == MOST else "≥"
        bound = "" if one.target is None else f"{sign} {number(one.target)} {one.unit}".strip()
        told = f"{number(one.figure)} {one.unit}".strip() if one.figure is not None else "skipped"
        word = {True: "met", False: "**missed**", None: one.note}[one.met]
        table.append([one.what, told, bound, word])
    return table


def of_case(rows: Mapping[str, Any]) -> Iterator[tuple[str, Table]]:
    """Give a table for each group of a case's rows, by its name."""
    for group, named in rows.items():
        figures = [figure for figure in UNITS if any(figure in row for row in named.values())]
        table = [[group, *(UNITS[figure] for figure in figures)]]
        for name, row in named.items():
            skipped = row.get("skipped", "")
            table.append(
                [
                    name,
                    *(
                        (skipped if figure == figures[0] else "") if skipped else _cell(row, figure)
                        for figure in figures
                    ),
                ]
            )
        yield group, table


def _cell(row: Mapping[str, Any], figure: str) -> str:
    if figure not in row:
        return ""
    told = number(row[figure])
    turns = row.get("turns", {}).get(figure)
    return f"{told} ({number(min(turns))} to {number(max(turns))})" if turns else told


def markdown(table: Table) -> str:
    """Write a table for the docs."""
    head, *body = table
    align = ["---", *("---:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, align, *body))


def plain(table: Table) -> str:
    """Write a table for a terminal."""
    rows = [[cell.replace("*", "").replace("`", "") for cell in row] for row in table]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
