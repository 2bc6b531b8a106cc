"""The guard itself: from what is known of a call at a moment to a verdict. It reads no clock and opens nothing."""

import datetime as dt
import functools
import math
from collections.abc import Collection, Iterator, Sequence

import msgspec

from ringonce.errors import InvalidInput, NumberRefused
from ringonce.numbers import emergency, masked, shown
from ringonce.service.guard import attempts as tries
from ringonce.service.guard import days, listing
from ringonce.service.guard.hours import Timetable, timetable
from ringonce.service.guard.lists import DoNotCallList, FingerprintKey
from ringonce.service.guard.rulebook import Rulebook, load, shipped
from ringonce.service.guard.settings import Profile, Settings
from ringonce.service.guard.timing import Timing
from ringonce.service.guard.verdict import Audit, Override, Refusal, Rule, Verdict
from ringonce.service.guard.whereabouts import Whereabouts, whereabouts

_LONGEST_EMERGENCY = 11
"""With its plus sign and country code."""
_OLD_RULES_DAYS = 365
_COUNTRIES_SHOWN = 5


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """The call that somebody wants to make."""

    number: str
    """In full (E.164)."""
    zone: str = ""
    """The callee's own time zone, if it is known; it then stands in place of those that the number may be in."""
    caller_id: str = ""
    """What the callee is to see, if it is asked for (E.164)."""
    intent: str = ""
    override: Override | None = None


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """The kill switch, pulled."""

    by: str
    reason: str
    since: dt.datetime


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller of the guard knows at that moment."""

    attempts: Collection[float] = ()
    """When the number was tried before, from whatever source, in seconds since the epoch; `Guard.memory` back."""
    lists: Sequence[DoNotCallList] = ()
    owned: Collection[str] | None = None
    """The caller ids that may be shown (E.164); None: those of the settings."""
    stop: Stop | None = None


NOTHING = Facts()


class Guard:
    """The rules of one organisation. `check` is a pure function; what it remembers is only worked-out time."""

    def __init__(
        self, settings: Settings | None = None, *, key: FingerprintKey | None = None, book: Rulebook | None = None
    ) -> None:
        self.settings = settings or Settings()
        self._key = key
        self._book = book or (load(self.settings.hours.rules) if self.settings.hours.rules else shipped())
        self._caps = tuple(("your own cap", cap) for cap in tries.caps_of(self.settings.attempts))
        self._timetable = functools.lru_cache(maxsize=8192)(self._timetable_of)

    @property
    def memory(self) -> dt.timedelta:
        """How far back a number's attempts are needed."""
        ruled = [cap for country in self._book.countries.values() for rule in country.rule for cap in rule.caps]
        longest = max((cap.days * 24 + cap.hours for cap in [*ruled, *(cap for _, cap in self._caps)]), default=0)
        gap = dt.timedelta(minutes=self.settings.attempts.gap_minutes)
        # Two days more, since a local day may begin that long before any other.
        return max(dt.timedelta(hours=longest), gap) + dt.timedelta(days=2)

    def notices(self, now: dt.datetime | float) -> list[str]:
        """Say what an operator should know before any call: no hours chosen, rule data that have grown old."""
        found = []
        if self.settings.hours.profile is Profile.NONE:
            found.append("no calling hours are set: choose hours.profile")
        if self.settings.hours.profile in {Profile.COUNTRY, Profile.BOTH}:
            limit = days.utc(_moment(now)).date() - dt.timedelta(days=_OLD_RULES_DAYS)
            found += [
                f"the calling rules of {country.name} are of {country.as_of}: laws have changed since"
                for country in self._book.older_than(limit)
            ]
        return found

    def check(self, ask: Ask, now: dt.datetime | float, facts: Facts = NOTHING) -> Verdict:
        """Say whether the call may be made at *now*: an aware datetime, or seconds since the epoch.

        A zone or a moment that can't be used raises `InvalidInput`; whatever is wrong with the number is a refusal.
        """
        moment = _moment(now)
        if ask.zone:
            days.zone(ask.zone)
        found = list(self._always(ask, facts))
        warnings: list[str] = []
        timing: Timing | None = None
        if not any(refusal.rule in {Rule.EMERGENCY, Rule.NUMBER} for refusal in found):
            try:
                place = whereabouts(ask.number)
            except NumberRefused as error:
                found.append(Refusal(rule=Rule.NUMBER, evidence=f"{error.what}: {error.why}", remedy=error.fix))
            else:
                found += self._numbers(place)
                on_lists, warnings = listing.look(
                    ask.number, place.countries, moment, lists=facts.lists, key=self._key, settings=self.settings.list
                )
                found += on_lists
                timing = self._timing(ask, place, facts)
        if timing is not None:
            found += timing.refusals(moment)
        return _verdict(ask, moment, found, warnings, timing)

    def _always(self, ask: Ask, facts: Facts) -> Iterator[Refusal]:
        if facts.stop:
            stop = facts.stop
            yield Refusal(
                rule=Rule.KILL_SWITCH,
                evidence=f"{stop.by} stopped all calls at {stop.since:%Y-%m-%d %H:%M %Z}: {stop.reason}",
                remedy="lift the stop",
                facts={"by": stop.by, "reason": stop.reason, "since": stop.since.isoformat()},
            )
        if len(ask.number) <= _LONGEST_EMERGENCY and (known := emergency(ask.number)):
            yield Refusal(
                rule=Rule.EMERGENCY, evidence=f"{known} is an emergency number", remedy="call it by hand from a phone"
            )
        owned = self.settings.caller_ids.owned if facts.owned is None else facts.owned
        if ask.caller_id and owned is not None and ask.caller_id not in owned:
            yield Refusal(
                rule=Rule.CALLER_ID,
                evidence=f"{shown(ask.caller_id)} is not one of the {len(owned)} caller ids that may be shown",
                remedy="use one of your own numbers, or leave the caller id to the platform",
                facts={"caller_id": ask.caller_id},
            )

    def _numbers(self, place: Whereabouts) -> Iterator[Refusal]:
        if place.premium and not self.settings.calls.premium:
            yield Refusal(
                rule=Rule.PREMIUM,
                evidence="it is a premium-rate number: the callee earns on every minute",
                remedy="set calls.premium if that is meant",
            )
        allowed = self.settings.calls.countries
        strange = [country for country in place.countries if country not in allowed]
        if allowed and (strange or not place.countries):
            some = ", ".join(strange[:_COUNTRIES_SHOWN]) + (" and others" if len(strange) > _COUNTRIES_SHOWN else "")
            verb = "is" if len(place.countries) == 1 else "may be"
            yield Refusal(
                rule=Rule.COUNTRY,
                evidence=f"the number {verb} in {some or 'no country'}; allowed: {', '.join(allowed)}",
                remedy="add the country to calls.countries if that is meant",
                facts={"countries": list(place.countries)},
            )

    def _timing(self, ask: Ask, place: Whereabouts, facts: Facts) -> Timing:
        fallback = self.settings.hours.unknown_zone
        zones = (ask.zone,) if ask.zone else place.zones or ((fallback,) if fallback else ())
        table = self._timetable(self._book.state_of(ask.number), place.countries, zones)
        past = sorted(facts.attempts)
        return Timing(table, (*self._caps, *table.caps), self.settings.attempts.gap_minutes, past)

    def _timetable_of(self, state: str, countries: tuple[str, ...], zones: tuple[str, ...]) -> Timetable:
        return timetable(self.settings.hours, self._book, state, countries, zones)


