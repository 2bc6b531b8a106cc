"""One schedule: a world, a network, and processes that place calls, crash between any two wishes, and start again."""

import dataclasses
import functools
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from ringonce import ClientCredentials, Outcome
from ringonce.client import snapshots
from ringonce.client.channels import Channel
from ringonce.client.flows import subscribing
from ringonce.client.flows.following import follow
from ringonce.client.flows.order import order
from ringonce.client.flows.placing import place_call
from ringonce.client.flows.session import Session
from ringonce.client.fold import STAMP
from ringonce.client.wishes import Flow, Hear, Listen, Lost, Now, Request, Response, Send, Sleep, Tell, Token
from ringonce.config import Endpoints
from ringonce.errors import OutcomeUnknown, RingonceError, TooLate
from ringonce.ledger import Ledger
from ringonce.ledger.memory import MemoryLedger
from ringonce.models import Call, Placed
from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.http import Request as SandboxRequest
from ringonce.sandbox.world import World
from simulated import written
from simulation.network import Network, Troubles

ORIGIN = "http://sandbox.test"
BEGINS = 1_800_000_000.0
SETTLE = 30.0
STORIES = {
    "0001": Outcome.NO_ANSWER,
    "0002": Outcome.BUSY,
    "0003": Outcome.DECLINED,
    "0004": Outcome.UNROUTABLE,
    "0006": Outcome.ANSWERED,
    "0007": Outcome.AGENT_UNREACHABLE,
    "6543": Outcome.ANSWERED,
}
PRESSES = 3
"""How often a program asks for one and the same intent, crashes included."""


@dataclasses.dataclass
class Told:
    """What the programs were told about one intent."""

    placed: Placed | None = None
    last: Call | None = None
    errors: list[tuple[float, RingonceError]] = dataclasses.field(default_factory=list)
    """What was raised, and when."""


