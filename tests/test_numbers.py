"""Any human form becomes one E.164 number; what must not be dialled is refused in words."""

import random
import subprocess
import sys

import phonenumbers
import pytest

from ringonce import numbers
from ringonce.errors import ConfigError, NumberRefused

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


@pytest.mark.parametrize(
    ("typed", "country", "meant"),
    [
        pytest.param("+1 555 987 6543", "US", "+15559876543", id="the tutorial's destination, spaced"),
        pytest.param("+15551234567", None, "+15551234567", id="the tutorial's caller id"),
        pytest.param("(555) 987-6543", "US", "+15559876543", id="as people write it at home"),
        pytest.param("555.987.0001", "us", "+15559870001", id="with dots, and a country in small letters"),
        pytest.param("1 555 987 6543", "US", "+15559876543", id="with the trunk prefix"),
        pytest.param("0044 20 7946 0958", "US", "+442079460958", id="00 from a country that dials 011"),
        pytest.param("0044 20 7946 0958", None, "+442079460958", id="00 without a default country"),
        pytest.param("011 44 20 7946 0958", "US", "+442079460958", id="011 from a country that dials it"),
        pytest.param("0114 496 0123", "GB", "+441144960123", id="011 that is the beginning of Sheffield"),
        pytest.param("001 44 20 7946 0958", "SG", "+442079460958", id="a country's own way abroad that begins with 00"),
        pytest.param("+44 (0)20 7946 0958", "US", "+442079460958", id="the trunk zero in brackets"),
        pytest.param("020 7946 0958", "GB", "+442079460958", id="the trunk zero at home"),
        pytest.param("06 698 12345", "IT", "+390669812345", id="a zero that belongs to the number"),
        pytest.param("tel:+1-555-987-6543", "US", "+15559876543", id="a tel URI"),
        pytest.param("＋１５５５９８７６５４３", "US", "+15559876543", id="full-width digits"),
        pytest.param("+١٥٥٥٩٨٧٦٥٤٣", "US", "+15559876543", id="Arabic-Indic digits"),
        pytest.param("\u202a+1 555 987 6543\u202c", "US", "+15559876543", id="with the marks a chat program adds"),
        pytest.param("+49 1801 234567", "US", "+491801234567", id="shared cost is not premium"),
    ],
)
def test_a_human_form_becomes_one_number(typed: str, country: str | None, meant: str) -> None:
    assert numbers.dialable(typed, country=country) == meant


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        pytest.param("", "empty", id="nothing"),
        pytest.param("  tel: ", "empty", id="an empty tel URI"),
        pytest.param("+", "no digits", id="only a plus"),
        pytest.param("ada", "letters", id="a name"),
        pytest.param("1-800-FLOWERS", "letters", id="vanity letters"),
        pytest.param("call 555 987 6543", "letters", id="a sentence"),
        pytest.param("sip:ada@example.com", "address", id="a SIP address"),
        pytest.param("*67 555 987 6543", "feature codes", id="a feature code"),
        pytest.param("555+9876543", "'+'", id="a plus in the middle"),
        pytest.param("+1 555 987 6543 x12", "extension", id="an extension"),
        pytest.param("tel:+1-555-987-6543;ext=12", "extension", id="an extension in a tel URI"),
        pytest.param("+1 555 987 6543 ext. 12", "extension", id="an extension in words"),
        pytest.param("+1 555 987 6543,12", "extension", id="an extension after a pause"),
        pytest.param("5", "too short", id="one digit"),
        pytest.param("+1 55", "too short", id="too short"),
        pytest.param("987 6543", "area code", id="a local number"),
        pytest.param("+1 555 987 65433", "too long", id="too long"),
        pytest.param("5" * 300, "too long", id="a paste gone wrong"),
        pytest.param("+999 123 456", "no country", id="a country code of nobody"),
        pytest.param("+1 900 555 1234", "premium", id="premium rate"),
        pytest.param("+44 909 879 0000", "premium", id="premium rate abroad"),
        pytest.param("116 117", "too short", id="a short code"),
        pytest.param("+49 116 117", "short code", id="a short code as long as a number"),
    ],
)
def test_what_is_refused_and_why(typed: str, why: str) -> None:
    with pytest.raises(NumberRefused) as caught:
        numbers.dialable(typed)

    assert why in caught.value.why
    assert caught.value.fix


