"""When everybody's clock allows a call: hours of several rules, in several zones, intersected."""

import datetime as dt
from collections.abc import Sequence

from ringonce.service.guard import days
from ringonce.service.guard.days import DAY, Span
from ringonce.service.guard.holidays import Holiday
from ringonce.service.guard.week import Week

HORIZON_DAYS = 366
"""How far ahead a moment is looked for."""
_EPOCH = dt.date(1970, 1, 1)
_KEPT_DAYS = 3 * HORIZON_DAYS


class Schedule:
    """The moments that every one of *weeks* allows in every one of *zones*; days are worked out when asked for."""

    def __init__(self, zones: Sequence[str], weeks: Sequence[tuple[Week, tuple[Holiday, ...]]]) -> None:
        self.zones, self.weeks = tuple(zones), tuple(weeks)
        self._days: dict[int, list[Span]] = {}

    def allows(self, moment: float) -> bool:
        """Say whether a call is allowed at *moment*."""
        return any(begin <= moment < end for begin, end in self._on(int(moment // DAY)))

    def next_open(self, moment: float, until: float) -> float | None:
        """Find the first allowed moment from *moment* on, or None if there is none before *until*."""
        for number in range(int(moment // DAY), int(until // DAY) + 1):
            for begin, end in self._on(number):
                if moment < end:
                    found = max(moment, begin)
                    return found if found < until else None
        return None

    def _on(self, number: int) -> list[Span]:
        """Find the allowed spans of a day of UTC, counted from the epoch."""
        found = self._days.get(number)
        if found is None:
            if len(self._days) >= _KEPT_DAYS:
                self._days.clear()
            found = self._days[number] = self._worked_out(number)
        return found

    def _worked_out(self, number: int) -> list[Span]:
        found = [(number * DAY, (number + 1) * DAY)]
        today = _EPOCH + dt.timedelta(days=number)
        around = [today + dt.timedelta(days=shift) for shift in (-1, 0, 1)]
        for week, holidays in self.weeks:
            hours = [(day, week.on(day, holidays)) for day in around]
            for zone in self.zones:
                allowed = (span for day, open_ in hours for span in days.spans(zone, day, open_))
                found = days.shared(found, days.merged(allowed))
                if not found:
                    return found
        return found
