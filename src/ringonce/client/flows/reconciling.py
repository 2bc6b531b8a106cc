"""Looking for a call whose answer was lost.

Evidence, best first: the stamp in the call's attributes; the dialled number on a call of the agent that was not
there before; the agent's only new call, if it ended before anything was dialled. The platform puts attributes on
the far end's participant, which appears only once the agent's station answered, so a new call without a far end
is waited for.
"""

import dataclasses
from datetime import UTC, datetime, timedelta

from ringonce.client import policy
from ringonce.client.board import Board
from ringonce.client.flows.reading import SKEW, calls_of
from ringonce.client.flows.session import Session
from ringonce.client.wishes import Flow, Hear, Now
from ringonce.errors import RingonceError

STATION_PATIENCE = 75.0
"""Seconds that a new call may stay without a far end: the platform gives a silent station up after about 60."""
SWEEPS_APART = 5.0
"""Seconds between two reads while the event stream is open."""


@dataclasses.dataclass(slots=True)
class Lookout:
    """What to look for, and what was there before the create left."""

    agent_id: str
    to: str
    intent: str
    listening: bool
    before: frozenset[str] = frozenset()

    def remember(self, board: Board) -> None:
        """Note the agent's calls that are known already: none of them is the one to come."""
        self.before = frozenset(facts.conversation_id for facts in board.of_agent(self.agent_id))


def look_for(session: Session, lookout: Lookout, armed_at: float) -> Flow[tuple[str, str] | None]:
    """Watch and read for as long as the call may still show; give its conversation id and how it was recognised."""
    board = session.board
    start: float = yield Now()
    sweeps, next_sweep = 0, start
    while True:
        now: float = yield Now()
        if now >= next_sweep:
            yield from _sweep(session, lookout, armed_at)
            sweeps += 1
            next_sweep = (yield Now()) + (SWEEPS_APART if lookout.listening else policy.polling_pause(sweeps))
        seen = board.count(lookout.agent_id)
        found, awaited = recognise(board, lookout, armed_at)
        if found:
            return found
        end = start + (max(STATION_PATIENCE, session.settle) if awaited else session.settle)
        now = yield Now()
        if now >= end:
            return None
        yield Hear(lookout.agent_id, seen, min(next_sweep, end) - now)


def look_once(session: Session, lookout: Lookout, armed_at: float) -> Flow[tuple[str, str] | None]:
    """Read once, and give the call if it is there now."""
    yield from _sweep(session, lookout, armed_at)
    return recognise(session.board, lookout, armed_at)[0]


def recognise(board: Board, lookout: Lookout, armed_at: float) -> tuple[tuple[str, str] | None, bool]:
    """Give the call if one is certain, and whether one is there that may yet turn out to be it."""
    new = [
        facts
        for facts in board.of_agent(lookout.agent_id)
        if facts.conversation_id not in lookout.before and not board.claimed(facts.conversation_id)
    ]
    for facts in new:
        if facts.stamp == lookout.intent:
            return (facts.conversation_id, "it carries the intent's stamp"), False
    earliest = datetime.fromtimestamp(armed_at, UTC) - timedelta(seconds=SKEW)
    timely = [facts for facts in new if not facts.stamp and (facts.call().started_at or earliest) >= earliest]
    for facts in timely:
        if facts.call().to == lookout.to:
            return (facts.conversation_id, "a new call of the agent to the same number"), False
    faceless = [facts for facts in timely if not facts.far_legs]
    if len(faceless) == 1 and faceless[0].call().ended:
        return (faceless[0].conversation_id, "the agent's only new call; it ended before anything was dialled"), False
    return None, any(not facts.call().ended for facts in faceless)


def _sweep(session: Session, lookout: Lookout, armed_at: float) -> Flow[None]:
    """Put on the board what reads show of the agent's calls. A read that fails is no evidence, and no error."""
    try:
        shown = yield from calls_of(session, lookout.agent_id, armed_at)
    except RingonceError:
        return
    for snapshot in shown:
        session.board.take(snapshot, lookout.agent_id)
