"""The guard's settings: one frozen value, read from `guard.toml` once, unknown names refused."""

import datetime as dt
import enum
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from ringonce.errors import ConfigError, InvalidInput
from ringonce.numbers import dialable
from ringonce.service.guard import days
from ringonce.service.guard.rulebook import Code, located
from ringonce.service.guard.week import Week

Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Profile(enum.StrEnum):
    """Which calling hours hold. The program can't know what a call is for, so a person chooses."""

    NONE = "none"
    """None: for calls that people asked for, at any hour."""
    OWN = "own"
    """Those of `[hours.own]`."""
    COUNTRY = "country"
    """Those of the callee's country and state, and their caps; your own where there are no data."""
    BOTH = "both"
    """Both at once: every one of them has to allow the call."""


class Stale(enum.StrEnum):
    """What a do-not-call list does that is older than it may be."""

    REFUSE = "refuse"
    WARN = "warn"


_OWN = Week(weekdays=("09:00-20:00",), saturday=("10:00-17:00",), sunday=(), holidays=())


class Calls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which numbers may be called at all."""

    countries: tuple[Code, ...] = ()
    """Allowed countries (ISO 3166, two letters); empty: every country."""
    premium: bool = False
    """Whether premium-rate numbers may be called."""


class HoursSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When calls are allowed, by the callee's clock."""

    profile: Profile = Profile.NONE
    """`none`, `own`, `country` or `both`."""
    own: Week = _OWN
    """Your own hours."""
    unknown_zone: str = ""
    """The time zone of numbers whose zone nobody can tell; empty: such calls are refused."""
    rules: str = ""
    """A folder of rules of your own; a country's file there stands in place of the shipped one."""

    def __post_init__(self) -> None:
        """Refuse a zone that there is not."""
        if self.unknown_zone:
            try:
                days.zone(self.unknown_zone)
            except InvalidInput as error:
                raise ValueError(f"unknown_zone: {error.what}") from None


class Attempts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often one number may be tried, over all agents, batches and API calls together; 0 is no limit."""

    per_day: Count = 0
    """In one calendar day at the callee's place."""
    per_7_days: Count = 0
    """In that day and the six before it."""
    per_30_days: Count = 0
    """In that day and the 29 before it."""
    gap_minutes: Count = 0
    """Least time from one attempt to the next."""


class CallerIds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which caller ids may be shown."""

    owned: tuple[str, ...] | None = None
    """Your own numbers; left out: not checked here."""

    def __post_init__(self) -> None:
        """Refuse what is no number in full."""
        for number in self.owned or ():
            try:
                e164 = dialable(number, country=None)
            except InvalidInput as error:
                raise ValueError(f"owned: {error.what}") from None
            if e164 != number:
                raise ValueError(f"owned: write {number[:40]!r} as {e164}")


class ListSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One do-not-call list."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    """What verdicts call it."""
    source: Annotated[str, msgspec.Meta(min_length=1)]
    """Where it comes from, in words."""
    taken: dt.date | None = None
    """When it was taken from there; needed with *file*."""
    file: str = ""
    """Where it lies; empty: the service keeps it."""
    columns: tuple[str, ...] = ()
    """The columns that make up the number, for a CSV with a header; empty: one number a line."""
    prefix: str = ""
    """What to put before every number, such as `+1`."""
    country: Code | None = None
    """The country of numbers without a country code."""
    max_age_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 31
    """How old it may be."""
    stale: Stale = Stale.REFUSE
    """What happens when it is older: `refuse` or `warn`."""
    countries: tuple[Code, ...] = ()
    """Whose calls it is about when it is stale or missing; empty: all."""
    required: bool = True
    """Whether calls are refused while the list is not there."""

    def __post_init__(self) -> None:
        """Refuse a file without a date."""
        if self.file and self.taken is None:
            raise ValueError("taken is missing: a list from a file needs the date it was taken")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator decided. Without a file: no emergency, no premium-rate number, and no other rule."""

    calls: Calls = Calls()
    hours: HoursSettings = HoursSettings()
    attempts: Attempts = Attempts()
    caller_ids: CallerIds = CallerIds()
    list: tuple[ListSettings, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two lists of one name."""
        names = [one.name for one in self.list]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"list: two lists are named {twice!r}")


def read(path: str | Path) -> Settings:
    """Read the settings from a TOML file, or refuse with the path of the field that is wrong."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"the guard's settings {str(path)[:100]!r} cannot be read",
            why=error.strerror or str(error),
            fix="name a file that you may read",
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(
            f"the guard's settings {str(path)[:100]!r} cannot be read",
            why="the file is not UTF-8",
            fix="save it as UTF-8",
        ) from None
    return parse(text, name=str(path)[:100])


def parse(text: str, *, name: str = "guard.toml") -> Settings:
    """Read the settings from TOML text; *name* is how errors call it."""
    try:
        return msgspec.convert(tomllib.loads(text), Settings)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is no TOML", why=str(error), fix="correct that line") from None
    except msgspec.ValidationError as error:
        what, where = located(error)
        raise ConfigError(
            f"{name} cannot be used",
            why=f"{where}: {what}" if where else what,
            fix="docs/guard.md lists every setting",
        ) from None
