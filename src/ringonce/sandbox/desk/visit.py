"""One request on its way through the desk: who asks, in which world, and what they sent."""

import contextlib
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from ringonce.sandbox.agenda import moment
from ringonce.sandbox.http import Request
from ringonce.sandbox.shapes.problems import bad_request, invalid_value, not_found
from ringonce.sandbox.tokens import Token
from ringonce.sandbox.world import World

T = TypeVar("T")
_DURATION = re.compile(r"P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?")
_UNITS = (604_800, 86_400, 3_600, 60, 1)
_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}
Answer = tuple[int, Any]
"""A status and what to write as JSON; None is an empty body."""


class Visit(msgspec.Struct):
    """What a handler gets. *prefix* is whatever a gateway put before `/api/v2`."""

    world: World
    request: Request
    token: Token
    prefix: str
    correlation_id: str

    def read(self, type_: type[T], raw: bytes | None = None, what: str = "body") -> T:
        """The body, or *raw* in its place, as *type_*; 400 names the field. No body, `null` and `{}` are the same.

        *what* is what was read, in words.
        """
        raw = (self.request.body if raw is None else raw).strip()
        if not raw or raw == b"null":
            raw = b"{}"
        try:
            decoder: msgspec.json.Decoder[T] = _DECODERS.get(type_) or _DECODERS.setdefault(
                type_, msgspec.json.Decoder(type_)
            )
            return decoder.decode(raw)
        except msgspec.ValidationError as wrong:
            field = str(wrong).rpartition(" - at `$")[2].strip("`.") if " - at `$" in str(wrong) else None
            raise bad_request(f"The request {what} does not fit: {wrong}.", field=field) from wrong
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
            why = f"the {what} cannot be read as JSON ({_in_words(raw, wrong)})"
            words = f"The request could not be understood by the server due to malformed syntax: {why}."
            raise bad_request(words) from wrong

    def count(self, name: str, default: int, at_most: int) -> int:
        """A whole number of at least 1 from the query string."""
        text = self.request.query.get(name, "")
        if not text:
            return default
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= at_most:
            raise invalid_value(name, text, [f"1 to {at_most}"])
        return int(text)

    def flag(self, name: str) -> bool | None:
        """`true` or `false` from the query string; None when it is not there."""
        text = self.request.query.get(name, "").lower()
        if text not in {"", "true", "false"}:
            raise invalid_value(name, text, ("true", "false"))
        return text == "true" if text else None

    def words(self, name: str) -> list[str]:
        """A list from the query string: comma-joined, as the official SDKs send it."""
        return [word for word in self.request.query.get(name, "").split(",") if word]

    def interval(self, text: str) -> tuple[float, float]:
        """A span of time as epoch seconds; no text is all time. See `span`."""
        if not text:
            return float("-inf"), float("inf")
        try:
            first, last = span(text)
        except (ValueError, OverflowError) as wrong:
            words = "Dates must be specified as ISO-8601 strings. For example: yyyy-MM-ddTHH:mm:ss.SSSZ"
            raise bad_request(f"{words} (interval {text!r}: {wrong})", field="interval", code="invalid.date") from wrong
        if last < first:
            raise bad_request(f"interval {text} ends before it begins.", field="interval")
        return first, last

    def listing(self, things: Sequence[T], shape: Callable[[T], Any], *, at_most: int = 100) -> dict[str, Any]:
        """One page of *things*, each in its *shape*, in the platform's envelope."""
        size = self.count("pageSize", 25, at_most)
        number = self.count("pageNumber", 1, 1_000_000)
        pages = max(1, -(-len(things) // size))
        page = {
            "entities": [shape(each) for each in things[(number - 1) * size : number * size]],
            "pageSize": size,
            "pageNumber": number,
            "total": len(things),
            "pageCount": pages,
            "firstUri": self._page(size, 1),
            "lastUri": self._page(size, pages),
            "selfUri": self._page(size, number),
        }
        if number < pages:
            page["nextUri"] = self._page(size, number + 1)
        if number > 1:
            page["previousUri"] = self._page(size, number - 1)
        return page

    def _page(self, size: int, number: int) -> str:
        path = self.request.path.removeprefix(self.prefix)
        return f"{path}?pageSize={size}&pageNumber={number}"


def span(text: str) -> tuple[float, float]:
    """An ISO-8601 interval as epoch seconds: `from/to`, `from/duration` or `duration/to`."""
    first, slash, last = text.partition("/")
    if not slash:
        raise ValueError("an interval is two dates, or a date and a duration, joined by a slash")
    if last.startswith("P"):
        return moment(first), moment(first) + duration(last)
    if first.startswith("P"):
        return moment(last) - duration(first), moment(last)
    return moment(first), moment(last)


def duration(text: str) -> float:
    """An ISO-8601 duration of weeks, days, hours, minutes and seconds, in seconds."""
    parts = _DURATION.fullmatch(text)
    if parts is None or not any(parts.groups()):
        raise ValueError(f"{text!r} is no duration of weeks, days, hours, minutes or seconds, such as P1D or PT12H")
    return sum(int(count or 0) * unit for count, unit in zip(parts.groups(), _UNITS, strict=True))


def _in_words(raw: bytes, wrong: Exception) -> str:
    with contextlib.suppress(ValueError, RecursionError):
        json.loads(raw)
        # What JSON allows and no text can be.
        return "it holds half a surrogate pair, which is no character"
    return str(wrong)


def found(table: dict[str, T], key: str, what: str) -> T:
    """The entry of *table*, or 404 that says what is missing."""
    thing = table.get(key)
    if thing is None:
        raise not_found(f"Unable to find {what} with the id {key}.")
    return thing