class Process:
    """A program's run: a session of its own, gone with a crash; the ledger and the platform stay."""

    def __init__(self, stage: "Stage", number: int) -> None:
        self.stage, self.alive = stage, True
        self.session = Session(
            endpoints=Endpoints(api=ORIGIN, login=ORIGIN),
            auth=stage.auth,
            country="US",
            incarnation=f"run {number}",
            settle=stage.settle,
        )
        self.token = ""
        self.channel: Channel | None = None
        self.waiting: dict[str, set[Callable[[], None]]] = {}

    def start(self, flow: Flow[Any], done: Callable[[Any], None]) -> None:
        """Run a flow beside the others; *done* gets its result, or the error that it raised."""
        self._go_on(flow, None, done)

    def crash(self) -> None:
        """Stop dead: nothing that this run waited for reaches it any more."""
        self.alive = False
        if self.channel is not None:
            self.stage.world.channels.detach(self.channel.id, self._hear_frame)

    def _go_on(self, flow: Flow[Any], answer: Any, done: Callable[[Any], None], *, rested: bool = False) -> None:
        stage = self.stage
        while self.alive:
            if stage.crashes_now():
                self.crash()
                return stage.restart_soon()
            if not rested and stage.dozes_now():
                # Stopped, swapped out or asleep: everything else goes on meanwhile.
                awake = functools.partial(self._go_on, flow, answer, done, rested=True)
                return stage.later(stage.dice.uniform(5, 90), self._if_alive(awake))
            rested = False
            try:
                wish = flow.throw(answer) if isinstance(answer, (Lost, RingonceError)) else flow.send(answer)
            except StopIteration as result:
                return done(result.value)
            except RingonceError as error:
                return done(error)
            answer = self._give(wish, lambda given: self._go_on(flow, given, done))
            if answer is _PENDING:
                return None
        return None

    def _give(self, wish: Any, resume: Callable[[Any], None]) -> Any:
        stage = self.stage
        match wish:
            case Send():
                return self._send(wish, resume)
            case Token(stale=stale):
                return self._renewed(stale, resume)
            case Now():
                return stage.world.now
            case Sleep(seconds):
                stage.later(seconds, self._if_alive(lambda: resume(None)))
                return _PENDING
            case Hear(key, seen, timeout):
                return self._hear(key, seen, timeout, resume)
            case Listen(agent_id, anew):
                if not stage.sockets:
                    return False
                self.start(self._listening(agent_id, anew), lambda result: resume(result is True))
                return _PENDING
            case Tell():
                return None
        return written(stage.ledger, wish)

    def _send(self, wish: Send, resume: Callable[[Any], None]) -> Any:
        if self.stage.fencing:
            try:
                wish.check(self.stage.world.now)
            except TooLate as late:
                return late
        self.stage.send(self, wish.request, resume)
        return _PENDING

    def _renewed(self, stale: str, resume: Callable[[Any], None]) -> Any:
        if self.token and self.token != stale:
            return self.token

        def keep(grant: Any) -> None:
            if not isinstance(grant, RingonceError):
                self.token = grant = grant.value
            resume(grant)

        self.start(self.session.auth.grant(self.session.endpoints, self.stage.world.now, stale), keep)
        return _PENDING

    def _listening(self, agent_id: str, anew: bool) -> Flow[bool]:
        try:
            if self.channel is None or anew:
                channel = yield from subscribing.make_channel(self.session)
                yield from subscribing.subscribe(self.session, channel, [agent_id], replace=True)
                self.stage.world.channels.attach(channel.id, self._hear_frame)
                self.channel = channel
                self.session.board.note_gap([agent_id])
                self._wake(None)
                return True
            permitted = yield from subscribing.subscribe(self.session, self.channel, [agent_id], replace=False)
        except RingonceError:
            return False
        return agent_id in permitted

    def _hear_frame(self, frame: bytes) -> None:
        for delay in self.stage.frame_delays():
            self.stage.later(delay, self._if_alive(lambda: self._take(frame)))

    def _take(self, frame: bytes) -> None:
        envelope = msgspec.json.decode(frame)
        agent = subscribing.agent_of(envelope["topicName"])
        if agent:
            self._wake(self.session.board.take(snapshots.event(envelope["eventBody"]), agent))

    def _hear(self, key: str, seen: int, timeout: float, resume: Callable[[Any], None]) -> Any:
        if self.session.board.count(key) != seen:
            return None
        mine = self.waiting.setdefault(key, set())

        def wake() -> None:
            if wake in mine:
                mine.discard(wake)
                resume(None)

        mine.add(wake)
        self.stage.later(timeout, self._if_alive(wake))
        return _PENDING

    def _wake(self, keys: tuple[str, ...] | None) -> None:
        for key in list(self.waiting) if keys is None else keys:
            for wake in list(self.waiting.get(key, ())):
                self.stage.later(0.0, self._if_alive(wake))

    def _if_alive(self, do: Callable[[], None]) -> Callable[[], None]:
        return lambda: do() if self.alive else None


_PENDING = object()


