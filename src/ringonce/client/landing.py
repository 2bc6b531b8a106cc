"""Where a browser comes back to after a consent: one page on this machine, for as long as the wish for it lasts."""

import abc
import asyncio
import contextlib
import os
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from ringonce.client.wishes import Consent, Landing
from ringonce.errors import ConfigError

Query = dict[str, str]
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>ringonce</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:30rem;padding:0 1rem}}</style>
<h1>{}</h1><p>{}</p></html>
"""
TAKEN = PAGE.format(
    "ringonce has your answer", "How it went is told where you started it. You can close this page."
).encode()
PASSED_OVER = PAGE.format(
    "ringonce has passed this answer over",
    "It does not belong to the login that is under way, which goes on waiting. "
    "If you meant to log in, open the address that ringonce shows, or start again.",
).encode()
HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "referrer-policy": "no-referrer",
    "connection": "close",
}


async def consent(wish: Consent) -> Landing:
    """Send a person's browser to the wish's address and wait until it comes back with the wish's state."""
    loop = asyncio.get_running_loop()
    landed: asyncio.Future[Query] = loop.create_future()
    foreign = 0

    def land(query: Query) -> None:
        nonlocal foreign
        if not _is_to(wish, query):
            foreign += 1
        elif not landed.done():
            landed.set_result(query)

    def tell(query: Query) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(land, query)

    parts = urlsplit(wish.redirect_uri)
    where = ("::1" if parts.hostname == "::1" else "127.0.0.1", parts.port or 0)
    with _page(where, parts.path or "/", lambda query: _is_to(wish, query), tell) as port:
        host = "[::1]" if parts.hostname == "::1" else parts.hostname
        redirect_uri = parts._replace(netloc=f"{host}:{port}").geturl()
        url = f"{wish.url}&{urlencode({'redirect_uri': redirect_uri})}"
        # Opening may block (a browser in the terminal), or fail in silence, so the address is told in any case.
        threading.Thread(target=_open, args=(url,), name="ringonce-browser", daemon=True).start()
        if sys.stderr is not None:  # as in a program without a console
            sys.stderr.write(f"To log in, open this address in a browser on this machine:\n{url}\n")
            sys.stderr.flush()
        try:
            return Landing(redirect_uri, await asyncio.wait_for(landed, wish.timeout), foreign)
        except TimeoutError:
            return Landing(redirect_uri, foreign=foreign)


def _is_to(wish: Consent, query: Query) -> bool:
    """Say whether an answer is to our question: nobody else knows the state."""
    return secrets.compare_digest(query.get("state", "").encode(), wish.state.encode())


@contextlib.contextmanager
def _page(
    where: tuple[str, int], path: str, is_ours: Callable[[Query], bool], tell: Callable[[Query], None]
) -> Iterator[int]:
    class Handler(_Handler):
        where: ClassVar[str] = path

        def is_ours(self, query: Query) -> bool:
            return is_ours(query)

        def tell(self, query: Query) -> None:
            tell(query)

    try:
        # Browsers open connections that they don't use, hence the threads.
        server = (_ServerOfIPv6 if ":" in where[0] else ThreadingHTTPServer)(where, Handler)
    except OSError as error:
        raise ConfigError(
            f"Port {where[1]} for the redirect URI can't be opened",
            why=error.strerror or str(error),
            fix="free it, or use a redirect URI without a port",
        ) from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="ringonce-redirect", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class _ServerOfIPv6(ThreadingHTTPServer):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler, abc.ABC):
    """Takes an answer; other paths (a favicon) are nothing."""

    where: ClassVar[str]
    timeout = 10

    @abc.abstractmethod
    def is_ours(self, query: Query) -> bool:
        """Say whether it is to our question."""

    @abc.abstractmethod
    def tell(self, query: Query) -> None:
        """Hand an answer on."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query))
        if self.headers.get("host", "").rpartition(":")[0] not in LOOPBACK:
            self.send_error(403)  # a page elsewhere that resolves its own name to this machine
            return
        if address.path != self.where or not query.keys() & {"code", "error"}:
            self.send_error(404)
            return
        ours = self.is_ours(query)
        page = TAKEN if ours else PASSED_OVER
        self.send_response(200 if ours else 400)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
        self.tell(query)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Say nothing: the line would hold the code."""


def _open(url: str) -> None:
    if sys.platform.startswith("linux") and not (os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"}):
        return  # what could be found then is a browser in the terminal, which would take it over
    with contextlib.suppress(webbrowser.Error, OSError):
        webbrowser.open(url)
