"""The application on a socket: uvicorn on our own listener, ended by us and not by its own signal handlers."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from litestar.types import ASGIApp

from ringonce.errors import ConfigError
from ringonce.service.web.desk import Desk

BACKLOG = 2048
GRACE = 5
"""Seconds that requests get to end once the server does."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the process."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say when connections are taken."""
        await super().startup(sockets)
        self.listening.set()


def bound(host: str, port: int) -> socket.socket:
    """Take the port; 0 takes a free one. Raise `ConfigError` that says who may be in the way."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as unknown:
        raise ConfigError(
            f"The service can't listen on {host!r}",
            why=f"this machine has no such address ({unknown})",
            fix="give --host an address of this machine, such as 127.0.0.1",
        ) from unknown
    listener = socket.socket(family, kind, proto)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as taken:
        listener.close()
        raise ConfigError(
            f"The service can't listen on port {port} of {host}",
            why=(taken.strerror or str(taken)).lower(),
            fix="use --port 0 to take any free port, or end the program that holds this one",
        ) from taken
    return listener


def url_of(host: str, listener: socket.socket) -> str:
    """Give the address to tell people; a wildcard is reached by loopback."""
    port = listener.getsockname()[1]
    name = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host).strip("[]")  # noqa: S104  # translated, not bound
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, desk: Desk, listener: socket.socket) -> AsyncIterator[None]:
    """Serve while this is entered; what streams is ended first."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=75,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="web")
    try:
        await server.listening.wait()
        yield
    finally:
        await desk.tail.end()
        server.should_exit = True
        await task
        listener.close()
