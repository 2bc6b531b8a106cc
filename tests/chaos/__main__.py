"""`make chaos N=… SEED=…`: storms of 200 intents each over real processes, until N were asked for; each is judged."""

import argparse
import dataclasses
import sys
import tempfile
import time
from pathlib import Path

from chaos.judge import Figures
from chaos.storm import HOSTILE, Storm, Weather

ONE_STORM = 200


def main() -> int:
    """Let storms blow, and print the command that repeats the first that did harm."""
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--intents", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began, sum_ = time.monotonic(), Figures()
    for seed, first in enumerate(range(0, asked.intents, ONE_STORM), asked.seed):
        intents = min(ONE_STORM, asked.intents - first)
        weather = Weather(
            seed=seed,
            intents=intents,
            by_command_line=intents // 8,
            kills=6,
            restarts=seed % 2,
            unanswered=25,
            faults=HOSTILE,
        )
        with tempfile.TemporaryDirectory(prefix=f"ringonce-chaos-{seed}-") as folder:
            storm = Storm(Path(folder), weather)
            wrong = storm.blow()
        sum_.add(storm.figures)
        if wrong:
            told(sum_, began)
            for one in wrong[:20]:
                print(f"{one.intent}: {one.what}\n{storm.story(one.intent)}")  # noqa: T201
            again = f"make chaos N={intents} SEED={seed}"
            print(f"\nseed {seed} did harm ({len(wrong)}); again, as far as processes repeat: {again}", file=sys.stderr)  # noqa: T201
            return 1
        print(f"seed {seed}: {intents} intents, nothing wrong ({time.monotonic() - began:.0f} s)", flush=True)  # noqa: T201
    told(sum_, began)
    return 0


def told(figures: Figures, began: float) -> None:
    """Print what was counted."""
    for name, value in dataclasses.asdict(figures).items():
        print(f"{name.replace('_', ' '):>17} {value}")  # noqa: T201
    print(f"{'duration':>17} {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
