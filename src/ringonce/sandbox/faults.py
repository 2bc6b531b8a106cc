"""Seeded trouble: which requests go wrong, how, and how often.

Actions on one request:
    drop_before   nothing happens and the connection closes without an answer
    drop_after    the request is handled, then the connection closes without an answer
    create_late   the connection closes at once; the request is handled `delay_s` later all the same
    truncate      handled; half of the answer arrives under its full Content-Length
    status        refused with `status`; nothing happens
    late_status   handled; then `status` is answered
    delay         handled at once; the answer comes `delay_s` later
    expire_token  the token that the request carries has just expired
    revoke_token  the token that the request carries has just been revoked
    evict_channel the channel of the token's owner that was unused for longest is evicted, and nobody is told
Actions on notification channels, set off by a matching request, or at once when neither method nor path is given:
    close_socket     every channel's socket is closed; the channels stay
    mute_socket      sockets stay open and nothing comes any more, until the fault is taken away
    mute_new_socket  from then on `share` of the sockets that open never say a word
    reorder          from then on `share` of the events come late, behind their successors
    duplicate        from then on `share` of the events come twice
Actions on an answer to a matching request, or on `share` of the events when neither method nor path is given:
    unknown_value  an enum's value is `unheard_of`
    extra_field    an object has a field `unheardOf`
Seconds are world seconds.
"""

import dataclasses
import fnmatch
import random
import re
from collections.abc import Mapping
from typing import Any

from ringonce.sandbox.trouble import NotThereError, SandboxError, plain, said

