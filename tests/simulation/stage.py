"""One schedule: a world, a network, and processes that place calls, crash, nap, race, and start again."""

import dataclasses
import math
import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from ringonce import ClientCredentials, Outcome
from ringonce.client.flows.following import follow
from ringonce.client.flows.order import order
from ringonce.client.flows.placing import place_call
from ringonce.client.fold import STAMP
from ringonce.client.wishes import Lost, Request, Response
from ringonce.errors import OutcomeUnknown, RingonceError
from ringonce.ledger import Ledger, RowState
from ringonce.ledger.memory import MemoryLedger
from ringonce.models import Call, Placed
from ringonce.sandbox.default_org import ADA, default_org
from ringonce.sandbox.world import World
from simulated import ORIGIN, is_create
from simulation.network import Network
from simulation.process import Process

BEGINS = 1_800_000_000.0
SETTLE = 30.0
LAST_ASKED, ENDS = BEGINS + 300, BEGINS + 900
"""When somebody asks for the last time, and when the last straggler has long arrived."""
STORIES = {
    "0001": Outcome.NO_ANSWER,
    "0002": Outcome.BUSY,
    "0003": Outcome.DECLINED,
    "0004": Outcome.UNROUTABLE,
    "0006": Outcome.ANSWERED,
    "0007": Outcome.AGENT_UNREACHABLE,
    "6543": Outcome.ANSWERED,
}
SLICE = 0.5
"""Seconds of world time that pass before it is asked again whether anybody still waits."""
PRESSES = 3
"""How often a program asks for one and the same intent, crashes included."""
ORG = default_org()
CLIENT = "your_client_id"


@dataclasses.dataclass
class Told:
    """What the programs were told about one intent."""

    placed: Placed | None = None
    last: Call | None = None
    errors: list[tuple[float, RingonceError]] = dataclasses.field(default_factory=list)
    """What was raised, and when."""


