"""A worker: it takes turns, does them, says that it lives, and goes on with the turns of workers that don't."""

import asyncio
import contextlib
import logging
import os
import re
import secrets
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from ringonce.errors import Ambiguous, ApiRefusal, InvalidInput, NotFound, RingonceError
from ringonce.service.dialing import batched, durable, turns
from ringonce.service.dialing.sparing import in_a_line
from ringonce.service.dialing.steps import Steps
from ringonce.service.dialing.turns import Turn
from ringonce.service.lifesigns import GONE, RUNNING, SILENT_AFTER
from ringonce.service.store.tables import lines, workers

log = logging.getLogger("ringonce.service")
TICK = 0.1
"""Seconds between two looks for calls whose turn it is."""
BEAT = 2.0
"""Seconds between two signs of life, unless told."""
MOST_TURNS = 2_000
"""Turns that one worker has at once."""
AT_ONCE = 50
"""Turns that are taken in one transaction."""
PATIENCE = 3
"""Refusals in a row for lack of rights after which a worker pauses."""
PAUSE = 60.0
AGAIN = 5.0
"""Seconds after which a turn is done again that broke off, because of a database that is down, for one."""
STRANDED = 15
"""Looks at which a turn must be seen without anybody at work on it until it is begun anew: 30 s, unless told."""
KEEP_TIDY = 300.0


