"""Where an authorization code may be sent: to a registered address, exactly, or to a program on this machine."""

import re
import urllib.parse
from collections.abc import Iterable
from typing import Final

_LOOPBACK: Final = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(?::(\d{1,5}))?([/?].*)?")
LAST_PORT: Final = 65_535
_PRINTABLE: Final = re.compile(r"[!-~]+")


def may_go_to(asked: str, registered: Iterable[str]) -> bool:
    """Whether a redirect URI is registered. A loopback one may have any port (RFC 8252): programs take free ones."""
    here = _loopback(asked)
    return any(asked == each or (here is not None and here == _loopback(each)) for each in registered)


def flaw_of(uri: str) -> str:
    """Say why a redirect URI cannot be registered; nothing when it can."""
    if _PRINTABLE.fullmatch(uri) is None:
        return "it must be plain ASCII without spaces"
    try:
        parts = urllib.parse.urlsplit(uri)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError as wrong:
        return str(wrong)
    if parts.fragment or "#" in uri:
        return "it must have no fragment (#…)"
    if not has_host or parts.username is not None:
        return "it must be a whole address, such as https://app.example.com/callback"
    if parts.scheme != "https" and _loopback(uri) is None:
        return "it must be https, or http on 127.0.0.1, [::1] or localhost"
    return ""


def source_of(uri: str) -> str:
    """What a content security policy must name to let a form's answer lead there."""
    parts = urllib.parse.urlsplit(uri)
    # The policy's grammar has no words for an IPv6 address.
    return f"{parts.scheme}:" if "[" in parts.netloc else f"{parts.scheme}://{parts.netloc}"


def with_query(uri: str, **answer: str) -> str:
    """The redirect URI with an answer added to its query; what is empty is left out."""
    query = urllib.parse.urlencode({name: value for name, value in answer.items() if value})
    return f"{uri}{'&' if '?' in uri else '?'}{query}"


def _loopback(uri: str) -> tuple[str, str] | None:
    """The host and the rest of a loopback address, without its port."""
    match = _LOOPBACK.fullmatch(uri)
    if match is None or not 0 < int(match[2] or 80) <= LAST_PORT:
        return None
    return match[1], match[3] or ""
