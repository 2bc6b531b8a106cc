"""Local days on the line of absolute time: where they begin and end, whatever the clocks do in them.

All moments are whole seconds since the epoch, all local times are minutes after midnight.
"""

import functools
import math
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from ringonce.errors import InvalidInput
from ringonce.numbers import shown

DAY = 86_400
_EPOCH = date(1970, 1, 1)
_WIDEST = 16 * 3600
"""No zone was ever further than this from UTC."""
_SAMPLE = 12 * 3600
"""No zone has moved its clocks twice within this time."""

Span = tuple[int, int]
"""From the first moment, included, to the second, excluded."""
Window = tuple[int, int]
"""The same in minutes after a local midnight; the second may be 1440."""


@functools.lru_cache(maxsize=1024)
def zone(name: str) -> zoneinfo.ZoneInfo:
    """Find a time zone by its tz database name, or refuse."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(
            f"{shown(name)} is no time zone",
            why="the tz database of this machine has no such name",
            fix="write it as in America/New_York or Asia/Kolkata; names of abbreviations such as EST mislead",
        ) from None


def local(moment: float, name: str) -> datetime:
    """Tell what the clocks show in the zone *name*, to the second that *moment* lies in."""
    return datetime.fromtimestamp(math.floor(moment), zone(name))


def utc(moment: float) -> datetime:
    """Write a moment as an aware datetime; always in UTC, since two zones' datetimes compare oddly in a fold."""
    return datetime.fromtimestamp(moment, UTC)


@functools.lru_cache(maxsize=65_536)
def pieces(name: str, day: date) -> tuple[tuple[int, int, int], ...]:
    """Cut a local day into spans of one offset from UTC, each as (begin, end, offset).

    A usual day is one piece, a day on which the clocks change is two. A day that a zone skipped has none.
    """
    midnight = (day - _EPOCH).days * DAY
    found = []
    for begin, end, offset in _offsets(name, midnight - _WIDEST, midnight + DAY + _WIDEST):
        first, last = max(begin, midnight - offset), min(end, midnight + DAY - offset)
        if first < last:
            found.append((first, last, offset))
    return tuple(found)


def day_start(name: str, day: date) -> int:
    """Find the first moment of a local day, or of the next one if the zone skipped that day."""
    while not (found := pieces(name, day)):
        day += timedelta(days=1)
    return found[0][0]


def spans(name: str, day: date, windows: Sequence[Window]) -> Iterator[Span]:
    """Find the moments of a local day at which its clocks show a time inside one of *windows*.

    A time that is skipped is no moment, a time that comes twice is two.
    """
    midnight = (day - _EPOCH).days * DAY
    for begin, end, offset in pieces(name, day):
        for opens, closes in windows:
            first = max(begin, midnight + opens * 60 - offset)
            last = min(end, midnight + closes * 60 - offset)
            if first < last:
                yield first, last


def merged(found: Iterable[Span]) -> list[Span]:
    """Sort spans, and join those that touch."""
    joined: list[Span] = []
    for begin, end in sorted(found):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def shared(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """Find what two sorted lists of spans have in common."""
    found, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        begin, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if begin < end:
            found.append((begin, end))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return found


def _offsets(name: str, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Cut a span into pieces of one offset."""
    start, offset = begin, _offset(name, begin)
    for sample in (*range(begin + _SAMPLE, end, _SAMPLE), end):
        if (later := _offset(name, sample)) != offset:
            change = _change(name, sample - _SAMPLE, sample, offset)
            yield start, change, offset
            start, offset = change, later
    yield start, end, offset


def _change(name: str, before: int, after: int, offset: int) -> int:
    """Find the first second at which the offset is no longer *offset*."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(name, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(name: str, moment: int) -> int:
    shift = local(moment, name).utcoffset()
    return int(shift.total_seconds()) if shift is not None else 0
