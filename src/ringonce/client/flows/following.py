"""Following a call to its end: by events, repaired by reads wherever events may be missing.

A read is made when the call's beginning was not watched, when the stream was opened again (what happened in between
was not seen), when a stream says nothing for long (a socket can stay open and mute), and all along where there is
no stream. Every wait has an end.
"""

import math
from collections.abc import Callable

from ringonce.client import policy
from ringonce.client.flows.reading import calls_of, read_call
from ringonce.client.flows.session import Session
from ringonce.client.fold import Facts
from ringonce.client.wishes import Flow, Hear, Listen, Now, Tell
from ringonce.errors import (
    ConfigError,
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
    began: float = yield Now()
    deadline = math.inf if timeout is None else began + timeout
    watch = _Watch(session, conversation_id, agent_id, began)
    yield from watch.listen()
    told: Call | None = None
    while True:
        now: float = yield Now()
        call = watch.facts.call()
        if watch.known and (not call.ended or watch.final(now)):
            if call != told:
                told = call
                yield Tell(call)
            if enough(call) or call.ended:
                return call
        if now >= deadline:
            raise _still_going(call, conversation_id, timeout or 0.0, watch.failure)
        yield from watch.go_on(now, deadline)


class _Watch:
    """One follower's knowledge of what it may have missed."""

    def __init__(self, session: Session, conversation_id: str, agent_id: str, now: float) -> None:
        self.session, self.conversation_id, self.agent_id = session, conversation_id, agent_id
        self.board = session.board
        self.listening = False
        self.reads = self.quiet = 0
        self.since = now
        self.ended_at: float | None = None
        self.failure: RingonceError | None = None
        """Why the call can't be read, since `failing_since`."""
        self.failing_since = now
        # Missed nothing so far only if the stream was open before the call began, and still is.
        self.gaps = self.board.gaps if self.board.seen_whole(conversation_id) else -1

    @property
    def facts(self) -> Facts:
        return self.board.facts(self.conversation_id)

    @property
    def known(self) -> bool:
        return bool(self.facts.legs or self.facts.statuses)

    def final(self, now: float) -> bool:
        """Say whether an ended call's reasons are past correction."""
        if self.ended_at is None:
            self.ended_at = now
        return self.facts.settled or now >= self.ended_at + LAST_WORDS

    def listen(self, *, anew: bool = False) -> Flow[None]:
        self.listening = bool(self.agent_id) and (yield Listen(self.agent_id, anew=anew))

    def due(self) -> float:
        """Give the moment of the next read, if nothing is heard until then."""
        if self.ended_at is not None:
            return self.ended_at + LAST_WORDS
        if self.listening and self.failure is None:
            missed = self.gaps != self.board.gaps
            return self.since + (0.0 if missed else policy.listening_pause(self.quiet))
        return self.since + (policy.polling_pause(self.reads) if self.reads else 0.0)

    def go_on(self, now: float, deadline: float) -> Flow[None]:
        """Wait for something new, or read once that is due."""
        due, seen = self.due(), self.board.count(self.conversation_id)
        if due > now:
            yield Hear(self.conversation_id, seen, min(due, deadline) - now)
            if self.board.count(self.conversation_id) != seen:
                self.since, self.quiet = (yield Now()), 0
                return
            if (yield Now()) < due or self.ended_at is not None:
                return
        yield from self._read(silent=due > now)

    def _read(self, *, silent: bool) -> Flow[None]:
        before, missed = self.board.count(self.conversation_id), self.gaps != self.board.gaps
        self.gaps = self.board.gaps
        self.reads += 1
        self.quiet += 1
        try:
            self.board.take((yield from read_call(self.session, self.conversation_id)))
        except (NoAnswer, NotFound, RateLimited, Unreachable) as failure:
            # What can't be read now is read later, but not for ever, nor if nothing says that there is such a call.
            now: float = yield Now()
            self.failing_since = now if self.failure is None else self.failing_since
            self.failure = failure
            if not self.known or now > self.failing_since + (GONE_FOR if isinstance(failure, NotFound) else AWAY_FOR):
                raise
        except (Refused, ConfigError) as failure:
            # A login that ended, above all: the call goes on without us, and a refusal would say that nothing rang.
            if not (self.known or self.agent_id):
                raise
            raise _out_of_sight(self.facts.call(), self.conversation_id, failure) from failure
        else:
            self.failure = None
        self.since = yield Now()
        changed = self.board.count(self.conversation_id) != before
        leg = self.facts.agent_leg
        if not self.agent_id and leg is not None:
            self.agent_id = leg.user_id
            yield from self.listen()
            self.gaps = -1  # what came between the read and the subscription was not seen
        elif silent and changed and self.listening:
            # The stream was open and said nothing about what the read has just shown: it is mute.
            yield from self.listen(anew=True)
        elif missed and self.listening:
            yield from self.listen()  # it may be down, and not come back
        elif not self.listening and self.reads % RELISTEN_EVERY == 0:
            yield from self.listen()
            self.gaps = -1


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


def _out_of_sight(call: Call, conversation_id: str, failure: RingonceError) -> StillGoing:
    return StillGoing(
        f"Call {conversation_id} was {call.state} when it was last seen, and can't be followed any more",
        why=str(failure),
        fix="the call goes on: put that right, then look again (ringonce watch "
        f"{conversation_id}) or hang it up (ringonce hangup {conversation_id})",
        call=call,
        followable=False,
    )


def _still_going(call: Call, conversation_id: str, timeout: float, failure: RingonceError | None) -> StillGoing:
    if failure is not None:
        return StillGoing(
            f"Call {conversation_id} was {call.state} when it was last seen, and could not be read since",
            why=str(failure),
            fix="read it again once the platform answers",
            call=call,
        )
    return StillGoing(
        f"Call {conversation_id} is still {call.state} after {timeout:g} s",
        why="the wait ended, not the call",
        fix="wait longer, or hang it up",
        call=call,
    )
