"""What was asked of the sandbox: the last requests, without anybody's secrets."""

import collections
import contextlib
import itertools
import json
import re
import urllib.parse
from typing import Any

import msgspec

from ringonce.sandbox.agenda import iso

KEPT = 10_000
BODIES_KEPT = 1_000
LARGEST_SHOWN = 65_536
_TOKEN = re.compile(r"[0-9a-f]{43,}|eyJ[\w-]+\.[\w-]+\.[\w-]+")
_SECRETS = frozenset(
    {
        "access_token",
        "assertion",
        "authorization",
        "client_secret",
        "code",
        "code_verifier",
        "password",
        "refresh_token",
        "secret",
        "token",
    }
)


class Entry(msgspec.Struct, gc=False):
    """One request, the *number*th. *status* stays None when no answer was given (yet); *at* is in epoch seconds.

    *body* and *answer* are as they were sent, secrets and all: only `Journal.one` shows them, masked.
    """

    at: float
    method: str
    path: str
    query: str
    client: str | None = None
    status: int | None = None
    fault: str | None = None
    number: int = 0
    body: bytes = b""
    answer: bytes = b""


class Journal:
    """The last requests, oldest first, and the bodies of the last of them; headers never enter it."""

    _whole: collections.deque[Entry]
    _entries: collections.deque[Entry]
    total: int

    def __init__(self) -> None:
        self._whole = collections.deque()
        self._entries = collections.deque(maxlen=KEPT)
        self.total = 0
        """How many requests there were since the beginning, those that are no longer kept included."""

    def write(self, at: float, method: str, path: str, query: str, body: bytes = b"") -> Entry:
        """Note a request down; its *query* loses what could open a door."""
        self.total += 1
        entry = Entry(at, method, path, _masked(query) if query else "", number=self.total, body=body)
        self._entries.append(entry)
        self._whole.append(entry)
        if len(self._whole) > BODIES_KEPT:
            bare = self._whole.popleft()
            bare.body = bare.answer = b""
        return entry

    def clear(self) -> None:
        """Forget all requests."""
        self._entries.clear()
        self._whole.clear()
        self.total = 0

    def all(self, first: int | None = None) -> list[dict[str, Any]]:
        """List the requests as `/_sandbox/requests` shows them, from index *first* on."""
        entries = self._entries
        skipped = 0 if first is None else max(0, len(entries) + first) if first < 0 else first
        return [_listed(entry) for entry in itertools.islice(entries, skipped, None)]

    def one(self, number: int) -> dict[str, Any] | None:
        """Show one request whole: what was sent and answered, as far as it can be read, without anybody's secrets."""
        place = number - 1 - (self.total - len(self._entries))
        if not 0 <= place < len(self._entries):
            return None
        entry = self._entries[place]
        return {**_listed(entry), "request": _readable(entry.body), "answer": _readable(entry.answer)}


def _listed(entry: Entry) -> dict[str, Any]:
    shape = msgspec.structs.asdict(entry)
    del shape["body"], shape["answer"]
    return {**shape, "at": iso(entry.at)}


def _readable(body: bytes) -> Any:
    """A body as JSON, or a form as an object, masked; of anything else, only how much there is of it."""
    if not body:
        return None
    if len(body) <= LARGEST_SHOWN:
        try:
            return _without_secrets(json.loads(body))
        except (ValueError, RecursionError):
            pass
        with contextlib.suppress(ValueError):
            pairs = urllib.parse.parse_qsl(body.decode("ascii"), strict_parsing=True)
            return {name: "***" if name.lower() in _SECRETS else value for name, value in pairs}
    return f"({len(body)} bytes)"


def _without_secrets(thing: Any) -> Any:
    if isinstance(thing, dict):
        # In JSON a code is an error's or a wrap-up's.
        secret = _SECRETS - {"code"}
        return {
            name: "***" if name.lower() in secret and value else _without_secrets(value)
            for name, value in thing.items()
        }
    if isinstance(thing, list):
        return [_without_secrets(each) for each in thing]
    return "***" if isinstance(thing, str) and _TOKEN.fullmatch(thing) else thing


def _masked(query: str) -> str:
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    if not any(name.lower() in _SECRETS for name, _ in pairs):
        return query
    return urllib.parse.urlencode([(name, "***" if name.lower() in _SECRETS else value) for name, value in pairs])
