"""Logs of the service: JSON lines, or plain text on a terminal; numbers and secrets are masked in every one."""

import logging
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

from ringonce.errors import ConfigError

FORMATS = ("json", "text")
GONE = "…"
SENSITIVE = re.compile(
    r"token|secret|passw|authori[sz]ation|api_?key|vault_?key|cookie|credential|assertion", re.IGNORECASE
)
"""What a field is called whose value is shown to nobody."""
_KEPT = (
    # Digits that are no number: ids, and moments as our own words and the libraries' write them.
    r"(?P<kept>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b(?:call|batch|tok|hook|run|invite|enrolment|msg|worker)_[0-9a-zA-Z_]+"
    # Files of a traceback, whose paths are as long as a secret; one with a number or a secret in it is none of them.
    r"|(?<=File \")(?:(?!\d(?:[.\-/]{0,3}\d){6}|[\w+=-]{40}|ro_|whsec_|eyJ)[^\"\s])+(?=\", line \d)"
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\b\d{4}-\d\d-\d\d(?![\d-]))"
)
_HIDDEN = (
    r"(?P<hidden>(?i:bearer|basic)\s+[\w.~+/=-]{6,}"
    r"|\bro_[\w-]{8,}|whsec_[\w+/=-]{6,}|\beyJ[\w-]+\.[\w-]*\.?[\w-]*"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|(?<=[?&])(?P<query>code=|state=|link=)[^\s&'\",;]+"
    # What follows a name of a secret, in a form, JSON or words.
    r"|(?P<name>(?i:token|secret|password|code_verifier|assertion)['\"]?\s*[=:]\s*['\"]?)[^\s&'\",;}]{6,}"
    r"|(?<![\w/+=-])(?=[\w+/-]*\d)(?=[\w+/-]*[A-Za-z])[\w+/-]{40,}={0,2}"
    r"|\b[0-9a-fA-F]{40,}\b)"
)
_NUMBER = (
    # Seven or more digits, as people and programs write numbers; not in the middle of a hexadecimal id.
    r"(?P<number>(?<![0-9a-fA-F_.])\+?\(?\d(?:[\s().\-/\u2010-\u2015\u00a0]{0,3}\d){6,18})"
)
_PATTERN = re.compile(f"{_KEPT}|{_HIDDEN}|{_NUMBER}")
_DIGITS = re.compile(r"\D")
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; the rest was given as `extra`."""
SHOWN = 4
"""Digits of a number that stay, at its end."""
LARGEST = 10**7
"""From here on an integer may be a number to call."""


def masked(text: str) -> str:
    """Give *text* without telephone numbers, of which the last digits stay, and without secrets."""
    return _PATTERN.sub(_mask, text)


def _mask(found: re.Match[str]) -> str:
    if found["kept"]:
        return found[0]
    if found["hidden"]:
        return (found["name"] or found["query"] or "") + GONE
    digits = _DIGITS.sub("", found[0])
    return "•" * (len(digits) - SHOWN) + digits[-SHOWN:]


def plain(value: Any, name: str = "") -> Any:
    """Give a value that was logged beside a message, masked, in a form that JSON has."""
    if value is not None and SENSITIVE.search(name):
        return GONE
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < LARGEST else masked(str(value))
    if isinstance(value, float):
        return value
    if isinstance(value, dict):
        return {masked(str(key)): plain(one, str(key)) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one, name) for one in value]
    return masked(str(value))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, message, error, and what was given as extra."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        said: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(_message(record)),
        }
        if trouble := _trouble(self, record):
            said["error"] = masked(trouble)
        said |= {name: value for name, value in _extra(record) if name not in said}
        return msgspec.json.encode(said).decode()


class TextFormatter(logging.Formatter):
    """One line for people; an error's traceback follows."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        extra = "".join(f" {name}={value}" for name, value in _extra(record))
        lines = f"{clock} {record.levelname.lower():7} {masked(_message(record))}{extra}"
        trouble = _trouble(self, record)
        return f"{lines}\n{masked(trouble)}" if trouble else lines


def configure(choice: str = "", level: str = "info", stream: TextIO | None = None) -> logging.Handler:
    """Send all logs of this process to *stream* (stderr), masked, in place of what handled them before.

    *choice* is `json` or `text`; by default text on a terminal, else JSON. Raise `ConfigError` for anything else.
    """
    stream = stream or sys.stderr
    if choice not in {"", *FORMATS}:
        raise ConfigError(f"Logs can't be written as {choice[:40]!r}", fix=f"use {' or '.join(FORMATS)}")
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ConfigError(f"There is no level {level[:40]!r} of logs", fix="use debug, info, warning or error")
    handler = logging.StreamHandler(stream)
    text = choice == "text" or (not choice and stream.isatty())
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.INFO) if number > logging.DEBUG else number)
    for name in ("ringonce", "uvicorn", "uvicorn.error", "uvicorn.access", "litestar"):
        logger = logging.getLogger(name)
        logger.handlers[:], logger.propagate = [], True  # or their lines would go past the mask
    logging.getLogger("ringonce").setLevel(number)
    for name in ("aiohttp.access", "uvicorn.access", "alembic", "sqlalchemy.engine"):
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    logging.captureWarnings(capture=True)
    return handler


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        # A line whose words and arguments don't fit must not be lost, nor end the process.
        return f"{record.msg} {record.args!r}"


def _extra(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    return ((name, plain(value, name)) for name, value in vars(record).items() if name not in _OWN and name[0] != "_")


def _trouble(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = [formatter.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts)
