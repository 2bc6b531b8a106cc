"""Where a number may ring, and whether a program may ring it at all."""

import re
from typing import NamedTuple

from ringonce.errors import NumberRefused

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


class Whereabouts(NamedTuple):
    """What the numbering tables tell of one number."""

    countries: tuple[str, ...]
    """Two letters each (ISO 3166): one, or all of its calling code where the tables can't tell; may be empty."""
    zones: tuple[str, ...]
    """Every time zone that it may be in; empty if nobody can tell."""
    premium: bool
    """Whether it is a premium-rate number."""


def whereabouts(number: str) -> Whereabouts:
    """Find where *number* (E.164) may ring. One that can't be dialled raises `NumberRefused`.

    A number of a range that the tables don't know, such as +1 555, may be anywhere in its calling code's countries.
    """
    import phonenumbers
    from phonenumbers import timezone

    if not _E164.fullmatch(number):
        raise NumberRefused(
            "the number is not in its full form",
            why="the guard looks at what is dialled, which is a plus sign and 7 to 15 digits",
            fix="bring it to E.164 with ringonce.numbers.dialable",
        )
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        raise NumberRefused(
            "the number cannot be read", why="no country has its calling code", fix="look it up once more"
        ) from None
    country = phonenumbers.region_code_for_number(parsed)
    known = country is not None
    countries = (country or "",) if known else phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
    find = timezone.time_zones_for_number if known else timezone.time_zones_for_geographical_number
    zones = find(parsed)
    premium = known and phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.PREMIUM_RATE
    return Whereabouts(
        tuple(code for code in countries if code not in {"", "001", "ZZ"}),
        () if timezone.UNKNOWN_TIMEZONE in zones else tuple(zones),
        premium,
    )
