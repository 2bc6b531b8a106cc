"""What the door hands to the desk, and what it gets back: HTTP without a socket."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, read whole. Header names are lower-case; *query* keeps the last value of a name."""

    method: str
    path: str
    query: Mapping[str, str] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. *headers* hold what is not content-type or content-length."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/json"
