"""Whether an attempt that came to nothing is followed by another, and when."""

import math

from ringonce.errors import InvalidInput
from ringonce.models import Outcome
from ringonce.service.calls import Record, Retry

MAY_BE = frozenset(
    {Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL, Outcome.AGENT_UNREACHABLE, Outcome.ABANDONED, Outcome.FAILED}
)
"""Outcomes that may be tried again. A person who answered or declined has been reached; unknown may have been."""
MOST = 10
SHORTEST_GAP = 60.0


def checked(retry: Retry) -> Retry:
    """Give the rules as they are. Raise `InvalidInput` where they would ring somebody who must not be rung again."""
    foreign = sorted(set(retry.outcomes) - MAY_BE)
    if foreign:
        raise InvalidInput(
            f"After {', '.join(foreign)} there is no second attempt",
            why="whoever answered or declined was reached, and unknown may have been",
            fix=f"give some of {', '.join(sorted(MAY_BE))}",
        )
    if not 1 <= retry.attempts <= MOST:
        raise InvalidInput(f"{retry.attempts} attempts can't be made", why=f"1 to {MOST} can", fix="give such a number")
    if not SHORTEST_GAP <= retry.gap < math.inf:
        raise InvalidInput(
            f"A gap of {retry.gap:g} s can't be kept", why=f"it is {SHORTEST_GAP:g} s or more", fix="give a longer one"
        )
    return retry


def again_at(record: Record, outcome: str, ended_at: float) -> float | None:
    """Give the moment from which the call may be tried again; None if it may not."""
    retry = record.ask.retry
    if outcome not in MAY_BE or outcome not in retry.outcomes or record.attempt >= retry.attempts:
        return None
    due = ended_at + retry.gap
    return due if record.expires_at is None or due < record.expires_at else None
