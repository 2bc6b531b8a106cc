"""World time: what is due, in order, on a clock that somebody else moves."""

import datetime as dt
import functools
import heapq
import itertools
from collections.abc import Callable, Iterator

_FIRST = dt.datetime.min.replace(tzinfo=dt.UTC).timestamp()
_LAST = dt.datetime.max.replace(tzinfo=dt.UTC, microsecond=0).timestamp()


def to_the_millisecond(seconds: float) -> float:
    """The moment that `iso` writes for this one."""
    return round(seconds * 1000) / 1000


def iso(seconds: float) -> str:
    """The platform's spelling of a moment: ISO-8601, UTC, milliseconds."""
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{_second(whole)}.{thousandths:03}Z"


def moment(text: str) -> float:
    """An ISO-8601 date as epoch seconds; without a zone it is UTC. ValueError for what is none that `iso` can write."""
    when = dt.datetime.fromisoformat(text)
    seconds = (when if when.tzinfo else when.replace(tzinfo=dt.UTC)).timestamp()
    if not _FIRST <= seconds <= _LAST:
        raise ValueError("in UTC, its year is none of 1 to 9999")
    return seconds


@functools.lru_cache(maxsize=2_048)
def _second(whole: int) -> str:
    return dt.datetime.fromtimestamp(whole, dt.UTC).replace(tzinfo=None).isoformat()


class Agenda:
    """Work to be done at a time. It never looks at a clock: `advance` is the only thing that moves it."""

    now: float
    _due: list[tuple[float, int, Callable[[], None]]]
    _order: Iterator[int]
    _stamped: tuple[float, str]

    def __init__(self, now: float) -> None:
        self.now = now
        self._due = []
        self._order = itertools.count()
        self._stamped = (now, iso(now))

    @property
    def stamp(self) -> str:
        """Now, as the platform writes it."""
        at, text = self._stamped
        if at != self.now:
            text = iso(self.now)
            self._stamped = (self.now, text)
        return text

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Do something at *when* (epoch seconds). What is due at the same moment is done in the order it was asked."""
        heapq.heappush(self._due, (max(when, self.now), next(self._order), do))

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something *seconds* (0 or more) from now."""
        heapq.heappush(self._due, (self.now + seconds, next(self._order), do))

    def next_at(self) -> float | None:
        """When the next piece of work is due; None when there is none."""
        return self._due[0][0] if self._due else None

    def advance(self, to: float) -> None:
        """Do everything that is due up to *to*, each at its own time. A clock that stepped back does not move it."""
        due = self._due
        while due and due[0][0] <= to:
            self.now, _, do = heapq.heappop(due)
            do()
        self.now = max(self.now, to)

    def clear(self) -> None:
        """Forget all work that is still due."""
        self._due.clear()
