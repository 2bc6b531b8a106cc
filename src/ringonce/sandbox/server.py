"""The door on a socket: uvicorn's protocols on our own listener, which starts and stops at once."""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable

import uvicorn
from uvicorn.server import ServerState

from ringonce.sandbox.door import Door
from ringonce.sandbox.line import MOST_BYTES
from ringonce.sandbox.protocol import Protocol
from ringonce.sandbox.trouble import SandboxError

LoopFactory = Callable[[], asyncio.AbstractEventLoop]

_BACKLOG = 2048
_LAST_PORT = 65_535
_WAYS_OUT = {
    errno.EADDRINUSE: "Use --port 0 to take any free port, or end the program that holds this one.",
    errno.EACCES: "Use a port above 1023, or --port 0 to take any free one.",
    errno.EADDRNOTAVAIL: "Use --host 127.0.0.1, or another address of this machine.",
}
_PATIENCE = 0.05  # seconds that requests get to notice that the server stops


class Server:
    """Serves a door until it is stopped. Made and run on one event loop, but for `bind`.

    Without a *listener* it serves what `adopt` brings.
    """

    def __init__(self, door: Door, listener: socket.socket | None) -> None:
        logging.getLogger("uvicorn.error").addHandler(_ONLY_OURS)
        self._door = door
        self._listener = listener
        self._state = ServerState()
        self._config = uvicorn.Config(
            door,
            http=Protocol,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            ws_max_size=MOST_BYTES,
            ws_ping_interval=None,  # heartbeats are the world's, on the world's time
            ws_per_message_deflate=False,
            timeout_keep_alive=75,  # a pooled connection that closes under a POST is a fault that nobody asked for
        )

    async def run(self, started: Callable[[], None], stop: asyncio.Event) -> None:
        """Serve until *stop* is set; *started* is called once connections are taken."""
        self._config.load()
        loop = asyncio.get_running_loop()
        server = None
        if self._listener is not None:
            server = await loop.create_server(self._protocol, sock=self._listener, backlog=_BACKLOG)
        try:
            self._door.rearm()
            started()
            await stop.wait()
        finally:
            if server is not None:
                server.close()
            await self._hang_up()
            if server is not None:
                await server.wait_closed()

    async def adopt(self, connection: socket.socket) -> None:
        """Serve a connection that came by no port."""
        await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        return Protocol(self._door, config=self._config, server_state=self._state, app_state={})

    async def _hang_up(self) -> None:
        self._door.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        await asyncio.sleep(0)  # lets WebSockets' last frames go out
        for connection in list(self._state.connections):
            connection.transport.abort()
        if self._state.tasks:
            _, late = await asyncio.wait(self._state.tasks, timeout=_PATIENCE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


def loop_factory() -> LoopFactory | None:
    """Give the fastest event loop there is; None is asyncio's own."""
    try:
        import uvloop
    except ImportError:  # it has no build for Windows
        return None
    return uvloop.new_event_loop


def bind(host: str, port: int) -> socket.socket:
    """Take the port, or raise `SandboxError` that says who may be in the way. Port 0 takes a free one."""
    # The resolver would quietly take a port modulo 65,536.
    if not 0 <= port <= _LAST_PORT:
        raise SandboxError(
            f"The sandbox cannot listen on port {port}",
            why=f"a port is a number from 0 to {_LAST_PORT}",
            fix="Use --port 0 to take any free port.",
        )
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as unknown:
        raise SandboxError(
            f"The sandbox cannot listen on {host!r}",
            why=f"this machine has no such address ({unknown})",
            fix="Use --host 127.0.0.1.",
        ) from unknown
    listener = socket.socket(family, kind, proto)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as taken:
        listener.close()
        raise SandboxError(
            f"The sandbox cannot listen on port {port} of {host}",
            why=(taken.strerror or str(taken)).lower(),
            fix=_WAYS_OUT.get(taken.errno or 0, _WAYS_OUT[errno.EADDRNOTAVAIL]),
        ) from taken
    return listener


def url_of(host: str, listener: socket.socket) -> str:
    """Give the address to tell people; a wildcard is reached by loopback."""
    port = listener.getsockname()[1]
    name = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # translated, not bound
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


class _OnlyOurs(logging.Handler):
    """Passes on what went wrong in the sandbox itself.

    Uvicorn reports a client's broken request or frame to the same logger, and a test suite that set no logging up
    would find that on stderr. What uvicorn raised and caught in one function never came through the sandbox.
    """

    def emit(self, record: logging.LogRecord) -> None:
        trace = record.exc_info[2] if record.exc_info else None
        if trace is not None and trace.tb_next is not None:
            logging.getLogger("ringonce.sandbox").handle(record)


_ONLY_OURS = _OnlyOurs()
