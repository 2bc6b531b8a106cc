"""Spending a token's quota of requests: what a meter means, and who may send next. Pure; the clock is handed in.

The platform allows a token so many requests (300) in a window (a minute), and each answer tells how many are spent and
when the window ends. Most of a window may be spent at once; the rest is spread over it, so that what is urgent waits
for a second rather than for a minute. Nothing is sent on a guess: where nothing is known, and whenever a window is
over, a single request goes ahead and the others wait for what its answer tells.
"""

import dataclasses
import math

import msgspec

from ringonce.client import policy
from ringonce.client.wishes import Lane, Response
from ringonce.ledger import Meter

WINDOW = 60.0
"""Seconds of a window (the platform's limits are named `…rate.per.minute`)."""
GUARD = 2.0
"""Seconds before the end of a window in which nothing needs to be sent: what left then may count for the next."""
GRAIN = 1.0
"""Seconds by which a number of whole seconds may be off, whichever way it was rounded."""
AT_ONCE = {Lane.URGENT: 0.8, Lane.DIAL: 0.75, Lane.READ: 0.5}
"""Shares of a window that may be spent as fast as asked for: reads leave room for creates, and those for a hang-up."""
DIALS_A_READ = 9
"""While creates wait, one request in ten is a read: neither keeps the other waiting for ever."""
SAVED = 30
"""One in so many requests of a window may be reads in a row, if enough creates went before them."""
LEASE = 40
"""One in so many requests of a window is taken from the store in advance, so that most cost no file access."""
IDLE = 1.0
"""Seconds after which what was taken in advance goes back."""
PROBE = 1.0
"""Seconds for the answer to a request that went ahead, before twice as many follow."""
BEAT, GRACE, POLL = 5.0, 0.25, 0.05
"""Seconds between two looks at the store: at the most; later than that, nobody waits there; while others probe."""
YIELD = 0.02
"""Seconds by which a process that has just had a turn asks later for the next one than those that have not."""
SET_BACK = 5.0
"""Seconds by which a meter may be ahead of the clock; one that is further ahead is from before the clock was set."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What answers told about a window; several of one window are merged into one."""

    sent_at: float
    """When the (latest) request left."""
    allowed: int = 0
    """0: the platform accepts requests and tells no quota, or (with *shut_until*) it refuses and tells none."""
    count: int = 0
    ends_after: float = 0.0
    ends_by: float = math.inf
    """The window ends between the two."""
    shut_until: float = 0.0

    def and_then(self, later: "Heard") -> "Heard":
        """Give both in one."""
        shut = max(self.shut_until, later.shut_until)
        if not later.allowed or not self.allowed or later.ends_after > self.ends_by:
            return msgspec.structs.replace(later if later.allowed or not self.allowed else self, shut_until=shut)
        return Heard(
            sent_at=max(self.sent_at, later.sent_at),
            allowed=later.allowed,
            count=max(self.count, later.count),
            ends_after=max(self.ends_after, later.ends_after),
            ends_by=min(self.ends_by, later.ends_by),
            shut_until=shut,
        )


def heard(response: Response, sent_at: float, now: float, *, refused: bool = False) -> Heard | None:
    """Read what an answer tells of the quota; None if it tells nothing. *refused*: it says that the quota is spent."""
    headers = response.headers
    count = allowed = reset = 0
    try:
        count = int(headers["inin-ratelimit-count"])
        allowed = int(headers["inin-ratelimit-allowed"])
        reset = int(headers["inin-ratelimit-reset"])
    except (KeyError, ValueError):
        told = False
    else:
        told = allowed > 0 and count >= 0 and 0 <= reset <= 2 * WINDOW
    shut = 0.0
    if refused and (not told or count >= allowed):
        # A wait of hours is for a limit of another kind; one request a minute finds out whether it still holds.
        shut = now + min(max(policy.retry_after(headers) or 0.0, policy.QUICKEST), WINDOW)
    if told:
        return Heard(
            sent_at=sent_at,
            allowed=allowed,
            count=count,
            ends_after=sent_at + reset - GRAIN,
            ends_by=now + reset + GRAIN,
            shut_until=shut,
        )
    return Heard(sent_at=sent_at, shut_until=shut) if shut or response.ok else None


def current(meter: Meter, now: float) -> Meter:
    """Give the meter as of *now*: with its window over, it is about the next one, of which nothing is known yet."""
    if meter.began > now + SET_BACK:
        return Meter()
    if meter.known and (not meter.allowed or now < meter.ends):
        return meter
    if meter.known:
        return msgspec.structs.replace(
            meter, known=False, taken=0, reads=0, began=now, ends=now + WINDOW, probes=0, probe_until=0.0
        )
    return msgspec.structs.replace(meter, ends=now + WINDOW)


def beside_the_point(meter: Meter, news: Heard) -> bool:
    """Say whether a refusal that tells no quota is not about this one, which is known to have room."""
    return news.shut_until > 0 and not news.allowed and meter.known and meter.taken < meter.allowed


