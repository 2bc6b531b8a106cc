"""Following a call to its end: by events, repaired by reads wherever events may be missing.

A read is made when the call's beginning was not watched, when the agent's events were interrupted and none has come
since (each is a full picture), when nothing is said of the call for long, and all along where there is no stream.
Every wait has an end.
"""

import math
from collections.abc import Callable

from ringonce.client import policy
from ringonce.client.flows.bounding import listen, within
from ringonce.client.flows.exchange import PATIENCE
from ringonce.client.flows.reading import calls_of, read_call
from ringonce.client.flows.session import Session
from ringonce.client.fold import Facts
from ringonce.client.snapshots import Snapshot
from ringonce.client.wishes import Flow, Hear, Now, Tell
from ringonce.errors import (
    ConfigError,
    InvalidInput,
    NoAnswer,
    NotFound,
    RateLimited,
    Refused,
    RingonceError,
    StillGoing,
    Unreachable,
)
from ringonce.models import Call

GONE_FOR, AWAY_FOR = 10.0, 120.0
"""Seconds for which a call is followed though the platform says that there is none, or says nothing at all."""
LAST_WORDS = 1.0
"""Seconds for which an ended call is still heard: the platform corrects its reasons within moments of the end."""
OTHERS_READ = 1.0
"""Seconds for which what another follower of the same call is reading is waited for."""
RELISTEN_EVERY = 10
"""Reads without an event stream after which one is asked for again."""
RECENT = 86_400.0
"""Seconds back from which an agent's live calls are looked for."""


def follow(
    session: Session,
    conversation_id: str,
    *,
    agent_id: str = "",
    timeout: float | None = None,
    enough: Callable[[Call], bool] = lambda call: call.ended,
) -> Flow[Call]:
    """Tell each new truth about the call and give the first that is *enough*.

    Raise `StillGoing` after *timeout* seconds or if reading a call that goes on is refused, `NotFound` if the platform
    knows no such call.
    """
    _check_time(timeout)
    began: float = yield Now()
    deadline = math.inf if timeout is None else began + timeout
    with session.board.followed(conversation_id):
        watch = _Watch(session, conversation_id, agent_id, began, deadline)
        yield from watch.listen()
        told: Call | None = None
        while True:
            now: float = yield Now()
            # Whoever is told may take his time, and the call goes on meanwhile.
            seen, call = watch.count, watch.facts.call()
            if watch.known and (not call.ended or watch.final(now)):
                if call != told:
                    told = call
                    yield Tell(call)
                if enough(call) or call.ended:
                    return call
            if now >= deadline:
                raise watch.still_going(timeout or 0.0)
            yield from watch.go_on(now, seen)


def _check_time(timeout: object) -> None:
    if timeout is None or (isinstance(timeout, (int, float)) and timeout >= 0):
        return
    raise InvalidInput(
        f"One can't follow a call for {timeout!r}",
        why="that is no time",
        fix="give timeout a number of seconds, or None to follow to the end",
    )


