"""What was asked of the sandbox: the last requests, without anybody's secrets."""

import collections
import urllib.parse
from typing import Any

import msgspec

from ringonce.sandbox.agenda import iso

KEPT = 10_000
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
    """One request. *status* stays None when no answer was given (yet); *at* is world time in epoch seconds."""

    at: float
    method: str
    path: str
    query: str
    client: str | None = None
    status: int | None = None
    fault: str | None = None


class Journal:
    """The last requests, oldest first; headers and bodies never enter it."""

    def __init__(self) -> None:
        self._entries: collections.deque[Entry] = collections.deque(maxlen=KEPT)
        self.total = 0
        """How many requests there were since the beginning, those that are no longer kept included."""

    def write(self, at: float, method: str, path: str, query: str) -> Entry:
        """Note a request down; its *query* loses what could open a door."""
        entry = Entry(at, method, path, _masked(query) if query else "")
        self._entries.append(entry)
        self.total += 1
        return entry

    def clear(self) -> None:
        """Forget all requests."""
        self._entries.clear()
        self.total = 0

    def all(self, first: int | None = None) -> list[dict[str, Any]]:
        """List the requests as `/_sandbox/requests` shows them, from index *first* on."""
        return [{**msgspec.structs.asdict(entry), "at": iso(entry.at)} for entry in list(self._entries)[first:]]


def _masked(query: str) -> str:
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    if not any(name.lower() in _SECRETS for name, _ in pairs):
        return query
    return urllib.parse.urlencode([(name, "***" if name.lower() in _SECRETS else value) for name, value in pairs])
