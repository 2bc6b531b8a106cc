"""Clocks that skip an hour, show one twice, skip a day, or begin a day at one in the morning."""
# ruff: noqa: E501  # one case is one line, so that the table can be read down

import subprocess
import sys
from typing import Any

import pytest

from guarding import case, judge, own
from ringonce.service.guard import Rule

HOURS, CAP = Rule.HOURS, Rule.CAP
NY, LONDON = "+12122345678", "+442079460958"
NEW_YORK, LORD_HOWE, CAIRO = "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"
ONCE_A_DAY = "[attempts]\nper_day = 1"

TABLE = [
    case("a window that the clocks skip has to wait a week", NY, "2027-03-14 01:30 America/New_York", HOURS, "2027-03-21 02:00 America/New_York", own(sunday="02:00-03:00")),
    case("a window that begins in the skipped hour begins after it", NY, "2027-03-14 01:59 America/New_York", HOURS, "2027-03-14 03:00 America/New_York", own(sunday="02:30-04:00")),
    case("a window that ends in the skipped hour ends before it", NY, "2027-03-14 03:00 America/New_York", HOURS, "2027-03-21 01:00 America/New_York", own(sunday="01:00-02:30")),
    case("the last second before the skip is inside", NY, "2027-03-14 01:59:59 America/New_York", None, None, own(sunday="01:00-02:30")),
    case("an hour that comes twice opens twice", NY, "2026-11-01 01:30 America/New_York", HOURS, "2026-11-01 01:00 America/New_York again", own(sunday="01:00-01:30")),
    case("and the second time it is over for the week", NY, "2026-11-01 01:30 America/New_York again", HOURS, "2026-11-08 01:00 America/New_York", own(sunday="01:00-01:30")),
    case("the whole repeated hour is inside", NY, "2026-11-01 01:59:59 America/New_York again", None, None, own(sunday="01:00-02:00")),
    case("the morning after the change is an hour earlier", LONDON, "2027-03-28 06:59 UTC", HOURS, "2027-03-28 07:00 UTC", own(sunday="08:00-20:00")),
    case("the morning before it is not", LONDON, "2027-03-27 07:59 UTC", HOURS, "2027-03-27 08:00 UTC", own(saturday="08:00-20:00")),
    case("a night of waiting crosses the change", NY, "2026-10-31 17:00 America/New_York", HOURS, "2026-11-01 14:00 UTC", "daily"),
    case("Lord Howe skips half an hour only", NY, "2026-10-04 01:59 Australia/Lord_Howe", HOURS, "2026-10-11 02:00 Australia/Lord_Howe", own(sunday="02:00-02:30"), zone=LORD_HOWE),
    case("and repeats half an hour", NY, "2027-04-04 01:45 Australia/Lord_Howe", HOURS, "2027-04-04 01:30 Australia/Lord_Howe again", own(sunday="01:30-01:45"), zone=LORD_HOWE),
    case("Troll skips two hours", NY, "2027-03-28 00:59 UTC", HOURS, "2027-03-28 01:00 UTC", own(sunday="02:30-04:00"), zone="Antarctica/Troll"),
    case("Morocco repeats an hour for Ramadan", NY, "2027-02-07 02:30 Africa/Casablanca", HOURS, "2027-02-07 02:00 Africa/Casablanca again", own(sunday="02:00-02:30"), zone="Africa/Casablanca"),
    case("Samoa skipped a Friday", NY, "2011-12-29 12:00 Pacific/Apia", HOURS, "2012-01-06 09:00 Pacific/Apia", own(friday="09:00-17:00"), zone="Pacific/Apia"),
    case("the day after an attempt begins at one where midnight is skipped", NY, "2027-04-29 12:00 Africa/Cairo", CAP, "2027-04-30 01:00 Africa/Cairo", ONCE_A_DAY, zone=CAIRO, tried=["2027-04-29 11:00 Africa/Cairo"]),
    case("a day of 25 hours is one day", NY, "2026-11-01 23:30 America/New_York", CAP, "2026-11-02 00:00 America/New_York", ONCE_A_DAY, tried=["2026-11-01 00:10 America/New_York"]),
    case("a day that was skipped is not waited for", NY, "2011-12-29 12:00 Pacific/Apia", CAP, "2011-12-31 00:00 Pacific/Apia", ONCE_A_DAY, zone="Pacific/Apia", tried=["2011-12-29 11:00 Pacific/Apia"]),
]  # fmt: skip


@pytest.mark.parametrize(("number", "now", "rule", "opens", "kept", "more"), TABLE)
def test_what_a_change_of_the_clocks_does(
    number: str, now: str, rule: Rule | None, opens: str | None, kept: str, more: dict[str, Any]
) -> None:
    judge(number, now, rule, opens, kept, more)


def test_every_zone_of_the_numbering_tables_is_found_even_where_the_system_has_no_tz_database() -> None:
    named = "{zone for zones in TIMEZONE_DATA.values() for zone in zones}"
    code = (
        f"import zoneinfo; from phonenumbers.tzdata import TIMEZONE_DATA; [zoneinfo.ZoneInfo(one) for one in {named}]"
    )

    subprocess.run([sys.executable, "-c", code], env={"PYTHONTZPATH": ""}, check=True)  # noqa: S603  # our own
