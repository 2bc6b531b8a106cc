"""One token's quota as one process spends it: who waits, and what was taken from the store in advance.

It holds no clock and no lock: times are handed in, and all of it belongs to one thread. The store is asked by whoever
holds the budget: `wanted` says what for, and `take` gets what came of it.
"""

import dataclasses
from collections import deque
from typing import Any

from ringonce.client.quota import IDLE, Granted, Heard, Wanted, beside_the_point, current, free_at, learn
from ringonce.client.remedies import TOO_MANY
from ringonce.client.wishes import Lane
from ringonce.errors import RateLimited
from ringonce.ledger import Meter


@dataclasses.dataclass(eq=False, slots=True)
class Ticket:
    """One request that waits for its turn."""

    lane: Lane
    deadline: float
    waiter: Any = None
    """Whom to tell: for the holder of the budget."""
    over: bool = False
    """It has had its turn, was refused one, or has gone."""


Called = list[tuple[Ticket, RateLimited | None]]
"""Those whose wait is over, and why if they don't have their turn."""


class Budget:
    """One token's quota in one process."""

    def __init__(self) -> None:
        self.meter = Meter()
        """As the store had it when it was last asked."""
        self.lease = 0
        """Requests that were taken in advance."""
        self._lease_lane, self._lease_until = Lane.URGENT, 0.0
        self._unlimited = False
        self._lines: tuple[deque[Ticket], deque[Ticket], deque[Ticket]] = (deque(), deque(), deque())
        self._waiting = [0, 0, 0]
        self._fresh: list[Ticket] = []
        self._news: Heard | None = None

    def passes(self, lane: Lane, now: float) -> bool:
        """Spend one request that needs no asking; False if there is none."""
        if self._unlimited:
            return True
        if self.lease and lane <= self._lease_lane and now < self._lease_until and not any(self._waiting):
            self.lease -= 1
            return True
        return False

    def queue(self, lane: Lane, deadline: float) -> Ticket:
        """Stand in line."""
        ticket = Ticket(lane, deadline)
        self._lines[lane].append(ticket)
        self._waiting[lane] += 1
        self._fresh.append(ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Stand in line no longer."""
        if not ticket.over:
            ticket.over = True
            self._waiting[ticket.lane] -= 1

    def hear(self, news: Heard) -> bool:
        """Take in what an answer told; say whether all who share the store should know it at once."""
        meter = self.meter
        if (
            meter.known
            and meter.allowed == news.allowed
            and not news.shut_until
            and news.count <= meter.taken
            and news.ends_after <= meter.ends <= news.ends_by
        ) or beside_the_point(meter, news):
            return False
        self._news = news if self._news is None else self._news.and_then(news)
        if news.shut_until:
            self.lease, self._unlimited = 0, False
        return (
            not meter.known
            or news.shut_until > 0
            or news.allowed != meter.allowed
            or news.count > meter.taken + meter.allowed // 100
            or news.ends_after > meter.ends
        )

    def informed(self, meter: Meter, now: float) -> Meter:
        """Give the store's meter with what has been heard since the store was last asked."""
        meter = current(meter, now)
        return meter if self._news is None else learn(meter, self._news)

    @property
    def waiting(self) -> tuple[int, int, int]:
        """How many wait, by lane."""
        urgent, dials, reads = self._waiting
        return urgent, dials, reads

    @property
    def idle_at(self) -> float | None:
        """When what was taken in advance has to go back; None if there is nothing."""
        return self._lease_until if self.lease else None

    def wanted(self) -> Wanted:
        """Say what to ask the store for; what was taken in advance goes back."""
        wanted = Wanted(
            waiting=self.waiting, news=self._news, returned=self.lease, of=self.meter.began, lane=self._lease_lane
        )
        self._news, self.lease = None, 0
        return wanted

    def take(self, meter: Meter, granted: Granted, now: float) -> tuple[Called, list[Ticket]]:
        """Take what the store gave. Give those whose wait is over, and those who are now known to have to wait."""
        moved = abs(meter.ends - self.meter.ends) > 1 or meter.shut_until != self.meter.shut_until
        self.meter = meter
        self._unlimited = meter.known and not meter.allowed and now >= meter.shut_until
        called: Called = []
        spare = granted.lease
        for line, turns in zip(self._lines, granted.turns, strict=True):
            spare += self._call(line, turns, called)
        if spare and meter.allowed:
            self.lease, self._lease_lane, self._lease_until = spare, granted.lane, min(now + IDLE, meter.ends)
        fresh = [ticket for ticket in self._fresh if not ticket.over]
        self._fresh.clear()
        if any(self._waiting) and (fresh or moved):
            self._refuse(now, called)
        return called, [ticket for ticket in fresh if not ticket.over]

    def _call(self, line: deque[Ticket], turns: int, called: Called) -> int:
        """Give *turns* turns to the first in line; give how many are left."""
        while line and (turns or line[0].over):
            ticket = line.popleft()
            if not ticket.over:
                self.leave(ticket)
                called.append((ticket, None))
                turns -= 1
        return turns

    def _refuse(self, now: float, called: Called) -> None:
        """Turn away those whose turn comes too late for certain: even if nobody who is not in line yet takes one."""
        meter = self.meter
        if not meter.known and now >= meter.shut_until:
            return
        ahead = 0
        for lane in Lane:
            # A read may go before creates that wait, and then it has their pace; how many do, can't be known.
            of_reads = lane is Lane.READ
            pace = Lane.DIAL if of_reads and (self._waiting[Lane.DIAL] or now < meter.dials_until) else lane
            position = 0 if of_reads else ahead
            for ticket in self._lines[lane]:
                if ticket.over:
                    continue
                wait = free_at(meter, now, position + 1, pace) - now
                if now + wait > ticket.deadline:
                    self.leave(ticket)
                    called.append((ticket, self._too_late(wait)))
                else:
                    position += 1
            ahead = position

    def expire(self, ticket: Ticket, now: float) -> RateLimited | None:
        """End a wait at its deadline. None if nothing says that the quota is spent: then the request may go."""
        self.leave(ticket)
        if not self.meter.known and now >= self.meter.shut_until:
            return None
        return self._too_late(free_at(self.meter, now, 1, ticket.lane) - now)

    def turn_in(self, ticket: Ticket, now: float) -> float:
        """Say in how many seconds the last in the ticket's line has a turn at the earliest."""
        return free_at(self.meter, now, self._waiting[ticket.lane], ticket.lane) - now

    def everybody(self) -> list[Ticket]:
        """Give all who wait."""
        return [ticket for line in self._lines for ticket in line if not ticket.over]

    def _too_late(self, wait: float) -> RateLimited:
        allowed = self.meter.allowed
        spent = f"all of the {allowed} requests a minute are spent or spoken for" if allowed else "it asked to wait"
        return RateLimited(
            "The quota of requests is spent, and nothing was sent",
            why=f"{spent}; the next turn is in {wait:.0f} s, past the deadline",
            fix=f"try again in {wait:.0f} s or allow more time; {TOO_MANY}",
            retry_after=wait,
            status=429,
        )
