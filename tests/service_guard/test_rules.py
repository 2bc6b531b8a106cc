"""The rules that no clock lifts, and what a person may set aside."""

import datetime as dt

import pytest

from guarding import guard, moment
from ringonce.errors import InvalidInput
from ringonce.service.guard import Ask, Facts, Guard, Override, Rule, Stop
from ringonce.service.guard.verdict import NEVER_OVERRIDDEN

NOON = moment("2026-11-23 12:00 UTC")
LONDON, TUTORIAL = "+442079460958", "+15559876543"
STOP = Facts(stop=Stop(by="ada", reason="wrong list", since=NOON))


@pytest.mark.parametrize("number", ["911", "112", "+1911", "+44999", "+49112", "+61000", "999"])
def test_an_emergency_number_is_refused(number: str) -> None:
    verdict = guard("any time").check(Ask(number=number), NOON)

    assert Rule.EMERGENCY in verdict.rules
    assert not verdict.allowed
    assert verdict.next_allowed is None
    assert "emergency" in verdict.never


NO_NUMBERS = (
    "", "hello", "+", "12345", "2079460958", "+0123456789", "+44 20 7946 0958", "+99912345678", "+1" * 9, "+١٢٣٤٥٦٧٨٩",
)  # fmt: skip


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_what_is_no_full_number_is_refused(number: str) -> None:
    verdict = guard("country").check(Ask(number=number), NOON)

    assert verdict.rules == (Rule.NUMBER,)
    assert verdict.never


@pytest.mark.parametrize(
    ("number", "kept", "refused"),
    [
        pytest.param("+19002345678", "", True, id="a premium-rate number"),
        pytest.param("+449098765432", "", True, id="a British one"),
        pytest.param("+19002345678", "[calls]\npremium = true", False, id="one that is allowed"),
        pytest.param("+18002345678", "", False, id="toll-free is not premium"),
    ],
)
def test_premium_rate_numbers_have_to_be_allowed(number: str, kept: str, *, refused: bool) -> None:
    assert (Rule.PREMIUM in guard(kept).check(Ask(number=number), NOON).rules) == refused


@pytest.mark.parametrize(
    ("number", "countries", "refused"),
    [
        pytest.param(LONDON, '["GB"]', False, id="a country on the list"),
        pytest.param(LONDON, '["US", "CA"]', True, id="a country that is not"),
        pytest.param(LONDON, "[]", False, id="no list is every country"),
        pytest.param("+447781123456", '["GB"]', True, id="Guernsey is not Britain"),
        pytest.param("+18762345678", '["US", "CA"]', True, id="Jamaica, with a code like any American one"),
        pytest.param(TUTORIAL, '["US", "CA"]', True, id="a range that may be anyone's"),
        pytest.param("+881612345678", '["US"]', True, id="a satellite phone is in no country"),
    ],
)
def test_only_allowed_countries_are_called(number: str, countries: str, *, refused: bool) -> None:
    verdict = guard(f"[calls]\ncountries = {countries}").check(Ask(number=number), NOON)

    assert verdict.rules == ((Rule.COUNTRY,) if refused else ())


def test_a_caller_id_has_to_be_ones_own() -> None:
    kept = guard('[caller_ids]\nowned = ["+15551234567"]')

    assert kept.check(Ask(number=LONDON, caller_id="+15551234567"), NOON).allowed
    assert kept.check(Ask(number=LONDON), NOON).allowed
    assert kept.check(Ask(number=LONDON, caller_id="+15550000000"), NOON).rules == (Rule.CALLER_ID,)


def test_an_agents_own_caller_ids_stand_in_place_of_the_settings() -> None:
    kept = guard('[caller_ids]\nowned = ["+15551234567"]')
    agents = Facts(owned={"+15550000000"})

    assert kept.check(Ask(number=LONDON, caller_id="+15550000000"), NOON, agents).allowed
    assert not kept.check(Ask(number=LONDON, caller_id="+15551234567"), NOON, agents).allowed


def test_no_caller_id_is_anybodys_where_none_are_owned() -> None:
    assert not Guard().check(Ask(number=LONDON, caller_id="+15551234567"), NOON, Facts(owned=set())).allowed


def test_the_kill_switch_stops_every_call_and_says_who_and_why() -> None:
    verdict = guard("any time").check(Ask(number=LONDON), NOON, STOP)

    assert verdict.rules == (Rule.KILL_SWITCH,)
    assert verdict.refusals[0].evidence == "ada stopped all calls at 2026-11-23 12:00 UTC: wrong list"
    assert verdict.never == "kill switch: lift the stop"


