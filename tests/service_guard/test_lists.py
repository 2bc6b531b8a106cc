"""Do-not-call lists: what is on them, how old they are, and what their files may not be."""

import datetime as dt
import io
from pathlib import Path
from typing import Any

import pytest

from guarding import moment
from ringonce.errors import ConfigError, InvalidInput
from ringonce.service.guard import (
    Ask,
    Facts,
    FingerprintKey,
    FingerprintList,
    Guard,
    ListInfo,
    Override,
    Rule,
    Verdict,
    load,
    parse,
)
from ringonce.service.guard.lists import LINE, numbers
from ringonce.service.guard.settings import ListSettings

KEY = FingerprintKey(b"sixteen bytes or more")
AREA_AND_NUMBER = {"columns": ("area", "number"), "prefix": "+1"}
NOON = moment("2026-11-23 12:00 UTC")
LISTED, FREE = "+442079460958", "+442079460959"
NATIONAL = '[[list]]\nname = "national"\nsource = "the registry"\n'


def made(*there: str, taken: str = "2026-11-20", name: str = "national") -> FingerprintList:
    info = ListInfo(name=name, source="the registry", taken=dt.date.fromisoformat(taken))
    return FingerprintList(info, [KEY.of(number) for number in there])


def asked(number: str, kept: str, *lists: FingerprintList, override: Override | None = None) -> Verdict:
    return Guard(parse(kept), key=KEY).check(Ask(number=number, override=override), NOON, Facts(lists=lists))


def read(content: bytes, **settings: Any) -> list[str]:
    return list(numbers(io.BytesIO(content), ListSettings(name="national", source="the registry", **settings)))


def test_a_listed_number_is_refused_for_good_with_the_lists_name_source_and_age() -> None:
    verdict = asked(LISTED, "", made(LISTED), made(FREE, name="own"))

    assert verdict.rules == (Rule.DO_NOT_CALL,)
    assert verdict.refusals[0].evidence == (
        "it is on the list 'national' from the registry, taken 2026-11-20, 3 days old"
    )
    assert verdict.next_allowed is None
    assert verdict.never


def test_a_number_on_two_lists_is_refused_by_both() -> None:
    verdict = asked(LISTED, "", made(LISTED), made(LISTED, name="own"))

    assert [one.facts["list"] for one in verdict.refusals] == ["national", "own"]


def test_a_number_that_is_on_none_is_called() -> None:
    assert asked(FREE, NATIONAL, made(LISTED)).allowed


def test_somebody_who_agreed_to_one_call_can_be_called_once_by_override() -> None:
    override = Override.of("do-not-call", reason="called us and asked to be called back", by="ada")

    verdict = asked(LISTED, "", made(LISTED), override=override)

    assert verdict.allowed
    assert verdict.audit is not None


@pytest.mark.parametrize(
    ("taken", "more", "refused", "warned"),
    [
        pytest.param("2026-10-23", "", False, False, id="on its last day"),
        pytest.param("2026-10-22", "", True, False, id="a day too old"),
        pytest.param("2026-10-22", 'stale = "warn"', False, True, id="too old, and only warned about"),
        pytest.param("2026-10-22", "max_age_days = 90", False, False, id="allowed to be older"),
        pytest.param("2026-10-22", 'countries = ["US"]', False, False, id="about another country"),
        pytest.param("2026-11-24", "", False, False, id="tomorrow, where the list is"),
        pytest.param("2026-12-24", "", True, False, id="from the future"),
        pytest.param("2026-12-24", 'stale = "warn"', True, False, id="from the future is no matter of age"),
    ],
)
def test_a_lists_age(taken: str, more: str, *, refused: bool, warned: bool) -> None:
    verdict = asked(FREE, NATIONAL + more, made(LISTED, taken=taken))

    assert verdict.rules == ((Rule.LIST_AGE,) if refused else ())
    assert bool(verdict.warnings) == warned


def test_an_old_list_still_counts_for_what_it_says() -> None:
    verdict = asked(LISTED, NATIONAL + 'stale = "warn"', made(LISTED, taken="2025-01-01"))

    assert verdict.rules == (Rule.DO_NOT_CALL,)


def test_a_required_list_that_is_not_there_refuses_every_call_that_it_is_about() -> None:
    assert asked(FREE, NATIONAL).rules == (Rule.LIST_AGE,)
    assert asked(FREE, NATIONAL + 'countries = ["US"]').allowed
    assert asked(FREE, NATIONAL + "required = false").allowed


def test_a_list_without_the_key_cannot_be_asked() -> None:
    with pytest.raises(ConfigError, match="no key"):
        Guard().check(Ask(number=FREE), NOON, Facts(lists=[made(LISTED)]))


