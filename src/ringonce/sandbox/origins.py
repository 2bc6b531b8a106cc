"""From where the sandbox may be talked to, and for what.

A page on the web can make a browser here send requests to loopback, under a name that it controls or with its own
origin. Neither gets in, unless the user opened the sandbox to others. A page of another local port may use the API,
as it could the platform's; only the sandbox's own pages may look after the sandbox or say yes for an agent.
"""

import functools
import ipaddress
import urllib.parse
from collections.abc import Mapping
from typing import Final

from ringonce.sandbox.http import Reply
from ringonce.sandbox.sockets import Message, Send

ADMIN: Final = "/_sandbox"
_TOLD: Final = (
    "ININ-Correlation-Id, inin-ratelimit-count, inin-ratelimit-allowed, inin-ratelimit-reset, Retry-After, Date"
)
_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_HEADERS: Final = "Authorization, Content-Type"
_REMEMBERED_FOR: Final = "600"
Headers = tuple[tuple[str, str], ...]


def welcome(headers: Mapping[str, str], path: str, *, open_to_all: bool) -> bool:
    """Whether a request may come in."""
    origin, host = headers.get("origin"), headers.get("host", "localhost")
    here = open_to_all or (is_loopback(host) and (origin is None or is_loopback(origin.partition("://")[2])))
    return here and (origin is None or not _own_pages_only(path) or _same(origin, host, any_scheme=open_to_all))


def preflight(method: str, path: str, headers: Mapping[str, str]) -> Reply | None:
    """Answer what a browser asks before it lets a page send a request; None for any other request."""
    if method != "OPTIONS" or "access-control-request-method" not in headers or not sharing(path, headers):
        return None
    asked = headers.get("access-control-request-headers", _HEADERS)
    may = (("Access-Control-Allow-Methods", _METHODS), ("Access-Control-Allow-Headers", asked))
    return Reply(204, headers=(*sharing(path, headers), *may, ("Access-Control-Max-Age", _REMEMBERED_FOR)))


def sharing(path: str, headers: Mapping[str, str]) -> Headers:
    """The headers that let a page of another origin read an answer; none where it has no business."""
    origin = headers.get("origin")
    if origin is None or not ("/api/v2/" in path or path.endswith("/oauth/token")) or path.startswith(f"{ADMIN}/"):
        return ()
    return (
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", _TOLD),
        ("Vary", "Origin"),
    )


def shared(send: Send, path: str, headers: Mapping[str, str]) -> Send:
    """A *send* whose answers a page of another origin may read, if it may."""
    more = [(name.lower().encode(), value.encode("latin-1")) for name, value in sharing(path, headers)]

    async def send_shared(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return send_shared if more else send


@functools.lru_cache(maxsize=64)
def is_loopback(netloc: str) -> bool:
    """Say whether a host, with or without a port, is this machine and no other."""
    try:
        name = urllib.parse.urlsplit(f"//{netloc}").hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _own_pages_only(path: str) -> bool:
    return path == ADMIN or path.startswith(f"{ADMIN}/") or path.endswith("/oauth/authorize")


def _same(origin: str, host: str, *, any_scheme: bool) -> bool:
    """Whether a page's origin is that of the host it talks to; before an opened sandbox there may be TLS."""
    scheme, _, netloc = origin.lower().partition("://")
    return (any_scheme or scheme == "http") and netloc.removesuffix(":80") == host.lower().removesuffix(":80")
