"""The hub: which agent is heard on which channel, for all followers of one client."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from itertools import islice
from pathlib import Path
from typing import Any

from ringonce.client import policy
from ringonce.client.channels import take_slot
from ringonce.client.flows.following import moved
from ringonce.client.flows.reading import read_call
from ringonce.client.flows.session import Session
from ringonce.client.hub.doubt import Step
from ringonce.client.hub.line import FAILURES, PATIENCE, Line, Run
from ringonce.client.hub.roster import Roster
from ringonce.client.transport import Transport
from ringonce.client.wishes import Lost
from ringonce.errors import RingonceError
from ringonce.models import State

log = logging.getLogger("ringonce.events")

MOST_CHANNELS = 20
"""Channels that a user and OAuth client may have; the next one takes the oldest one's events (the platform's guide)."""
BARRED_FOR = 30.0
"""Seconds without another attempt after one has failed."""
REFUSED_FOR = 300.0
"""Seconds for which an agent whose topic was refused is not asked for again."""
RESTED = 900.0
"""Seconds without a follower after which an agent's topic may be dropped."""
DROPPED_AT_ONCE = 100
"""The fewest topics that are worth a request to drop them."""
TICK, SWEEP = 1.0, 60.0
"""Seconds between two looks at the channels' silence, and between two at topics that nobody needs."""
GRACE = 2.0
"""Seconds that an event may come after a read that shows the same: reads overtake events."""


