"""What the guard's tests share: settings by name, moments as people write them, and the table's check."""

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from typing import Any

import pytest

from ringonce.service.guard import Ask, Facts, Guard, Rule, parse

KEPT = {
    "country": '[hours]\nprofile = "country"',
    "office": '[hours]\nprofile = "own"\n[hours.own]\nweekdays = ["09:00-17:00"]\nsaturday = []\nsunday = []',
    "daily": '[hours]\nprofile = "own"\n[hours.own]\nweekdays = ["09:00-17:00"]\nsaturday = ["09:00-17:00"]\n'
    'sunday = ["09:00-17:00"]',
    "lunch": '[hours]\nprofile = "own"\n[hours.own]\nweekdays = ["09:00-12:30", "13:30-17:00"]\nsaturday = []\n'
    "sunday = []",
    "one hour": '[hours]\nprofile = "own"\n[hours.own]\nweekdays = ["09:00-10:00"]\nsaturday = []\nsunday = []',
    "closed": '[hours]\nprofile = "own"\n[hours.own]\nweekdays = []\nsaturday = []\nsunday = []',
    "any time": "",
}
GUARDS = {name: Guard(parse(text)) for name, text in KEPT.items()}


def guard(text: str) -> Guard:
    """Give the guard of a named setting or of TOML text; the same one for the same text."""
    if text not in GUARDS:
        GUARDS[text] = Guard(parse(text))
    return GUARDS[text]


def moment(text: str) -> dt.datetime:
    """Read `2026-11-23 07:59 America/New_York`, with `again` behind it for the second time in a fold."""
    day, clock, zone, *again = text.split()
    return dt.datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=1 if again else 0)


def own(**hours: str) -> str:
    """Write settings with own hours by day; a day that is not named is closed."""
    days = {"weekdays": "", "saturday": "", "sunday": ""} | hours
    lines = [f"{day} = [{', '.join(repr(one) for one in text.split(', ') if one)}]" for day, text in days.items()]
    return "\n".join(['[hours]\nprofile = "own"\n[hours.own]', *lines])


def case(story: str, number: str, now: str, rule: Rule | None, opens: str | None, kept: str, **more: Any) -> Any:
    """Make a row of the table: *rule* None is allowed, *opens* None is never."""
    return pytest.param(number, now, rule, opens, kept, more, id=story)


def judge(number: str, now: str, rule: Rule | None, opens: str | None, kept: str, more: dict[str, Any]) -> None:
    """Hold the guard to one row, and its next moment to its own word."""
    tried: Sequence[str] = more.get("tried", ())
    facts = Facts(attempts=[moment(one).timestamp() for one in tried])
    ask = Ask(number=number, zone=more.get("zone", ""))

    verdict = guard(kept).check(ask, moment(now), facts)

    assert set(verdict.rules) == ({rule} if rule else set())
    assert verdict.allowed == (rule is None)
    if opens is None:
        assert rule is None or (verdict.next_allowed is None and verdict.never)
        return
    expected = moment(opens).astimezone(dt.UTC)
    assert verdict.next_allowed == expected
    assert guard(kept).check(ask, expected, facts).allowed
    assert not guard(kept).check(ask, expected - dt.timedelta(seconds=1), facts).allowed
