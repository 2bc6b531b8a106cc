"""An ASGI app on loopback, that tells its own CPU time to whoever started it."""

import threading
import time
from typing import Any

import uvicorn

from bench.answering import take_turns
from ringonce.sandbox.server import bind, loop_factory, url_of

HOST = "127.0.0.1"


def cpu() -> dict[str, Any]:
    """Give the CPU seconds that this process has used."""
    return {"cpu": time.process_time()}


def serve(app: Any) -> None:
    """Serve *app* on a free port until whoever started this process has gone."""
    import asyncio

    listener = bind(HOST, 0)
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="websockets-sansio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        timeout_keep_alive=300,  # a contender waits for the others between its turns
    )
    server = uvicorn.Server(config)

    def turns() -> None:
        take_turns(cpu, url=url_of(HOST, listener))
        server.should_exit = True

    threading.Thread(target=turns, daemon=True).start()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))