def learn(meter: Meter, news: Heard) -> Meter:
    """Take in what answers told."""
    replace = msgspec.structs.replace
    if beside_the_point(meter, news):
        return meter
    if news.shut_until > meter.shut_until:
        meter = replace(meter, shut_until=news.shut_until)
        if not meter.allowed:
            meter = replace(meter, known=False, probes=0, probe_until=0.0)
    if news.sent_at < meter.began and news.ends_after <= meter.ends:
        return meter  # about a window that is over
    if not news.allowed:
        return meter if meter.known or news.shut_until else replace(meter, known=True, allowed=0, began=news.sent_at)
    told = {"allowed": news.allowed, "known": True}
    if not meter.known or not meter.allowed:
        return replace(meter, **told, ends=news.ends_by, taken=max(meter.taken, news.count))
    if news.ends_after > meter.ends:
        return replace(meter, **told, began=news.sent_at, ends=news.ends_by, taken=news.count, reads=0)
    return replace(meter, **told, ends=min(meter.ends, news.ends_by), taken=max(meter.taken, news.count))


def room(meter: Meter, now: float, lane: Lane) -> int:
    """Say how many requests of a known window may leave by *now*, with those that have left; of reads, how many reads.

    Reads are held to their own share, and to what creates may take: so creates that went before cost them no more.
    """
    at_once = _at_once(meter.allowed, lane)
    spread = (meter.allowed - at_once) * (now - meter.ends + WINDOW) / (WINDOW - GUARD)
    return min(meter.allowed, at_once + max(0, int(spread + 1e-6)))


def free_at(meter: Meter, now: float, nth: int, lane: Lane = Lane.DIAL) -> float:
    """Say when the *nth* request from now can leave at the earliest, if nobody else takes any."""
    if meter.allowed <= 0:
        return max(now, meter.shut_until)
    of_all = _moment(meter, meter.taken + nth, Lane.DIAL if lane is Lane.READ else lane)
    of_reads = _moment(meter, meter.reads + nth, lane) if lane is Lane.READ else 0.0
    return max(now, meter.shut_until, of_all, of_reads)


def _moment(meter: Meter, number: int, lane: Lane) -> float:
    """Say when the request of this number in the window leaves; beyond the window's last, in the ones that follow."""
    windows, rest = divmod(max(number - 1, 0), meter.allowed)
    at_once = _at_once(meter.allowed, lane)
    spread = max(0, rest + 1 - at_once) / max(1, meter.allowed - at_once) * (WINDOW - GUARD)
    return meter.ends + WINDOW * (windows - 1) + spread if windows or spread else 0.0


