"""The least that a Starlette app can do with the sandbox's bodies: decode what was sent, encode what is answered.

python -m bench.servers.bare
"""

import base64
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.servers.bodies import record
from bench.servers.serving import serve

BODIES = record()
SAID: dict[str, Any] = {name: msgspec.json.decode(getattr(BODIES, name)) for name in ("token", "create", "read")}


def _answer(status: int, said: Any) -> Response:
    return Response(msgspec.json.encode(said), status, media_type="application/json")


async def token(request: Request) -> Response:
    base64.b64decode(request.headers["authorization"].partition(" ")[2])
    dict(parse_qsl((await request.body()).decode()))
    return _answer(200, SAID["token"])


async def create(request: Request) -> Response:
    msgspec.json.decode(await request.body())
    return _answer(200, SAID["create"])


async def read(_: Request) -> Response:
    return _answer(200, SAID["read"])


if __name__ == "__main__":
    serve(
        Starlette(
            routes=[
                Route("/oauth/token", token, methods=["POST"]),
                Route("/api/v2/conversations/calls/user/{user}", create, methods=["POST"]),
                Route("/api/v2/conversations/{conversation}", read, methods=["GET"]),
            ]
        )
    )
