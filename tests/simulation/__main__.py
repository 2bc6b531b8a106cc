"""`make simulate N=… SEED=… JOBS=…`: play N schedules from SEED on, and judge each.

With `--without PROTECTION` the client lacks one, and the first schedule that shows it is what is looked for.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

from simulation.judge import faults_of, is_grave
from simulation.stage import Stage
from simulation.unprotected import PROTECTIONS, without

CHUNK = 250
TELL_EVERY = 5.0
"""Seconds between two lines of progress."""


@dataclasses.dataclass
class Played:
    """What a run of schedules came to. *failed* is the first seed that went wrong, with its story."""

    counts: Counter[str]
    met: Counter[str]
    spent: float = 0.0
    """Seconds of CPU."""
    failed: tuple[int, list[str]] | None = None

    def add(self, other: "Played") -> None:
        """Take in what came after."""
        self.counts += other.counts
        self.met += other.met
        self.spent += other.spent
        self.failed = self.failed or other.failed


def play(first: int, schedules: int, protection: str = "") -> Played:
    """Play schedules up to the first that goes wrong."""
    played = Played(Counter(), Counter())
    began = time.process_time()
    with without(protection) as options, _swept_by_hand():
        for seed in range(first, first + schedules):
            _play_one(Stage(seed, **options()), played)
            if played.failed:
                break
            gc.collect(0)
    played.spent = time.process_time() - began
    return played


def _play_one(stage: Stage, played: Played) -> None:
    stage.play()
    faults = list(faults_of(stage))
    if faults:
        played.failed = stage.seed, [*stage.timeline(), "", *faults]
        return
    played.met += stage.met
    played.counts["schedules"] += 1
    played.counts["intents"] += len(stage.intents)
    played.counts["creates"] += len(stage.creates)
    played.counts["calls"] += len(stage.world.exchange.conversations)


@contextlib.contextmanager
def _swept_by_hand() -> Iterator[None]:
    """Keep the cycle collector still: a schedule is one knot, and is let go at once when it has been played."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def play_all(first: int, schedules: int, jobs: int, tell: Callable[[Played], None]) -> Played:
    """Play schedules in *jobs* processes, *tell* how far it is now and then, and stop after one that went wrong."""
    whole = Played(Counter(), Counter())
    if jobs == 1 or schedules <= CHUNK:
        for at in range(first, first + schedules, CHUNK):
            whole.add(play(at, min(CHUNK, first + schedules - at)))
            tell(whole)
            if whole.failed:
                break
        return whole
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        starts = range(first, first + schedules, CHUNK)
        parts = [pool.submit(play, at, min(CHUNK, first + schedules - at)) for at in starts]
        for part in parts:
            whole.add(part.result())
            tell(whole)
            if whole.failed:
                pool.shutdown(cancel_futures=True)
                break
    return whole


def main() -> int:
    """Play schedules, and print the command that replays the first that goes wrong."""
    parser = argparse.ArgumentParser(prog="make simulate")
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes to spread the schedules over")
    parser.add_argument("--without", choices=PROTECTIONS, help="a protection to switch off")
    asked = parser.parse_args()
    if asked.without:
        return find_out(asked.without, asked.seed, asked.schedules)
    told_at = time.monotonic()

    def tell(played: Played) -> None:
        nonlocal told_at
        if time.monotonic() > told_at + TELL_EVERY:
            told_at = time.monotonic()
            say(f"{played.counts['schedules']} of {asked.schedules} schedules, {pace(played)}")

    played = play_all(asked.seed, asked.schedules, asked.jobs, tell)
    if played.failed:
        seed, story = played.failed
        print(*story, sep="\n")  # noqa: T201
        say(f"\nseed {seed} failed; again: make simulate N=1 SEED={seed}")
        return 1
    print_met(played.met)
    counts = played.counts
    print(  # noqa: T201
        f"{counts['schedules']} schedules from seed {asked.seed}: {counts['intents']} intents, "
        f"{counts['creates']} creates sent, {counts['calls']} calls; "
        f"0 double rings, 0 lost, 0 false outcomes; {pace(played)}"
    )
    return 0


def find_out(protection: str, first: int, schedules: int) -> int:
    """Say at which seeds the lack of a protection shows first, and does its worst first; 1 if it never shows."""
    seed, shown = first, ""
    while (failed := play(seed, first + schedules - seed, protection).failed) is not None:
        seed, story = failed
        faults = story[story.index("") + 1 :]
        shown = shown or f"first sign in schedule {seed - first + 1} (seed {seed}): {'; '.join(faults)}"
        worst = [fault for fault in faults if is_grave(fault)]
        if worst:
            shown += (
                f"\n  double ring or false outcome in schedule {seed - first + 1} (seed {seed}): {'; '.join(worst)}"
            )
            break
        seed += 1
    print(f"without {protection}: {shown or f'nothing found in {schedules} schedules'}")  # noqa: T201
    return 0 if shown else 1


def print_met(met: Counter[str]) -> None:
    """Print how often each trouble came up."""
    on_create = {name.removesuffix(", a create"): times for name, times in met.items() if name.endswith(", a create")}
    for name, times in sorted(met.items()):
        if not name.endswith(", a create"):
            creates = f"{on_create[name]:>9} of them creates" if name in on_create else ""
            print(f"{name:42}{times:>10}  {creates}".rstrip())  # noqa: T201


def pace(played: Played) -> str:
    """Say how many intents a second of one core's time plays."""
    return f"{played.counts['intents'] / max(played.spent, 1e-9):.0f} intents a second of CPU"


def say(words: str) -> None:
    """Tell whoever waits."""
    print(words, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
