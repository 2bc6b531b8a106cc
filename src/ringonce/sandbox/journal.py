"""What was asked of the sandbox: the last requests, without anybody's secrets."""

import collections
import contextlib
import itertools
import json
import re
import urllib.parse
from typing import Any, Never

import msgspec

from ringonce.sandbox.agenda import iso

KEPT = 10_000
BODIES_KEPT = 1_000
BYTES_KEPT = 16 * 2**20
LARGEST_KEPT = 65_536
LONGEST_TOLD = 1_000
_FORM = "application/x-www-form-urlencoded"
_FIELD = re.compile(r"[\w.-]{1,100}")
_TOKEN = re.compile(r"[0-9a-f]{43,}|eyJ[\w-]+\.[\w-]+\.[\w-]+")
_SECRETS = frozenset(
    {
        "accesstoken",
        "apikey",
        "assertion",
        "authorization",
        "clientsecret",
        "code",
        "codeverifier",
        "idtoken",
        "jwt",
        "password",
        "privatekey",
        "refreshtoken",
        "samlresponse",
        "secret",
        "token",
    }
)
"""What is a secret by its name, without the dashes and capitals that tell one spelling from another."""


class Entry(msgspec.Struct, gc=False):
    """One request, the *number*th. *status* stays None when no answer was given (yet); *at* is in epoch seconds.

    *path*, *query*, *body* and *answer* are as they were sent, secrets and all: the journal shows them masked. The
    two lengths stay when what they are of is not kept. *form* says that the body was sent as a form's.
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
    body_length: int = 0
    answer_length: int = 0
    form: bool = False


class Journal:
    """The last requests, oldest first, and the bodies of the last of them; headers never enter it."""

    _whole: collections.deque[Entry]
    _entries: collections.deque[Entry]
    _bytes: int
    total: int

    def __init__(self) -> None:
        self._whole = collections.deque()
        self._entries = collections.deque(maxlen=KEPT)
        self._bytes = 0
        self.total = 0
        """How many requests there were since the beginning, those that are no longer kept included."""

    def write(self, at: float, method: str, path: str, query: str, body: bytes = b"", *, kind: str = "") -> Entry:
        """Note a request down, its body of the content type *kind*."""
        self.total += 1
        entry = Entry(
            at,
            method,
            _told(path),
            _told(query),
            number=self.total,
            body=body if len(body) <= LARGEST_KEPT else b"",
            body_length=len(body),
            form=kind[: len(_FORM)].lower() == _FORM,
        )
        self._entries.append(entry)
        self._whole.append(entry)
        self._bytes += len(entry.body)
        self._forget_bodies()
        return entry

    def answered(self, entry: Entry, status: int, answer: bytes) -> None:
        """Note down what a request was answered."""
        entry.status, entry.answer_length = status, len(answer)
        whole = self._whole
        place = entry.number - whole[0].number if whole else -1
        # The request may have been forgotten while its answer was held back.
        if len(answer) <= LARGEST_KEPT and 0 <= place < len(whole) and whole[place] is entry:
            entry.answer = answer
            self._bytes += len(answer)
            self._forget_bodies()

    def _forget_bodies(self) -> None:
        while self._bytes > BYTES_KEPT or len(self._whole) > BODIES_KEPT:
            bare = self._whole.popleft()
            self._bytes -= len(bare.body) + len(bare.answer)
            bare.body = bare.answer = b""

    def clear(self) -> None:
        """Forget all requests."""
        self._entries.clear()
        self._whole.clear()
        self._bytes = 0
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
        return {
            **_listed(entry),
            "request": _readable(entry.body, entry.body_length, form=entry.form),
            "answer": _readable(entry.answer, entry.answer_length),
        }


def _told(text: str) -> str:
    if len(text) <= LONGEST_TOLD:
        return text
    # Half a token would not be known for one.
    return f"{_TOKEN.sub('***', text)[:LONGEST_TOLD]}… ({len(text)} characters)"


def _listed(entry: Entry) -> dict[str, Any]:
    return {
        "at": iso(entry.at),
        "method": entry.method,
        "path": _TOKEN.sub("***", entry.path),
        "query": _masked(entry.query) if entry.query else "",
        "client": entry.client,
        "status": entry.status,
        "fault": entry.fault,
        "number": entry.number,
    }


def _readable(body: bytes, length: int, *, form: bool = False) -> Any:
    """A body as JSON, or a form as an object, masked; of anything else, only how much there is of it."""
    if not length or body.strip() == b"null":
        return None
    if not body:
        return f"({length} bytes)"
    with contextlib.suppress(ValueError, RecursionError):
        read = json.loads(body, parse_constant=_refuse_constant)
        if isinstance(read, dict | list):
            json.dumps(read, ensure_ascii=False).encode()  # half a surrogate pair could not be shown
            return _without_secrets(read)
    if form:
        with contextlib.suppress(ValueError):
            pairs = urllib.parse.parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
            if all(_FIELD.fullmatch(name) for name, _ in pairs):
                return {name: _hidden(name, value) for name, value in pairs}
    return f"({length} bytes)"


def _refuse_constant(word: str) -> Never:
    raise ValueError(f"{word} is no JSON")


def _without_secrets(thing: Any) -> Any:
    if isinstance(thing, dict):
        # In JSON a code is an error's or a wrap-up's.
        return {
            _TOKEN.sub("***", name): "***"
            if value and name.lower() != "code" and _is_secret(name)
            else _without_secrets(value)
            for name, value in thing.items()
        }
    if isinstance(thing, list):
        return [_without_secrets(each) for each in thing]
    return _TOKEN.sub("***", thing) if isinstance(thing, str) else thing


def _masked(query: str) -> str:
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    hidden = [(name, _hidden(name, value)) for name, value in pairs]
    return query if hidden == pairs else urllib.parse.urlencode(hidden)


def _hidden(name: str, value: str) -> str:
    return "***" if _is_secret(name) else _TOKEN.sub("***", value)


def _is_secret(name: str) -> bool:
    return name.lower().translate(_DASHES) in _SECRETS


_DASHES = {ord(each): None for each in "-_."}
