"""From the fields of a row to a call: every value is held against what it must be, and named if it is not."""

import dataclasses
import datetime as dt
import math
import re
from collections.abc import Callable
from typing import Any

import msgspec

from ringonce.client.flows.directory import NAMED_BY, clean
from ringonce.client.flows.order import order, sound
from ringonce.errors import InvalidInput
from ringonce.models import Wire
from ringonce.numbers import dialable, shown
from ringonce.service.batches.reading import ATTRIBUTE, Fault, Row
from ringonce.service.calls import LEAST_URGENT, MOST_URGENT, Ask
from ringonce.service.calls.accepting import LONGEST_KEY
from ringonce.service.calls.batch import BatchSettings
from ringonce.service.guard import days

LONGEST_TEXT = 2000
_LATEST = 4_102_444_800.0
"""The year 2100."""
_NUMBERED = re.compile(r"~\d+$")
"""What second attempts of a call are told by."""


class Worded(msgspec.Struct, frozen=True):
    """A row that is a call."""

    row: int
    key: str
    ask: Ask
    number: str
    """E.164."""


class _Wrong(Exception):  # it never leaves this file
    def __init__(self, column: str, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.column, self.what, self.why, self.fix = column, what, why, fix


@dataclasses.dataclass(frozen=True)
class Wording:
    """Turns the rows of one batch into calls. *key* is the batch's own, from which rows without one get theirs."""

    settings: BatchSettings
    key: str
    now: float
    country: str = "US"
    may_call_for: Callable[[str], bool] = lambda _: True
    """Whether whoever hands the file in may call for an agent."""

    def word(self, row: Row) -> Worded | Fault:
        """Give the call, or the first thing that is wrong with the row."""
        try:
            return self._worded(row)
        except _Wrong as wrong:
            return Fault(row=row.number, column=wrong.column, what=wrong.what, why=wrong.why, fix=wrong.fix)

    def _worded(self, row: Row) -> Worded:
        fields, settings = row.fields, self.settings
        for name, value in fields.items():
            _text(name, value)
        zone = _zone(fields.get("zone", "")) or settings.zone
        not_before = _moment("not_before", fields, zone)
        expires_at = _moment("expires_at", fields, zone)
        ask = Ask(
            agent=self._agent(fields.get("agent", "")),
            to=fields.get("to", ""),
            caller_id=self._caller_id(fields),
            caller_name=fields.get("caller_name", settings.caller_name),
            # A queue brings its own caller id.
            queue=fields.get("queue", "" if fields.get("caller_id") else settings.queue),
            attributes=_attributes(fields),
            external_contact=fields.get("external_contact", ""),
            uui=fields.get("uui", ""),
            wire=_wire(fields.get("wire", "")),
            zone=zone,
            priority=_priority(fields.get("priority", ""), settings.priority),
            not_before=settings.not_before if not_before is None else not_before,
            expires_at=settings.expires_at if expires_at is None else expires_at,
            retry=settings.retry,
        )
        if ask.caller_id and ask.queue:
            raise _Wrong("queue", "The row has a caller id and a queue", "a queue brings its own", "give one of them")
        if ask.expires_at is not None and ask.expires_at <= max(self.now, ask.not_before):
            why = "that is past" if ask.expires_at <= self.now else "that is not after not_before"
            raise _Wrong("expires_at", "The call could never be made", why, "give a later moment")
        number = self._number("to", fields.get("to", ""))
        try:
            sound(order(intent="row", allow_premium=True, **_ordered(ask)), self.country)
        except InvalidInput as wrong:
            raise _Wrong("", wrong.what, wrong.why, wrong.fix) from None
        return Worded(row.number, self._key(row), ask, number)

    def _key(self, row: Row) -> str:
        key = row.fields.get("key") or f"{self.key}.{row.number}"
        if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()) or _NUMBERED.search(key):
            why = f"it is longer than {LONGEST_KEY} characters, not printable ASCII, or ends in ~ and a number"
            raise _Wrong("key", f"The key {shown(key)} can't be used", why, "give a short one, such as crm-4711")
        return key

    def _agent(self, agent: str) -> str:
        if not agent and not self.settings.agents:
            fix = "name the agent by e-mail or id, or give the batch a pool (agents)"
            raise _Wrong("agent", "The row has no agent", "somebody has to talk", fix)
        if agent:
            try:
                clean(agent, "agent", NAMED_BY)
            except InvalidInput as wrong:
                raise _Wrong("agent", wrong.what, wrong.why, wrong.fix) from None
        if agent and not self.may_call_for(agent):
            fix = "use a token of an admin, or of a dialer for that agent"
            raise _Wrong("agent", f"You may not call for {shown(agent)}", "the token is for other agents", fix)
        return agent

    def _caller_id(self, fields: dict[str, str]) -> str:
        given = fields.get("caller_id", "")
        if given:
            self._number("caller_id", given)
        return given or ("" if fields.get("queue") else self.settings.caller_id)

    def _number(self, column: str, text: str) -> str:
        try:
            return dialable(text, country=self.country, allow_premium=True)  # the guard knows which may be dialled
        except InvalidInput as wrong:
            raise _Wrong(column, wrong.what, wrong.why, wrong.fix) from None