class Hub:
    """Listens for agents' calls. All methods belong to one event loop."""

    def __init__(
        self,
        session: Session,
        transport: Transport,
        run: Run,
        changed: Callable[[tuple[str, ...]], None],
        store: Path | None,
    ) -> None:
        self._session, self._transport, self._run, self._changed, self._store = session, transport, run, changed, store
        self._roster = Roster()
        self._lines: list[Line] = []
        self._where: dict[str, Line] = {}
        self._asked: dict[str, list[asyncio.Future[bool]]] = {}
        self._refused: dict[str, float] = {}
        self._barred_until = 0.0
        self._settling: asyncio.Task[None] | None = None
        self._minding: asyncio.Task[None] | None = None
        self._doubts: dict[Line, asyncio.Task[None]] = {}
        self._sweep_at = 0.0

    def hears(self, whom: object, agent_id: str, *, anew: bool = False) -> bool:
        """Do as `listen` does where nothing has to be waited for; else do nothing, and give False."""
        line = self._where.get(agent_id)
        if anew or line is None or not line.open:
            return False
        self._roster.join(whom, agent_id)
        return True

    async def listen(self, whom: object, agent_id: str, *, anew: bool = False) -> bool:
        """Have the agent's calls put on the board until *whom* leaves; give False, soon, if that can't be had now.

        With *anew*, a read showed something about the agent that no event had told.
        """
        self._roster.join(whom, agent_id)
        line = self._where.get(agent_id)
        if line is not None:
            if anew and line.open:
                self._doubt(line, self._judge(line, agent_id, time.monotonic() - GRACE))
            return line.open or await line.back()
        now = time.monotonic()
        if now < self._barred_until or now < self._refused.get(agent_id, 0.0):
            return False
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(agent_id, []).append(answer)
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._settle(), name="ringonce-topics")
        return await answer

    def leave(self, whom: object) -> None:
        """Know that *whom* follows nobody any more. The topics stay for a while: the agents may be called for again."""
        self._roster.leave(whom, time.monotonic())

    async def close(self) -> None:
        """Close the sockets and give the channels back for a later run."""
        tasks = [one for one in (self._settling, self._minding, *self._doubts.values()) if one is not None]
        self._settling = self._minding = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._answer(tuple(self._asked))
        lines, self._lines = self._lines, []
        self._where.clear()
        await asyncio.gather(*(line.close() for line in lines))

    async def _settle(self) -> None:
        """Subscribe to all that was asked for in one turn of the event loop, and to what was asked meanwhile."""
        await asyncio.sleep(0)
        try:
            while self._asked:
                line, spare = self._place(time.monotonic())
                if line is None:
                    return
                batch = tuple(islice(self._asked, line.room + len(spare)))
                try:
                    async with asyncio.timeout(PATIENCE):
                        await self._subscribe(line, batch, spare)
                except FAILURES as why:
                    log.info("no event stream, reading instead: %s", why)
                    self._barred_until = time.monotonic() + BARRED_FOR
                    if line not in self._lines:
                        await line.close()
                    return
                self._answer(batch)
        finally:
            self._answer(tuple(self._asked))

    def _place(self, now: float) -> tuple[Line | None, list[str]]:
        """Give the channel for the next agents, and those of its topics that have to go to make room."""
        roomy = [line for line in self._lines if line.open and line.room]
        if roomy:
            return max(roomy, key=lambda line: line.room), []
        full = len(self._lines) >= MOST_CHANNELS
        for line in self._lines:
            spare = self._roster.idle(line.topics, now if full else now - RESTED) if line.open else []
            if spare:
                return line, spare
        return (None if full else self._new_line()), []

    def _new_line(self) -> Line:
        slot = None
        if self._store is not None:
            # A channel belongs to a user and a client; two agents may well have the same kind of grant.
            user = self._session.users.get("", "")
            slot = take_slot(self._store, f"{self._session.endpoints.api} {self._session.auth.name} {user}".rstrip())
        return Line(
            self._session,
            transport=self._transport,
            run=self._run,
            changed=self._changed,
            interrupted=self._interrupted,
            slot=slot,
        )

    async def _subscribe(self, line: Line, batch: tuple[str, ...], spare: list[str]) -> None:
        if line not in self._lines:
            await line.start(batch)
            self._lines.append(line)
            self._begin_minding()
        else:
            await line.add(batch, instead_of=spare)
            self._drop(line, spare)
        heard = [agent for agent in batch if agent in line.topics]
        self._where.update((agent, line) for agent in heard)
        refused_until = time.monotonic() + REFUSED_FOR
        self._refused.update((agent, refused_until) for agent in batch if agent not in line.topics)
        self._changed(self._session.board.note_gap(heard))

    def _drop(self, line: Line, spare: list[str]) -> None:
        for agent in spare:
            if agent not in line.topics and self._where.get(agent) is line:
                del self._where[agent]
        self._roster.forget(spare)

    def _answer(self, agents: tuple[str, ...]) -> None:
        for agent in agents:
            heard = agent in self._where
            for answer in self._asked.pop(agent, ()):
                if not answer.done():
                    answer.set_result(heard)

    def _interrupted(self, line: Line) -> None:
        """Have everybody who follows an agent on this channel find out what was missed."""
        if line.open:
            self._barred_until = 0.0
        lost = [agent for agent, where in self._where.items() if where is line and agent not in line.topics]
        for agent in lost:
            del self._where[agent]
        followed = [agent for agent in (*line.topics, *lost) if self._roster.followed(agent)]
        unfollowed = [agent for agent in line.topics if not self._roster.followed(agent)]
        board = self._session.board
        self._changed(board.note_gap(followed, apart=policy.apart(len(followed))))
        board.note_gap(unfollowed)

    def _begin_minding(self) -> None:
        if self._minding is None or self._minding.done():
            self._minding = asyncio.create_task(self._mind(), name="ringonce-watchdog")

    async def _mind(self) -> None:
        """Look after the channels: which is mute, which ends soon, and which has topics that nobody needs."""
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            for line in self._lines:
                if line.open:
                    line.mind()
                    self._mind_silence(line, now)
            if now >= self._sweep_at:
                self._sweep_at = now + SWEEP
                await self._sweep(now)

    def _mind_silence(self, line: Line, now: float) -> None:
        match line.silence.step(now, followed=any(map(self._roster.followed, line.topics))):
            case Step.PING:
                line.ping()
            case Step.MUTE:
                line.convict("its ping was not answered")
            case Step.READ:
                self._doubt(line, self._probe(line))

    async def _sweep(self, now: float) -> None:
        for line in self._lines:
            spare = self._roster.idle(line.topics, now - RESTED) if line.open else []
            if len(spare) >= max(DROPPED_AT_ONCE, len(line.topics) / 2):
                with contextlib.suppress(*FAILURES):
                    await line.add((), instead_of=spare)
                    self._drop(line, spare)

    def _doubt(self, line: Line, work: Coroutine[Any, Any, None]) -> None:
        """Look into one doubt about a channel at a time: one is enough to convict it."""
        doubt = self._doubts.get(line)
        if doubt is None or doubt.done():
            self._doubts[line] = asyncio.create_task(work, name="ringonce-watchdog")
        else:
            work.close()

    async def _probe(self, line: Line) -> None:
        """Read one call: of those on a silent channel, the one that was silent for longest, best while it is set up."""
        board = self._session.board
        live = [
            (facts.call().state is State.CONNECTED, heard, agent, facts.conversation_id)
            for agent, heard in line.topics.items()
            if self._roster.followed(agent)
            for facts in board.of_agent(agent)
            if not facts.settled and board.seen_whole(facts.conversation_id)  # else the channel may not be to blame
        ]
        if not live:
            return
        _, _, agent, conversation_id = min(live)
        asked = time.monotonic()
        line.topics[agent] = asked
        try:
            shown = await self._run(read_call(self._session, conversation_id))
        except (RingonceError, Lost):
            return
        before = board.facts(conversation_id).call()
        self._changed(board.take(shown))
        if moved(before, board.facts(conversation_id).call()):
            await self._judge(line, agent, asked)

    async def _judge(self, line: Line, agent: str, asked: float) -> None:
        """Convict the channel if it still says nothing of what a read of the agent's call showed."""
        await asyncio.sleep(GRACE)
        # A channel that is seconds behind is slow, not silent.
        if not await line.caught_up() or not line.open or line.opened_at > asked:
            return
        if line.topics.get(agent, asked + 1) > asked:
            return
        if not line.silence.heard_since(asked):
            line.convict("it said nothing about what a read of a call shows")
            return
        with contextlib.suppress(*FAILURES):
            await line.add([agent])  # others are heard: it is his topic that was lost
            self._changed(self._session.board.note_gap([agent]))