class _Watch:
    """One follower's knowledge of what it may have missed."""

    __slots__ = (
        "agent_id", "board", "conversation_id", "deadline", "ended_at", "failing_since", "failure", "gaps", "listening",
        "quiet", "read_from", "reads", "session", "since",
    )  # fmt: skip

    def __init__(self, session: Session, conversation_id: str, agent_id: str, now: float, deadline: float) -> None:
        self.deadline = deadline
        self.session, self.conversation_id, self.agent_id = session, conversation_id, agent_id
        self.board = session.board
        self.listening = False
        self.reads = self.quiet = 0
        self.since = now
        self.ended_at: float | None = None
        self.failure: RingonceError | None = None
        """Why the call can't be read, since `failing_since`."""
        self.failing_since = now
        # Missed nothing so far only if the agent's events have flowed since before the call began.
        self.gaps = self.board.gaps_of(agent_id)
        self.read_from: float | None = None if self.board.seen_whole(conversation_id) else now
        """When to read what may have been missed, unless an event tells it before."""

    @property
    def facts(self) -> Facts:
        return self.board.facts(self.conversation_id)

    @property
    def count(self) -> int:
        return self.board.count(self.conversation_id)

    @property
    def known(self) -> bool:
        return bool(self.facts.legs or self.facts.statuses)

    def final(self, now: float) -> bool:
        """Say whether an ended call's reasons are past correction."""
        if self.ended_at is None:
            self.ended_at = now
        return self.facts.settled or now >= self.ended_at + LAST_WORDS

    def listen(self, *, anew: bool = False) -> Flow[None]:
        self.listening = bool(self.agent_id) and (yield from listen(self.agent_id, self.deadline, anew=anew))

    def due(self) -> float:
        """Give the moment of the next read, if nothing is heard until then."""
        if self.ended_at is not None:
            return self.ended_at + LAST_WORDS
        if self.failure is not None:
            wait = GONE_FOR if isinstance(self.failure, NotFound) and self.known else policy.polling_pause(self.reads)
            return self.since + wait
        if not self.listening:
            return max(self.since + (policy.polling_pause(self.reads) if self.reads else 0.0), self.read_from or 0.0)
        if self.read_from is not None:
            return self.read_from
        return self.since + policy.listening_pause(self.facts.call().state if self.known else None, self.quiet)

    def go_on(self, now: float, seen: int) -> Flow[None]:
        """Wait for something that is newer than the count *seen*, or read once that is due."""
        self.note_gap(now)
        if self.read_from is not None and self.board.seen_whole(self.conversation_id):
            self.read_from = None  # somebody else has read it
        due = self.due()
        silent = due > now
        if silent:
            yield Hear(self.conversation_id, seen, min(due, self.deadline) - now)
            now = yield Now()
            if self.count != seen:
                self.since, self.quiet = now, 0
                if self.gaps == self.board.gaps_of(self.agent_id):
                    self.vouch()  # an event after the gap: it shows the whole call
                return
            if now < due:
                if self.note_gap(now):
                    yield from self.listen()  # it may be down and not come back, or be there again
                return
            if self.ended_at is not None:
                return
        if self.conversation_id in self.board.being_read:
            yield Hear(self.conversation_id, seen, min(OTHERS_READ, max(self.deadline - now, 0.0)))
            self.since, self.reads = (yield Now()), self.reads + 1
            return
        self.board.being_read.add(self.conversation_id)
        try:
            yield from self._read(silent=silent)
        finally:
            self.board.being_read.discard(self.conversation_id)

    def note_gap(self, now: float) -> bool:
        """Say whether the agent's events were interrupted since this was last asked; the call is read in its turn."""
        gaps = self.board.gaps_of(self.agent_id)
        if gaps == self.gaps:
            return False
        self.gaps, self.read_from = gaps, now + self.board.turn_of(self.agent_id)
        return True

    def vouch(self) -> None:
        """Know, for all who follow the call, that nothing of it is missing."""
        self.read_from = None
        if self.listening:
            self.board.vouch(self.conversation_id, self.agent_id, self.gaps)

    def _read(self, *, silent: bool) -> Flow[None]:
        before, gaps = self.facts.call(), self.board.gaps_of(self.agent_id)
        silent = silent and self.read_from is None and self.listening
        self.reads += 1
        self.quiet += 1
        try:
            self.board.take((yield from self._read_call()))
        except (NoAnswer, NotFound, RateLimited, Unreachable) as failure:
            # What can't be read now is read later, but not for ever, nor if nothing says that there is such a call.
            now: float = yield Now()
            self.failing_since = now if self.failure is None else self.failing_since
            self.failure = failure
            self._judge(failure, now)
        except (Refused, ConfigError) as failure:
            # A login that ended, above all: the call goes on without us, and a refusal would say that nothing rang.
            if not (self.known or self.agent_id):
                raise
            raise _out_of_sight(self.facts.call(), self.conversation_id, failure) from failure
        else:
            self.failure = None
            if gaps == self.gaps:
                self.vouch()
        self.since = yield Now()
        leg = self.facts.agent_leg
        if not self.agent_id and leg is not None:
            self.agent_id = leg.user_id
            yield from self.listen()
            # What came between the read and the subscription was not seen.
            self.gaps, self.read_from = self.board.gaps_of(self.agent_id), self.since
        elif silent and moved(before, self.facts.call()):
            # The stream was open and said nothing about what the read has just shown: it may be mute.
            yield from self.listen(anew=True)
        elif not self.listening and self.reads % RELISTEN_EVERY == 0:
            yield from self.listen()
            self.read_from = self.since

    def _read_call(self) -> Flow[Snapshot]:
        now: float = yield Now()
        if self.deadline == math.inf:
            return (yield from read_call(self.session, self.conversation_id))
        by = min(self.deadline, now + PATIENCE)
        return (yield from within(read_call(self.session, self.conversation_id, deadline=by), self.deadline))

    def _judge(self, failure: RingonceError, now: float) -> None:
        """Raise where a read that failed ends the following: nothing says that there is such a call, or for long."""
        gone = isinstance(failure, NotFound)
        if not (gone or self.known or self.agent_id) and (
            (isinstance(failure, RateLimited) and self.deadline < math.inf) or now + policy.SLOWEST >= self.deadline
        ):
            raise self.still_going(0.0)
        # That somebody has placed it says that there is such a call; at the deadline it is told that it goes on.
        there = self.known or (not gone and self.agent_id and self.deadline < math.inf)
        if not there or now >= self.failing_since + (GONE_FOR if gone else AWAY_FOR):
            raise _of_the_call(self.conversation_id, failure) from failure.__cause__

    def still_going(self, timeout: float) -> StillGoing:
        """Say that the following has ended before the call."""
        call, conversation_id, failure = self.facts.call(), self.conversation_id, self.failure
        if failure is None:
            return StillGoing(
                f"Call {conversation_id} is still {call.state} after {timeout:g} s",
                why="the wait ended, not the call",
                fix="wait longer, or hang it up",
                call=call,
            )
        seen = f"was {call.state} when it was last seen, and could not be read since"
        return StillGoing(
            f"Call {conversation_id} {seen if self.known else 'may go on, and could not be read in time'}",
            why=failure.why or failure.what,
            fix="read it again once the platform answers",
            call=call,
        )


