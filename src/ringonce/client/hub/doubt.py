"""When a channel's silence is asked about, and what about: a decision from moments that are handed in.

A socket can be mute (nothing comes, though it looks open): a ping that is not answered shows it, and costs no
request. A channel can be evicted: its heartbeats and pongs go on and only events stay out, so a call is read.
An event about anybody on the channel shows that all of it works.
"""

import enum

from ringonce.client import policy

QUIET, BUSY_QUIET = 35.0, 10.0
"""Seconds without any frame after which the far side is pinged; the second while a call is followed on the channel.
The far side sends a heartbeat about every 30 s by itself."""
PONG_WITHIN = 10.0
"""Seconds within which a ping has to be answered."""


class Step(enum.Enum):
    """What a channel's silence calls for."""

    NOTHING = "it is not suspicious"
    PING = "ask for a sign of life"
    MUTE = "it is mute: the ping was not answered"
    READ = "read a call, to see whether the events fail to come"


class Silence:
    """When a channel was last heard, and whether anybody expects to hear it."""

    __slots__ = ("_event", "_expected", "_frame", "_pinged", "_quiet", "_read")

    def __init__(self, now: float) -> None:
        self._frame = self._event = self._expected = self._read = now
        self._pinged: float | None = None
        self._quiet = 0

    def frame(self, now: float) -> None:
        """Know that something came."""
        self._frame, self._pinged = now, None

    def event(self, now: float) -> None:
        """Know that an event about a call came."""
        self._frame = self._event = now
        self._pinged, self._quiet = None, 0

    def heard_since(self, then: float) -> bool:
        """Say whether an event came after *then*."""
        return self._event > then

    def step(self, now: float, *, followed: bool) -> Step:
        """Say what to do now; what is said is taken as done. *followed* says whether anybody follows a call on it."""
        if not followed:
            self._expected, self._quiet = now, 0
        if self._pinged is not None:
            return Step.MUTE if now >= self._pinged + PONG_WITHIN else Step.NOTHING
        since = max(self._frame, self._expected)
        if now >= since + BUSY_QUIET or now >= self._frame + QUIET:
            self._pinged = now
            return Step.PING
        if now >= max(self._event, self._expected, self._read) + policy.doubting_pause(self._quiet):
            self._read, self._quiet = now, self._quiet + 1
            return Step.READ
        return Step.NOTHING
