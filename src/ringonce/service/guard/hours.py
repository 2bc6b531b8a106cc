"""Calling hours of one call: which weeks hold, in which zones, and what the clocks say."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from ringonce.service.guard import days
from ringonce.service.guard.holidays import Holiday
from ringonce.service.guard.rulebook import Cap, CountryRule, Rulebook
from ringonce.service.guard.schedule import HORIZON_DAYS, Schedule
from ringonce.service.guard.settings import HoursSettings, Profile
from ringonce.service.guard.verdict import Refusal, Rule
from ringonce.service.guard.week import Week, told

CLOCKS_SHOWN = 5


class Held(NamedTuple):
    """One week that holds for a call."""

    name: str
    week: Week
    holidays: tuple[Holiday, ...]


class Timetable:
    """The hours that hold for one kind of number: its countries, its state and its zones."""

    def __init__(self, held: Sequence[Held], caps: Sequence[tuple[str, Cap]], zones: tuple[str, ...]) -> None:
        self.held, self.caps, self.zones = tuple(held), tuple(caps), zones
        self.all = Schedule(zones, [(one.week, one.holidays) for one in held])
        self._latest: tuple[float, tuple[Refusal, ...]] = (-1.0, ())
        self._single = [Schedule(zones, [(one.week, one.holidays)]) for one in held]

    def refusals(self, moment: float) -> tuple[Refusal, ...]:
        """Say which hours refuse a call at *moment*; none if they all allow it."""
        if not self.held or self.all.allows(moment):
            return ()
        # A preview asks for many numbers at one moment.
        at, refusals = self._latest
        if at != moment:
            refusals = tuple(
                self._refusal(one, alone, moment)
                for one, alone in zip(self.held, self._single, strict=True)
                if not alone.allows(moment)
            )
            self._latest = (moment, refusals)
        return refusals

    def _refusal(self, one: Held, alone: Schedule, moment: float) -> Refusal:
        closed: list[dict[str, Any]] = []
        for zone in self.zones:
            now = days.local(moment, zone)
            hours = one.week.on(now.date(), one.holidays)
            if any(opens <= now.hour * 60 + now.minute < closes for opens, closes in hours):
                continue
            clock = {"zone": zone, "local": now.isoformat(timespec="seconds"), "allowed": told(hours)}
            if day := one.week.narrowed(now.date(), one.holidays):
                clock["day"] = day
            closed.append(clock)
        opens_at = alone.next_open(moment, moment + HORIZON_DAYS * days.DAY)
        first = closed[0]
        shown_at = dt.datetime.fromisoformat(first["local"])
        evidence = (
            f"{one.name}: it is {shown_at:%a %Y-%m-%d %H:%M} in {first['zone']}"
            f"{' (' + first['day'] + ')' if 'day' in first else ''}, and that day's hours are {first['allowed']}"
        )
        if len(closed) > 1:
            evidence += f"; {len(closed) - 1} more of the {len(self.zones)} zones it may be in say no"
        return Refusal(
            rule=Rule.HOURS,
            evidence=evidence,
            until=None if opens_at is None else days.utc(opens_at),
            remedy="" if opens_at is not None else "no moment within a year suits every zone: give the row's own zone",
            facts={"hours": one.name, "closed": closed[:CLOCKS_SHOWN], "zones": len(self.zones)},
        )


def timetable(
    settings: HoursSettings, book: Rulebook, state: str, countries: Sequence[str], zones: tuple[str, ...]
) -> Timetable:
    """Choose the hours for a number of *state*. Where it may be in several countries, the rules of all of them hold."""
    profile = settings.profile
    own: list[Held] = []
    rules: list[tuple[str, CountryRule]] = []
    if profile in {Profile.COUNTRY, Profile.BOTH}:
        rules = [(country, rule) for country in countries for rule in book.rules(country, state)]
    if profile in {Profile.OWN, Profile.BOTH} or (profile is Profile.COUNTRY and not rules):
        # Holidays of several countries close the day together: whoever may be there has one.
        together = tuple(dict.fromkeys(one for country in countries for one in book.holidays(country)))
        own = [Held("your own hours", settings.own, together)]
    held = [Held(rule.name, rule.hours, book.holidays(country)) for country, rule in rules]
    return Timetable(held + own, [(rule.name, cap) for _, rule in rules for cap in rule.caps], zones)
