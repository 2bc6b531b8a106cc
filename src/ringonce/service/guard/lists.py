"""Do-not-call lists: numbers as keyed fingerprints, so that ten million of them take 80 MB and none can be read back.

Whatever can say whether it holds a fingerprint can stand in for a list: a table of a database, say.
"""

import array
import bisect
import csv
import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Protocol

import msgspec

from ringonce.errors import ConfigError, InvalidInput, NumberRefused
from ringonce.numbers import dialable, shown
from ringonce.service.guard.settings import ListSettings

LINE = 4096
"""Longest line of a list's file, in bytes."""
FAULTS_SHOWN = 5
_RUN = 1_000_000
_SHORTEST_KEY = 16
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_FILLING = re.compile(r"[\s().-]", re.ASCII)


class ListInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a list besides its numbers."""

    name: str
    source: str
    taken: dt.date
    """When it was taken from its source."""


class DoNotCallList(Protocol):
    """A list that the guard may ask."""

    @property
    def info(self) -> ListInfo:
        """Its name, source and date."""

    def holds(self, fingerprint: int) -> bool:
        """Say whether the number of this fingerprint is on the list."""


class FingerprintKey:
    """The key that fingerprints of numbers are made with; the same for a list and for whoever asks it."""

    def __init__(self, key: bytes) -> None:
        if not _SHORTEST_KEY <= len(key) <= hashlib.blake2b.MAX_KEY_SIZE:
            raise ConfigError(
                "the key of the do-not-call lists cannot be used",
                why=f"it has {len(key)} bytes; shorter keys can be guessed",
                fix="use 16 to 64 random bytes",
            )
        self._blank = hashlib.blake2b(digest_size=8, key=key)

    def of(self, number: str) -> int:
        """Make the fingerprint of an E.164 number: 64 bits, unsigned.

        Two of ten million numbers share one with a chance of 3 in a million; the one wrongly kept from ringing is safe.
        """
        digest = self._blank.copy()
        digest.update(number.encode())
        return int.from_bytes(digest.digest(), "big")

    def __repr__(self) -> str:
        """Show nothing of the key."""
        return "FingerprintKey(…)"


class FingerprintList:
    """A list in memory, 8 bytes a number, in sorted runs."""

    def __init__(self, info: ListInfo, fingerprints: Iterable[int]) -> None:
        self._info = info
        self._runs: list[array.array[int]] = []
        run: list[int] = []
        for fingerprint in fingerprints:
            run.append(fingerprint)
            if len(run) == _RUN:
                self._runs.append(array.array("Q", sorted(run)))
                run.clear()
        self._runs.append(array.array("Q", sorted(run)))

    def __len__(self) -> int:
        """Count its numbers; one that was given twice counts twice."""
        return sum(len(run) for run in self._runs)

    @property
    def info(self) -> ListInfo:
        """Its name, source and date."""
        return self._info

    def holds(self, fingerprint: int) -> bool:
        """Say whether the number of this fingerprint is on the list."""
        for run in self._runs:
            at = bisect.bisect_left(run, fingerprint)
            if at < len(run) and run[at] == fingerprint:
                return True
        return False


def load(settings: ListSettings, key: FingerprintKey) -> FingerprintList:
    """Read the file that *settings* name, or refuse with the numbers of the lines that are wrong."""
    if not settings.file or settings.taken is None:
        raise ConfigError(
            f"the list {settings.name!r} has no file", why="its settings name none", fix="give file and taken"
        )
    info = ListInfo(name=settings.name, source=settings.source, taken=settings.taken)
    try:
        with open(settings.file, "rb") as file:  # noqa: PTH123  # a path as the settings have it
            return FingerprintList(info, (key.of(number) for number in numbers(file, settings)))
    except OSError as error:
        raise ConfigError(
            f"the list {settings.name!r} cannot be read from {settings.file[:100]!r}",
            why=error.strerror or str(error),
            fix="name a file that you may read",
        ) from None


def numbers(file: BinaryIO, settings: ListSettings) -> Iterator[str]:
    """Read the numbers of a list, a line at a time, as E.164.

    Blank lines are passed over, and lines that begin with `#` where there are no columns. All lines are looked at
    before the wrong ones are told, by number; a list with a wrong line is refused as a whole.
    """
    faults: list[str] = []
    wrong = 0
    for line, text in _texts(file, settings):
        try:
            yield _number(text, settings)
        except NumberRefused as error:
            wrong += 1
            if len(faults) < FAULTS_SHOWN:
                faults.append(f"line {line}: {error.what}: {error.why}")
    if wrong:
        more = f"; and {wrong - len(faults)} more" if wrong > len(faults) else ""
        raise InvalidInput(
            f"the list {settings.name!r} has {wrong} {'lines that are' if wrong > 1 else 'line that is'} no number",
            why="; ".join(faults) + more,
            fix="correct or remove them; a list is taken whole or not at all, since a missing number would ring",
        )


def _number(text: str, settings: ListSettings) -> str:
    # Most lists hold one plain form, and the numbering tables cost forty times this.
    plain = settings.prefix + _FILLING.sub("", text)
    if _E164.fullmatch(plain):
        return plain
    return dialable(settings.prefix + text, country=settings.country, allow_premium=True)


def _texts(file: BinaryIO, settings: ListSettings) -> Iterator[tuple[int, str]]:
    lines = _lines(file, settings.name)
    if not settings.columns:
        for number, line in enumerate(lines, 1):
            if line.strip() and not line.startswith("#"):
                yield number, line.strip()
        return
    rows = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        if missing := [name for name in settings.columns if name not in header]:
            raise InvalidInput(
                f"the list {settings.name!r} has no column {missing[0]!r}",
                why=f"its first line has {', '.join(shown(name) for name in header[:10]) or 'nothing'}",
                fix="name its columns in the settings, or leave columns out for one number a line",
            )
        places = [header.index(name) for name in settings.columns]
        for row in rows:
            if row:
                yield rows.line_num, "".join(row[place].strip() if place < len(row) else "" for place in places)
    except csv.Error as error:
        raise InvalidInput(
            f"the list {settings.name!r} is no CSV",
            why=f"line {rows.line_num}: {error}",
            fix="save it with commas and double quotes",
        ) from None


def _lines(file: BinaryIO, name: str) -> Iterator[str]:
    number = 0
    while line := file.readline(LINE + 1):
        number += 1
        if len(line) > LINE:
            why = f"line {number} is longer than {LINE} bytes"
        elif b"\0" in line:
            why = f"line {number} has a NUL byte: this is no text"
        else:
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
                continue
            except UnicodeDecodeError:
                why = f"line {number} is not UTF-8"
        raise InvalidInput(
            f"the list {name!r} cannot be read", why=why, fix="save it as UTF-8 text with one number a line, or as CSV"
        )