@pytest.mark.parametrize(
    "typed", ["911", "9-1-1", "112", "999", "+1 911", "+44 999", "001 911", "+49 110", "٩١١", "tel:911", "0044 112"]
)
def test_an_emergency_number_is_refused_in_any_form(typed: str) -> None:
    with pytest.raises(NumberRefused) as caught:
        numbers.dialable(typed)

    assert "emergency" in caught.value.why


def test_every_countrys_emergency_numbers_are_known() -> None:
    tables = {code: phonenumbers.PhoneMetadata.short_metadata_for_region(code) for code in REGIONS}
    known = {
        (code, table.emergency.example_number)
        for code, table in tables.items()
        if table and table.emergency and table.emergency.example_number
    }

    assert len(known) > 200
    for country, number in known:
        with pytest.raises(NumberRefused, match="emergency"):
            numbers.dialable(number, country=country)


def test_every_countrys_premium_numbers_are_known() -> None:
    premium = phonenumbers.PhoneNumberType.PREMIUM_RATE
    examples = [phonenumbers.example_number_for_type(code, premium) for code in REGIONS]
    known = [phonenumbers.format_number(one, phonenumbers.PhoneNumberFormat.E164) for one in examples if one]

    assert len(known) > 100
    for number in known:
        with pytest.raises(NumberRefused, match="premium"):
            numbers.dialable(number)
        assert numbers.dialable(number, allow_premium=True) == number


def test_no_emergency_number_is_long_enough_to_be_taken_for_a_plain_one() -> None:
    tables = [phonenumbers.PhoneMetadata.short_metadata_for_region(code) for code in REGIONS]

    assert max(max(one.emergency.possible_length) for one in tables if one and one.emergency) == 6


def test_a_number_in_e164_and_in_another_form_get_the_same_answer() -> None:
    def answer(text: str) -> str:
        try:
            return numbers.dialable(text)
        except NumberRefused as refused:
            return refused.why

    dice, codes = random.Random(0), list(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    drawn = [f"+{code}{dice.randrange(10 ** dice.randint(7, 10))}" for code in codes for _ in range(10)]

    answers = {number: (answer(number), answer(f"{number[:5]} {number[5:]}")) for number in drawn}

    assert [number for number, (plain, spaced) in answers.items() if plain != spaced] == []
    assert len({plain for plain, _ in answers.values() if plain.startswith("+")}) > 100


def test_what_its_author_allows_is_dialled() -> None:
    assert numbers.dialable("+1 900 555 1234", allow_premium=True) == "+19005551234"
    assert numbers.dialable("+1 911", allow_emergency=True) == "911"
    with pytest.raises(NumberRefused):
        numbers.dialable("411", allow_premium=True, allow_emergency=True)


def test_a_number_without_a_country_needs_a_default() -> None:
    with pytest.raises(NumberRefused) as caught:
        numbers.dialable("555 987 6543", country=None)

    assert "no default country" in caught.value.why


def test_a_default_country_that_nobody_knows() -> None:
    with pytest.raises(ConfigError, match="'XX'"):
        numbers.dialable("555 987 6543", country="XX")


def test_the_error_shows_what_was_typed_cut_and_escaped() -> None:
    with pytest.raises(NumberRefused) as caught:
        numbers.dialable("a\x1b[31m" + "b" * 100)

    assert "\x1b" not in str(caught.value)
    assert "'a\\x1b[31m" in caught.value.what
    assert "b" * 36 not in caught.value.what


@pytest.mark.parametrize(
    ("number", "log"),
    [
        ("+15559876543", "+1••••••6543"),
        ("+442079460958", "+44••••••0958"),
        ("+35312345678", "+353••••5678"),
        ("+6834002", "+683••02"),
        ("911", "•••"),
        ("not a number", "•" * 12),
    ],
)
def test_a_log_shows_the_country_and_the_last_digits(number: str, log: str) -> None:
    assert numbers.masked(number) == log


def test_importing_the_module_does_not_import_phonenumbers() -> None:
    code = "import sys, ringonce.numbers; sys.exit('phonenumbers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603  # our own interpreter
