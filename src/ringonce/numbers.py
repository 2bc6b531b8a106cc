"""Telephone numbers: from any human form to E.164, or a refusal in words.

What may be dialled is decided by length and country, not by whether the number is assigned: made-up numbers
(the 555 area code, the sandbox's stories) are as good as any other.
"""

import functools
import re
import typing
from collections.abc import Iterable

from ringonce.errors import ConfigError, NumberRefused

if typing.TYPE_CHECKING:
    import phonenumbers

_E164_EXAMPLE = "write it in full, such as +442079460958"
_EXTENSION = re.compile(r"(?:;\s*ext=|,|;|#|\bext(?:n|ension)?\.?|x)\s*[:.]?\s*\d+#?\s*$", re.IGNORECASE)
# Blanks, brackets, dots, dashes and slashes of any script, and the invisible marks that programs paste along.
_FILLING = re.compile(
    r"[\s\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060()\[\]./~\u2010-\u2015\u2212\u30fc\uff08\uff09\uff0d-\uff0f-]"
)
# Every country's exchange knows one of these, and people type them wherever they are.
_EMERGENCY_ANYWHERE = frozenset({"112", "911", "999", "000"})
_LONGEST_EMERGENCY = 6
"""Digits of the longest emergency number that the tables know."""
_SHOWN_AT_MOST = 40
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def dialable(
    text: str, *, country: str | None = "US", allow_premium: bool = False, allow_emergency: bool = False
) -> str:
    """Turn *text* into the E.164 number that it means, or raise `NumberRefused`.

    *country* (two letters, ISO 3166) is where a number without a country code lives; None demands the code.
    Premium-rate and emergency numbers are refused unless allowed; an allowed emergency number comes back as its
    bare digits, since E.164 has no form for it. Other short codes are always refused.
    """
    return _dialable(text, country, allow_premium, allow_emergency)