class Stage:
    """Everything that one seed decides, played to its end. `met` counts the troubles that really came up."""

    def __init__(
        self,
        seed: int,
        *,
        ledger: Ledger | None = None,
        mishap_rate: float = 0.01,
        settle: float = SETTLE,
        fencing: bool = True,
    ) -> None:
        self.seed, self.dice = seed, random.Random(seed)
        dice = self.dice
        self.met: Counter[str] = Counter()
        self.world = World(now=BEGINS, seed=seed, org=ORG)
        self.agenda = self.world.agenda
        self.auth = ClientCredentials(CLIENT, "your_client_secret")
        self.ledger: Ledger = ledger or MemoryLedger()
        self.mishap_rate, self.settle, self.fencing = mishap_rate, settle, fencing
        self.crashes_left = dice.choice((0, 0, 1, 2, 3))
        self.naps_left = dice.choice((0, 0, 1))
        self._draw_mishap()
        self.runs = self.busy = 0
        self._set_moods()
        count, same = dice.choice((1, 1, 2, 2, 3)), dice.choice(list(STORIES))
        # Now and then two intents are for one number: only the stamp tells their calls apart.
        twins = dice.random() < 0.5
        self.intents = {f"intent-{seed}-{n}": same if twins else dice.choice(list(STORIES)) for n in range(count)}
        self.met["schedules with two intents for one number"] += count > 1 and len(set(self.intents.values())) == 1
        self.creates: list[tuple[str, float, float | None]] = []
        """The intent and the moment of every create that left, and when its sender had armed the intent."""
        self.resolved: set[str] = set()
        """The intents that a person said were not placed."""
        self.presses = dict.fromkeys(self.intents, 0)
        self.told = {intent: Told() for intent in self.intents}
        self.processes: list[Process] = []

    def _set_moods(self) -> None:
        """Decide what is wrong for longer than one request."""
        dice, world = self.dice, self.world
        # In the end the network is sound, so that the truth can be had.
        sound_from = BEGINS + dice.choice((12.0, 12.0, 12.0, 60.0))
        straggler = dice.random() < 0.05
        self.network = Network(world, dice, self.met, sound_from=sound_from, straggler=straggler)
        # No person can know of a call that is placed only after they looked.
        self.person = not straggler and dice.random() < 0.3
        self.sockets = dice.random() > 0.1
        self.mute_from = BEGINS + dice.uniform(0, 8) if dice.random() < 0.1 else None
        world.rate_limit = None
        if dice.random() < 0.08:
            world.rate_limit = dice.choice((6, 12))
            self.met["schedules with a small quota"] += 1
            world.at(sound_from, self._lift_quota)
        if dice.random() < 0.12:
            world.change_client(CLIENT, token_lifetime=dice.choice((2, 6, 20)))
            self.met["schedules with short-lived tokens"] += 1
        # The worst moment to be stopped at: the row is armed, and the create about to leave.
        self.naps_before_create = dice.random() < 0.08
        if dice.random() < 0.1:
            world.at(BEGINS + dice.uniform(0, 20), self._break_sockets)
        if dice.random() < 0.1:
            world.at(BEGINS + dice.uniform(0, 15), self._kill)

    def play(self) -> None:
        """Let the schedule happen, to the last thing that anybody waits for."""
        self._start_run()
        if self.dice.random() < 0.3:
            self.met["schedules with racing processes"] += 1
            self._start_soon(2)
        self._until_quiet(LAST_ASKED)
        self._stop_all()
        self.world.advance(LAST_ASKED)
        # Somebody asks once more, on a sound network and without a mishap: nothing may stay open.
        self.steps_to_mishap = 0
        self.naps_before_create = False
        self.mute_from = None
        self.presses = dict.fromkeys(self.intents, 0)
        self._start_run()
        self._until_quiet(LAST_ASKED + 500)
        self._stop_all()
        self.world.advance(ENDS)

    def timeline(self) -> list[str]:
        """Tell in words what happened, a line each."""
        return [
            f"{at - BEGINS:7.2f}  {_words(what)}  {trouble}".rstrip()[:200] for at, trouble, what in self.network.log
        ]

    def _draw_mishap(self) -> None:
        """Decide before which wish from now the next run goes wrong; a schedule has only so many mishaps."""
        left = self.crashes_left + self.naps_left
        # As if each wish were diced for.
        self.steps_to_mishap = 1 + int(self.dice.expovariate(-math.log1p(-self.mishap_rate))) if left else 0

    def mishap(self) -> str:
        """Say what goes wrong with a run before its next step."""
        kind = "crash" if self.dice.randrange(self.crashes_left + self.naps_left) < self.crashes_left else "nap"
        if kind == "crash":
            self.crashes_left -= 1
        else:
            self.naps_left -= 1
            kind = self.dice.choice(("nap of one thread", "nap of the whole process"))
        self._draw_mishap()
        self.note(kind)
        return kind

    def crash(self, process: Process) -> None:
        """End a run, and have its program started again."""
        process.crash()
        self._start_soon(40)

    def nap_before(self, request: Request) -> float:
        """Say for how long a process is stopped right before it sends a request: once in a schedule, a create."""
        if not is_create(request):
            return 0.0
        self.naps_before_create = False
        self.note("nap right before a create")
        return self.dice.uniform(5, 200)

    def note(self, what: str) -> None:
        """Write a mishap down."""
        self.met[what] += 1
        self.network.log.append((self.world.now, "", what))

    def frame_delays(self) -> list[float]:
        """Say when an event arrives: late, out of order, twice, or not at all on a mute socket."""
        if self.mute_from is not None and self.agenda.now > self.mute_from:
            self.met["events kept back by a mute socket"] += 1
            return []
        delay = self.dice.uniform(0.01, 0.6)
        if self.dice.random() >= 0.1:
            return [delay]
        self.met["events told twice"] += 1
        return [delay, delay + self.dice.uniform(0, 1)]

    def send(self, process: Process, request: Request, reply: Callable[[Response | Lost], None]) -> None:
        """Put a request on the network."""
        create = is_create(request)
        if create:
            intent = request.body["attributes"][STAMP]
            self.creates.append((intent, self.agenda.now, process.armed.get(intent)))
        self.network.carry(request, reply, create=create)

    def _until_quiet(self, end: float) -> None:
        """Let time pass until nobody waits for anything, up to *end*."""
        agenda = self.agenda
        while self.busy and (coming := agenda.next_at()) is not None and coming <= end:
            agenda.advance(min(end, coming + SLICE))

    def _start_soon(self, most: float) -> None:
        self.busy += 1
        self.world.at(self.world.now + self.dice.uniform(0.1, most), self._start_due_run)

    def _start_due_run(self) -> None:
        self.busy -= 1
        self._start_run()

    def _start_run(self) -> None:
        self.runs += 1
        process = Process(self, self.runs)
        self.processes.append(process)
        for intent in self.intents:
            if self.presses[intent] < PRESSES:
                self._press(process, intent)

    def _stop_all(self) -> None:
        for process in self.processes:
            process.crash()

    def _press(self, process: Process, intent: str) -> None:
        self.presses[intent] += 1
        wanted = order(intent=intent, agent=ADA, to=f"+1555987{self.intents[intent]}")
        process.errand(place_call(process.session, wanted), partial(self._placed, process, intent))

    def _press_again(self, process: Process, intent: str) -> None:
        process.occupy(-1)
        self._press(process, intent)

    def _placed(self, process: Process, intent: str, result: Placed | RingonceError) -> None:
        now, told = self.world.now, self.told[intent]
        self.network.log.append((now, "", (intent, result)))
        if isinstance(result, Placed):
            told.placed = result
            self.met["calls adopted after a lost answer"] += result.adopted and not result.replayed
            watch = follow(process.session, result.conversation_id, agent_id=result.agent_id, timeout=300)
            return process.errand(watch, partial(self._ended, told))
        told.errors.append((now, result))
        if isinstance(result, OutcomeUnknown) and self.person and now < LAST_ASKED:
            self.busy += 1
            self.world.at(now + self.dice.uniform(1, 30), partial(self._have_a_person_look, intent))
        if not isinstance(result, OutcomeUnknown) and self.presses[intent] < PRESSES:
            process.occupy(1)
            process.later(self.dice.uniform(0.1, 5), partial(self._press_again, process, intent))
        return None

    def _have_a_person_look(self, intent: str) -> None:
        """Have somebody look at the platform; if there is no call, they say so (`ringonce resolve`) and try again."""
        self.busy -= 1
        row = self.ledger.look(ORIGIN, intent)
        there = any(call.attributes.get(STAMP) == intent for call in self.world.exchange.conversations.values())
        if there or row is None or row.state is not RowState.UNKNOWN:
            return
        self.ledger.settle(msgspec.structs.replace(row, state=RowState.NOT_PLACED, settled_at=self.world.now))
        self.resolved.add(intent)
        self.note("a person said that it was not placed")
        self.runs += 1
        process = Process(self, self.runs)
        self.processes.append(process)
        self._press(process, intent)

    @staticmethod
    def _ended(told: Told, result: Any) -> None:
        if isinstance(result, Call):
            told.last = result

    def _lift_quota(self) -> None:
        self.world.rate_limit = None

    def _break_sockets(self) -> None:
        for process in self.processes:
            if process.alive and process.channel is not None:
                self.note("a socket broke")
                process.detach()
                process.later(self.dice.uniform(0.2, 20), process.reattach)

    def _kill(self) -> None:
        alive = [process for process in self.processes if process.alive]
        if alive and self.busy:
            self.note("killed while it waited")
            self.crash(alive[-1])


def _words(what: object) -> str:
    if isinstance(what, Request):
        return f"{what.method} {what.url.partition('/api/v2')[2] or 'token'}"
    if isinstance(what, tuple):
        return f"{what[0]}: {what[1]!r}"
    return str(what).upper()