class Stage:
    """Everything that one seed decides, played to its end."""

    def __init__(
        self,
        seed: int,
        *,
        ledger: Ledger | None = None,
        troubles: Troubles | None = None,
        crash_rate: float = 0.01,
        settle: float = SETTLE,
        fencing: bool = True,
    ) -> None:
        self.seed, self.dice = seed, random.Random(seed)
        self.world = World(now=BEGINS, seed=seed)
        self.world.rate_limit = None
        self.desk = Desk(self.world)
        self.auth = ClientCredentials("your_client_id", "your_client_secret")
        self.ledger: Ledger = ledger or MemoryLedger()
        self.network = Network(self.dice, troubles or Troubles(), BEGINS)
        self.crash_rate, self.settle, self.fencing = crash_rate, settle, fencing
        self.sockets = self.dice.random() > 0.1
        self.mute_from = BEGINS + self.dice.uniform(0, 8) if self.dice.random() < 0.1 else None
        self.crashes_left = self.dice.choice((0, 0, 1, 2))
        self.dozes_left = self.dice.choice((0, 0, 0, 1))
        self.runs = 0
        count, same = self.dice.choice((1, 1, 2)), self.dice.choice(list(STORIES))
        # Now and then two intents are for one number: only the stamp tells their calls apart.
        twins = self.dice.random() < 0.5
        self.intents = {f"intent-{seed}-{n}": same if twins else self.dice.choice(list(STORIES)) for n in range(count)}
        self.creates: list[tuple[str, float]] = []
        """The intent and the moment of every create that left."""
        self.presses = dict.fromkeys(self.intents, 0)
        self.told = {intent: Told() for intent in self.intents}
        self.processes: list[Process] = []

    def play(self) -> None:
        """Let the schedule happen, to the last thing that anybody waits for."""
        self._start_run()
        if self.dice.random() < 0.3:
            self.later(self.dice.uniform(0, 2), self._start_run)
        self.world.advance(BEGINS + 300)
        # In the end somebody asks once more, on a sound network and without a crash: nothing may stay open.
        self.crashes_left = self.dozes_left = 0
        self.mute_from = None
        for process in self.processes:
            process.crash()
        self.presses = dict.fromkeys(self.intents, 0)
        self._start_run()
        self.world.advance(BEGINS + 800)

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Have something happen *seconds* from now."""
        self.world.at(self.world.now + seconds, do)

    def crashes_now(self) -> bool:
        """Say whether a run dies before its next step; a schedule has only so many crashes."""
        if self.crashes_left <= 0 or self.dice.random() >= self.crash_rate:
            return False
        self.crashes_left -= 1
        return True

    def dozes_now(self) -> bool:
        """Say whether a run is stopped for a while before its next step."""
        if self.dozes_left <= 0 or self.dice.random() >= self.crash_rate:
            return False
        self.dozes_left -= 1
        return True

    def restart_soon(self) -> None:
        """Start a program again that has crashed."""
        self.network.log.append(f"{self.world.now - BEGINS:7.2f}  CRASH")
        self.later(self.dice.uniform(0.1, 40.0), self._start_run)

    def frame_delays(self) -> list[float]:
        """Say when an event arrives: late, out of order, twice, or not at all on a mute socket."""
        if self.mute_from is not None and self.world.now > self.mute_from:
            return []
        delay = self.dice.uniform(0.01, 0.6)
        return [delay, delay + self.dice.uniform(0, 1)] if self.dice.random() < 0.1 else [delay]

    def send(self, process: Process, request: Request, resume: Callable[[Any], None]) -> None:
        """Put a request on the network."""
        answered = [False]
        if request.method == "POST" and "/conversations/calls" in request.url:
            self.creates.append((request.body["attributes"][STAMP], self.world.now))

        def reply(answer: Response | Lost) -> None:
            if process.alive and not answered[0]:
                answered[0] = True
                resume(answer)

        self.network.carry(request, self.world.now, lambda: self._handle(request), self.later, reply)

    def _start_run(self) -> None:
        self.runs += 1
        process = Process(self, self.runs)
        self.processes.append(process)
        for intent in self.intents:
            if self.presses[intent] < PRESSES:
                self.presses[intent] += 1
                self._press(process, intent)

    def _press(self, process: Process, intent: str) -> None:
        wanted = order(intent=intent, agent=ADA, to=f"+1555987{self.intents[intent]}")

        def placed(result: Any) -> None:
            self.network.log.append(f"{self.world.now - BEGINS:7.2f}  {intent}: {result!r}"[:160])
            if isinstance(result, Placed):
                self.told[intent].placed = result
                process.start(
                    follow(process.session, result.conversation_id, agent_id=result.agent_id, timeout=300), ended
                )
            else:
                self.told[intent].errors.append((self.world.now, result))
                if not isinstance(result, OutcomeUnknown) and self.presses[intent] < PRESSES:
                    self.presses[intent] += 1
                    self.later(
                        self.dice.uniform(0.1, 5), lambda: self._press(process, intent) if process.alive else None
                    )

        def ended(result: Any) -> None:
            if isinstance(result, Call):
                self.told[intent].last = result

        process.start(place_call(process.session, wanted), placed)

    def _handle(self, request: Request) -> Response:
        address = urlsplit(request.url)
        body = b"" if request.body is None else msgspec.json.encode(request.body)
        headers = {"host": "sandbox.test", **{name.lower(): value for name, value in request.headers.items()}}
        if request.form is not None:
            body, headers["content-type"] = urlencode(request.form).encode(), "application/x-www-form-urlencoded"
        query = dict(parse_qsl(address.query))
        reply = self.desk.handle(SandboxRequest(request.method, address.path, query, headers, body))
        return Response(reply.status, {name.lower(): value for name, value in reply.headers}, reply.body)
