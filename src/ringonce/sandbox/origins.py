"""From where the sandbox may be talked to.

A page on the web can make a browser here send requests to loopback, under a name that it controls or with its own
origin. Neither gets in, unless the user opened the sandbox to others.
"""

import functools
import ipaddress
import urllib.parse
from collections.abc import Mapping


def welcome(headers: Mapping[str, str], *, open_to_all: bool) -> bool:
    """Whether a request may come in at all."""
    if open_to_all:
        return True
    origin = headers.get("origin")
    return is_loopback(headers.get("host", "localhost")) and (origin is None or is_loopback(origin.partition("://")[2]))


@functools.lru_cache(maxsize=64)
def is_loopback(netloc: str) -> bool:
    """Say whether a host, with or without a port, is this machine and no other."""
    try:
        name = urllib.parse.urlsplit(f"//{netloc}").hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