def moment(text: str, zone: str = "") -> float:
    """Read seconds since the epoch, or a date and time (ISO 8601); one without an offset is of *zone*'s clock.

    Raise `ValueError` in words, `InvalidInput` for a zone that there is not.
    """
    if re.fullmatch(r"\d{1,12}(\.\d+)?", text, re.ASCII):
        seconds = float(text)
    else:
        try:
            read = dt.datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("it is neither seconds since 1970 nor like 2026-11-22T09:00:00+01:00") from None
        if read.utcoffset() is None and not zone:
            raise ValueError("it has no offset such as Z or +01:00, so it is another moment in every zone")
        seconds = (read if read.utcoffset() is not None else read.replace(tzinfo=days.zone(zone))).timestamp()
    if not (math.isfinite(seconds) and 0 <= seconds < _LATEST):
        raise ValueError("it is too far away")
    return seconds


def _moment(column: str, fields: dict[str, str], zone: str) -> float | None:
    if not (text := fields.get(column, "")):
        return None
    try:
        return moment(text, zone)
    except ValueError as wrong:
        raise _Wrong(column, f"{shown(text)} is no moment", str(wrong), "write 2026-11-22T09:00:00+01:00") from None


def _text(name: str, value: str) -> None:
    if len(value) > LONGEST_TEXT:
        raise _Wrong(
            name, "The value is too long", f"{len(value)} characters; {LONGEST_TEXT} are allowed", "shorten it"
        )
    if not value.isprintable():
        strange = next(char for char in value if not char.isprintable())
        raise _Wrong(name, "The value has a control character", f"it has {strange!r}", "leave it out")


def _zone(text: str) -> str:
    try:
        if text:
            days.zone(text)
    except InvalidInput as wrong:
        raise _Wrong("zone", wrong.what, wrong.why, wrong.fix or "write it like Europe/Paris") from None
    return text


def _wire(text: str) -> Wire:
    try:
        return Wire(text.casefold()) if text else Wire.PLATFORM
    except ValueError:
        raise _Wrong("wire", f"There is no wire {shown(text)}", "", f"give {' or '.join(Wire)}") from None


def _priority(text: str, default: int) -> int:
    if not text:
        return default
    if not re.fullmatch(r"[+-]?\d{1,9}", text, re.ASCII) or not MOST_URGENT <= int(text) <= LEAST_URGENT:
        why = f"that is a whole number from {MOST_URGENT} to {LEAST_URGENT}"
        raise _Wrong("priority", f"{shown(text)} is no priority", why, "give one of them; the lower goes first")
    return int(text)


def _attributes(fields: dict[str, str]) -> dict[str, str]:
    return {name.removeprefix(ATTRIBUTE): value for name, value in fields.items() if name.startswith(ATTRIBUTE)}


def _ordered(ask: Ask) -> dict[str, Any]:
    """Give what the client looks at before it places a call; whoever of a pool talks is not known yet."""
    names = ("to", "caller_id", "caller_name", "queue", "attributes", "external_contact", "uui", "wire")
    return {name: getattr(ask, name) for name in names} | {"agent": ask.agent or "anybody"}
