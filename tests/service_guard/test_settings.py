"""`guard.toml`: what it may say, and where it is wrong."""

import re
from pathlib import Path

import pytest

from guarding import guard, moment
from ringonce.errors import ConfigError
from ringonce.service.guard import Ask, Guard, Profile, Rule, parse, read
from ringonce.service.guard.settings import Settings

ROOT = Path(__file__).parent.parent.parent


def test_an_empty_file_is_the_defaults() -> None:
    assert parse("") == Settings()
    assert Settings().hours.profile is Profile.NONE


def test_the_program_in_the_documentation_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "docs" / "guard.md").read_text(), re.DOTALL | re.MULTILINE
    )
    promised = " ".join(line[2:] for line in program.splitlines() if line.startswith("# "))

    exec(program, {})  # noqa: S102  # our own words, run as a reader would

    assert capsys.readouterr().out.strip() == promised


def test_the_example_in_the_documentation_is_good() -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```$", (ROOT / "docs" / "guard.md").read_text(), re.DOTALL | re.MULTILINE)

    kept = parse(example)

    assert kept.hours.profile is Profile.BOTH
    assert kept.attempts.per_day
    assert kept.list
    assert kept.caller_ids.owned


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[hours\n", "no TOML"),
        ("[ours]", "field ours"),
        ("[hours]\nprofil = 'own'", "hours: Object contains unknown field profil"),
        ("[hours]\nprofile = 'all'", "hours.profile: Invalid enum value 'all'"),
        ("[hours]\nunknown_zone = 'Mars/Olympus'", "hours: unknown_zone: 'Mars/Olympus' is no time zone"),
        ("[hours.own]\nweekdays = []\nsaturday = []", "hours.own: Object missing required field sunday"),
        ("[hours.own]\nweekdays = '9-17'\nsaturday = []\nsunday = []", "hours.own.weekdays: Expected array, got str"),
        ("[hours.own]\nweekdays = ['9-17']\nsaturday = []\nsunday = []", "hours.own: weekdays: '9-17' is no window"),
        ("[hours.own]\nweekdays = ['17:00-9:00']\nsaturday = []\nsunday = []", "ends before it begins"),
        ("[hours.own]\nweekdays = ['09:00-24:30']\nsaturday = []\nsunday = []", "ends before it begins"),
        ("[hours.own]\nweekdays = ['9:00-12:00', '11:00-13:00']\nsaturday = []\nsunday = []", "overlap"),
        (
            "[hours.own]\nweekdays = []\nsaturday = []\nsunday = []\ndates = {'13-01' = []}",
            "'13-01' is no month and day",
        ),
        ("[attempts]\nper_day = -1", "attempts.per_day: Expected int >= 0"),
        ("[attempts]\nper_day = '3'", "attempts.per_day: Expected int, got str"),
        ("[attempts]\nper_day = true", "attempts.per_day: Expected int, got bool"),
        ("[calls]\ncountries = ['Germany']", "calls.countries[0]: Expected str matching regex"),
        ("[caller_ids]\nowned = ['hello']", "caller_ids: owned: 'hello' is not a telephone number"),
        ("[caller_ids]\nowned = ['+1 555 123 4567']", "write '+1 555 123 4567' as +15551234567"),
        ("[[list]]\nname = 'a'", "list[0]: Object missing required field source"),
        ("[[list]]\nname = 'a'\nsource = 'b'\nfile = 'c'", "list[0]: taken is missing"),
        ("[[list]]\nname = 'a'\nsource = 'b'\ntaken = 'May'", "list[0].taken: Invalid RFC3339 encoded date"),
        ("[[list]]\nname = 'a'\nsource = 'b'\nstale = 'ignore'", "list[0].stale: Invalid enum value 'ignore'"),
        ("[[list]]\nname = 'a'\nsource = 'b'\n[[list]]\nname = 'a'\nsource = 'b'", "two lists are named 'a'"),
    ],
)
def test_a_wrong_field_is_named_with_its_path(text: str, where: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text)

    assert where in str(refused.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9")

    with pytest.raises(ConfigError, match="No such file"):
        read(tmp_path / "gone.toml")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read(tmp_path / "latin.toml")
    with pytest.raises(ConfigError, match="directory"):
        read(tmp_path)


def test_single_days_can_be_closed_or_shortened() -> None:
    kept = guard(
        '[hours]\nprofile = "own"\n[hours.own]\nweekdays = ["09:00-17:00"]\nsaturday = []\nsunday = []\n'
        'dates = { "2026-11-23" = [], "11-24" = ["09:00-12:00"] }'
    )

    monday = kept.check(Ask(number="+442079460958"), moment("2026-11-23 12:00 UTC"))
    tuesday = kept.check(Ask(number="+442079460958"), moment("2026-11-24 12:00 UTC"))

    assert (monday.rules, monday.next_allowed) == ((Rule.HOURS,), moment("2026-11-24 09:00 UTC"))
    assert (tuesday.rules, tuesday.next_allowed) == ((Rule.HOURS,), moment("2026-11-25 09:00 UTC"))
    assert tuesday.refusals[0].facts["closed"][0]["day"] == "2026-11-24"


def test_a_folder_of_your_own_replaces_a_countrys_rules(tmp_path: Path) -> None:
    (tmp_path / "GB.toml").write_text(
        'country = "GB"\nname = "United Kingdom"\ncalling_code = "44"\nas_of = 2026-11-01\nholidays_from = "none"\n'
        '[[rule]]\nid = "GB"\nname = "our lawyer"\ncalls = "sales"\nkind = "advice"\nconfidence = "confirmed"\n'
        'sources = [{ title = "a letter" }]\n[rule.hours]\nweekdays = ["10:00-12:00"]\nsaturday = []\nsunday = []\n'
    )
    kept = Guard(parse(f"[hours]\nprofile = 'country'\nrules = '{tmp_path}'"))

    british = kept.check(Ask(number="+442079460958"), moment("2026-11-23 12:00 UTC"))
    french = kept.check(Ask(number="+33142685300"), moment("2026-11-23 12:30 UTC"))

    assert british.refusals[0].facts["hours"] == "our lawyer"
    assert french.refusals[0].facts["hours"] == "France"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("country = ", "Invalid value"),
        ('country = "XXX"', "country: Expected"),
        ('country = "GB"', "missing required field"),
    ],
)
def test_rules_of_your_own_that_are_wrong_say_where(tmp_path: Path, content: str, why: str) -> None:
    (tmp_path / "GB.toml").write_text(content)

    with pytest.raises(ConfigError, match=r"GB\.toml") as refused:
        Guard(parse(f"[hours]\nrules = '{tmp_path}'"))

    assert why in str(refused.value)


def test_a_folder_of_rules_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no folder"):
        Guard(parse(f"[hours]\nrules = '{tmp_path / 'gone'}'"))
