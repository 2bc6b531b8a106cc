"""Caps and gaps: how often one number is tried, over every source of calls together."""

import datetime as dt
import math
from collections.abc import Sequence

from ringonce.service.guard import days
from ringonce.service.guard.rulebook import Cap
from ringonce.service.guard.settings import Attempts

_HOUR, _MINUTE = 3600, 60


def caps_of(settings: Attempts) -> tuple[Cap, ...]:
    """Give the operator's caps."""
    given = ((settings.per_day, 1), (settings.per_7_days, 7), (settings.per_30_days, 30))
    return tuple(Cap(most=most, days=span) for most, span in given if most)


def free_again(cap: Cap, attempts: Sequence[float], zones: Sequence[str], moment: float) -> float:
    """Give the first moment from *moment* on at which *cap* leaves room for one more attempt.

    *attempts* are the moments of earlier ones, in order. A calendar day is the callee's: with several zones, every one
    of them has to leave room.
    """
    if cap.hours:
        counted = [attempt for attempt in attempts if attempt > moment - cap.hours * _HOUR]
        if len(counted) < cap.most:
            return moment
        return max(moment, math.ceil(counted[-cap.most] + cap.hours * _HOUR))
    return max(_free_in(cap, attempts, zone, moment) for zone in zones)


def gap_over(minutes: int, attempts: Sequence[float], moment: float) -> float:
    """Give the first moment from *moment* on that is *minutes* after the last attempt."""
    return max(moment, math.ceil(attempts[-1] + minutes * _MINUTE)) if attempts and minutes else moment


def _free_in(cap: Cap, attempts: Sequence[float], zone: str, moment: float) -> float:
    first = days.local(moment, zone).date() - dt.timedelta(days=cap.days - 1)
    begins = days.day_start(zone, first)
    counted = [attempt for attempt in attempts if attempt >= begins]
    if len(counted) < cap.most:
        return moment
    # Once the day of this attempt has left the window, one fewer than the cap allows is left in it.
    leaves = days.local(counted[-cap.most], zone).date() + dt.timedelta(days=cap.days)
    return max(moment, days.day_start(zone, leaves))
