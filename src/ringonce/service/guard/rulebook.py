"""Calling rules of countries and states, as dated data with sources. None of it is legal advice.

The files are in `countries/`, one a country; a folder of your own may replace them, country by country.
"""

import datetime as dt
import enum
import functools
import importlib.resources
import re
import tomllib
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import msgspec

from ringonce.errors import ConfigError
from ringonce.service.guard.holidays import Holiday
from ringonce.service.guard.week import Week

Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$")]


class Confidence(enum.StrEnum):
    """How well a rule is known."""

    CONFIRMED = "confirmed"
    """Read in the law's own text, or on a page of the authority."""
    REPORTED = "reported"
    """Told by others: guides, law firms, news."""
    UNCONFIRMED = "unconfirmed"
    """No source tells it, or they disagree; the hours are a cautious choice."""


class Cap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most so many attempts at one number in so many calendar days at its place, or in so many hours."""

    most: Annotated[int, msgspec.Meta(ge=1)]
    days: Annotated[int, msgspec.Meta(ge=0, le=366)] = 0
    """Counted with today: 1 is today alone, by the callee's clock."""
    hours: Annotated[int, msgspec.Meta(ge=0, le=8784)] = 0
    """Counted back from the very moment."""

    def __post_init__(self) -> None:
        """Refuse a cap without a time, or with two."""
        if bool(self.days) == bool(self.hours):
            raise ValueError("a cap needs either days or hours")

    def __str__(self) -> str:
        """Say it in words."""
        span, unit = (self.days, "calendar day") if self.days else (self.hours, "hour")
        return f"{self.most} in {span} {unit}{'' if span == 1 else 's'}"


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a rule was read."""

    title: str
    url: str = ""


class CountryRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hours and caps of one country or of one of its states."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
    """`FR`, or `US-FL` for a state (ISO 3166)."""
    name: str
    calls: str
    """What kind of calls the rule is about."""
    kind: str
    """What it is: a law, a code of an industry, a cautious choice."""
    confidence: Confidence
    hours: Week
    sources: tuple[Source, ...] = ()
    caps: tuple[Cap, ...] = ()
    note: str = ""
    area_codes: tuple[Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2,5}$")], ...] = ()
    """A state's numbers, by what follows the country's calling code."""

    def __post_init__(self) -> None:
        """Refuse a rule that claims to be known and names no source."""
        if self.confidence is not Confidence.UNCONFIRMED and not self.sources:
            raise ValueError(f"{self.id}: a rule without a source is unconfirmed")


class Country(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one file tells."""

    country: Code
    name: str
    calling_code: Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,2}$")]
    as_of: dt.date
    """When the data were compiled."""
    holidays_from: str
    """Where the holidays come from."""
    rule: tuple[CountryRule, ...]
    """The country's own first, then its states'."""
    holiday: tuple[Holiday, ...] = ()
    """National holidays, by rule."""

    def __post_init__(self) -> None:
        """Refuse a file without the country's own rule, or with another country's."""
        if not self.rule or self.rule[0].id != self.country:
            raise ValueError(f"the first rule must be that of {self.country} itself")
        if strangers := [rule.id for rule in self.rule[1:] if not rule.id.startswith(f"{self.country}-")]:
            raise ValueError(f"{strangers[0]} is no state of {self.country}")


class Rulebook:
    """The rules of all countries that are known, found by a number's country and area code."""

    def __init__(self, countries: tuple[Country, ...]) -> None:
        self.countries = {country.country: country for country in countries}
        self._states = {rule.id: rule for country in countries for rule in country.rule[1:]}
        self._areas = {
            f"+{country.calling_code}{area}": rule.id
            for country in countries
            for rule in country.rule[1:]
            for area in rule.area_codes
        }
        self._lengths = sorted({len(prefix) for prefix in self._areas}, reverse=True)

    def state_of(self, number: str) -> str:
        """Tell the state that a number's area code was issued in, such as `US-FL`; empty if no rule is about it."""
        return next((found for length in self._lengths if (found := self._areas.get(number[:length]))), "")

    def rules(self, country: str, state: str) -> tuple[CountryRule, ...]:
        """Give the rules of *country*, then those of *state* if it is one of its own; empty if there are no data."""
        if country not in self.countries:
            return ()
        own = self.countries[country].rule[0]
        return (own, self._states[state]) if state.startswith(f"{country}-") else (own,)

    def holidays(self, country: str) -> tuple[Holiday, ...]:
        """Give the national holidays of *country*; empty if there are no data."""
        known = self.countries.get(country)
        return known.holiday if known else ()

    def older_than(self, day: dt.date) -> list[Country]:
        """List the countries whose data were compiled before *day*."""
        return [country for country in self.countries.values() if country.as_of < day]


@functools.cache
def shipped() -> Rulebook:
    """Load the rules that come with the package."""
    return Rulebook(tuple(_read(importlib.resources.files(__package__) / "countries")))


def load(folder: str | Path | None) -> Rulebook:
    """Load the shipped rules; a country's file in *folder* stands in place of the shipped one."""
    book = shipped()
    if folder is None:
        return book
    path = Path(folder)
    if not path.is_dir():
        raise ConfigError(
            f"the folder of rules {str(path)[:100]!r} cannot be read",
            why="it is no folder",
            fix="name a folder that has one TOML file for each country",
        )
    own = {country.country: country for country in _read(path)}
    return Rulebook(tuple({**book.countries, **own}.values()))


def _read(folder: Traversable) -> list[Country]:
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return [_country(file) for file in files]


def _country(file: Traversable) -> Country:
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Country)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"the rules in {file.name} cannot be read", why=str(error), fix="write it anew, or leave the file out"
        ) from None
    except msgspec.ValidationError as error:
        what, where = located(error)
        raise ConfigError(
            f"the rules in {file.name} cannot be used",
            why=f"{where}: {what}" if where else what,
            fix="correct that field; the shipped files show how",
        ) from None


def located(error: msgspec.ValidationError) -> tuple[str, str]:
    """Split a validation error into what is wrong and the path of the field, such as `hours.own.saturday`."""
    what, _, path = str(error).partition(" - at `")
    return what.replace("`", ""), re.sub(r"^\$\.?|`$", "", path)
