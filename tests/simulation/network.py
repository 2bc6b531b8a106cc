"""A network that does what networks do, from seeded dice: late, lost, cut off, refused; and the platform's moods."""

import bisect
import itertools
import random
from collections import Counter
from collections.abc import Callable

import msgspec

from ringonce.client.wishes import Lost, Request, Response
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.world import World
from simulated import answered

GIVES_UP = 15.0
"""Seconds after which a client stops waiting for an answer."""
STRAGGLES = (50.0, 420.0)
"""Seconds that a straggler is on its way: longer than anybody waits for an answer and looks for the call."""
SHARES = {
    "unreachable": 0.04,
    "lost_before": 0.06,
    "lost_after": 0.12,
    "cut_off": 0.05,
    "late_5xx": 0.06,
    "early_5xx": 0.05,
    "storm_429": 0.05,
    "late": 0.08,
    "expired_token": 0.03,
}
"""How likely each trouble is, for any request while there is trouble; a request meets at most one."""
_NAMES = (*SHARES, "")
_BOUNDS = tuple(itertools.accumulate(SHARES.values()))


class Network:
    """Carries requests to the platform and answers back."""

    def __init__(
        self, world: World, dice: random.Random, met: Counter[str], *, sound_from: float, straggler: bool
    ) -> None:
        self.world, self.dice, self.met = world, dice, met
        self.desk, self.agenda = Desk(world), world.agenda
        self.log: list[tuple[float, str, object]] = []
        self._sound_from, self._straggler = sound_from, straggler

    def carry(self, request: Request, reply: Callable[[Response | Lost], None], *, create: bool) -> None:
        """Take *request* to the platform and its answer back, or lose either; *reply* gets one of both, once."""
        now = self.agenda.now
        there, back = 0.005 + 0.145 * self.dice.random(), 0.005 + 0.145 * self.dice.random()
        trouble = _NAMES[bisect.bisect_right(_BOUNDS, self.dice.random())] if now < self._sound_from else ""
        if create and self._straggler:
            trouble, self._straggler, there = "straggler", False, self.dice.uniform(*STRAGGLES)
        elif trouble == "late":
            # It dawdles on the way: the client gives up long before or long after it arrives.
            there = self.dice.uniform(0.5, 22.0)
        self.log.append((now, trouble, request))
        if trouble:
            self.met[trouble] += 1
            if create:
                self.met[f"{trouble}, a create"] += 1
        self._send(_Passage(self, request, reply, trouble, back, create), there, back)

    def _send(self, passage: "_Passage", there: float, back: float) -> None:
        later, trouble = self.agenda.after, passage.trouble
        if trouble == "unreachable":
            later(there, lambda: passage.reply(Lost("connection refused", sent=False)))
        elif trouble == "lost_before":
            later(there, lambda: passage.reply(Lost("connection closed", sent=True)))
        elif trouble == "early_5xx":
            status = self.dice.choice((500, 503))
            later(there + back, lambda: passage.reply(Response(status, {"retry-after": "1"}, b"{}")))
        elif trouble == "storm_429":
            wait = str(self.dice.choice((0, 1, 2)))
            later(there + back, lambda: passage.reply(Response(429, {"retry-after": wait}, b"{}")))
        else:
            later(there, passage.arrive)
            if there > GIVES_UP:
                later(GIVES_UP, passage.give_up)


class _Passage(msgspec.Struct, eq=False):
    """One request that reaches the platform."""

    network: Network
    request: Request
    reply: Callable[[Response | Lost], None]
    trouble: str
    back: float
    create: bool
    given_up: bool = False
    answer: Response | Lost | None = None

    def give_up(self) -> None:
        self.given_up = True
        self.reply(Lost("no answer in time", sent=True))

    def arrive(self) -> None:
        network, trouble = self.network, self.trouble
        if trouble == "expired_token":
            network.world.tokens.expire(self.request.headers.get("authorization", "").removeprefix("Bearer ") or "none")
        answer = answered(network.desk, self.request)
        if answer.status in {401, 429}:
            network.met[f"the platform said {answer.status}"] += 1
        if self.given_up:
            if self.create and answer.ok:
                network.met["created after the client gave up waiting"] += 1
            return
        self.answer = answer
        if trouble == "lost_after":
            self.answer = Lost("connection closed", sent=True)
        elif trouble == "cut_off":
            self.answer = Response(answer.status, answer.headers, answer.body[: len(answer.body) // 2])
        elif trouble == "late_5xx":
            self.answer = Response(network.dice.choice((500, 502, 504)), {}, b"")
        network.agenda.after(self.back, self.deliver)

    def deliver(self) -> None:
        if self.answer is not None:
            self.reply(self.answer)
