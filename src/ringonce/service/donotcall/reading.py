"""From the bytes of a list to its numbers, a piece at a time: one number a line, CSV with a header, or NDJSON."""

import csv
import re
from collections.abc import Iterator, Sequence

import msgspec

from ringonce.client.wishes import UNREADABLE
from ringonce.errors import NumberRefused
from ringonce.numbers import dialable, shown
from ringonce.service.batches.reading import Fault, FileRefused

LONGEST_LINE = 4096
"""Bytes."""
COLUMNS = ("number", "phone", "phone_number", "telephone", "to", "msisdn")
"""What the column with the number may be called where nobody says it."""
_DELIMITERS = ",;\t|"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_FILLING = re.compile(r"[\s().-]", re.ASCII)
_LETTER = re.compile(r"[^\W\d_]")
_FOREIGN = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"PK\x03\x04": "a spreadsheet or a ZIP", b"\x1f\x8b": "gzip"}


class Reader:
    """Numbers of a list that comes in pieces, in E.164. Raise `FileRefused` where the rest can't be understood.

    *columns* together make up the number, *prefix* goes before it, such as `+1`; *country* is where numbers without a
    country code live.
    """

    def __init__(self, *, columns: Sequence[str] = (), prefix: str = "", country: str | None = None) -> None:
        self._columns, self._prefix, self._country = tuple(columns), prefix, country
        self._buffer = bytearray()
        self._line = 0
        self._kind = ""
        self._delimiter = ","
        self._places: list[int] = []

    def feed(self, piece: bytes) -> Iterator[str | Fault]:
        """Give the numbers of the lines that *piece* completes."""
        self._buffer += piece
        *lines, rest = self._buffer.split(b"\n")
        for line in lines:
            yield from self._one(bytes(line))
        self._buffer = bytearray(rest)
        if len(self._buffer) > LONGEST_LINE:
            raise self._unread(f"line {self._line + 1} is longer than {LONGEST_LINE} bytes", self._line + 1)

    def close(self) -> Iterator[str | Fault]:
        """Give the number of the last line, which may have no end."""
        if self._buffer:
            yield from self._one(bytes(self._buffer))
        self._buffer.clear()

    def _one(self, line: bytes) -> Iterator[str | Fault]:
        self._line += 1
        line = self._checked(line)
        try:
            text = line.decode().strip()
        except UnicodeDecodeError as wrong:
            why = f"byte 0x{line[wrong.start]:02X} at place {wrong.start + 1}"
            yield Fault(row=self._line, what="The line is not UTF-8", why=why, fix="save the file as UTF-8")
            return
        if not text or (text.startswith("#") and self._kind != "csv"):
            return
        if not self._kind and self._begins(text):
            return
        try:
            yield self._number(self._text_of(text))
        except NumberRefused as wrong:
            yield Fault(row=self._line, column="number", what=wrong.what, why=wrong.why, fix=wrong.fix)
        except csv.Error as wrong:
            why, fix = str(wrong), 'close each quote, and double one within a field: ""'
            yield Fault(row=self._line, what="The line is no CSV: a quote in it is out of place", why=why, fix=fix)
        except UNREADABLE as wrong:
            what = "The line has no number"
            why = "it is nested too deeply" if isinstance(wrong, RecursionError) else str(wrong)
            yield Fault(row=self._line, what=what, why=why, fix="give one number a line, CSV, or NDJSON")

    def _checked(self, line: bytes) -> bytes:
        if self._line == 1:
            for mark, kind in _FOREIGN.items():
                if line.startswith(mark):
                    raise self._unread(f"it is {kind}", 1)
            line = line.removeprefix(b"\xef\xbb\xbf")
        if len(line) > LONGEST_LINE:
            raise self._unread(f"line {self._line} is longer than {LONGEST_LINE} bytes", self._line)
        if b"\0" in line:
            raise self._unread(f"line {self._line} has a NUL byte", self._line)
        return line

    def _begins(self, text: str) -> bool:
        """Find out what kind of file it is; say whether its first line is a header."""
        if text[0] == "{":
            self._kind = "ndjson"
        elif not (self._columns or _LETTER.search(text)):
            self._kind = "text"
        else:
            self._kind = "csv"
            self._head(text)
            return True
        return False

    def _head(self, text: str) -> None:
        self._delimiter = max(_DELIMITERS, key=text.count)
        try:
            fields = next(csv.reader([text], delimiter=self._delimiter), [])
        except csv.Error as wrong:
            raise self._unread(f"its first line is no number and no header: {wrong}", self._line) from wrong
        names = [name.strip().casefold() for name in fields]
        wanted = [name.strip().casefold() for name in self._columns]
        wanted = wanted or [next((name for name in COLUMNS if name in names), "number")]
        if missing := [name for name in wanted if name not in names]:
            raise FileRefused(
                f"The list has no column {shown(missing[0])}",
                row=self._line,
                why=f"its first line has {', '.join(shown(name) for name in names[:10])}",
                fix="say which columns make up the number (column=), or give one number a line and no header",
            )
        self._places = [names.index(name) for name in wanted]

    def _text_of(self, text: str) -> str:
        if self._kind == "text":
            return text
        if self._kind == "csv":
            fields = next(csv.reader([text], delimiter=self._delimiter, strict=True))
            if len(fields) <= max(self._places):
                raise ValueError(f"it has {len(fields)} fields")
            return "".join(fields[place].strip() for place in self._places)
        found = msgspec.json.decode(text)
        if not isinstance(found, dict):
            raise ValueError(f"it is {shown(text)}, no object")  # noqa: TRY004  a line of a file, not a caller's value
        names = self._columns or (next((name for name in COLUMNS if name in found), "number"),)
        if missing := [name for name in names if not isinstance(found.get(name), str | int)]:
            raise ValueError(f"{shown(missing[0])} is missing, or no text")
        return "".join(str(found[name]).strip() for name in names)

    def _number(self, text: str) -> str:
        # Most lists hold one plain form, and the numbering tables cost forty times this.
        plain = self._prefix + _FILLING.sub("", text)
        if _E164.fullmatch(plain):
            return plain
        return dialable(self._prefix + text, country=self._country, allow_premium=True)

    def _unread(self, why: str, row: int) -> FileRefused:
        fix = "save it as UTF-8 text with one number a line, as CSV, or as NDJSON"
        return FileRefused("The list can't be read", row=row, why=why, fix=fix)
