"""Caps and gaps: how often and how soon a number may be tried again, by the callee's own days."""
# ruff: noqa: E501  # one case is one line, so that the table can be read down

from typing import Any

import pytest

from guarding import case, guard, judge, moment
from ringonce.service.guard import Ask, Facts, Rule

CAP, GAP, HOURS = Rule.CAP, Rule.GAP, Rule.HOURS
LONDON, PARIS, MIAMI, NEWFOUNDLAND = "+442079460958", "+33142685300", "+13052345678", "+17092345678"
SATELLITE = "+881612345678"
TWICE = "[attempts]\nper_day = 2"
ONCE = "[attempts]\nper_day = 1"
WEEKLY = "[attempts]\nper_7_days = 2"
MONTHLY = "[attempts]\nper_30_days = 3"
GAPS = "[attempts]\ngap_minutes = 120"
OFFICE = '[hours]\nprofile = "own"\n[hours.own]\nweekdays = ["09:00-17:00"]\nsaturday = []\nsunday = []\n'

TABLE = [
    case("one try of two leaves one", LONDON, "2026-11-23 12:00 UTC", None, None, TWICE, tried=["2026-11-23 09:00 UTC"]),
    case("two tries of two end the day", LONDON, "2026-11-23 12:00 UTC", CAP, "2026-11-24 00:00 UTC", TWICE, tried=["2026-11-23 11:00 UTC", "2026-11-23 09:00 UTC"]),
    case("yesterday's tries do not count for today", LONDON, "2026-11-23 12:00 UTC", None, None, TWICE, tried=["2026-11-22 23:59 UTC", "2026-11-22 12:00 UTC"]),
    case("yesterday in London can be today in Sydney", "+61299999999", "2026-11-23 03:00 UTC", CAP, "2026-11-24 00:00 Australia/Sydney", ONCE, tried=["2026-11-22 14:00 UTC"]),
    case("after midnight the office is still closed", LONDON, "2026-11-23 12:00 UTC", CAP, "2026-11-24 09:00 UTC", OFFICE + ONCE, tried=["2026-11-23 09:00 UTC"]),
    case("Friday's cap lasts over the weekend", LONDON, "2026-11-20 12:00 UTC", CAP, "2026-11-23 09:00 UTC", OFFICE + ONCE, tried=["2026-11-20 09:00 UTC"]),
    case("a day has to be over in every zone", NEWFOUNDLAND, "2026-11-23 23:45 America/St_Johns", CAP, "2026-11-24 00:00 America/Halifax", ONCE, tried=["2026-11-23 12:00 America/St_Johns"]),
    case("a try after midnight in one zone was yesterday in the other", NEWFOUNDLAND, "2026-11-23 12:00 America/St_Johns", CAP, "2026-11-24 00:00 America/St_Johns", ONCE, tried=["2026-11-23 00:15 America/St_Johns"]),
    case("seven days are today and six before", LONDON, "2026-11-23 12:00 UTC", None, None, WEEKLY, tried=["2026-11-16 23:00 UTC", "2026-11-20 12:00 UTC"]),
    case("the week's first try has to leave it", LONDON, "2026-11-23 12:00 UTC", CAP, "2026-11-24 00:00 UTC", WEEKLY, tried=["2026-11-17 23:00 UTC", "2026-11-20 12:00 UTC"]),
    case("when there were too many, more than one has to leave", LONDON, "2026-11-23 12:00 UTC", CAP, "2026-11-26 00:00 UTC", WEEKLY, tried=["2026-11-17 12:00 UTC", "2026-11-19 12:00 UTC", "2026-11-20 12:00 UTC"]),
    case("thirty days cross the change of the clocks", LONDON, "2026-11-05 12:00 UTC", CAP, "2026-11-09 00:00 UTC", MONTHLY, tried=["2026-10-10 00:30 Europe/London", "2026-10-20 12:00 UTC", "2026-11-01 12:00 UTC"]),
    case("France allows four tries in thirty days", PARIS, "2026-11-23 11:00 Europe/Paris", CAP, "2026-12-02 10:00 Europe/Paris", "country", tried=[f"2026-11-{day:02} 15:00 Europe/Paris" for day in (2, 9, 16, 20)]),
    case("Florida allows three in any 24 hours, to the second", MIAMI, "2026-11-24 09:00 America/New_York", CAP, "2026-11-24 09:30:07 America/New_York", "country", tried=["2026-11-23 09:30:07 America/New_York", "2026-11-23 12:00 America/New_York", "2026-11-23 19:00 America/New_York"]),
    case("at that very second it may be tried", MIAMI, "2026-11-24 09:30:07 America/New_York", None, None, "country", tried=["2026-11-23 09:30:07 America/New_York", "2026-11-23 12:00 America/New_York", "2026-11-23 19:00 America/New_York"]),
    case("a gap that is not over", LONDON, "2026-11-23 11:59 UTC", GAP, "2026-11-23 12:00 UTC", GAPS, tried=["2026-11-23 10:00 UTC"]),
    case("a gap that is just over", LONDON, "2026-11-23 12:00 UTC", None, None, GAPS, tried=["2026-11-23 10:00 UTC"]),
    case("a gap that ends after closing time lasts until the morning", LONDON, "2026-11-23 16:30 UTC", GAP, "2026-11-24 09:00 UTC", OFFICE + GAPS, tried=["2026-11-23 16:00 UTC"]),
    case("a try that a jumped clock put into the future counts", LONDON, "2026-11-23 12:00 UTC", GAP, "2026-11-23 15:00 UTC", GAPS, tried=["2026-11-23 13:00 UTC"]),
    case("where no zone is known, a day is UTC's", SATELLITE, "2026-11-23 12:00 UTC", CAP, "2026-11-24 00:00 UTC", ONCE, tried=["2026-11-23 00:00 UTC"]),
]  # fmt: skip


