"""Which addresses webhooks may be sent to. What was checked is what is connected to: a name is resolved once."""

import asyncio
import concurrent.futures
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

GLOBAL = ipaddress.ip_network("2000::/3")
"""The only IPv6 addresses that are in public use."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")
THREADS = 100
"""Names that are looked up at once; a name server that hangs delays nobody else's webhook."""
Lookup = Callable[[str, int], list[tuple[Any, ...]]]


def is_public(host: str) -> bool | None:
    """Say whether an address is a public one; None if *host* is a name."""
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return _is_public(address)


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    # These carry an IPv4 address, and may lead there.
    inner = address.ipv4_mapped or address.sixtofour
    if address.teredo:
        inner = address.teredo[1]
    if address in NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if inner is not None:
        return _is_public(inner)
    return address in GLOBAL and address.is_global


class PublicOnly(AbstractResolver):
    """Resolves names for aiohttp, which connects to nothing but what this gives. Raise `OSError` for private ones.

    A name that has one private address is refused as a whole: nobody honest publishes one.
    """

    def __init__(self, *, allow_private: bool = False, lookup: Lookup | None = None) -> None:
        self._allow_private = allow_private
        self._lookup = lookup or _getaddrinfo
        self._threads = concurrent.futures.ThreadPoolExecutor(THREADS, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give the addresses of *host*."""
        del family
        found = await asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, host, port)
        addresses = [(kind, str(where[0])) for kind, _, _, _, where in found]
        private = next((one for _, one in addresses if not is_public(one)), None)
        if private is not None and not self._allow_private:
            raise OSError(None, f"{host} leads to {private}, which is no public address")
        return [
            ResolveResult(
                hostname=host, host=one, port=port, family=kind, proto=socket.IPPROTO_TCP, flags=socket.AI_NUMERICHOST
            )
            for kind, one in addresses
        ]

    async def close(self) -> None:
        """Wait for no lookup."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _getaddrinfo(host: str, port: int) -> list[tuple[Any, ...]]:
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
