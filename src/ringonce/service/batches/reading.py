"""From the bytes of a CSV or NDJSON file to its rows, a piece at a time: a file of any length takes one piece's memory.

Rows are numbered as a spreadsheet shows them: the header of a CSV is row 1; in NDJSON the first line is.
"""

import csv
import difflib
from collections.abc import Iterator
from typing import Any

import msgspec

from ringonce.client.wishes import UNREADABLE
from ringonce.errors import InvalidInput
from ringonce.numbers import shown

LONGEST_ROW = 64 * 1024
"""Bytes."""
COLUMNS = (
    "key",
    "agent",
    "to",
    "caller_id",
    "caller_name",
    "queue",
    "external_contact",
    "uui",
    "wire",
    "zone",
    "priority",
    "not_before",
    "expires_at",
)
ATTRIBUTE = "attribute."
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_FOREIGN = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"PK\x03\x04": "a spreadsheet or a ZIP archive, not text",
    b"\x1f\x8b": "compressed with gzip",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet, not text",
    b"%PDF": "a PDF, not text",
}


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one row."""

    row: int
    column: str = ""
    what: str
    why: str = ""
    fix: str = ""


class Row(msgspec.Struct, frozen=True):
    """A row as it stands in the file."""

    number: int
    fields: dict[str, str]
    """By column; empty ones are left out."""


class FileRefused(InvalidInput):
    """The file can't be read any further, so nothing of it is taken; *row* says where, 0 for the whole file."""

    def __init__(self, what: str, *, row: int = 0, **rest: Any) -> None:
        super().__init__(what, **rest)
        self.row = row