class Worker:
    """Dials what waits in the store; use it with `async with`. One a process, as many processes as you like.

    It gives a sign of life every *beat* seconds; a worker without one for *dead_after* seconds has its turns taken
    over. All who share a database should be given the same.
    """

    def __init__(self, steps: Steps, *, beat: float = BEAT, dead_after: float = SILENT_AFTER) -> None:
        # In a form that logs don't take for a telephone number.
        self.id = f"worker_{re.sub(r'[^0-9A-Za-z]', '_', socket.gethostname())}_{os.getpid()}_{secrets.token_hex(3)}"
        self.answered = True
        """Whether the database answered last time."""
        self._steps, self._store = steps, steps.store
        self._beats, self._dead_after = beat, dead_after
        self._doing: dict[str, asyncio.Task[None]] = {}
        self._missed: set[str] = set()
        """Turns that the database says are ours, and that nothing here did at the last look."""
        self._idle: dict[str, int] = {}
        """Turns that somebody here waits for, but nobody is at work on; and at how many looks in a row."""
        self._renewing: set[str] = set()
        """Turns that are about to be begun anew."""
        self._ownerless: set[str] = set()
        """Workflows of turns that nobody had at the last look."""
        self._unable: Counter[str] = Counter()
        """How often an agent's name could not be looked up so far: it waits for names that had less bad luck."""
        self._loops: list[asyncio.Task[None]] = []
        self._entered = contextlib.AsyncExitStack()
        self._pause_until = self._tidied = 0.0

    async def __aenter__(self) -> Self:
        await self._store.run(_born, self.id, self._steps.clock())
        await self._entered.enter_async_context(durable.engine(self._store, self._steps, self.id))
        for do, every in (
            (self._beat, self._beats),
            (self._take, TICK),
            (self._adopt, self._beats),
            (self._name, TICK * 3),
            (self._tidy, 1.0),
        ):
            self._loops.append(asyncio.create_task(self._forever(do, every), name=do.__name__))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.drain()

    @property
    def healthy(self) -> bool:
        """Whether the database answers, and our rights on the platform are not in doubt."""
        return self.answered and self._steps.clock() >= self._pause_until

    @property
    def busy(self) -> int:
        """How many turns are under way."""
        return len(self._doing)

    async def drain(self, patience: float = 20.0) -> None:
        """Stop: place nothing new, wait *patience* seconds for creates that have left, leave live calls to others."""
        if not self._loops:
            return
        self._steps.draining = True
        take = next(task for task in self._loops if task.get_name() == "_take")
        take.cancel()
        if self._steps.placing:
            await asyncio.wait([self._doing[run] for run in self._doing if run], timeout=patience)
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._loops.clear()
        with contextlib.suppress(RingonceError):
            await self._store.run_urgently(_gone, self.id)
        for turn in self._doing.values():
            turn.cancel()
        await asyncio.gather(*self._doing.values(), return_exceptions=True)
        await self._entered.aclose()

    async def _forever(self, do: Callable[[], Awaitable[None]], every: float) -> None:
        while True:
            try:
                await do()
                self.answered = True
            except RingonceError as down:
                self.answered = False
                log.error("the worker can't go on: %s", down)  # noqa: TRY400  our errors tell all by themselves
                await self._steps.sleep(AGAIN)
            except Exception:  # the worker must not lose a part of itself, whatever it was
                self.answered = False
                log.exception("the worker can't go on")
                await self._steps.sleep(AGAIN)
            await self._steps.sleep(every)

    async def _beat(self) -> None:
        await self._store.run_urgently(_beat, self.id, self._steps.clock())

    async def _take(self) -> None:
        now = self._steps.clock()
        if self._steps.refusals >= PATIENCE:
            # Every call would be refused like the ones before: better that they wait.
            log.error("%d refusals in a row for lack of rights: nothing is dialled for %g s", PATIENCE, PAUSE)
            self._steps.refusals = PATIENCE - 1
            self._pause_until = now + PAUSE
        room = min(AT_ONCE, MOST_TURNS - self.busy)
        if now < self._pause_until or room <= 0:
            return
        for turn in await self._store.run(turns.take, self.id, now, room, self._steps.guard.foretell):
            self._do(turn)

    async def _adopt(self) -> None:
        now = self._steps.clock()
        for dead in await self._store.look_urgently(_dead, self.id, now, self._dead_after):
            for turn in await self._store.run_urgently(turns.inherit, dead, self.id, now):
                log.warning("going on with call %s of %s", turn.call_id, dead)
                self._do(turn)
        await self._find_lost()

    async def _find_lost(self) -> None:
        """Go on with turns of ours that we don't know of: a commit may have come through though its answer did not."""
        mine = await self._store.look_urgently(turns.of_worker, self.id)
        lost = [turn for turn in mine if turn.run not in self._doing]
        for turn in lost:
            # A turn that has just been taken may only not have been heard of yet.
            if turn.run in self._missed:
                log.warning("going on with call %s, which was taken when the database went away", turn.call_id)
                self._start(turn, self._anew(turn))
        self._missed = {turn.run for turn in lost}
        idle = [
            turn
            for turn in mine
            if turn.run in self._doing and turn.run not in self._renewing and not durable.at_work(turn.run)
        ]
        self._idle = {turn.run: self._idle.get(turn.run, 0) + 1 for turn in idle}
        for turn in idle:
            if self._idle[turn.run] >= STRANDED:
                # The engine can't write down what became of it, or lost it, when its own database failed.
                log.warning("the work on call %s has stopped; it is begun anew", turn.call_id)
                await self._replace(turn)

    async def _name(self) -> None:
        # One transaction for each: it holds calls before the agent's line, and must not hold another's line by then.
        names = await self._store.look(turns.unnamed)
        for name, known in sorted(names.items(), key=lambda one: self._unable[one[0]]):
            try:
                agent_id = known or await self._steps.client.find_agent(name)
            except RingonceError as error:
                if not _means_nobody(error):
                    log.warning("agent %s can't be looked up now: %s", name, error)
                    self._unable[name] += 1
                    await self._steps.sleep(AGAIN)
                    return
                said, now = str(error), self._steps.clock()
                while await self._store.run(turns.nobody, name, said, now):
                    pass
            else:
                await self._store.run(turns.named, name, agent_id, self._steps.clock())
            self._unable.pop(name, None)

    async def _tidy(self) -> None:
        now = self._steps.clock()
        while await self._store.run(turns.expire, now):
            pass
        for batch_id in await self._store.look(batched.stirring, now):
            while await self._store.run(batched.tend, batch_id, now):
                pass
        if now > self._tidied + KEEP_TIDY:
            self._tidied = now
            self._ownerless = await durable.forget(lambda: self._store.look(turns.runs), self._ownerless, now)
            await self._store.run(_buried, now)

    def _do(self, turn: Turn) -> None:
        if turn.run not in self._doing:
            self._start(turn, self._turn(turn))

    def _start(self, turn: Turn, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=turn.run)
        self._doing[turn.run] = task
        task.add_done_callback(lambda _: self._doing.pop(turn.run, None))

    async def _replace(self, turn: Turn) -> None:
        waiting = self._doing.get(turn.run)
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait([waiting])
        await durable.leave(turn.run)
        self._start(turn, self._anew(turn))

    async def _turn(self, turn: Turn) -> None:
        try:
            await durable.run(turn)
        except (RingonceError, sa.exc.SQLAlchemyError) as down:
            said = str(down) if isinstance(down, RingonceError) else in_a_line(down)
            log.error("the turn of call %s broke off; it is done again: %s", turn.call_id, said)  # noqa: TRY400  says all
            await self._anew(turn)
        except Exception:  # whatever it was, the turn isn't over
            log.exception("the turn of call %s broke off; it is done again", turn.call_id)
            await self._anew(turn)

    async def _anew(self, turn: Turn) -> None:
        self._renewing.add(turn.run)
        try:
            again = await self._renewed(turn)
        finally:
            self._renewing.discard(turn.run)
        if again is not None:
            self._do(again)

    async def _renewed(self, turn: Turn) -> Turn | None:
        while True:
            await self._steps.sleep(AGAIN)
            try:
                return await self._store.run(turns.anew, turn, self._steps.clock())
            except RingonceError as down:
                log.warning("call %s waits for the database: %s", turn.call_id, down)


