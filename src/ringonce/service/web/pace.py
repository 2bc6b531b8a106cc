"""How often somebody may ask."""

import time
from collections.abc import Callable

WINDOW = 60.0


class Pace:
    """Requests of everybody in the minute that runs. *clock* gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._minute = 0
        self._counts: dict[str, int] = {}

    def spend(self, who: str, most: int) -> float:
        """Count a request; give the seconds to wait if it is one too many, else 0."""
        minute, spent = divmod(self._clock(), WINDOW)
        if minute != self._minute:
            self._minute, self._counts = int(minute), {}
        self._counts[who] = self._counts.get(who, 0) + 1
        return WINDOW - spent if self._counts[who] > most else 0.0

    def exhausted(self, who: str, most: int) -> float:
        """Give the seconds to wait if *most* requests were counted already, else 0; nothing is counted."""
        minute, spent = divmod(self._clock(), WINDOW)
        return WINDOW - spent if minute == self._minute and self._counts.get(who, 0) >= most else 0.0
