"""Calling hours of a week, as a person writes them and as the clock needs them."""

import datetime as dt
import itertools
import re
from collections.abc import Sequence

import msgspec

from ringonce.service.guard.days import Window
from ringonce.service.guard.holidays import WEEKDAYS, Holiday, holiday_on, month_and_day

_WINDOW = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)
_MIDNIGHT = 24 * 60
Hours = tuple[str, ...]


class Week(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When calls are allowed, in the callee's local time, as `["09:00-12:30", "13:30-20:00"]`; `[]` is never.

    A window ends before the minute that it names: at 21:00, `08:00-21:00` is over.
    """

    weekdays: Hours
    """Monday to Friday."""
    saturday: Hours
    """On Saturday."""
    sunday: Hours
    """On Sunday."""
    monday: Hours | None = None
    """In place of *weekdays*; so are the next four."""
    tuesday: Hours | None = None
    """Likewise."""
    wednesday: Hours | None = None
    """Likewise."""
    thursday: Hours | None = None
    """Likewise."""
    friday: Hours | None = None
    """Likewise."""
    holidays: Hours | None = None
    """On public holidays, within the weekday's own hours; left out: as on any other day."""
    eves: Hours | None = None
    """On the day before a public holiday, likewise."""
    dates: dict[str, Hours] = {}
    """On single days, as `12-24` or `2026-12-24`, likewise."""

    def __post_init__(self) -> None:
        """Refuse hours that no clock shows."""
        given = {name: getattr(self, name) for name in self.__struct_fields__ if name != "dates"}
        for name, hours in {**given, **self.dates}.items():
            try:
                windows(hours or ())
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        for name in self.dates:
            if not _is_date(name):
                month_and_day(name)

    def on(self, day: dt.date, holidays: tuple[Holiday, ...]) -> list[Window]:
        """Give the windows of one local day."""
        name = WEEKDAYS[day.weekday()]
        own = getattr(self, name)
        usual = self.weekdays if own is None else own
        found = windows(usual)
        if self.holidays is not None and holiday_on(holidays, day):
            found = _both(found, windows(self.holidays))
        if self.eves is not None and holiday_on(holidays, day + dt.timedelta(days=1)):
            found = _both(found, windows(self.eves))
        for key in (day.isoformat(), day.isoformat()[5:]) if self.dates else ():
            if key in self.dates:
                found = _both(found, windows(self.dates[key]))
        return found

    def narrowed(self, day: dt.date, holidays: tuple[Holiday, ...]) -> str:
        """Say why *day* is not as the other days of its name, if it is not."""
        if self.holidays is not None and (name := holiday_on(holidays, day)):
            return name
        if self.eves is not None and (name := holiday_on(holidays, day + dt.timedelta(days=1))):
            return f"the eve of {name}"
        return day.isoformat() if {day.isoformat(), day.isoformat()[5:]} & self.dates.keys() else ""


def windows(hours: Sequence[str]) -> list[Window]:
    """Read windows, in the order of the day; refuse those that overlap or end before they begin."""
    found = []
    for text in hours:
        match = _WINDOW.fullmatch(text.strip())
        if not match:
            raise ValueError(f"{text[:40]!r} is no window of hours, such as 09:00-20:00")
        from_hour, from_minute, to_hour, to_minute = (int(part) for part in match.groups())
        opens, closes = from_hour * 60 + from_minute, to_hour * 60 + to_minute
        if not opens < closes <= _MIDNIGHT:
            raise ValueError(f"{text[:40]!r} ends before it begins; past midnight, write two windows")
        found.append((opens, closes))
    if any(one[1] > other[0] for one, other in itertools.pairwise(found)):
        raise ValueError(f"{', '.join(hours)} overlap or are out of order")
    return found


def told(found: Sequence[Window]) -> str:
    """Write windows for a person."""
    return ", ".join(f"{o // 60:02}:{o % 60:02}-{c // 60:02}:{c % 60:02}" for o, c in found) or "none"


def _both(one: list[Window], other: list[Window]) -> list[Window]:
    cut = [(max(a, c), min(b, d)) for a, b in one for c, d in other]
    return [(opens, closes) for opens, closes in cut if opens < closes]


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True