NEEDS_STATUS = ("status", "late_status")
NEEDS_DELAY = ("create_late", "delay")
ON_EVENTS = ("reorder", "duplicate", "mute_new_socket")
STRANGE = ("unknown_value", "extra_field")
ON_CHANNELS = ("close_socket", "mute_socket", *ON_EVENTS)
ACTIONS = (
    "drop_before",
    "drop_after",
    "create_late",
    "truncate",
    "status",
    "late_status",
    "delay",
    "expire_token",
    "revoke_token",
    "evict_channel",
    *ON_CHANNELS,
    *STRANGE,
)
METHODS = ("*", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
FIELDS = ("method", "path", "action", "status", "retry_after", "delay_s", "share", "times")
LONGEST_DELAY = 86_400.0


@dataclasses.dataclass(slots=True, kw_only=True)
class Fault:
    """One kind of trouble and how often it has fired."""

    id: str
    action: str
    method: str = "*"
    path: str = "*"
    status: int | None = None
    retry_after: float | None = None
    delay_s: float | None = None
    share: float = 1.0
    times: int | None = None
    fired: int = 0

    @property
    def at_once(self) -> bool:
        """Say whether it waits for no request."""
        return self.action in (*ON_CHANNELS, *STRANGE) and self.method == self.path == "*"

    def as_json(self) -> dict[str, Any]:
        """Give the fault as `/_sandbox/faults` shows it, without what was not set."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}


class Faults:
    """The troubles that are set, in order; the first that matches a request and wins its roll fires."""

    _made: int
    _set: dict[str, tuple[Fault, re.Pattern[str], random.Random]]

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._made = 0
        self._set = {}

    def add(self, fields: object, fault_id: str = "") -> Fault:
        """Set a fault, or raise `SandboxError` naming the field that is wrong. An id of its own takes no number."""
        fault = _read(fields, fault_id or f"f{self._made + 1}")
        if not fault_id:
            self._made += 1
        # Dice of its own: what one fault rolls does not depend on which others are set.
        dice = random.Random(f"{self._seed}:{fault.id}")  # noqa: S311  # repeatable on purpose
        self._set[fault.id] = fault, re.compile(fnmatch.translate(fault.path)), dice
        return fault

    def __len__(self) -> int:
        return len(self._set)

    def pick(self, method: str, path: str) -> Fault | None:
        """Say what goes wrong with this request, counting it as fired."""
        for fault, pattern, dice in self._set.values():
            if fault.at_once or fault.method not in ("*", method) or not pattern.match(path):
                continue
            if fault.times is not None and fault.fired >= fault.times:
                continue
            if fault.action in ON_EVENTS or dice.random() < fault.share:
                fault.fired += 1
                return fault
        return None

    def in_force(self, action: str) -> float:
        """Say which share of events an action on channels touches now; 0 when no such fault has fired."""
        shares = (
            each.share
            for each, _, _ in self._set.values()
            if each.action == action and each.fired and (each.at_once or action not in STRANGE)
        )
        return max(shares, default=0)

    def remove(self, fault_id: str) -> None:
        """Take one fault away; `NotThereError` if no fault has that id."""
        if self._set.pop(fault_id, None) is None:
            known = ", ".join(self._set) or "none"
            raise NotThereError(
                f"There is no fault {fault_id!r}", why=f"set are: {known}", fix="GET /_sandbox/faults lists them."
            )

    def clear(self) -> None:
        """Take all faults away; ids and dice start over."""
        self._set.clear()
        self._made = 0

    def clear_profile(self, prefix: str) -> None:
        """Take away the faults whose ids begin so."""
        for fault_id in [each for each in self._set if each.startswith(prefix)]:
            del self._set[fault_id]

    def all(self) -> list[dict[str, Any]]:
        """List the faults as `/_sandbox/faults` shows them."""
        return [fault.as_json() for fault, _, _ in self._set.values()]


def _read(fields: object, fault_id: str) -> Fault:
    if not isinstance(fields, Mapping):
        raise _wrong("a fault", fields, "a JSON object", '{"path": "/api/v2/*", "action": "drop_after"}')
    for name in fields:
        if name not in FIELDS:
            raise _wrong("a fault's field", name, f"one of {', '.join(FIELDS)}", '{"action": "drop_after"}')
    given = {name: value for name, value in fields.items() if value is not None}
    action = given.get("action")
    if action not in ACTIONS:
        raise _wrong("action", action, f"one of {', '.join(ACTIONS)}", '{"action": "drop_after"}')
    method = given.get("method", "*")
    if not isinstance(method, str) or method.upper() not in METHODS:
        raise _wrong("method", method, f"one of {', '.join(METHODS)}", '{"method": "POST"}')
    path = given.get("path", "*")
    # What is not printable could not be shown again: half a surrogate pair has no UTF-8.
    if not isinstance(path, str) or not path.startswith(("/", "*")) or not path.isprintable():
        must_be = "a glob that starts with / or *, of printable characters"
        raise _wrong("path", path, must_be, '{"path": "/api/v2/conversations/calls*"}')
    _check_meaning(action, given)
    return Fault(
        id=fault_id,
        action=action,
        method=method.upper(),
        path=path,
        status=_whole("status", given.get("status"), 400, 599),
        retry_after=_number("retry_after", given.get("retry_after"), 0, LONGEST_DELAY),
        delay_s=_number("delay_s", given.get("delay_s"), 0, LONGEST_DELAY),
        share=1.0 if "share" not in given else _number("share", given["share"], 0, 1) or 0.0,
        # What starts to happen to events starts once.
        times=1 if action in ON_EVENTS else _whole("times", given.get("times"), 1, 1_000_000_000),
    )


def _check_meaning(action: str, given: Mapping[str, object]) -> None:
    for name, actions, example in (
        ("status", NEEDS_STATUS, 503),
        ("delay_s", NEEDS_DELAY, 5),
    ):
        if action in actions and name not in given:
            raise _wrong(name, None, f"given for {action}", f'{{"action": "{action}", "{name}": {example}}}')
    meant_for: dict[str, tuple[str, ...]] = {
        "status": NEEDS_STATUS,
        "retry_after": NEEDS_STATUS,
        "delay_s": NEEDS_DELAY,
        "times": tuple(each for each in ACTIONS if each not in ON_EVENTS),
    }
    for name, meant in meant_for.items():
        if name in given and action not in meant:
            raise SandboxError(
                f"The fault was not set: {name} has no meaning for {action}",
                why=f"{name} belongs to the actions {', '.join(meant)}",
                fix=f"Leave {name} out, or choose another action.",
            )


def _number(name: str, value: object, least: float, most: float) -> float | None:
    if value is None:
        return None
    # Bounds refuse NaN, infinity, and an integer that is too large for a float, without converting anything.
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise _wrong(name, value, f"a number from {plain(least)} to {plain(most)}", f'{{"{name}": {plain(least)}}}')
    return value


def _whole(name: str, value: object, least: int, most: int) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise _wrong(name, value, f"a whole number from {least} to {most}", f'{{"{name}": {least}}}')
    _number(name, value, least, most)
    return value


def _wrong(name: str, value: object, must_be: str, example: str) -> SandboxError:
    return SandboxError(
        f"The fault was not set: {name} is {said(value)}" if value is not None else f"The fault was not set: no {name}",
        why=f"{name} must be {must_be}",
        fix=f"Send for example {example}.",
    )