def moved(before: Call, after: Call) -> bool:
    """Say whether something happened that an event should have told; a read shows more than events do."""

    def shown(call: Call) -> object:
        return call.state, call.held, call.muted, [(leg.id, leg.state) for leg in call.participants]

    return shown(before) != shown(after)


def get_call(session: Session, conversation_id: str) -> Flow[Call]:
    """Read a call's truth now. What was seen of it before stays part of it."""
    snapshot = yield from read_call(session, conversation_id)
    session.board.take(snapshot)
    return session.board.facts(conversation_id).call()


def active_calls(session: Session, agent_id: str) -> Flow[tuple[Call, ...]]:
    """Give an agent's calls that have not ended."""
    now: float = yield Now()
    for snapshot in (yield from calls_of(session, agent_id, now - RECENT)):
        session.board.take(snapshot)
    calls = [facts.call() for facts in session.board.of_agent(agent_id) if facts.legs]
    return tuple(call for call in calls if not call.ended)


def _of_the_call(conversation_id: str, failure: RingonceError) -> RingonceError:
    """Give a read's failure in words about the call: that nothing was sent is true of the read alone."""
    if isinstance(failure, RateLimited):
        return RateLimited(
            f"Call {conversation_id} can't be followed: the quota of requests is spent",
            why=failure.why,
            fix=failure.fix,
            retry_after=failure.retry_after,
            status=failure.status,
            code=failure.code,
            correlation_id=failure.correlation_id,
        )
    if not isinstance(failure, Unreachable):
        return failure
    return Unreachable(
        f"Call {conversation_id} can't be followed: the platform cannot be reached to read it",
        why=failure.why,
        fix="whatever became of the call, it went on without us: check the network, then look again "
        f"(ringonce watch {conversation_id})",
    )


def _out_of_sight(call: Call, conversation_id: str, failure: RingonceError) -> StillGoing:
    return StillGoing(
        f"Call {conversation_id} was {call.state} when it was last seen, and can't be followed any more",
        why=str(failure),
        fix="the call goes on: put that right, then look again (ringonce watch "
        f"{conversation_id}) or hang it up (ringonce hangup {conversation_id})",
        call=call,
        followable=False,
    )
