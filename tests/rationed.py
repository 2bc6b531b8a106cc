"""Processes that share one token, and a platform that counts its requests, on a clock of their own."""

import dataclasses
import heapq
import itertools
import math
from collections import Counter, deque
from collections.abc import Callable
from random import Random

from ringonce.client.budget import Budget, Ticket
from ringonce.client.quota import Granted, heard, settle
from ringonce.client.wishes import Lane, Response
from ringonce.errors import RateLimited
from ringonce.ledger import Ledger, Meter
from ringonce.ledger.memory import MemoryLedger

BEGINS = 1_800_000_000.0
ROUNDINGS: dict[str, Callable[[float], int]] = {
    "down": math.floor,
    "nearest": lambda left: max(1, round(left)),
    "up": math.ceil,
    "up and one": lambda left: math.floor(left) + 1,
}


class Window:
    """A limit that counts from the first request to the end of a minute."""

    def __init__(self, allowed: int = 300, rounding: str = "nearest") -> None:
        self.allowed, self._rounded = allowed, ROUNDINGS[rounding]
        self._began, self._spent = -math.inf, 0

    def count(self, now: float) -> tuple[int, int]:
        """Count one more request; give the count and what the header tells of the rest of the minute."""
        if now - self._began >= 60:
            self._began, self._spent = now, 0
        self._spent += 1
        return self._spent, self._rounded(self._began + 60 - now)


class Sliding:
    """A limit that counts the last sixty seconds; refused requests are not counted."""

    def __init__(self, allowed: int = 300) -> None:
        self.allowed = allowed
        self._times: deque[float] = deque()

    def count(self, now: float) -> tuple[int, int]:
        """Count one more request."""
        while self._times and self._times[0] <= now - 60:
            self._times.popleft()
        count = len(self._times) + 1
        if count <= self.allowed:
            self._times.append(now)
        return count, math.ceil(self._times[0] + 60 - now)


@dataclasses.dataclass
class World:
    """The clock, the platform, and the store that the processes share."""

    limit: Window | Sliding
    dice: Random = dataclasses.field(default_factory=lambda: Random(1))
    latency: tuple[float, float] = (0.01, 0.3)
    """Seconds that a request is on its way, there and back: at least, at most."""
    ledger: Ledger = dataclasses.field(default_factory=MemoryLedger)
    now: float = BEGINS
    admitted: list[tuple[float, str]] = dataclasses.field(default_factory=list)
    """When the platform let a request of ours in, and of which lane or whose it was."""
    refused: list[float] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Have something happen."""
        heapq.heappush(self._agenda, (max(when, self.now), next(self._numbers), do))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, do = heapq.heappop(self._agenda)
            do()
        self.now = until

    def answer(self, whose: str) -> Response:
        """Have the platform answer one request."""
        count, reset = self.limit.count(self.now)
        headers = {
            "inin-ratelimit-count": str(count),
            "inin-ratelimit-allowed": str(self.limit.allowed),
            "inin-ratelimit-reset": str(reset),
        }
        if count > self.limit.allowed:
            if whose:
                self.refused.append(self.now - BEGINS)
            return Response(429, {**headers, "retry-after": str(reset)}, b"")
        self.admitted.append((self.now - BEGINS, whose))
        return Response(200, headers, b"")

    def foreign(self) -> None:
        """Have somebody else spend a request, who knows nothing of our store."""
        self.answer("")

    def rate(self, since: float, until: float) -> float:
        """Give the share of the limit that was used by whomever."""
        inside = sum(since <= at < until for at, _ in self.admitted)
        return inside / (self.limit.allowed * (until - since) / 60)

    def lanes(self) -> Counter[str]:
        """Count by lane what was let in."""
        return Counter(whose for _, whose in self.admitted)


class Process:
    """One process with the token: requests wait in its budget, and are sent again after a 429."""

    def __init__(self, world: World) -> None:
        self.world, self.budget, self.alive = world, Budget(), True
        self.transactions = 0
        self.turned_away: list[tuple[float, RateLimited]] = []
        self.waits: list[tuple[Lane, float]] = []
        """How long each request waited for its turn."""
        self._since: dict[Ticket, float] = {}
        self._serving = 0

    def request(self, lane: Lane, patience: float = 3600.0) -> None:
        """Want to send one request."""
        if self.budget.passes(lane, self.world.now):
            self.waits.append((lane, 0.0))
            self._send(lane)
            return
        ticket = self.budget.queue(lane, self.world.now + patience)
        self._since[ticket] = self.world.now
        self._soon()

    def crash(self) -> None:
        """Stop dead."""
        self.alive = False

    def close(self) -> None:
        """End well: what was taken in advance goes back."""
        self._serve(self._serving)
        self.alive = False

    def _soon(self) -> None:
        self._serving += 1
        number = self._serving
        self.world.at(self.world.now + 0.001, lambda: self._serve(number))

    def _serve(self, number: int) -> None:
        """Ask the store, unless somebody has asked since this was planned."""
        if not self.alive or number != self._serving:
            return
        self.transactions += 1
        wanted, now = self.budget.wanted(), self.world.now

        def change(meter: Meter) -> tuple[Meter, tuple[Meter, Granted]]:
            meter, granted = settle(meter, wanted, now)
            return meter, (meter, granted)

        meter, granted = self.world.ledger.meter("platform", "token", change)
        called, _ = self.budget.take(meter, granted, now)
        for ticket, error in called:
            since = self._since.pop(ticket)
            if error is not None:
                self.turned_away.append((now - since, error))
            else:
                self.waits.append((ticket.lane, now - since))
                self._send(ticket.lane)
        until = granted.again_at if any(self.budget.waiting) else self.budget.idle_at
        if until is not None:
            self._serving += 1
            number = self._serving
            self.world.at(until, lambda: self._serve(number))

    def _send(self, lane: Lane) -> None:
        there, back = (self.world.dice.uniform(*self.world.latency) / 2 for _ in range(2))
        sent_at = self.world.now

        def arrive() -> None:
            answer = self.world.answer(lane.name)
            self.world.at(self.world.now + back, lambda: self._hear(lane, sent_at, answer))

        self.world.at(self.world.now + there, arrive)

    def _hear(self, lane: Lane, sent_at: float, answer: Response) -> None:
        if not self.alive:
            return
        news = heard(answer, sent_at, self.world.now, refused=answer.status == 429)
        if news is not None and self.budget.hear(news):
            self._soon()
        if answer.status == 429:
            self.request(lane)
