"""What a number is, and whether it may be called now: the guard is asked for a call that nobody has made."""

import datetime as dt

import msgspec

from ringonce.service.calls import Ask
from ringonce.service.calls.accepting import drafted
from ringonce.service.guard import days
from ringonce.service.guard.whereabouts import whereabouts
from ringonce.service.guarding import Guarding


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """What the clocks show where the number may ring."""

    zone: str
    time: str
    """Local, with its offset (ISO 8601)."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule says against the call."""

    rule: str
    said: str
    until: float | None
    """From when on this rule alone would allow it."""
    fix: str


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """A number, and what the guard says of it at one moment."""

    number: str
    """In full (E.164)."""
    international: str
    """As people write it."""
    national: str
    countries: tuple[str, ...]
    """Where it may ring (ISO 3166); several where the numbering tables can't tell."""
    clocks: tuple[Clock, ...]
    """One for each time zone that it may be in."""
    at: float
    allowed: bool
    allowed_from: float | None
    """The first moment at which every rule allows it; null where no passing of time helps."""
    never: str
    """Why there is no such moment."""
    refusals: tuple[Said, ...]
    warnings: tuple[str, ...]
    agent_id: str = ""
    """The agent's, if somebody was looked up by that name before; the platform is not asked."""


async def foresee(guarding: Guarding, ask: Ask, number: str, *, mark: str, by: str, now: float) -> Foreseen:
    """Hold such a call to the guard; nothing is kept, and nobody asked. *number* is the asked one in E.164.

    Raise `InvalidInput` for a zone that is none.
    """
    import phonenumbers

    said = await guarding.foresee(drafted(ask, key="foreseen", number=number, mark=mark, by=by, now=now), now)
    place, parsed, forms = whereabouts(number), phonenumbers.parse(number), phonenumbers.PhoneNumberFormat
    zones = (ask.zone,) if ask.zone else place.zones
    return Foreseen(
        number=number,
        international=phonenumbers.format_number(parsed, forms.INTERNATIONAL),
        national=phonenumbers.format_number(parsed, forms.NATIONAL),
        countries=place.countries,
        clocks=tuple(Clock(zone=zone, time=days.local(now, zone).isoformat()) for zone in zones),
        at=now,
        allowed=said.allowed,
        allowed_from=now if said.allowed else _seconds(said.next_allowed),
        never=said.never,
        refusals=tuple(
            Said(rule=str(one.rule), said=one.evidence, until=_seconds(one.until), fix=one.remedy)
            for one in said.refusals
        ),
        warnings=said.warnings,
    )


def _seconds(moment: dt.datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