def _verdict(
    ask: Ask, moment: float, found: Sequence[Refusal], warnings: Sequence[str], timing: Timing | None
) -> Verdict:
    lifted = ask.override.rules if ask.override else frozenset[Rule]()
    standing = tuple(refusal for refusal in found if refusal.rule not in lifted)
    overridden = tuple(refusal for refusal in found if refusal.rule in lifted)
    at = days.utc(moment)
    audit = None
    if ask.override and overridden:
        audit = Audit(
            at=at,
            by=ask.override.by,
            reason=ask.override.reason,
            number=masked(ask.number),
            intent=ask.intent,
            overridden=overridden,
            allowed=not standing,
        )
    opens: float | None = moment
    never = ""
    if standing:
        hopeless = [one for one in standing if one.until is None]
        opens = None if hopeless or timing is None else timing.next_allowed(moment, lifted)
        if opens is None:
            reasons = [f"{one.rule}: {one.remedy or one.evidence}" for one in hopeless]
            never = "; ".join(reasons) or "no moment within a year suits every rule at once"
    return Verdict(
        allowed=not standing,
        at=at,
        refusals=standing,
        next_allowed=None if opens is None else days.utc(opens),
        never=never,
        warnings=tuple(warnings),
        overridden=overridden,
        audit=audit,
    )


def _moment(now: dt.datetime | float) -> float:
    if isinstance(now, dt.datetime):
        if now.utcoffset() is None:
            raise InvalidInput(
                "the moment has no time zone",
                why=f"{now.isoformat()} is another moment in every zone",
                fix="hand in an aware datetime or seconds since the epoch",
            )
        return now.timestamp()
    if not (math.isfinite(now) and 0 <= now < 250_000_000_000):  # noqa: PLR2004  # the year 9892; datetime ends at 9999
        raise InvalidInput(
            f"{now} is no moment", why="it is not within seconds since the epoch", fix="hand in what the clock says"
        )
    return float(now)
