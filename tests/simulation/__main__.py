"""`make simulate N=… SEED=…`: play N schedules from SEED on, and judge each."""

import argparse
import sys
import time

from simulation.judge import faults_of
from simulation.stage import Stage


def main() -> int:
    """Play schedules, and print the command that replays the first that goes wrong."""
    parser = argparse.ArgumentParser(prog="make simulate")
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began, intents, calls, creates = time.process_time(), 0, 0, 0
    for seed in range(asked.seed, asked.seed + asked.schedules):
        stage = Stage(seed)
        stage.play()
        faults = list(faults_of(stage))
        if faults:
            print(*stage.network.log, *faults, sep="\n")  # noqa: T201
            print(f"\nseed {seed} failed; again: make simulate N=1 SEED={seed}", file=sys.stderr)  # noqa: T201
            return 1
        intents += len(stage.intents)
        calls += len(stage.world.calls())
        creates += len(stage.creates)
    spent = time.process_time() - began
    print(  # noqa: T201
        f"{asked.schedules} schedules from seed {asked.seed}: "
        f"{intents} intents, {creates} creates sent, {calls} calls, "
        f"0 double rings, 0 lost, 0 false outcomes; {intents / spent:.0f} intents a second of CPU"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