def test_an_override_lets_the_call_through_and_leaves_a_record() -> None:
    override = Override(rules=frozenset({Rule.HOURS}), reason="she asked for it", by="ada")
    night = moment("2026-11-23 03:00 UTC")

    verdict = guard("office").check(Ask(number=LONDON, intent="crm-1", override=override), night)

    assert verdict.allowed
    assert verdict.next_allowed == night
    assert [one.rule for one in verdict.overridden] == [Rule.HOURS]
    assert verdict.audit is not None
    assert (verdict.audit.at, verdict.audit.by, verdict.audit.reason) == (night, "ada", "she asked for it")
    assert (verdict.audit.intent, verdict.audit.number) == ("crm-1", "+44••••••0958")
    assert verdict.audit.allowed
    assert "overridden" in str(verdict)


def test_an_override_of_one_rule_leaves_the_others_standing() -> None:
    override = Override.of("calling hours", reason="she asked for it", by="ada")
    tried = Facts(attempts=[moment("2026-11-23 02:00 UTC").timestamp()])
    kept = guard(
        '[hours]\nprofile = "own"\n[hours.own]\nweekdays = ["09:00-17:00"]\nsaturday = []\nsunday = []\n'
        "[attempts]\ngap_minutes = 90"
    )

    verdict = kept.check(Ask(number=LONDON, override=override), moment("2026-11-23 03:00 UTC"), tried)

    assert verdict.rules == (Rule.GAP,)
    assert verdict.next_allowed == moment("2026-11-23 03:30 UTC")
    assert verdict.audit is not None
    assert not verdict.audit.allowed


def test_an_override_that_was_not_needed_leaves_no_record() -> None:
    override = Override.of("calling hours, gap", reason="just in case", by="ada")

    assert guard("office").check(Ask(number=LONDON, override=override), NOON).audit is None


@pytest.mark.parametrize("rule", sorted(NEVER_OVERRIDDEN))
def test_some_rules_hold_for_everybody(rule: Rule) -> None:
    with pytest.raises(InvalidInput, match="cannot be overridden"):
        Override(rules=frozenset({rule}), reason="because", by="ada")


@pytest.mark.parametrize(
    ("rules", "reason", "by", "what"),
    [
        ("calling hours", " ", "ada", "has no reason"),
        ("calling hours", "because", "", "has no by"),
        ("", "because", "ada", "names no rule"),
        ("calling hour", "because", "ada", "there is no rule"),
        ("kill switch", "because", "ada", "cannot be overridden"),
    ],
)
def test_an_override_says_what_why_and_who(rules: str, reason: str, by: str, what: str) -> None:
    with pytest.raises(InvalidInput, match=what):
        Override.of(rules, reason=reason, by=by)


@pytest.mark.parametrize("zone", ["America/Springfield", "CET+5", "../etc/passwd", "x" * 5000, "\0", "/usr"])
def test_a_zone_that_there_is_not_is_bad_input(zone: str) -> None:
    with pytest.raises(InvalidInput, match="no time zone"):
        guard("office").check(Ask(number=LONDON, zone=zone), NOON)


@pytest.mark.parametrize("now", [dt.datetime(2026, 11, 23, 12), float("nan"), float("inf"), -1.0, 1e15])  # noqa: DTZ001  # the point
def test_a_moment_without_a_zone_or_out_of_time_is_bad_input(now: dt.datetime | float) -> None:
    with pytest.raises(InvalidInput, match=r"moment|no time zone"):
        guard("office").check(Ask(number=LONDON), now)


def test_a_fraction_of_a_second_before_opening_is_before_opening() -> None:
    opens = moment("2026-11-23 09:00 UTC").timestamp()

    verdict = guard("office").check(Ask(number=LONDON), opens - 1e-6)

    assert verdict.rules == (Rule.HOURS,)
    assert verdict.next_allowed == moment("2026-11-23 09:00 UTC")


def test_a_refusal_reads_as_a_sentence() -> None:
    assert str(guard("office").check(Ask(number=LONDON), moment("2026-11-22 12:00 UTC"))) == (
        "refused by calling hours: your own hours: it is Sun 2026-11-22 12:00 in Europe/London, "
        "and that day's hours are none (allowed from 2026-11-23 09:00:00 UTC)"
    )


def test_an_operator_is_told_that_no_hours_are_chosen_and_that_rules_grow_old() -> None:
    assert "no calling hours are set" in guard("any time").notices(NOON)[0]
    assert guard("country").notices(NOON) == []
    assert any("France" in one for one in guard("country").notices(moment("2027-12-01 12:00 UTC")))
