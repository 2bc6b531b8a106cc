"""Calling hours at the callee's place, country by country: the rule that refuses, and the moment it opens."""
# ruff: noqa: E501  # one case is one line, so that the table can be read down

from typing import Any

import pytest

from guarding import case, guard, judge, moment
from ringonce.service.guard import Ask, Rule

HOURS = Rule.HOURS
NEW_YORK, MIAMI, DALLAS, PHOENIX = "+12122345678", "+13052345678", "+12142345678", "+16022345678"
TORONTO, NEWFOUNDLAND, TOLL_FREE, TUTORIAL = "+14162345678", "+17092345678", "+18002345678", "+15559876543"
LONDON, UK_MOBILE, GUERNSEY = "+442079460958", "+447400123456", "+447781123456"
PARIS, MADRID, SPANISH_MOBILE, ROME, BERLIN = (
    "+33142685300",
    "+34912345678",
    "+34612345678",
    "+390612345678",
    "+4930123456",
)
AMSTERDAM, SYDNEY, ADELAIDE, AU_MOBILE = "+31201234567", "+61299999999", "+61881234567", "+61412345678"
DELHI, KATHMANDU, JOHANNESBURG, APIA, PAGO_PAGO = (
    "+911123456789",
    "+97714412345",
    "+27112345678",
    "+68522345",
    "+16846331234",
)
SATELLITE = "+881612345678"

