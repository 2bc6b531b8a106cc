"""Keeps a server busy over plain sockets, with next to no work of its own, so that the server is what is measured.

python -m bench.contenders.pounding URL AGENTS
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from typing import cast
from urllib.parse import urlsplit

from bench.answering import take_turns
from bench.servers.bodies import BASIC, CALLER_ID, NUMBER
from ringonce.sandbox.default_org import AGENT, numbered_agents
from ringonce.sandbox.server import loop_factory

HOST, PORT = urlsplit(sys.argv[1]).hostname or "", urlsplit(sys.argv[1]).port or 0
ATTRIBUTES = {"ringonce.intent": "0" * 32}


def request(method: str, path: str, authorization: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: {authorization}\r\naccept: application/json\r\n"
    if body:
        head += f"content-type: {kind}\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class Line(asyncio.Protocol):
    """One connection: as soon as an answer is there, the next request leaves."""

    def __init__(self, said: Iterator[bytes], times: int) -> None:
        self.said, self.left = said, times
        self.heard = b""
        self.first = b""
        self.done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(next(self.said))

    def data_received(self, data: bytes) -> None:
        self.heard += data
        head, found, body = self.heard.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        if not head.startswith(b"HTTP/1.1 2"):
            self._end(RuntimeError(self.heard.decode()))
            return
        self.heard, self.first, self.left = b"", body, self.left - 1
        if self.left:
            self.transport.write(next(self.said))
        else:
            self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("the server hung up"))

    def _end(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error) if error else self.done.set_result(self.first)
            self.transport.close()


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


async def pound(said: Iterator[bytes], lines: int, times: int) -> bytes:
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Line(said, times), HOST, PORT) for _ in range(lines)]
    return (await asyncio.gather(*(line.done for _, line in made)))[0]


FORM = request("POST", "/oauth/token", BASIC, b"grant_type=client_credentials", "application/x-www-form-urlencoded")

with asyncio.Runner(loop_factory=loop_factory()) as runner:
    forms = itertools.repeat(FORM)
    token = json.loads(runner.run(pound(forms, 1, 1)))["access_token"]
    order = json.dumps({"phoneNumber": NUMBER, "callerId": CALLER_ID, "attributes": ATTRIBUTES}).encode()
    # An agent who is in many calls at once has all but one of them put on hold, which costs and is nobody's use.
    creates = itertools.cycle(
        request("POST", f"/api/v2/conversations/calls/user/{agent.id}", f"Bearer {token}", order)
        for agent in numbered_agents(int(sys.argv[2]), AGENT)[1]
    )
    conversation = json.loads(runner.run(pound(creates, 1, 1)))["id"]
    read = request("GET", f"/api/v2/conversations/{conversation}", f"Bearer {token}")
    kinds = {"token": forms, "create": creates, "read": itertools.repeat(read)}

    def play(kind: str, times: int, lines: int) -> dict[str, float]:
        began = time.perf_counter()
        runner.run(pound(kinds[kind], lines, times // lines))
        return {"wall": time.perf_counter() - began}

    take_turns(play)
