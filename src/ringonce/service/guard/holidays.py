"""Public holidays by rule: fixed dates, dates that follow Easter, n-th weekdays, and the days taken in their place."""

import datetime as dt
import functools
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import msgspec

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SATURDAY, _SUNDAY = 5, 6


class Holiday(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One holiday, told by exactly one of *date*, *easter*, *weekday* and *on*."""

    name: str
    date: str = ""
    """Month and day, such as `12-25`."""
    easter: int | None = None
    """Days after Easter Sunday of the Western churches."""
    weekday: Literal["", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = ""
    nth: int = 0
    """Which such weekday of *month*: 1 to 4, or -1 for the last one."""
    month: int = 0
    on: tuple[dt.date, ...] = ()
    """Whole dates, for what no rule tells."""
    since: int = 0
    """The first year."""
    observed: Literal["", "nearest", "monday", "next", "before"] = ""
    """The day taken as well: `nearest` (Saturday: Friday before; Sunday: Monday after), `monday` (Sunday only: Monday
    after), `next` (Saturday and Sunday: the next working day that is no holiday), `before` (Sunday only: Saturday)."""

    def __post_init__(self) -> None:
        """Refuse a holiday that no year has, or that is told in two ways."""
        ways = [bool(self.date), self.easter is not None, bool(self.weekday), bool(self.on)]
        if sum(ways) != 1:
            raise ValueError(f"{self.name!r} needs exactly one of date, easter, weekday and on")
        if self.date:
            month_and_day(self.date)
        if self.weekday and (self.nth not in {1, 2, 3, 4, -1} or not 1 <= self.month <= 12):  # noqa: PLR2004  # a year
            raise ValueError(f"{self.name!r} needs nth (1 to 4, or -1 for the last) and month (1 to 12)")

    def days(self, year: int) -> list[dt.date]:
        """Give its dates in *year*, without those taken in their place."""
        if year < self.since:
            return []
        if self.on:
            return [day for day in self.on if day.year == year]
        if self.easter is not None:
            return [easter_sunday(year) + timedelta(days=self.easter)]
        if self.date:
            month, day = month_and_day(self.date)
            return [dt.date(year, month, day)] if (month, day) != (2, 29) or _is_leap(year) else []
        return [_nth_weekday(year, self.month, WEEKDAYS.index(self.weekday), self.nth)]


def month_and_day(text: str) -> tuple[int, int]:
    """Read a date without a year, such as `12-25`."""
    try:
        leap = dt.date.fromisoformat(f"2024-{text}")
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no month and day, such as 12-25") from None
    return leap.month, leap.day


def easter_sunday(year: int) -> dt.date:
    """Compute Easter Sunday of the Western churches (Gregorian, in the form of Meeus, Jones and Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return dt.date(year, month, day + 1)


@functools.lru_cache(maxsize=4096)
def names_of(holidays: tuple[Holiday, ...], year: int) -> dict[dt.date, str]:
    """Name every holiday of *year*, the days taken in their place included."""
    named: dict[dt.date, str] = {}
    # A day taken in place of the first of January may lie in the year before, one for the end of December in the next.
    for around in (year - 1, year, year + 1):
        named |= _with_observed(holidays, around)
    return {day: name for day, name in named.items() if day.year == year}


def holiday_on(holidays: tuple[Holiday, ...], day: dt.date) -> str:
    """Name the holiday that *day* is, or give an empty string."""
    return names_of(holidays, day.year).get(day, "") if holidays else ""


def _with_observed(holidays: Sequence[Holiday], year: int) -> dict[dt.date, str]:
    proper = {day: holiday.name for holiday in holidays for day in holiday.days(year)}
    named = dict(proper)
    for holiday in holidays:
        for day in holiday.days(year):
            taken = _observed(holiday.observed, day, named)
            if taken != day:
                named.setdefault(taken, f"{holiday.name} (observed)")
    return named


def _observed(how: str, day: dt.date, named: dict[dt.date, str]) -> dt.date:
    weekday = day.weekday()
    if how == "nearest" and weekday == _SATURDAY:
        return day - timedelta(days=1)
    if how == "before" and weekday == _SUNDAY:
        return day - timedelta(days=1)
    if how in {"nearest", "monday"} and weekday == _SUNDAY:
        return day + timedelta(days=1)
    if how == "next" and weekday >= _SATURDAY:
        while day in named or day.weekday() >= _SATURDAY:
            day += timedelta(days=1)
    return day


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> dt.date:
    if nth > 0:
        first = dt.date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
    last = dt.date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
