"""What the door hands to the desk, and what it gets back: HTTP without a socket."""

from collections.abc import Mapping

import msgspec


class Request(msgspec.Struct, frozen=True):
    """One HTTP request, read whole. Header names are lower-case; *query* keeps the last value of a name."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Reply(msgspec.Struct, frozen=True):
    """One HTTP answer. *headers* hold what is not content-type or content-length."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/json"