TABLE = [
    case("a minute before New York opens", NEW_YORK, "2026-11-23 07:59 America/New_York", HOURS, "2026-11-23 08:00 America/New_York", "country"),
    case("New York opens on the minute", NEW_YORK, "2026-11-23 08:00 America/New_York", None, None, "country"),
    case("the last second of New York's day", NEW_YORK, "2026-11-23 20:59:59 America/New_York", None, None, "country"),
    case("at nine New York is closed", NEW_YORK, "2026-11-23 21:00 America/New_York", HOURS, "2026-11-24 08:00 America/New_York", "country"),
    case("federal holidays do not close New York", NEW_YORK, "2026-11-26 12:00 America/New_York", None, None, "country"),
    case("Florida closes an hour before the rest", MIAMI, "2026-11-23 20:00 America/New_York", HOURS, "2026-11-24 08:00 America/New_York", "country"),
    case("Texas begins Sunday at noon", DALLAS, "2026-11-22 11:59 America/Chicago", HOURS, "2026-11-22 12:00 America/Chicago", "country"),
    case("Louisiana has no Sunday", "+15042345678", "2026-11-22 12:00 America/Chicago", HOURS, "2026-11-23 08:00 America/Chicago", "country"),
    case("Louisiana has no Thanksgiving", "+15042345678", "2026-11-26 12:00 America/Chicago", HOURS, "2026-11-27 08:00 America/Chicago", "country"),
    case("Utah keeps a Saturday's Fourth of July on Friday, on Saturday, and then comes Sunday", "+18012345678", "2026-07-03 12:00 America/Denver", HOURS, "2026-07-06 08:00 America/Denver", "country"),
    case("Arizona in summer is not on daylight time", PHOENIX, "2026-07-01 14:59 UTC", HOURS, "2026-07-01 15:00 UTC", "country"),
    case("Arizona in winter opens at the same moment", PHOENIX, "2026-12-01 14:59 UTC", HOURS, "2026-12-01 15:00 UTC", "country"),
    case("Indianapolis is on eastern time", "+13172345678", "2026-07-01 11:59 UTC", HOURS, "2026-07-01 12:00 UTC", "country"),
    case("an Indiana area code with two zones opens with the later one", "+12192345678", "2026-07-01 12:59 UTC", HOURS, "2026-07-01 13:00 UTC", "country"),
    case("and closes with the earlier one", "+12192345678", "2026-07-02 01:00 UTC", HOURS, "2026-07-02 13:00 UTC", "country"),
    case("northern Arizona has a reservation on daylight time", "+19282345678", "2026-07-02 03:00 UTC", HOURS, "2026-07-02 15:00 UTC", "country"),
    case("Hawaii opens when New York has lunch", "+18082345678", "2026-11-23 17:59 UTC", HOURS, "2026-11-23 18:00 UTC", "country"),
    case("Newfoundland's numbers may be in Labrador, which opens half an hour later", NEWFOUNDLAND, "2026-11-23 09:00 America/St_Johns", HOURS, "2026-11-23 09:00 America/Halifax", "country"),
    case("Newfoundland itself closes half an hour before Labrador", NEWFOUNDLAND, "2026-11-23 21:30 America/St_Johns", HOURS, "2026-11-24 09:00 America/Halifax", "country"),
    case("a Canadian Saturday ends at six", TORONTO, "2026-11-21 18:00 America/Toronto", HOURS, "2026-11-22 10:00 America/Toronto", "country"),
    case("a Canadian Sunday ends at six too", TORONTO, "2026-11-22 18:00 America/Toronto", HOURS, "2026-11-23 09:00 America/Toronto", "country"),
    case("toll-free waits for Guam's Monday morning", TOLL_FREE, "2026-11-22 19:00 UTC", HOURS, "2026-11-22 22:00 UTC", "country"),
    case("toll-free closes with Newfoundland", TOLL_FREE, "2026-11-23 00:30 UTC", HOURS, "2026-11-23 22:00 UTC", "country"),
    case("toll-free closes an hour earlier in summer", TOLL_FREE, "2026-07-01 23:30 UTC", HOURS, "2026-07-02 22:00 UTC", "country"),
    case("a number of no known range is held to both countries' hours everywhere", TUTORIAL, "2026-11-24 22:30 UTC", HOURS, "2026-11-24 23:00 UTC", "country"),
    case("the row's own zone stands in place of all of them", TUTORIAL, "2026-11-24 22:30 UTC", None, None, "country", zone="America/Chicago"),
    case("a British Saturday begins at nine", LONDON, "2026-11-21 08:30 Europe/London", HOURS, "2026-11-21 09:00 Europe/London", "country"),
    case("a British Monday begins at eight", LONDON, "2026-11-23 08:00 Europe/London", None, None, "country"),
    case("Boxing Day on a Saturday takes the Monday too", UK_MOBILE, "2026-12-28 10:00 Europe/London", HOURS, "2026-12-29 08:00 Europe/London", "country"),
    case("after Christmas and Boxing Day there is a Sunday", UK_MOBILE, "2026-12-25 10:00 Europe/London", HOURS, "2026-12-27 09:00 Europe/London", "country"),
    case("Guernsey has no data, so your own hours hold", GUERNSEY, "2026-11-22 12:00 Europe/London", HOURS, "2026-11-23 09:00 Europe/London", "country"),
    case("France has lunch", PARIS, "2026-11-23 13:00 Europe/Paris", HOURS, "2026-11-23 14:00 Europe/Paris", "country"),
    case("France's Friday evening lasts until Monday", PARIS, "2026-11-20 20:00 Europe/Paris", HOURS, "2026-11-23 10:00 Europe/Paris", "country"),
    case("France closes on its national day", PARIS, "2026-07-14 11:00 Europe/Paris", HOURS, "2026-07-15 10:00 Europe/Paris", "country"),
    case("France closes on Ascension, forty days after Easter", PARIS, "2026-05-14 11:00 Europe/Paris", HOURS, "2026-05-15 10:00 Europe/Paris", "country"),
    case("France's first of May is a Friday", PARIS, "2026-05-01 11:00 Europe/Paris", HOURS, "2026-05-04 10:00 Europe/Paris", "country"),
    case("France closes on Easter Monday", PARIS, "2027-03-29 11:00 Europe/Paris", HOURS, "2027-03-30 10:00 Europe/Paris", "country"),
    case("Madrid opens at nine", MADRID, "2026-11-23 08:59 Europe/Madrid", HOURS, "2026-11-23 09:00 Europe/Madrid", "country"),
    case("a Spanish mobile may be in the Canaries, an hour later", SPANISH_MOBILE, "2026-11-23 09:30 Europe/Madrid", HOURS, "2026-11-23 09:00 Atlantic/Canary", "country"),
    case("and still it closes with Madrid", SPANISH_MOBILE, "2026-11-23 21:00 Europe/Madrid", HOURS, "2026-11-24 09:00 Atlantic/Canary", "country"),
    case("Italy begins later on the eve of a holiday", ROME, "2026-12-07 09:30 Europe/Rome", HOURS, "2026-12-07 10:00 Europe/Rome", "country"),
    case("Italy ends earlier on the eve, and then is the holiday", ROME, "2026-12-07 19:00 Europe/Rome", HOURS, "2026-12-09 09:00 Europe/Rome", "country"),
    case("Italy's Christmas lasts from the eve to Monday", ROME, "2026-12-24 19:30 Europe/Rome", HOURS, "2026-12-28 09:00 Europe/Rome", "country"),
    case("Germany closes on Whit Monday", BERLIN, "2026-05-25 12:00 Europe/Berlin", HOURS, "2026-05-26 09:00 Europe/Berlin", "country"),
    case("the Netherlands end early on the fourth of May", AMSTERDAM, "2026-05-04 18:30 Europe/Amsterdam", HOURS, "2026-05-05 09:00 Europe/Amsterdam", "country"),
    case("the Netherlands on Christmas Eve", AMSTERDAM, "2026-12-24 18:30 Europe/Amsterdam", HOURS, "2026-12-28 09:00 Europe/Amsterdam", "country"),
    case("King's Day", AMSTERDAM, "2026-04-27 12:00 Europe/Amsterdam", HOURS, "2026-04-28 09:00 Europe/Amsterdam", "country"),
    case("Anzac Day on a Saturday takes Sunday and Monday along", SYDNEY, "2026-04-25 12:00 Australia/Sydney", HOURS, "2026-04-28 09:00 Australia/Sydney", "country"),
    case("Australia's 08 may be Perth, which opens two and a half hours after Adelaide", ADELAIDE, "2026-11-23 09:00 Australia/Adelaide", HOURS, "2026-11-23 09:00 Australia/Perth", "country"),
    case("Adelaide, if the row says so, is half an hour behind Sydney", ADELAIDE, "2026-11-23 09:00 Australia/Sydney", HOURS, "2026-11-23 09:00 Australia/Adelaide", "country", zone="Australia/Adelaide"),
    case("an Australian mobile waits for Christmas and Cocos islands", AU_MOBILE, "2026-11-23 09:00 Australia/Perth", HOURS, "2026-11-23 09:00 Indian/Cocos", "country"),
    case("India is half an hour off", DELHI, "2026-11-22 15:30 UTC", HOURS, "2026-11-23 03:30 UTC", "country"),
    case("Kathmandu is a quarter off", KATHMANDU, "2026-11-23 03:14 UTC", HOURS, "2026-11-23 03:15 UTC", "country"),
    case("Women's Day on a Sunday takes South Africa's Monday", JOHANNESBURG, "2026-08-10 12:00 Africa/Johannesburg", HOURS, "2026-08-11 08:00 Africa/Johannesburg", "country"),
    case("a South African Saturday ends at one", JOHANNESBURG, "2026-11-21 13:00 Africa/Johannesburg", HOURS, "2026-11-23 08:00 Africa/Johannesburg", "country"),
    case("west of the day line it is Tuesday's turn", APIA, "2026-11-23 07:00 UTC", HOURS, "2026-11-24 09:00 Pacific/Apia", "country"),
    case("east of it, at the same moment, Monday's", PAGO_PAGO, "2026-11-23 07:00 UTC", HOURS, "2026-11-23 09:00 Pacific/Pago_Pago", "country"),
    case("the first place on earth begins its Monday on our Sunday", NEW_YORK, "2026-11-22 19:00 UTC", None, None, "office", zone="Pacific/Kiritimati"),
    case("an office has lunch", LONDON, "2026-11-23 12:30 UTC", HOURS, "2026-11-23 13:30 UTC", "lunch"),
    case("own hours keep no holidays unless told to", LONDON, "2026-12-25 12:00 UTC", None, None, "office"),
    case("one hour a day never suits all of North America", TOLL_FREE, "2026-11-23 14:30 UTC", HOURS, None, "one hour"),
    case("closed is closed", LONDON, "2026-11-23 12:00 UTC", HOURS, None, "closed"),
    case("nobody knows where a satellite phone is", SATELLITE, "2026-11-23 12:00 UTC", HOURS, None, "country"),
    case("unless the settings say what to take", SATELLITE, "2026-11-23 12:00 UTC", None, None, '[hours]\nprofile = "own"\nunknown_zone = "UTC"'),
    case("with no hours chosen, any time will do", NEW_YORK, "2026-11-23 03:00 America/New_York", None, None, "any time"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "now", "rule", "opens", "kept", "more"), TABLE)
