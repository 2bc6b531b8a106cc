"""Which moment it is in the sandbox: wall time times a factor, or only what somebody asks for."""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from ringonce.sandbox.trouble import SandboxError, plain, said

MODES = ("real", "manual")
FASTEST = 10_000.0
LONGEST_LEAP = 31 * 86_400.0  # a leap runs every heartbeat on its way, on the thread that also answers requests
FIELDS = ("advance", "speed", "mode")


class Timed(Protocol):
    """What the clock needs of a world."""

    @property
    def now(self) -> float:
        """World time in epoch seconds."""

    def next_at(self) -> float | None:
        """Say when the next thing is due, in world seconds."""

    def advance(self, to: float) -> None:
        """Run everything that is due up to *to*."""


class Clock:
    """Moves a world's time forward, never back.

    In mode `real` world time runs *speed* times as fast as *wall* (a monotonic clock in seconds);
    in mode `manual` it stands still until `leap`.
    """

    def __init__(
        self, world: Timed, *, wall: Callable[[], float] = time.monotonic, mode: str = "real", speed: float = 1.0
    ) -> None:
        self._world = world
        self._wall = wall
        self.mode = _mode(mode)
        self.speed = _number("speed", speed, least=0, above=True, most=FASTEST)
        self.anchor()

    def anchor(self) -> None:
        """Let time run on from the world's present moment."""
        self._wall_then = self._wall()
        self._world_then = self._world.now

    def catch_up(self) -> None:
        """Bring the world to the present moment."""
        if self.mode == "real":
            self._world.advance(max(self._world.now, self._present()))

    def leap(self, seconds: float) -> None:
        """Move the world *seconds* on at once, in either mode."""
        seconds = _number("advance", seconds, least=0, most=LONGEST_LEAP)
        self.catch_up()
        self._world.advance(self._world.now + seconds)
        self.anchor()

    def change(self, body: object) -> None:
        """Obey a body of `POST /_sandbox/clock`, or raise `SandboxError` and change nothing."""
        if not isinstance(body, Mapping) or not body or not set(body) <= set(FIELDS):
            raise SandboxError(
                "The clock was not changed",
                why=f"the body must be a JSON object with one or more of {', '.join(FIELDS)}",
                fix='Send {"advance": 30}, {"speed": 10} or {"mode": "manual"}.',
            )
        mode = _mode(body["mode"]) if "mode" in body else self.mode
        speed = _number("speed", body["speed"], least=0, above=True, most=FASTEST) if "speed" in body else self.speed
        leap = _number("advance", body["advance"], least=0, most=LONGEST_LEAP) if "advance" in body else 0.0
        self.catch_up()
        self.mode, self.speed = mode, speed
        self.anchor()
        if leap:
            self.leap(leap)

    def wait(self) -> float | None:
        """Say how many wall seconds remain until something is due; None if only a request can make it so."""
        due = self._world.next_at()
        if due is None or self.mode == "manual":
            return None
        return max(0.0, (due - self._present()) / self.speed)

    def _present(self) -> float:
        return self._world_then + (self._wall() - self._wall_then) * self.speed


def _mode(value: object) -> str:
    if not isinstance(value, str) or value not in MODES:
        raise SandboxError(
            f"The clock has no mode {said(value)}",
            why=f"mode is one of {', '.join(MODES)}",
            fix='Send {"mode": "manual"} to stop time, {"mode": "real"} to let it run.',
        )
    return value


def _number(name: str, value: object, *, least: float, most: float, above: bool = False) -> float:
    # Comparing comes first: an integer of JSON may be too large for a float, and NaN is within no bounds.
    if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
        number = float(value)
        if number > least or not above:
            return number
    span = f"{'more than' if above else 'at least'} {plain(least)} and at most {plain(most)}"
    raise SandboxError(
        f"{name} cannot be {said(value)}",
        why=f"{name} is a number of {'seconds, ' if name == 'advance' else ''}{span}",
        fix=f'Send for example {{"{name}": 10}}.',
    )