class Reader:
    """Rows of a file that comes in pieces. Raise `FileRefused` where the rest can't be understood."""

    def __init__(self, *, needed: tuple[str, ...] = ("agent", "to")) -> None:
        self._needed = needed
        self._buffer = bytearray()
        self._looked = 0
        """Bytes at the buffer's beginning that hold no end of a row."""
        self._quoted = False
        self._number = 0
        self._begun = False
        self._header: list[str] = []
        self.kind = ""
        """`csv` or `ndjson`, once it is known."""
        self.delimiter = ","

    def feed(self, piece: bytes) -> Iterator[Row | Fault]:
        """Give the rows that *piece* completes."""
        self._buffer += piece
        if not self._begun and not self._begin(last=False):
            return
        yield from self._complete()
        if len(self._buffer) > LONGEST_ROW:
            raise self._too_long()

    def close(self) -> Iterator[Row | Fault]:
        """Give the last row, which may have no line's end."""
        if not self._begun:
            self._begin(last=True)
        yield from self._complete()
        if self._quoted:
            raise FileRefused(
                f"Row {self._number + 1} has a quote that is never closed",
                row=self._number + 1,
                why="everything behind it would be one field",
                fix='close it, and write a quote within a field as ""',
            )
        if self._buffer.strip():
            yield from self._row(bytes(self._buffer))
        self._buffer.clear()
        if self.kind != "ndjson" and not self._header:
            raise FileRefused("The file is empty", why="it has no row", fix="give a header and a row for each call")

    def _begin(self, *, last: bool) -> bool:
        """Look at the first bytes; say whether there were enough of them."""
        if len(self._buffer.lstrip()) < 4 and not last:  # noqa: PLR2004  # the longest mark of a kind of file
            return False
        for mark, kind in _FOREIGN.items():
            if self._buffer.startswith(mark):
                raise FileRefused(f"The file is {kind}", why="CSV or NDJSON is read", fix="save it as CSV in UTF-8")
        if self._buffer.startswith(b"\xef\xbb\xbf"):
            del self._buffer[:3]
        self.kind = "ndjson" if self._buffer.lstrip()[:1] == b"{" else "csv"
        self._begun = True
        return True

    def _complete(self) -> Iterator[Row | Fault]:
        """Give the rows that end in the buffer. A CSV's row goes on while a quote is open."""
        start = 0
        while (end := self._buffer.find(b"\n", self._looked)) >= 0:
            if self.kind == "csv" and self._buffer.count(b'"', self._looked, end) % 2:
                self._quoted = not self._quoted
            self._looked = end + 1
            if self._quoted:
                if end - start > LONGEST_ROW:
                    raise self._too_long()
                continue
            if end - start > LONGEST_ROW:
                raise self._too_long()
            yield from self._row(bytes(self._buffer[start : end + 1]))
            start = self._looked
        if self.kind == "csv" and self._buffer.count(b'"', self._looked) % 2:
            self._quoted = not self._quoted
        self._looked = len(self._buffer) - start
        del self._buffer[:start]

    def _row(self, line: bytes) -> Iterator[Row | Fault]:
        self._number += 1
        if b"\0" in line:
            raise FileRefused(
                f"Row {self._number} has a NUL byte",
                row=self._number,
                why="this is no text, or text in UTF-16",
                fix="save the file as UTF-8",
            )
        try:
            text = line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as wrong:
            # A header that can't be read names no columns.
            fault = self._not_utf8(line, wrong)
            if self.kind == "csv" and not self._header:
                raise FileRefused(fault.what, row=1, why=fault.why, fix=fault.fix) from None
            yield fault
            return
        if not text.strip():
            return
        yield from self._object(text) if self.kind == "ndjson" else self._fields(text)

    def _fields(self, text: str) -> Iterator[Row | Fault]:
        if not self._header:
            self._header = self._head(text)
            return
        try:
            values = next(csv.reader([text], delimiter=self.delimiter, strict=True))
        except (csv.Error, StopIteration) as wrong:
            yield Fault(
                row=self._number,
                what="The row is no CSV",
                why=str(wrong) or "it is empty",
                fix='put a field with quotes, delimiters or line ends into quotes, and double a quote within: ""',
            )
            return
        if len(values) != len(self._header):
            count = f"it has {len(values)} fields, the header {len(self._header)}"
            fix = f"put fields with a {_DELIMITERS[self.delimiter]} into quotes, and leave no field out"
            yield Fault(row=self._number, what="The row does not fit the header", why=count, fix=fix)
            return
        named = zip(self._header, values, strict=True)
        yield Row(self._number, {name: value.strip() for name, value in named if value.strip()})

    def _object(self, text: str) -> Iterator[Row | Fault]:
        try:
            found = msgspec.json.decode(text)
        except UNREADABLE as wrong:
            why = "it is nested too deeply" if isinstance(wrong, RecursionError) else str(wrong)
            yield Fault(row=self._number, what="The line is no JSON", why=why, fix="one object on each line")
            return
        if not isinstance(found, dict):
            yield Fault(row=self._number, what="The line is no object", why=f"it is {shown(text)}", fix='{"to": …}')
            return
        fields: dict[str, str] = {}
        attributes = found.pop("attributes", {})
        if isinstance(attributes, dict):
            found |= {f"{ATTRIBUTE}{name}": value for name, value in attributes.items()}
        for name, value in found.items():
            if name not in COLUMNS and not name.startswith(ATTRIBUTE):
                yield Fault(row=self._number, column=name[:80], **_unknown(name))
                return
            if isinstance(value, bool | dict | list):
                why = f"it is {shown(msgspec.json.encode(value).decode())}"
                yield Fault(row=self._number, column=name, what="The value is no text or number", why=why, fix="")
                return
            if isinstance(value, str) and "\0" in value:
                fix = "leave it out"
                yield Fault(
                    row=self._number, column=name[:80], what="The value has a NUL", why="it is no text", fix=fix
                )
                return
            if value is not None and str(value).strip():
                fields[name] = str(value).strip()
        yield Row(self._number, fields)

    def _head(self, text: str) -> list[str]:
        """Read the header, with the delimiter under which it has the most columns that are known."""
        self.delimiter = max(_DELIMITERS, key=lambda one: len(set(_split(text, one)) & set(COLUMNS)))
        names = _split(text, self.delimiter)
        has = f"the header has {', '.join(shown(name) for name in names[:20])}"
        for column in self._needed:
            if column not in names:
                near = difflib.get_close_matches(column, names, n=1, cutoff=0.7)
                raise FileRefused(
                    f"The file has no column {column!r}",
                    row=1,
                    why=has,
                    fix=f"rename {near[0]!r}"
                    if near
                    else "name the columns in the first row, with commas, semicolons or tabs between them",
                )
        for name in names:
            if name not in COLUMNS and not (name.startswith(ATTRIBUTE) and name != ATTRIBUTE):
                words = _unknown(name)
                raise FileRefused(words["what"], row=1, why=words["why"], fix=words["fix"])
            if names.count(name) > 1:
                raise FileRefused(
                    f"The file has the column {name!r} twice", row=1, why=has, fix="leave one of them out"
                )
        return names

    def _not_utf8(self, line: bytes, wrong: UnicodeDecodeError) -> Fault:
        byte = line[wrong.start]
        return Fault(
            row=self._number,
            what="The row is not UTF-8",
            why=f"byte 0x{byte:02X} at place {wrong.start + 1}; it may be Windows-1252, "
            f"where that is {bytes([byte]).decode('cp1252', 'replace')!r}",
            fix="save the whole file as UTF-8",
        )

    def _too_long(self) -> FileRefused:
        quote = "; a quote was opened in it and not closed" if self._quoted else ""
        return FileRefused(
            f"Row {self._number + 1} is longer than {LONGEST_ROW} bytes",
            row=self._number + 1,
            why=f"no call needs that much{quote}",
            fix="check the line's end and its quotes",
        )


def _split(text: str, delimiter: str) -> list[str]:
    try:
        names = next(csv.reader([text], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return [text]
    return [name if name.startswith(ATTRIBUTE) else name.casefold() for name in map(str.strip, names)]


def _unknown(name: str) -> dict[str, str]:
    near = difflib.get_close_matches(name, COLUMNS, n=1)
    known = f"the columns are {', '.join(COLUMNS)} and {ATTRIBUTE}NAME"
    fix = f"did you mean {near[0]!r}?" if near else f"leave it out, or call it {ATTRIBUTE}NAME to keep it with the call"
    return {"what": f"There is no column {shown(name)}", "why": known, "fix": fix}