@functools.lru_cache(maxsize=1024)  # one caller id goes with many calls
def _dialable(text: str, country: str | None, allow_premium: bool, allow_emergency: bool) -> str:
    import phonenumbers

    home = _known_country(country)
    if _E164.fullmatch(text) and _is_plain(text):
        return text
    digits = _digits(text)
    number = _parsed(text, digits, home)
    emergency = _emergency(digits, number, home)
    if emergency and allow_emergency:
        return emergency
    if emergency:
        raise NumberRefused(
            f"{shown(text)} was not dialled",
            why=f"{emergency} is an emergency number",
            fix="call it by hand; a program may dial it only where its author has allowed it in code",
        )
    _check_length(text, number)
    if _is_short_code(number):
        raise NumberRefused(
            f"{shown(text)} was not dialled",
            why="it is a short code, which means something else in every country and network",
            fix=f"find the full number behind it and {_E164_EXAMPLE}",
        )
    if not allow_premium and _is_premium_rate(number):
        raise NumberRefused(
            f"{shown(text)} was not dialled",
            why="it is a premium-rate number: the callee earns on every minute",
            fix="allow it for this call (--allow-premium, allow_premium=True) if that is meant",
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def masked(e164: str) -> str:
    """Hide the middle of a number for logs: the country code and the last four digits stay."""
    import phonenumbers

    if not re.fullmatch(r"\+[0-9]{5,15}", e164):
        return "•" * len(e164)
    codes = (e164[1:end] for end in (2, 3, 4))
    code = next((code for code in codes if int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), "")
    national = e164[1 + len(code) :]
    tail = national[-4:] if len(national) > 7 else national[-2:]  # noqa: PLR2004  # fewer would hide next to nothing
    return f"+{code}{'•' * (len(national) - len(tail))}{tail}"


def shown(text: str) -> str:
    """Quote what somebody typed: at most 40 characters, control characters escaped."""
    return repr(text[:_SHOWN_AT_MOST]) + ("…" if len(text) > _SHOWN_AT_MOST else "")


def _known_country(country: str | None) -> str | None:
    import phonenumbers

    if country is None or country.upper() in phonenumbers.SUPPORTED_REGIONS:
        return country and country.upper()
    raise ConfigError(
        f"unknown default country {shown(country)}",
        why="it is not the two-letter code of a country (ISO 3166)",
        fix="use a code such as US, GB or DE",
    )


def _digits(text: str) -> str:
    """Reduce *text* to ASCII digits with an optional leading plus, or say what in it is no part of a number."""
    bare = re.sub(r"(?i)^\s*tel:", "", text).strip()
    if not bare:
        raise NumberRefused("no number was given", why="it is empty", fix=_E164_EXAMPLE)
    if extension := _EXTENSION.search(bare):
        raise NumberRefused(
            f"{shown(text)} was not dialled",
            why="it has an extension, which cannot be part of a dialled number",
            fix=f"dial {shown(bare[: extension.start()].strip())} and send the extension as digits once connected",
        )
    kept = _FILLING.sub("", bare).replace("\uff0b", "+")
    sign, rest = ("+", kept[1:]) if kept.startswith("+") else ("", kept)
    if strangers := [character for character in rest if not character.isdecimal()]:
        raise NumberRefused(f"{shown(text)} is not a telephone number", why=_strange(strangers), fix=_E164_EXAMPLE)
    if not rest:
        raise NumberRefused(f"{shown(text)} is not a telephone number", why="it has no digits", fix=_E164_EXAMPLE)
    return sign + "".join(str(int(digit)) for digit in rest)


def _strange(strangers: list[str]) -> str:
    if "@" in strangers:
        return "it is an address, not a number"
    if any(character.isalpha() for character in strangers):
        return "it has letters; they are not turned into digits, because a slip would ring a stranger"
    if set(strangers) <= {"*", "#"}:
        return "it has * or #, which are feature codes of a telephone"
    return f"it has the character {strangers[0]!r}"


def _parsed(text: str, digits: str, home: str | None) -> "phonenumbers.PhoneNumber":
    import phonenumbers

    abroad = re.sub("^00(?=[1-9])", "+", digits)
    try:
        number = phonenumbers.parse(digits if home else abroad, home, keep_raw_input=True)
        own = number.country_code_source == phonenumbers.CountryCodeSource.FROM_DEFAULT_COUNTRY
        # 00 is how most of the world dials abroad; a country's own prefix (011, 001, 0011) has gone by now.
        return phonenumbers.parse(abroad, home) if own and abroad != digits else number
    except phonenumbers.NumberParseException as error:
        kinds = phonenumbers.NumberParseException
        if error.error_type == kinds.INVALID_COUNTRY_CODE and not home and not abroad.startswith("+"):
            why, fix = "it has no country code, and no default country is set", f"{_E164_EXAMPLE}, or set the country"
        elif error.error_type == kinds.INVALID_COUNTRY_CODE:
            why, fix = "no country has this country code", _E164_EXAMPLE
        elif error.error_type == kinds.TOO_LONG:
            why, fix = "it is too long", _E164_EXAMPLE
        else:
            why, fix = "it is too short", _E164_EXAMPLE
        raise NumberRefused(f"{shown(text)} is not a telephone number", why=why, fix=fix) from None


def _emergency(digits: str, number: "phonenumbers.PhoneNumber", home: str | None) -> str:
    """Give the emergency number that *number* comes to, with or without a country code; else an empty string."""
    import phonenumbers

    known = _emergency_numbers(number.country_code or 0, home)
    for short in (digits.lstrip("+"), phonenumbers.national_significant_number(number)):
        if short in _EMERGENCY_ANYWHERE or known.fullmatch(short):
            return short
    return ""


# A country code can have dozens of regions, and the library asks them one after the other. Each of these turns the
# tables of all of them into one question, and leaves the answer to the library where it may be yes.


@functools.lru_cache
def _emergency_numbers(country_code: int, home: str | None) -> re.Pattern[str]:
    import phonenumbers

    regions = {*phonenumbers.region_codes_for_country_code(country_code), *([home] if home else [])}
    tables = map(phonenumbers.PhoneMetadata.short_metadata_for_region, sorted(regions))
    return _any_of(table.emergency for table in tables if table)


def _is_plain(e164: str) -> bool:
    """Say whether a number is as complete as it looks: nothing to take off it, nothing special about it."""
    import phonenumbers

    for end in (2, 3, 4):
        code = int(e164[1:end])
        if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return _plain_numbers(code).fullmatch(e164[end:]) is not None
    return False


@functools.lru_cache
def _plain_numbers(country_code: int) -> re.Pattern[str]:
    """Match national numbers of a possible length without any prefix, that are no short code and not premium-rate."""
    import phonenumbers

    region = phonenumbers.region_code_for_country_code(country_code)
    table = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    shortest = max(_LONGEST_EMERGENCY, _longest_short_code(country_code)) + 1
    possible = table.general_desc.possible_length if table and table.general_desc else ()
    lengths = [f"[0-9]{{{length}}}" for length in possible if length >= shortest]
    prefixes = ["0", f"(?:{_premium_rates(country_code).pattern})$"]
    if table and table.national_prefix_for_parsing:
        prefixes.append(table.national_prefix_for_parsing)
    unwanted = "|".join(f"(?:{prefix})" for prefix in prefixes)
    return re.compile(f"(?!{unwanted})(?:{'|'.join(lengths) or '(?!)'})")


def _is_short_code(number: "phonenumbers.PhoneNumber") -> bool:
    import phonenumbers

    if len(phonenumbers.national_significant_number(number)) > _longest_short_code(number.country_code or 0):
        return False
    return phonenumbers.is_valid_short_number(number) and not phonenumbers.is_valid_number(number)


@functools.lru_cache
def _longest_short_code(country_code: int) -> int:
    import phonenumbers

    regions = phonenumbers.region_codes_for_country_code(country_code)
    tables = map(phonenumbers.PhoneMetadata.short_metadata_for_region, regions)
    codes = [table.general_desc for table in tables if table and table.general_desc]
    return max((length for one in codes for length in one.possible_length), default=0)


def _is_premium_rate(number: "phonenumbers.PhoneNumber") -> bool:
    import phonenumbers

    if not _premium_rates(number.country_code or 0).fullmatch(phonenumbers.national_significant_number(number)):
        return False
    return phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.PREMIUM_RATE


@functools.lru_cache
def _premium_rates(country_code: int) -> re.Pattern[str]:
    import phonenumbers

    regions = phonenumbers.region_codes_for_country_code(country_code)
    find = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code
    return _any_of(table.premium_rate for region in regions if (table := find(country_code, region)))


def _any_of(descriptions: "Iterable[phonenumbers.PhoneNumberDesc | None]") -> re.Pattern[str]:
    patterns = {one.national_number_pattern for one in descriptions if one and one.national_number_pattern}
    return re.compile("|".join(f"(?:{pattern})" for pattern in sorted(patterns)) or r"(?!)")


def _check_length(text: str, number: "phonenumbers.PhoneNumber") -> None:
    import phonenumbers

    reason = phonenumbers.is_possible_number_with_reason(number)
    verdicts = phonenumbers.ValidationResult
    if reason == verdicts.IS_POSSIBLE:
        return
    where = f"for a number of +{number.country_code}"
    why = {
        verdicts.IS_POSSIBLE_LOCAL_ONLY: f"it has no area code, which {where} is needed",
        verdicts.TOO_SHORT: f"it is too short {where}",
        verdicts.TOO_LONG: f"it is too long {where}",
        verdicts.INVALID_COUNTRY_CODE: f"no country has the code +{number.country_code}",
    }.get(reason, f"it has the wrong length {where}")
    raise NumberRefused(f"{shown(text)} is not a telephone number", why=why, fix=_E164_EXAMPLE)


class Place(typing.NamedTuple):
    """Where a number may ring. Both are empty where the numbering tables don't tell."""

    country: str
    """Two letters (ISO 3166), or `001` for numbers of no country."""
    zones: tuple[str, ...]
    """Every time zone that the number may be in, by its tz database name."""
    assigned: bool
    """Whether the tables know the number's range as in use; they lag behind the world."""


def place(e164: str) -> Place:
    """Say where an E.164 number may ring, by the numbering tables alone."""
    import phonenumbers
    from phonenumbers import timezone

    number = phonenumbers.parse(e164)
    valid = phonenumbers.is_valid_number(number)
    country = phonenumbers.region_code_for_number(number) or ""
    if not country:
        countries = phonenumbers.region_codes_for_country_code(number.country_code or 0)
        country = countries[0] if len(countries) == 1 else ""
    zones = timezone.time_zones_for_number(number)
    return Place(country, () if timezone.UNKNOWN_TIMEZONE in zones else zones, valid)