@pytest.mark.parametrize(("number", "now", "rule", "opens", "kept", "more"), TABLE)
def test_when_a_number_may_be_tried_again(
    number: str, now: str, rule: Rule | None, opens: str | None, kept: str, more: dict[str, Any]
) -> None:
    judge(number, now, rule, opens, kept, more)


def test_several_rules_refuse_at_once_and_the_next_moment_suits_them_all() -> None:
    kept = OFFICE + "[attempts]\nper_day = 1\ngap_minutes = 1440"
    tried = Facts(attempts=[moment("2026-11-23 17:30 UTC").timestamp()])

    verdict = guard(kept).check(Ask(number=LONDON), moment("2026-11-23 18:00 UTC"), tried)

    assert verdict.rules == (HOURS, CAP, GAP)
    assert [one.until for one in verdict.refusals] == [
        moment("2026-11-24 09:00 UTC"),
        moment("2026-11-24 00:00 UTC"),
        moment("2026-11-24 17:30 UTC"),
    ]
    assert verdict.next_allowed == moment("2026-11-25 09:00 UTC")


def test_a_cap_tells_when_it_alone_leaves_room_again() -> None:
    tried = Facts(attempts=[moment(f"2026-11-{day} 12:00 UTC").timestamp() for day in (17, 19, 20)])

    (refusal,) = guard(WEEKLY).check(Ask(number=LONDON), moment("2026-11-23 12:00 UTC"), tried).refusals

    assert refusal.until == moment("2026-11-26 00:00 UTC")


def test_the_evidence_of_a_cap_names_it_and_the_tries() -> None:
    tried = Facts(attempts=[moment("2026-11-23 11:00 UTC").timestamp(), moment("2026-11-23 09:00 UTC").timestamp()])

    (refusal,) = guard(TWICE).check(Ask(number=LONDON), moment("2026-11-23 12:00 UTC"), tried).refusals

    assert refusal.evidence == (
        "your own cap: 2 in 1 calendar day is reached, the last attempt was at 2026-11-23 11:00 UTC"
    )
    assert refusal.facts["attempts"] == ["2026-11-23T09:00:00+00:00", "2026-11-23T11:00:00+00:00"]


def test_the_guard_says_how_far_back_it_needs_the_tries() -> None:
    assert guard(MONTHLY).memory.days == 32
    assert guard("[attempts]\ngap_minutes = 144000").memory.days == 102
