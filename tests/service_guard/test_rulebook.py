"""The shipped rules: what they promise about themselves, and the holidays they compute."""

import datetime as dt

import msgspec
import pytest

from ringonce.service.guard.holidays import Holiday, easter_sunday, holiday_on, names_of
from ringonce.service.guard.rulebook import Cap, Confidence, shipped

RULES = [rule for country in shipped().countries.values() for rule in country.rule]


def days(*texts: str) -> list[dt.date]:
    return [dt.date.fromisoformat(text) for text in texts]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_says_what_it_is_for_and_where_it_was_read(rule: object) -> None:
    known = msgspec.to_builtins(rule)

    assert known["calls"]
    assert known["kind"] in {"law", "industry code", "cautious choice"}
    assert known["confidence"] == Confidence.UNCONFIRMED or known["sources"]
    assert all(source["title"] and source.get("url", "").startswith("http") for source in known["sources"])
    assert known["confidence"] != Confidence.UNCONFIRMED or known["note"]


def test_no_area_code_is_in_two_states() -> None:
    codes = [code for rule in RULES for code in rule.area_codes]

    assert len(codes) == len(set(codes))
    assert shipped().state_of("+13052345678") == "US-FL"
    assert shipped().state_of("+12122345678") == ""
    assert shipped().state_of("+443052345678") == ""


def test_a_rule_that_claims_to_be_known_names_its_source() -> None:
    rule = msgspec.to_builtins(RULES[0]) | {"sources": [], "confidence": "reported"}

    with pytest.raises(msgspec.ValidationError, match="without a source is unconfirmed"):
        msgspec.convert(rule, type(RULES[0]))


# The churches' own tables.
@pytest.mark.parametrize(
    "day", days("1961-04-02", "2000-04-23", "2008-03-23", "2024-03-31", "2026-04-05", "2027-03-28", "2038-04-25")
)
def test_easter(day: dt.date) -> None:
    assert easter_sunday(day.year) == day


@pytest.mark.parametrize(
    ("country", "year", "expected"),
    [
        ("US", 2026, "01-01 01-19 02-16 05-25 06-19 07-03 07-04 09-07 10-12 11-11 11-26 12-25"),
        ("US", 2027, "01-01 01-18 02-15 05-31 06-18 06-19 07-04 07-05 09-06 10-11 11-11 11-25 12-24 12-25 12-31"),
        ("GB", 2026, "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-26 12-28"),
        ("GB", 2027, "01-01 03-26 03-29 05-03 05-31 08-30 12-25 12-26 12-27 12-28"),
        ("FR", 2026, "01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-01 11-11 12-25"),
        ("FR", 2027, "01-01 03-29 05-01 05-06 05-08 05-17 07-14 08-15 11-01 11-11 12-25"),
        ("DE", 2026, "01-01 04-03 04-06 05-01 05-14 05-25 10-03 12-25 12-26"),
        ("NL", 2025, "01-01 04-18 04-20 04-21 04-26 04-27 05-29 06-08 06-09 12-25 12-26"),
        ("ZA", 2026, "01-01 03-21 04-03 04-06 04-27 05-01 06-16 08-09 08-10 09-24 12-16 12-25 12-26"),
    ],
)
def test_the_holidays_of_a_year(country: str, year: int, expected: str) -> None:
    found = names_of(shipped().holidays(country), year)

    assert sorted(f"{day:%m-%d}" for day in found) == expected.split()


def test_a_new_years_day_on_a_saturday_is_kept_in_the_old_year() -> None:
    assert holiday_on(shipped().holidays("US"), dt.date(2027, 12, 31)) == "New Year's Day (observed)"


def test_a_holiday_has_no_days_before_it_was_made() -> None:
    assert holiday_on(shipped().holidays("US"), dt.date(2020, 6, 19)) == ""


def test_a_leap_day_comes_in_leap_years() -> None:
    leap = Holiday(name="Leap Day", date="02-29")

    assert [year for year in range(2023, 2029) if leap.days(year)] == [2024, 2028]


def test_a_holiday_that_no_rule_tells_is_given_by_its_dates() -> None:
    diwali = Holiday(name="Diwali", on=(dt.date(2026, 11, 8), dt.date(2027, 10, 29)))

    assert diwali.days(2027) == days("2027-10-29")
    assert diwali.days(2028) == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"date": "12-25", "easter": 1},
        {"date": "25-12"},
        {"date": "02-30"},
        {"weekday": "monday"},
        {"weekday": "monday", "nth": 5, "month": 1},
        {"weekday": "monday", "nth": 1, "month": 13},
    ],
)
def test_a_holiday_that_no_year_has_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": "x", **fields}, Holiday)


@pytest.mark.parametrize("fields", [{"most": 1}, {"most": 1, "days": 1, "hours": 1}, {"most": 0, "days": 1}])
def test_a_cap_has_one_time(fields: dict[str, int]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields, Cap)