def test_fingerprints_depend_on_the_key_and_show_nothing_of_it() -> None:
    other = FingerprintKey(b"another sixteen bytes")

    assert KEY.of(LISTED) == FingerprintKey(b"sixteen bytes or more").of(LISTED)
    assert KEY.of(LISTED) != other.of(LISTED)
    assert 0 <= KEY.of(LISTED) < 2**64
    assert "sixteen" not in repr(KEY)
    with pytest.raises(ConfigError, match="5 bytes"):
        FingerprintKey(b"short")


def test_a_list_in_many_runs_finds_the_first_and_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringonce.service.guard.lists._RUN", 10)
    there = [f"+4420794609{tail:02}" for tail in range(35)]

    kept = made(*there)

    assert len(kept) == 35
    assert all(kept.holds(KEY.of(number)) for number in there)
    assert not kept.holds(KEY.of("+442079460999"))


@pytest.mark.parametrize(
    ("content", "settings", "found"),
    [
        pytest.param(b"+442079460958\n+442079460959\n", {}, [LISTED, FREE], id="a number a line"),
        pytest.param(b"\xef\xbb\xbf+442079460958\r\n\r\n# till 2030\r\n", {}, [LISTED], id="BOM, CRLF, blank, remark"),
        pytest.param(b"(0)20 7946 0958", {"country": "GB"}, [LISTED], id="as people of the country write it"),
        pytest.param(b"2125550123\n212-555-0124\n", {"prefix": "+1"}, ["+12125550123", "+12125550124"], id="a prefix"),
        pytest.param(b"212,5550123\n", AREA_AND_NUMBER, None, id="columns, no header"),
        pytest.param(b"area,number\n212,5550123\n", AREA_AND_NUMBER, ["+12125550123"], id="two columns"),
        pytest.param(b'name,phone\n"Doe, J",+442079460958\n', {"columns": ("phone",)}, [LISTED], id="quotes"),
        pytest.param(b"", {}, [], id="nothing"),
    ],
)  # fmt: skip
def test_how_a_file_may_be_written(content: bytes, settings: dict[str, Any], found: list[str] | None) -> None:
    if found is None:
        with pytest.raises(InvalidInput, match="no column 'area'"):
            read(content, **settings)
    else:
        assert read(content, **settings) == found


@pytest.mark.parametrize(
    ("content", "settings", "what"),
    [
        pytest.param(b"+442079460958\nada@example.com\n", {}, "line 2", id="an address"),
        pytest.param(b"2079460958\n", {}, "line 1", id="no country"),
        pytest.param(b"911\n", {"country": "US"}, "emergency", id="an emergency number"),
        pytest.param(b"+4420\n" * 7, {}, "and 2 more", id="many wrong lines"),
        pytest.param(b"+442079460958\n+44\x002079460958\n", {}, "line 2 has a NUL", id="NUL"),
        pytest.param(b"+442079460958\n\xff\xfe\n", {}, "line 2 is not UTF-8", id="another encoding"),
        pytest.param(b"1" * (LINE + 1), {}, "line 1 is longer", id="a line without end"),
        pytest.param(b'phone\n+442079460958\n"+44', {"columns": ("phone",)}, "line 3", id="an open quote"),
        pytest.param(b"name\nAda\n", {"columns": ("phone",)}, "no column 'phone'", id="a missing column"),
        pytest.param(b"", {"columns": ("phone",)}, "no column 'phone'", id="no header"),
        pytest.param(b"name,phone\nAda\n", {"columns": ("phone",)}, "line 2", id="a short row"),
        pytest.param(b"phone;name\n+442079460958;Ada\n", {"columns": ("phone",)}, "no column", id="semicolons"),
    ],
)
def test_a_file_that_is_wrong_is_refused_whole_and_says_where(
    content: bytes, settings: dict[str, Any], what: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(content, **settings)

    assert what in str(refused.value)
    assert refused.value.fix


def test_a_list_is_loaded_from_the_file_that_the_settings_name(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"{LISTED}\n")
    kept = parse(f"{NATIONAL}taken = 2026-11-20\nfile = '{tmp_path / 'list.txt'}'")

    loaded = load(kept.list[0], KEY)

    assert loaded.info == ListInfo(name="national", source="the registry", taken=dt.date(2026, 11, 20))
    assert loaded.holds(KEY.of(LISTED))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    kept = parse(f"{NATIONAL}taken = 2026-11-20\nfile = '{tmp_path / 'gone.txt'}'")

    with pytest.raises(ConfigError, match="No such file"):
        load(kept.list[0], KEY)
    with pytest.raises(ConfigError, match="has no file"):
        load(parse(NATIONAL).list[0], KEY)
