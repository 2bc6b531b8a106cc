"""The rules that the passing of time lifts: hours, caps and the gap. When does each allow a call, and when do all?"""

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from ringonce.service.guard import attempts, days
from ringonce.service.guard.hours import Timetable
from ringonce.service.guard.rulebook import Cap
from ringonce.service.guard.schedule import HORIZON_DAYS
from ringonce.service.guard.verdict import Refusal, Rule

Move = Callable[[float], float | None]
"""From a moment to the first one from it on that a rule allows; None if there is none within the horizon."""


class Timing(NamedTuple):
    """What is known of one number's time."""

    table: Timetable
    caps: Sequence[tuple[str, Cap]]
    """With the name of whom each is from."""
    gap_minutes: int
    past: Sequence[float]
    """When it was tried, in order."""

    def refusals(self, moment: float) -> Iterator[Refusal]:
        """Say which of these rules refuse a call at *moment*."""
        if self.table.held and not self.table.zones:
            yield Refusal(
                rule=Rule.HOURS,
                evidence="nobody can tell which time zone the number is in",
                remedy="give the row's own zone, or set hours.unknown_zone",
                facts={"closed": [], "zones": 0},
            )
        else:
            yield from self.table.refusals(moment)
        for name, cap in self.caps:
            free = attempts.free_again(cap, self.past, self._zones, moment)
            if free > moment:
                yield Refusal(
                    rule=Rule.CAP,
                    evidence=f"{name}: {cap} is reached, the last attempt was at {_said(self.past[-1])}",
                    until=days.utc(free),
                    facts={"cap": str(cap), "from": name, "attempts": _written(self.past[-cap.most :])},
                )
        over = attempts.gap_over(self.gap_minutes, self.past, moment)
        if over > moment:
            yield Refusal(
                rule=Rule.GAP,
                evidence=f"the last attempt was at {_said(self.past[-1])}, and {self.gap_minutes} minutes have to pass",
                until=days.utc(over),
                facts={"attempts": _written(self.past[-1:]), "gap_minutes": self.gap_minutes},
            )

    def next_allowed(self, moment: float, lifted: Collection[Rule]) -> float | None:
        """Find the first moment that all of these rules but the *lifted* ones allow; None if none within a year."""
        end = moment + HORIZON_DAYS * days.DAY
        moves = list(self._moves(lifted, end))
        # Each rule moves on to its own first moment. The first that none of them moves any more is the first of all.
        while moment < end:
            start = moment
            for move in moves:
                later = move(moment)
                if later is None:
                    return None
                moment = later
            if moment == start:
                return moment
        return None

    def _moves(self, lifted: Collection[Rule], end: float) -> Iterator[Move]:
        if Rule.HOURS not in lifted and self.table.held:
            yield functools.partial(self.table.all.next_open, until=end)
        if Rule.CAP not in lifted:
            for _, cap in self.caps:
                yield functools.partial(attempts.free_again, cap, self.past, self._zones)
        if Rule.GAP not in lifted:
            yield functools.partial(attempts.gap_over, self.gap_minutes, self.past)

    @property
    def _zones(self) -> tuple[str, ...]:
        return self.table.zones or ("UTC",)


def _said(moment: float) -> str:
    return f"{days.utc(moment):%Y-%m-%d %H:%M} UTC"


def _written(moments: Sequence[float]) -> list[str]:
    return [days.utc(moment).isoformat(timespec="seconds") for moment in moments]
