"""No number and no secret leaves the service in its logs, however a line was made."""

import base64
import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringonce.errors import ConfigError
from ringonce.service.logs import JsonFormatter, TextFormatter, configure, masked

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SECRETS = st.one_of(
    st.tuples(st.just("ro_{}"), st.text(LETTERS + "-_", min_size=43, max_size=43)),
    st.tuples(st.just("whsec_{}"), st.binary(min_size=24, max_size=32).map(lambda raw: base64.b64encode(raw).decode())),
    st.tuples(st.just("{}"), st.text("0123456789abcdef", min_size=43, max_size=64)),
    st.tuples(st.sampled_from(["Bearer {}", "bearer  {}", "Basic {}"]), st.text(LETTERS, min_size=10, max_size=60)),
    st.tuples(
        st.sampled_from(["refresh_token={}", '"access_token": "{}"', "password: {}", "?code={}&x=1", "&state={}"]),
        st.text(LETTERS, min_size=8, max_size=60),
    ),
    st.tuples(st.just("postgresql://calls:{}@db.example.com/calls"), st.text(LETTERS + "!", min_size=4, max_size=20)),
)
DIGITS = st.text("0123456789", min_size=8, max_size=15).filter(lambda digits: digits[0] != "0")


@st.composite
def spelled(draw: st.DrawFn) -> str:
    """A telephone number as somebody may write it."""
    digits, written = draw(DIGITS), draw(st.sampled_from(["", "+", "(", "tel:+", "+("]))
    for place, digit in enumerate(digits):
        written += digit
        if place < len(digits) - 1:
            written += draw(st.sampled_from(["", "", "", " ", "-", ".", ") ", " (", "\u00a0", "/"]))
    return written


AROUND = st.sampled_from(["", " ", "to ", "'", '"', "(", ", ", "=", ": ", "\n", "number ", "<", "|", "ä "])


def digits_of(text: str) -> str:
    return re.sub(r"[^0-9•]", "", text)


def record(message: str, *args: Any, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("ringonce.service", logging.INFO, __file__, 1, message, args, None)
    vars(made).update(extra)
    return made


def written(made: logging.LogRecord) -> list[str]:
    told = json.loads(JsonFormatter().format(made))
    del told["at"]
    return [json.dumps(told, ensure_ascii=False), TextFormatter().format(made)[8:]]


@given(number=spelled(), before=AROUND, after=AROUND)
@example("+1 (555) 987-6543", "to ", ".")
@example("15559876543", "=", "")
def test_of_a_number_in_any_spelling_only_the_end_is_left(number: str, before: str, after: str) -> None:
    said = masked(f"call{before or ' '}{number}{after}")

    digits = digits_of(number)
    assert digits[:-4] not in digits_of(said)
    assert digits_of(said).count("•") == len(digits) - 4


@given(
    number=spelled(),
    place=st.sampled_from(["message", "argument", "extra", "in a list", "in a dict", "a key", "error"]),
)
def test_a_number_is_masked_wherever_a_line_carries_it(number: str, place: str) -> None:
    made = {
        "message": lambda: record(f"calls {number}"),
        "argument": lambda: record("calls %s now", number),
        "extra": lambda: record("calls", to=number),
        "in a list": lambda: record("calls", them=[(number,)]),
        "in a dict": lambda: record("calls", them={"to": {"is": number}}),
        "a key": lambda: record("calls", them={number: 1}),
        "error": lambda: failed(number),
    }[place]()

    for line in written(made):
        assert digits_of(number)[:-4] not in digits_of(line)


def failed(words: str) -> logging.LogRecord:
    made = record("it failed")
    made.exc_info = (ValueError, ValueError(words), None)
    return made


@given(shape_and_secret=SECRETS, before=st.sampled_from(["", "with ", "'", "{", "\n"]))
def test_a_secret_is_gone_wherever_a_line_carries_it(shape_and_secret: tuple[str, str], before: str) -> None:
    shape, secret = shape_and_secret
    told = before + shape.replace("{}", secret)

    for made in (record(f"x {told}"), record("%s", told), record("x", y=[told]), failed(told)):
        for line in written(made):
            assert secret not in line.replace("with ", "")


@pytest.mark.parametrize("name", ["token", "refresh_token", "client_secret", "Authorization", "password", "vault_key"])
def test_what_is_called_a_secret_is_gone_whatever_it_looks_like(name: str) -> None:
    for line in written(record("x", **{name: "short", "given": {name: ["short"]}})):
        assert "short" not in line


@pytest.mark.parametrize(
    "text",
    [
        "call call_1a3185c5000247d787b3e8e of agent a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "conversation 12345678-1234-1234-1234-123456789012",
        "at 2026-11-22T20:04:12.345Z and on 2026-11-22",
        "HTTP 503 after 81 tries, next in 3600.0 s",
        "listening on http://127.0.0.1:8090",
        "worker_host_7_4711_a1b2c3 took 100 000 rows",
        "going on with call call_1a3185c5000247d787b3e8e of worker_vm_1234567_4711_00678c",
        'File "/srv/app/.venv/lib/python3.11/site-packages/sqlalchemy/engine/strategies/default.py", line 954, in go',
    ],
)
def test_what_is_neither_stays_as_it_is(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("path", ["/calls/15559876543/x.py", "/calls/1-555-987-6543.py", f"/calls/{'a1' * 25}.py"])
def test_a_number_or_a_secret_in_a_path_is_masked(path: str) -> None:
    said = masked(f'File "{path}", line 1')

    assert "9876543" not in digits_of(said)
    assert "a1" * 25 not in said


def test_an_integer_that_may_be_a_number_is_masked_and_others_stay() -> None:
    told = json.loads(JsonFormatter().format(record("x", to=15559876543, count=4711, ok=True, none=None, share=0.25)))

    assert (told["to"], told["count"], told["ok"], told["none"], told["share"]) == (
        "•••••••6543",
        4711,
        True,
        None,
        0.25,
    )


@given(words=st.text(), arguments=st.lists(st.one_of(st.text(), st.integers(), st.none()), max_size=3))
def test_every_line_can_be_written_and_is_one_json_object(words: str, arguments: list[Any]) -> None:
    line = JsonFormatter().format(record(words, *arguments))

    assert "\n" not in line
    assert json.loads(line)["level"] == "info"


@pytest.fixture
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    for name in ("ringonce", "aiohttp.access", "uvicorn.access", "alembic", "sqlalchemy.engine"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.usefixtures("restored")
def test_every_logger_of_the_process_goes_through_the_mask() -> None:
    stream = io.StringIO()
    logging.getLogger("uvicorn.error").addHandler(logging.StreamHandler(stream))
    configure("json", stream=stream)

    for name in ("ringonce.service", "uvicorn.error", "somebody.else"):
        logging.getLogger(name).warning("calls +15559876543 with %s", "Bearer abcdefghij")

    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert not any("5559876543" in line or "abcdefghij" in line for line in lines)


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(("choice", "level"), [("xml", "info"), ("json", "loud")])
def test_a_format_or_level_that_is_none_is_refused(choice: str, level: str) -> None:
    with pytest.raises(ConfigError, match="use"):
        configure(choice, level)
