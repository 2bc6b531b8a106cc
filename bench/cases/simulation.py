"""How many intents a second the simulation plays from beginning to end, and judges, on one core."""

import os
import re
import subprocess
import sys
from typing import Any

from bench.measuring import ROOT, environment, summed_up


def measure(*, quick: bool) -> dict[str, Any]:
    schedules, rounds = (150, 1) if quick else (2_000, 3)
    return {
        "schedules a round": schedules,
        "rounds": rounds,
        "rows": {"simulated": {"intents": summed_up([_play(schedules, nth * schedules) for nth in range(rounds)])}},
    }


def _play(schedules: int, seed: int) -> dict[str, float]:
    done = subprocess.run(  # our own interpreter
        [sys.executable, "-m", "simulation", "--schedules", str(schedules), "--seed", str(seed)],
        cwd=ROOT,
        env={**environment(), "PYTHONPATH": os.fspath(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=True,
    )
    rate = re.search(r"(\d+) intents a second", done.stdout)
    if rate is None:
        raise RuntimeError(f"the simulation did not say how fast it was: {done.stdout}")
    return {"intents_s": float(rate[1])}
