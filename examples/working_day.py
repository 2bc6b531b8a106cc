"""A working day of a call centre in less than a minute: 1,000 agents, eight hours, on a clock that is moved by hand.

    python examples/working_day.py [--agents 1000] [--hours 8] [--every 300]

Each agent places a call over HTTP every five minutes; what becomes of it is up to the last digits dialled. Nothing real
rings, and nobody waits: after each minute's calls, the clock is moved on by one.
"""

import argparse
import base64
import collections
import json
import random
import time
from collections.abc import Iterator
from typing import BinaryIO

from ringonce.sandbox import Sandbox

MINUTE = 60.0
ENDS = ("0001", "0002", "0003", "0005", "0006", "0008", *["6543"] * 8)


class Line:
    """One connection; requests go out together, as many as there are, and the answers are read afterwards."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._socket = sandbox.connect()
        self._answers: BinaryIO = self._socket.makefile("rb")

    def ask(self, requests: list[tuple[str, str, str]]) -> Iterator[tuple[int, bytes]]:
        """POST each (path, authorization, body), and give each answer's status and body."""
        for first in range(0, len(requests), 100):
            some = requests[first : first + 100]
            self._socket.sendall("".join(map(_written, some)).encode())
            for _ in some:
                yield self._answer()

    def close(self) -> None:
        self._answers.close()
        self._socket.close()

    def _answer(self) -> tuple[int, bytes]:
        status, length = int(self._answers.readline().split()[1]), 0
        while line := self._answers.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status, self._answers.read(length)


def _written(request: tuple[str, str, str]) -> str:
    path, authorization, body = request
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n"
        f"Content-Type: {'application/json' if body[0] == '{' else 'application/x-www-form-urlencoded'}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )


def work(sandbox: Sandbox, hours: float, every: float) -> int:
    """Let every agent call once in *every* seconds; give how many calls were placed."""
    dice = random.Random(7)  # noqa: S311  # the same day each time
    agents = sandbox.do(lambda world: [user.id for user in world.org.users.values() if user.name.startswith("Agent ")])
    line = Line(sandbox)
    basic = base64.b64encode(b"your_client_id:your_client_secret").decode()
    [(_, signed_in)] = line.ask([("/oauth/token", f"Basic {basic}", "grant_type=client_credentials")])
    bearer = f"Bearer {json.loads(signed_in)['access_token']}"
    next_call = {agent: dice.uniform(0, every) for agent in agents}
    placed = 0
    for minute in range(round(hours * 60)):
        due = [agent for agent, at in next_call.items() if at <= minute * MINUTE]
        for agent in due:
            next_call[agent] += every
        calls = [(f"/api/v2/conversations/calls/user/{each}", bearer, _body(dice.choice(ENDS))) for each in due]
        placed += sum(status == 202 for status, _ in line.ask(calls))  # noqa: PLR2004
        sandbox.advance(MINUTE)
    line.close()
    sandbox.advance(MINUTE)
    return placed


def _body(digits: str) -> str:
    return f'{{"phoneNumber": "+1555987{digits}"}}'


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--agents", type=int, default=1_000)
    words.add_argument("--hours", type=float, default=8.0)
    words.add_argument("--every", type=float, default=300.0, help="seconds between two calls of an agent")
    asked = words.parse_args()
    with Sandbox(port=None, agents=asked.agents, clock="manual", rate_limit=0) as sandbox:
        began, cpu = time.perf_counter(), time.process_time()
        placed = work(sandbox, asked.hours, asked.every)
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        states = dict(collections.Counter(call["state"] for call in sandbox.calls()))
    print(f"{asked.agents} agents, {asked.hours:g} hours: {placed} calls in {took:.1f} s, {cpu:.1f} s of CPU; {states}")


if __name__ == "__main__":
    main()
