"""A storm over a crew of workers: they are killed and stopped, and so are the database and the platform."""

import contextlib
import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from chaos.sandboxes import CREATES, SandboxProcess
from ringonce.ledger.sql import SqlLedger
from ringonce.service.calls import OPEN, Ask
from ringonce.service.calls.accepting import accept
from ringonce.service.dialing.worker import BEAT
from ringonce.service.store import Store, StoreDown
from ringonce.service.store.tables import calls, lines, workers
from service_chaos.judge import Figures, every, verdict
from service_chaos.postgres import PostgresProcess

TICK = 0.25
PATIENCE = 300.0
"""Seconds in which at least one call must come to its end: how long all of them take is the machine's affair."""
TAKEN_OVER = 30.0
"""Seconds within which a dead worker's calls are another's."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Weather:
    """How hard it blows."""

    seed: int = 0
    intents: int = 200
    agents: int = 20
    workers: int = 3
    every: float = 4.0
    """Seconds between two blows, on average."""
    restarts: int = 1
    """Of the sandbox, which forgets its calls."""
    crashes: int = 1
    """Of the database."""


class Crew:
    """Worker processes, a new one for each that is killed."""

    def __init__(self, database: str, platform: str, log: Path) -> None:
        self._command = [sys.executable, "-m", "service_chaos.hand", database, platform]
        self._log = log.open("a")
        self._hands: list[subprocess.Popen[str]] = []
        self.dead: dict[str, float] = {}
        """The numbers of processes that were killed, and when."""

    def hire(self) -> None:
        """Start one more."""
        place = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self._hands.append(
            subprocess.Popen(  # noqa: S603  # our own
                self._command, stdout=subprocess.DEVNULL, stderr=self._log, text=True, env={**os.environ, **place}
            )
        )

    def kill(self, dice: random.Random) -> None:
        """Kill one, and hire another."""
        hand = self._hands.pop(dice.randrange(len(self._hands)))
        hand.kill()
        hand.wait()
        self.dead[str(hand.pid)] = time.monotonic()
        self.hire()

    def stop(self, dice: random.Random) -> subprocess.Popen[str]:
        """Have one stand still."""
        hand = dice.choice(self._hands)
        hand.send_signal(signal.SIGSTOP)
        return hand

    def end(self) -> None:
        """Let everybody go."""
        for hand in self._hands:
            hand.send_signal(signal.SIGCONT)
            hand.kill()
            hand.wait()
        self._log.close()


class Storm:
    """One storm. `blow` gives everything that went wrong; the *figures* stay."""

    def __init__(self, folder: Path, weather: Weather, database: PostgresProcess | None) -> None:
        self.figures = Figures()
        self._weather, self._postgres = weather, database
        self._url = database.url if database else f"sqlite:///{folder}/calls.db"
        self._sandbox = SandboxProcess(folder, seed=weather.seed, agents=weather.agents, rate_limit=0)
        self._folder, self._dice = folder, random.Random(weather.seed)
        self._asleep: dict[subprocess.Popen[str], float] = {}
        self._orphaned: dict[str, float] = {}
        self._looked = time.monotonic()

    def blow(self) -> list[str]:
        """Have everything dialled through the storm, and judge."""
        store = Store(self._url)
        with contextlib.ExitStack() as stack:
            stack.callback(store.close)
            sandbox = stack.enter_context(self._sandbox)
            sandbox.set_faults([{**CREATES, "action": "drop_after", "share": 0.25}])
            self._ask(store)
            crew = Crew(self._url, sandbox.url, self._folder / "workers.log")
            stack.callback(crew.end)
            for _ in range(self._weather.workers):
                crew.hire()
            if stuck := self._through(store, crew):
                return stuck
            sandbox.pass_time(600)
            sandbox.count_requests()
            self.figures.creates_received, self.figures.lost_answers = sandbox.creates, sandbox.lost_answers
            wrong = list(verdict(every(store), sandbox.record(), self.figures))
            if self.figures.slowest_take_over > TAKEN_OVER:
                wrong.append(f"a call had a dead worker for {self.figures.slowest_take_over:.0f} s")
            return wrong

    def _ask(self, store: Store) -> None:
        mark = SqlLedger(store.engine).mark
        with store.write() as db:
            for n in range(self._weather.intents):
                number = f"+1555{2_000_106 + n * 10}"
                agent = f"agent-{n % self._weather.agents + 1:05d}@example.com"
                accept(db, Ask(agent=agent, to=number), key=f"i{n}", number=number, mark=mark(number), by="storm")

    def _through(self, store: Store, crew: Crew) -> list[str]:
        """Let it blow until no call is open; give those that stay so."""
        weather, dice = self._weather, self._dice
        restarts = [weather.intents * n // (weather.restarts + 1) for n in range(1, weather.restarts + 1)]
        crashes = [weather.intents * n // (weather.crashes + 2) for n in range(1, weather.crashes + 1)]
        fewest, end, next_blow = weather.intents + 1, 0.0, time.monotonic() + weather.every
        while (left := self._left(store, crew)) > 0 or self._asleep:
            now, done = time.monotonic(), weather.intents - left
            if left < fewest:
                fewest, end = left, now + PATIENCE
            if now > end:
                return self._stuck(store)
            for hand in [hand for hand, until in self._asleep.items() if until < now]:
                del self._asleep[hand]
                hand.send_signal(signal.SIGCONT)
            if now > next_blow and left > weather.intents // 5:
                next_blow = now + dice.expovariate(1 / weather.every)
                self._blow(crew, now)
            if restarts and done >= restarts[0]:
                del restarts[0]
                self._sandbox.die_and_come_back()
                self.figures.sandbox_restarts += 1
            if crashes and self._postgres and done >= crashes[0]:
                del crashes[0]
                self._postgres.crash_and_come_back()
                self.figures.database_crashes += 1
            time.sleep(TICK)
        return []

    def _stuck(self, store: Store) -> list[str]:
        with store.read() as db:
            query = sa.select(calls, lines).outerjoin(lines, lines.c.call_id == calls.c.id)
            found = db.execute(query.where(calls.c.state.in_(sorted(OPEN))).order_by(calls.c.state)).mappings().all()
        at = time.time()
        return [
            f"{one['key']} {one['state']} {one['progress']} for {at - one['changed_at']:.0f} s, why {one['why']},"
            f" due in {one['due_at'] - at:.0f} s, with {one['worker'] or 'nobody'}"
            for one in found
        ]

    def _blow(self, crew: Crew, now: float) -> None:
        # However short it is, a storm that blows at all kills somebody.
        if self._dice.random() < 2 / 3 or self._asleep or not self.figures.kills:
            crew.kill(self._dice)
            self.figures.kills += 1
        else:
            self._asleep[crew.stop(self._dice)] = now + self._dice.uniform(5, 20)
            self.figures.stops += 1

    def _left(self, store: Store, crew: Crew) -> int:
        """Give how many calls are open, and note how long any of them has had a dead worker."""
        try:
            with store.read() as db:
                left = db.scalar(sa.select(sa.func.count()).where(calls.c.state.in_(sorted(OPEN)))) or 0
                held = set(db.scalars(sa.select(lines.c.worker).where(lines.c.worker != "").distinct()))
                beating = db.scalars(sa.select(workers.c.id).where(workers.c.beat_at > time.time() - 2 * BEAT)).all()
        except StoreDown:
            self._looked = time.monotonic()
            return self._weather.intents
        passed, self._looked = time.monotonic() - self._looked, time.monotonic()
        asleep = {str(hand.pid) for hand in self._asleep}
        if not {_process(worker) for worker in beating} - crew.dead.keys() - asleep:
            self.figures.nobody_up += passed
            return left
        self._orphaned = {
            worker: self._orphaned.get(worker, 0.0) + passed for worker in held if _process(worker) in crew.dead
        }
        self.figures.slowest_take_over = max(self.figures.slowest_take_over, *self._orphaned.values(), 0.0)
        return left


def _process(worker: str) -> str:
    return worker.split("_")[-2]
