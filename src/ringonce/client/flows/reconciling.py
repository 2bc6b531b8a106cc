"""Looking for a call whose answer was lost.

Evidence, best first: the stamp in the call's attributes; the dialled number on a call of the agent that was not
there before; the agent's only new call, if it ended before anything was dialled. The platform puts attributes on
the far end's participant, which appears only once the agent's station answered, so a new call without a far end
is waited for.
"""

import dataclasses
import math
from datetime import UTC, datetime, timedelta

from ringonce.client import policy
from ringonce.client.board import Board
from ringonce.client.flows.bounding import within
from ringonce.client.flows.reading import DAY, calls_of
from ringonce.client.flows.session import Session
from ringonce.client.policy import SKEW
from ringonce.client.wishes import Flow, Hear, Lane, Now, Rivals
from ringonce.errors import LedgerError, RingonceError
from ringonce.ledger import OPEN, Row

STATION_PATIENCE = 75.0
"""Seconds that a new call may stay without a far end: the platform gives a silent station up after about 60."""
RIVAL_WINDOW = 300.0
"""Seconds before an intent from which another one's call could be taken for its own."""
LATEST = 600.0
"""Seconds after an intent's deadline in which a call of it may begin: later ones are not looked through."""
SWEEPS_APART = 5.0
"""Seconds between two reads while the event stream is open."""

MOMENT = 0.001
"""Seconds that are not worth a wait: the difference of two readings of a clock is no exact number."""


@dataclasses.dataclass(slots=True)
class Lookout:
    """What to look for, and what was there before the create left."""

    row: Row
    to: str
    listening: bool
    before: int = 0
    """The board's newest number before: none of the calls up to it is the one to come."""
    gaps: int = -1
    """How often the agent's events may have been missed before."""

    def remember(self, board: Board) -> None:
        """Note the agent's calls that are known already: none of them is the one to come."""
        self.gaps = board.gaps_of(self.row.agent_id)
        self.before = board.newest


def look_for(session: Session, lookout: Lookout) -> Flow[tuple[str, str] | None]:
    """Watch and read for as long as the call may still show; give its conversation id and how it was recognised."""
    board, agent_id = session.board, lookout.row.agent_id
    # What was really waited for is counted, step by step: the clock may be set back or forward meanwhile.
    waited, next_sweep, sweeps = 0.0, 0.0, 0
    now: float = yield Now()
    while True:
        if waited > next_sweep - MOMENT:
            yield from _sweep(session, lookout)
            before, now = now, (yield Now())
            waited += max(now - before, 0.0)
            sweeps += 1
            next_sweep = waited + (SWEEPS_APART if lookout.listening else policy.polling_pause(sweeps))
        seen = board.count(agent_id)
        found, awaited = yield from recognise(board, lookout)
        if found:
            return found
        window = max(STATION_PATIENCE, session.settle) if awaited else session.settle
        if waited > window - MOMENT:
            return None
        step = min(next_sweep, window) - waited
        yield Hear(agent_id, seen, step)
        before, now = now, (yield Now())
        waited += min(max(now - before, 0.0), step)


def look_once(session: Session, lookout: Lookout, deadline: float = math.inf) -> Flow[tuple[str, str] | None]:
    """Read once, until *deadline* at most, and give the call if it is there now."""
    sweep = _sweep(session, lookout)
    yield from sweep if deadline == math.inf else within(sweep, deadline)
    return (yield from recognise(session.board, lookout))[0]


def recognise(board: Board, lookout: Lookout) -> Flow[tuple[tuple[str, str] | None, bool]]:
    """Give the call if one is certain, and whether one is there that may yet turn out to be it."""
    row = lookout.row
    new = [
        facts
        for facts in board.of_agent(row.agent_id, after=lookout.before)
        if not board.claimed(facts.conversation_id)
    ]
    if not new:
        return None, False
    for facts in new:
        if facts.stamp == row.intent:
            return (facts.conversation_id, "it carries the intent's stamp"), False
    earliest = datetime.fromtimestamp(row.armed_at, UTC) - timedelta(seconds=SKEW)
    timely = [facts for facts in new if not facts.stamp and (facts.call().started_at or earliest) >= earliest]
    if not timely:
        return None, False
    # Without a stamp, a call may just as well be that of another intent of the same agent.
    try:
        rivals: list[Row] = yield Rivals(row, row.armed_at - RIVAL_WINDOW)
    except LedgerError:
        return None, True  # whose it is can't be told now
    theirs = {rival.conversation_id for rival in rivals}
    timely = [facts for facts in timely if facts.conversation_id not in theirs]
    alone = not any(rival.state in OPEN for rival in rivals)
    faceless = [facts for facts in timely if not facts.far_legs]
    if alone:
        for facts in timely:
            if facts.call().to == lookout.to:
                return (facts.conversation_id, "a new call of the agent to the same number"), False
        if len(faceless) == 1 and faceless[0].call().ended:
            return (
                faceless[0].conversation_id,
                "the agent's only new call; it ended before anything was dialled",
            ), False
    return None, any(not facts.call().ended for facts in faceless)


def _sweep(session: Session, lookout: Lookout) -> Flow[None]:
    """Put on the board what reads show of the agent's calls. A read that fails is no evidence, and no error."""
    try:
        # Behind creates without end, a read would come too late for the settle window.
        now: float = yield Now()
        # A row from the future was armed before the clock was set back; when that was can't be told.
        row = lookout.row
        since = row.armed_at if row.armed_at <= now + SKEW else now - DAY
        # At first it is among the newest, whatever the platform's clock says; later the agent's other calls hide it.
        until = row.deadline + LATEST if row.deadline + LATEST < now else None
        shown = yield from calls_of(session, row.agent_id, since, Lane.URGENT, until=until)
    except RingonceError:
        return
    for snapshot in shown:
        session.board.take(snapshot, lookout.row.agent_id)