def _at_once(allowed: int, lane: Lane) -> int:
    return max(1, int(allowed * AT_ONCE[lane]))


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What a process brings to the store, and what it wants from there."""

    waiting: tuple[int, int, int] = (0, 0, 0)
    """By lane."""
    news: Heard | None = None
    returned: int = 0
    """Requests that were taken in advance and not sent..."""
    of: float = 0.0
    """... of the window that began then..."""
    lane: Lane = Lane.DIAL
    """... and for this lane."""


@dataclasses.dataclass(frozen=True, slots=True)
class Granted:
    """What it gets there."""

    turns: tuple[int, int, int] = (0, 0, 0)
    """By lane."""
    lease: int = 0
    lane: Lane = Lane.URGENT
    """The last lane that may use the lease."""
    again_at: float = math.inf
    """When to ask again for what is still waiting."""


def settle(meter: Meter, wanted: Wanted, now: float) -> tuple[Meter, Granted]:
    """Bring the meter up to date and give out what there is room for."""
    meter = current(meter, now)
    if wanted.returned and wanted.of == meter.began:
        reads = meter.reads - wanted.returned * (wanted.lane is Lane.READ)
        meter = msgspec.structs.replace(meter, taken=max(0, meter.taken - wanted.returned), reads=max(0, reads))
    if wanted.news is not None:
        meter = learn(meter, wanted.news)
    waiting = wanted.waiting
    if not any(waiting):
        return meter, Granted()
    if now < meter.shut_until:
        granted = Granted(again_at=min(meter.shut_until, now + BEAT))
    elif meter.known and not meter.allowed:
        return meter, Granted(turns=waiting)
    elif not meter.known:
        meter, granted = _probe(meter, waiting, now)
    else:
        meter, granted = _give_out(meter, waiting, now)
    if waiting[Lane.DIAL] > granted.turns[Lane.DIAL]:
        until = max(meter.dials_until, granted.again_at + GRACE)
        meter = msgspec.structs.replace(meter, dials_until=until)
    return meter, granted


def _probe(meter: Meter, waiting: tuple[int, int, int], now: float) -> tuple[Meter, Granted]:
    """Let out one request, or after each silence twice as many as before."""
    if now < meter.probe_until:
        return meter, Granted(again_at=min(meter.probe_until, now + POLL))
    left = 2**meter.probes
    turns = [0, 0, 0]
    for lane in Lane:
        turns[lane] = min(waiting[lane], left)
        left -= turns[lane]
    meter = msgspec.structs.replace(
        meter,
        taken=meter.taken + sum(turns),
        began=meter.began or now,
        probes=min(meter.probes + 1, 10),
        probe_until=now + PROBE,
    )
    return meter, Granted(turns=(turns[0], turns[1], turns[2]), again_at=now + POLL)


def _give_out(meter: Meter, waiting: tuple[int, int, int], now: float) -> tuple[Meter, Granted]:
    urgent, dials, reads = waiting
    taken, were_reads, credit = meter.taken, meter.reads, meter.credit
    most_urgent, most_dials, most_reads = (room(meter, now, lane) for lane in Lane)
    most_credit = DIALS_A_READ * max(1, meter.allowed // SAVED)
    elsewhere = now < meter.dials_until
    last = Lane.URGENT
    while True:
        if urgent and taken < most_urgent:
            urgent -= 1
        elif reads and (dials or elsewhere) and credit >= DIALS_A_READ and taken < most_dials:
            reads, were_reads = reads - 1, were_reads + 1
            credit -= DIALS_A_READ
        elif dials and taken < most_dials:
            dials, last = dials - 1, max(last, Lane.DIAL)
            credit = min(credit + 1, most_credit)
        elif reads and not dials and not elsewhere and taken < most_dials and were_reads < most_reads:
            reads, were_reads, last = reads - 1, were_reads + 1, Lane.READ
        else:
            break
        taken += 1
    turns = (waiting[0] - urgent, waiting[1] - dials, waiting[2] - reads)
    still = (urgent, dials, reads)
    if any(still):
        meter = msgspec.structs.replace(meter, taken=taken, reads=were_reads, credit=credit)
        again_at = _next_turn(meter, still, now) + (YIELD if any(turns) else 0.0)
        return meter, Granted(turns=turns, again_at=again_at)
    spare = (most_urgent, most_dials, min(most_dials, most_reads + taken - were_reads))[last] - taken
    lease = max(0, min(spare // 2, meter.allowed // LEASE))
    were_reads += lease * (last is Lane.READ)
    meter = msgspec.structs.replace(meter, taken=taken + lease, reads=were_reads, credit=credit)
    return meter, Granted(turns=turns, lease=lease, lane=last)


def _next_turn(meter: Meter, still: tuple[int, int, int], now: float) -> float:
    dialing = still[Lane.DIAL] or now < meter.dials_until
    # While creates wait, a read's turn is one of theirs; which of them, only the store can tell.
    paces = [Lane.DIAL if lane is Lane.READ and dialing else lane for lane in Lane if still[lane]]
    at = min(free_at(meter, now, 1, pace) for pace in paces)
    return min(max(at, now + POLL) if still[Lane.READ] and dialing else at, now + BEAT)


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """A token's quota of requests as its last answers tell, shared use included."""

    allowed: int | None
    """Requests in a window of a minute; None if no answer has told, or the platform has no limit."""
    used: int
    """Requests that were sent in this window, or may be at any moment."""
    resets_in: float
    """Seconds until the window is over; 0 if none runs."""
    waiting: int
    """Creates of this client that wait for their turn."""
    shut_for: float = 0.0
    """Seconds for which the platform wants no request at all (Retry-After of a refusal)."""

    @property
    def left(self) -> int | None:
        """Requests left in this window; None if that is not known."""
        return None if self.allowed is None else max(0, self.allowed - self.used)

    def seconds_for(self, requests: int) -> float:
        """Say in how many seconds the last of so many more creates can leave, behind those that wait already.

        It is the earliest possible: what others spend comes on top. Where no limit is known, nothing has to wait.
        """
        if requests <= 0:
            return 0.0
        meter = Meter(
            allowed=self.allowed or 0, taken=self.used, ends=self.resets_in or WINDOW, shut_until=self.shut_for
        )
        return free_at(meter, 0.0, self.waiting + requests)


UNTOLD = Quota(allowed=None, used=0, resets_in=0.0, waiting=0)


def gauged(meter: Meter, now: float, *, lease: int, waiting: tuple[int, int, int]) -> Quota | None:
    """Put a meter in words; None if no answer has told anything yet.

    *lease* was taken in advance and is still there, *waiting* is by lane.
    """
    meter = current(meter, now)
    if not (meter.known or meter.allowed or meter.shut_until):
        return None
    return Quota(
        allowed=meter.allowed or None,
        used=max(0, meter.taken - lease),
        resets_in=max(0.0, meter.ends - now) if meter.known and meter.allowed else 0.0,
        waiting=waiting[Lane.DIAL],
        shut_for=max(0.0, meter.shut_until - now),
    )