def test_what_the_clock_says_at_the_callees_place(
    number: str, now: str, rule: Rule | None, opens: str | None, kept: str, more: dict[str, Any]
) -> None:
    judge(number, now, rule, opens, kept, more)


def test_the_table_is_as_long_as_promised() -> None:
    assert len(TABLE) >= 60


def test_the_evidence_names_the_rule_the_zone_the_clock_and_the_hours() -> None:
    (refusal,) = guard("country").check(Ask(number=PARIS), moment("2026-07-14 11:00 Europe/Paris")).refusals

    assert refusal.facts == {
        "hours": "France",
        "zones": 1,
        "closed": [
            {"zone": "Europe/Paris", "local": "2026-07-14T11:00:00+02:00", "allowed": "none", "day": "National Day"}
        ],
    }
    assert "Tue 2026-07-14 11:00 in Europe/Paris (National Day)" in refusal.evidence


def test_with_both_profiles_the_country_and_the_own_hours_have_to_allow_the_call() -> None:
    kept = '[hours]\nprofile = "both"\n[hours.own]\nweekdays = ["09:00-12:00"]\nsaturday = []\nsunday = []'

    early = guard(kept).check(Ask(number=PARIS), moment("2026-11-23 09:30 Europe/Paris"))
    late = guard(kept).check(Ask(number=PARIS), moment("2026-11-23 12:30 Europe/Paris"))

    assert [one.facts["hours"] for one in early.refusals] == ["France"]
    assert early.next_allowed == moment("2026-11-23 10:00 Europe/Paris")
    assert [one.facts["hours"] for one in late.refusals] == ["your own hours"]
    assert late.next_allowed == moment("2026-11-24 10:00 Europe/Paris")
