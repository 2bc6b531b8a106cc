"""A storm over real processes: callers are killed and stopped while answers are lost; then all is judged."""

import contextlib
import dataclasses
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from chaos.crew import Crew
from chaos.judge import Figures, Wanted, Wrong, verdict
from chaos.sandboxes import CREATES, SandboxProcess
from ringonce.client.fold import STAMP
from ringonce.ledger import Row
from ringonce.ledger.sqlite import SqliteLedger

DROPS = ({**CREATES, "action": "drop_after", "share": 0.25},)
HOSTILE = (
    *DROPS,
    {**CREATES, "action": "create_late", "delay_s": 20, "share": 0.05},
    {**CREATES, "action": "truncate", "share": 0.05},
    {**CREATES, "action": "late_status", "status": 504, "share": 0.05},
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Weather:
    """How hard it blows."""

    seed: int = 0
    intents: int = 200
    by_command_line: int = 10
    kills: int = 3
    """Of each of the two library users."""
    restarts: int = 0
    """Of the sandbox."""
    unanswered: int = 0
    """One intent in so many goes to a number for which the agent's phone is not picked up: its call has no stamp."""
    faults: tuple[dict[str, Any], ...] = DROPS


class Storm:
    """One storm. `blow` gives everything that went wrong; *figures* and each intent's *story* stay."""

    def __init__(self, folder: Path, weather: Weather) -> None:
        self.figures = Figures()
        self._weather = weather
        self._ledger = folder / "state" / "ledger.sqlite3"
        agents = max(10, weather.intents // 5)
        self._wanted = [
            Wanted(f"i{n}", f"agent-{n % agents + 1:05d}@example.com", _number(n, weather))
            for n in range(weather.intents)
        ]
        self._sandbox = SandboxProcess(folder, seed=weather.seed, agents=agents)
        self._crew = Crew(folder, self._ledger, self._sandbox, self.figures)
        self._record: list[dict[str, Any]] = []
        self._rows: dict[str, Row] = {}

    def blow(self) -> list[Wrong]:
        """Ask for everything through the storm, ask again for everything in the calm, and judge."""
        crew, sandbox, weather = self._crew, self._sandbox, self._weather
        by_line = self._wanted[: weather.by_command_line]
        by_library = self._wanted[weather.by_command_line :]
        most = len(by_library) * 7 // 10
        dice = [random.Random(f"{weather.seed}:{n}") for n in range(5)]
        with contextlib.ExitStack() as stack:
            stack.enter_context(sandbox)
            stack.callback(crew.end)
            sandbox.set_faults(list(weather.faults))
            self._together(
                lambda: crew.library(by_library[:most], dice[0], weather.kills),
                # What is in the middle is asked for by both at once.
                lambda: crew.library(by_library[-most:], dice[1], weather.kills),
                lambda: crew.lane(by_line[::2], dice[2]),
                lambda: crew.lane(by_line[1::2], dice[3]),
                lambda: self._restart(dice[4]),
            )
            # What was to be created late is created now, before anybody asks again.
            sandbox.pass_time(600)
            self._together(
                lambda: crew.library_in_the_calm(by_library),
                lambda: crew.lane_in_the_calm(by_line[::2]),
                lambda: crew.lane_in_the_calm(by_line[1::2]),
            )
            sandbox.count_requests()
            self._record = sandbox.record()
        self._rows = rows_of(self._ledger)
        self.figures.creates_received, self.figures.lost_answers = sandbox.creates, sandbox.lost_answers
        return [*crew.wrong, *verdict(self._wanted, self._record, self._rows, crew.told, self.figures)]

    def story(self, intent: str) -> str:
        """Give what happened to one intent, as far as it can be seen from outside."""
        calls = [call for call in self._record if call["attributes"].get(STAMP) == intent]
        lines = [*self._crew.story[intent], f"row: {self._rows.get(intent)}", *(f"record: {call}" for call in calls)]
        return "\n".join(f"    {line}" for line in lines)

    def _together(self, *works: Callable[[], None]) -> None:
        with ThreadPoolExecutor(len(works)) as threads:
            try:
                for done in [threads.submit(work) for work in works]:
                    done.result()
            except BaseException:
                self._crew.end()  # or the others would have to be waited for
                raise

    def _restart(self, dice: random.Random) -> None:
        share = len(self._wanted) // (self._weather.restarts + 1)
        for n in range(1, self._weather.restarts + 1):
            if not self._crew.until_told(share * n):
                return
            time.sleep(dice.uniform(0, 0.1))
            self._sandbox.die_and_come_back()
            self._crew.note("the sandbox has died and come back", *(one.intent for one in self._wanted))
            self.figures.sandbox_restarts += 1


def rows_of(path: Path) -> dict[str, Row]:
    """Give what a ledger says, by intent."""
    with contextlib.closing(SqliteLedger(path)) as ledger:
        return {row.intent: row for row in ledger.history(limit=1_000_000)}


def _number(n: int, weather: Weather) -> str:
    unanswered = n >= weather.by_command_line and weather.unanswered and n % weather.unanswered == 0
    return f"+1555{200 + n}0007" if unanswered else f"+1555{2_000_100 + n}"
