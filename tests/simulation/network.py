"""A network that does what networks do, from seeded dice: late, lost, cut off, refused, in the wrong order, twice."""

import dataclasses
import random
from collections.abc import Callable

from ringonce.client.wishes import Lost, Request, Response

Answer = Callable[[], Response]
Later = Callable[[float, Callable[[], None]], None]

GIVES_UP = 15.0
"""Seconds after which a client stops waiting for an answer."""
LONGEST_TROUBLE = 12.0
"""Seconds for which the network misbehaves; then it is sound, so that the truth can be had."""


@dataclasses.dataclass(frozen=True)
class Troubles:
    """How likely each trouble is, for any request while there is trouble."""

    unreachable: float = 0.04
    lost_before: float = 0.06
    lost_after: float = 0.12
    cut_off: float = 0.05
    late_5xx: float = 0.06
    early_5xx: float = 0.05
    storm_429: float = 0.05
    late: float = 0.08
    expired_token: float = 0.03


class Network:
    """Carries one request after another; each meets at most one trouble."""

    def __init__(self, dice: random.Random, troubles: Troubles, begins: float) -> None:
        self.dice, self.troubles, self._begins = dice, troubles, begins
        self.log: list[str] = []

    def carry(
        self, request: Request, now: float, handle: Answer, later: Later, reply: Callable[[Response | Lost], None]
    ) -> None:
        """Take *request* to the platform and its answer back, by way of *later*, or lose either."""
        there, back = self.dice.uniform(0.005, 0.15), self.dice.uniform(0.005, 0.15)
        trouble = self._trouble() if now < self._begins + LONGEST_TROUBLE else ""
        asked = request.url.partition("/api/v2")[2] or "token"
        self.log.append(f"{now - self._begins:7.2f}  {request.method} {asked}  {trouble}".rstrip())
        if trouble == "unreachable":
            return later(there, lambda: reply(Lost("connection refused", sent=False)))
        if trouble == "lost_before":
            return later(there, lambda: reply(Lost("connection closed", sent=True)))
        if trouble == "early_5xx":
            return later(
                there + back, lambda: reply(Response(self.dice.choice((500, 503)), {"retry-after": "1"}, b"{}"))
            )
        if trouble == "storm_429":
            wait = str(self.dice.choice((0, 1, 2)))
            return later(there + back, lambda: reply(Response(429, {"retry-after": wait}, b"{}")))
        if trouble == "expired_token":
            return later(there + back, lambda: reply(Response(401, {}, b'{"code":"credentials.expired"}')))
        if trouble == "late":
            # The request dawdles on the way: the client gives up long before or long after it arrives.
            there = self.dice.uniform(0.5, 22.0)
        later(there, lambda: self._arrived(trouble, handle, there, back, later, reply))
        if there > GIVES_UP:
            later(GIVES_UP, lambda: reply(Lost("no answer in time", sent=True)))
        return None

    def _arrived(
        self,
        trouble: str,
        handle: Answer,
        there: float,
        back: float,
        later: Later,
        reply: Callable[[Response | Lost], None],
    ) -> None:
        answer: Response | Lost = handle()
        if there > GIVES_UP:
            return
        if trouble == "lost_after":
            answer = Lost("connection closed", sent=True)
        elif trouble == "cut_off" and isinstance(answer, Response):
            answer = Response(answer.status, answer.headers, answer.body[: len(answer.body) // 2])
        elif trouble == "late_5xx":
            answer = Response(self.dice.choice((500, 502, 504)), {}, b"")
        later(back, lambda: reply(answer))

    def _trouble(self) -> str:
        roll = self.dice.random()
        for name, share in dataclasses.asdict(self.troubles).items():
            roll -= share
            if roll < 0:
                return name
        return ""
