"""Where a number may ring, and whether a program may ring it at all."""

import collections
import functools
import re
from typing import NamedTuple

from ringonce.errors import NumberRefused

_AREA = len("+1") + 3
"""How much of a North American number is calling code and area code."""
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


class Whereabouts(NamedTuple):
    """What the numbering tables tell of one number."""

    countries: tuple[str, ...]
    """Two letters each (ISO 3166): one, or all of its calling code where the tables can't tell; may be empty."""
    zones: tuple[str, ...]
    """Every time zone that it may be in; empty if nobody can tell."""
    premium: bool
    """Whether it is a premium-rate number."""


@functools.lru_cache(maxsize=4096)
def whereabouts(number: str) -> Whereabouts:
    """Find where *number* (E.164) may ring. One that can't be dialled raises `NumberRefused`.

    A number of a range that the tables don't know, such as +1 555, may be anywhere in its calling code's countries.
    A call's number is looked up more than once before it rings, and the tables are slow: it is kept for a while.
    """
    import phonenumbers

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
    code = parsed.country_code or 0
    country = phonenumbers.region_code_for_number(parsed)
    kind = phonenumbers.number_type(parsed)
    # Mobile and toll-free numbers of most countries, and numbers of unknown ranges, may be anywhere in them.
    fixed = phonenumbers.is_number_type_geographical(kind, code)
    zones = _zones(number[1:]) | _area(number[:_AREA]) if fixed else _zones(str(code))
    countries = phonenumbers.region_codes_for_country_code(code) if country is None else (country,)
    return Whereabouts(
        tuple(one for one in countries if one not in {"001", "ZZ"}),
        tuple(sorted(zones)),
        kind == phonenumbers.PhoneNumberType.PREMIUM_RATE,
    )


def _zones(digits: str) -> frozenset[str]:
    """Give the zones of the longest prefix that the tables know."""
    from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

    prefixes = (digits[:end] for end in range(min(len(digits), TIMEZONE_LONGEST_PREFIX), 0, -1))
    return frozenset(next((TIMEZONE_DATA[prefix] for prefix in prefixes if prefix in TIMEZONE_DATA), ()))


def _area(prefix: str) -> frozenset[str]:
    """Give every zone of a North American area code.

    The tables split some by exchange; but numbers move between exchanges, and for 219 the tables' rest is an hour off.
    """
    return _areas().get(prefix, frozenset()) if prefix.startswith("+1") else frozenset()


@functools.cache
def _areas() -> dict[str, frozenset[str]]:
    from phonenumbers.tzdata import TIMEZONE_DATA

    found: dict[str, set[str]] = collections.defaultdict(set)
    for digits, zones in TIMEZONE_DATA.items():
        if digits.startswith("1") and len(digits) >= _AREA - 1:
            found["+" + digits[: _AREA - 1]].update(zones)
    return {prefix: frozenset(zones) for prefix, zones in found.items()}
