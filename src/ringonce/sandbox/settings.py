"""What a sandbox is made of, and whether that makes sense."""

import dataclasses
import datetime as dt
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from ringonce.sandbox.agenda import iso, moment
from ringonce.sandbox.trouble import SandboxError

if TYPE_CHECKING:
    from ringonce.sandbox.org import Org

ClockMode = Literal["real", "manual"]
Hostile = bool | Mapping[str, float]
MOST_AGENTS: Final = 99_999
MOST_A_MINUTE: Final = 1_000_000_000
_LAST_START: Final = moment("2999-12-31T00:00:00Z")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a sandbox is made of; `Sandbox` says what each means. `SandboxError` for what makes no sense."""

    host: str = "127.0.0.1"
    port: int | None = 0
    agents: int = 0
    seed: int = 0
    speed: float = 1.0
    clock: ClockMode = "real"
    start: str | dt.datetime | None = None
    org: "Org | str | os.PathLike[str] | None" = None
    rate_limit: int | None = None
    hostile: Hostile = False
    faults: Iterable[Mapping[str, Any]] = ()
    wall: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        from ringonce.sandbox.org import Org

        _whole("agents", self.agents, 0, MOST_AGENTS)
        _whole("seed", self.seed)
        if self.port is not None:
            _whole("port", self.port)
        if self.rate_limit is not None:
            _whole("rate_limit", self.rate_limit, 0, MOST_A_MINUTE)
        if not isinstance(self.org, Org | str | os.PathLike | None):
            raise _wrong("org", self.org, "it is an organization, or the path of its file", 'org="org.toml"')
        if self.start is not None and self.clock != "manual":
            raise SandboxError(
                f"The sandbox cannot start at {str(self.start)[:80]!r}",
                why="its clock runs by itself, and so begins now",
                fix='Add --manual, in Python clock="manual", or leave the start out.',
            )
        self.begins()

    def begins(self) -> float:
        """When world time begins, epoch seconds: the *start*, or now."""
        if self.start is None:
            return time.time()
        try:
            began = moment(self.start.isoformat() if isinstance(self.start, dt.datetime) else self.start)
            if 0 <= began <= _LAST_START:
                return began
        except (TypeError, ValueError):
            pass
        why = f"it is a date in ISO-8601 from {iso(0)[:4]} to {iso(_LAST_START)[:4]}; without a zone it is UTC"
        raise _wrong("start", self.start, why, "2026-01-01T00:00:00Z")


def _whole(name: str, value: Any, least: int | None = None, most: int | None = None) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and (least is None or most is None or least <= value <= most):
        return
    span = "" if least is None else f" from {least:,} to {most:,}"
    raise _wrong(name, value, f"it is a whole number{span}", f"{name}={least or 0}")


def _wrong(name: str, value: object, why: str, example: str) -> SandboxError:
    return SandboxError(
        f"The sandbox's {name} cannot be {str(value)[:80]!r}", why=why, fix=f"Give for example {example}."
    )