def this_process(pid: int) -> str:
    """Name a process so that its number, used again, is not taken for it; empty if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    return f"{pid}@{stat.rpartition(')')[2].split()[19]}"


def _means_nobody(error: RingonceError) -> bool:
    """Say whether a name stands for no agent, or not for one alone, whenever it is asked."""
    if isinstance(error, (NotFound, Ambiguous, InvalidInput)):
        return True
    return isinstance(error, ApiRefusal) and error.status == 400  # noqa: PLR2004


def _born(db: sa.Connection, worker: str, now: float) -> None:
    process = this_process(os.getpid())
    row = {"id": worker, "host": socket.gethostname(), "process": process, "state": RUNNING}
    db.execute(workers.insert().values(**row, started_at=now, beat_at=now))


def _beat(db: sa.Connection, worker: str, now: float) -> None:
    db.execute(workers.update().where(workers.c.id == worker).values(beat_at=now, state=RUNNING))


def _gone(db: sa.Connection, worker: str) -> None:
    db.execute(workers.update().where(workers.c.id == worker).values(state=GONE))


def _dead(db: sa.Connection, worker: str, now: float, dead_after: float) -> list[str]:
    """Give the workers that have turns and have gone, or gave no sign of life for long."""
    held = sa.select(workers).join(lines, lines.c.worker == workers.c.id).where(workers.c.id != worker).distinct()
    found = db.execute(held).all()
    return [one.id for one in found if one.state == GONE or now > one.beat_at + dead_after or _vanished(one)]


def _vanished(one: sa.Row[Any]) -> bool:
    """Say whether a worker of this host has no process any more, which is quicker to see than its silence."""
    if one.host != socket.gethostname() or not one.process:
        return False
    return bool(this_process(int(one.process.partition("@")[0])) != one.process)


def _buried(db: sa.Connection, now: float) -> None:
    """Forget workers that are long gone and have nothing left."""
    left = sa.select(lines.c.worker)
    db.execute(workers.delete().where(workers.c.beat_at < now - 86_400, workers.c.id.not_in(left)))
