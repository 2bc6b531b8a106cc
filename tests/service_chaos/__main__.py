"""`make service-chaos`: one storm over three workers on PostgreSQL (or WITH=sqlite), judged by the record."""

import argparse
import contextlib
import dataclasses
import sys
import tempfile
import time
from pathlib import Path

from service_chaos.postgres import PostgresProcess
from service_chaos.storm import Storm, Weather


def main() -> int:
    """Let a storm blow, and say what came of it."""
    parser = argparse.ArgumentParser(prog="make service-chaos")
    parser.add_argument("--intents", type=int, default=2000)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--with", dest="kind", choices=["postgresql", "sqlite"], default="postgresql")
    asked = parser.parse_args()
    weather = Weather(seed=asked.seed, intents=asked.intents, agents=asked.agents, restarts=2, crashes=3)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringonce-chaos-")))
        database = stack.enter_context(PostgresProcess()) if asked.kind == "postgresql" else None
        storm = Storm(folder, weather, database)
        wrong = storm.blow()
        for one in wrong[:20]:
            print(one)  # noqa: T201
        if wrong:
            print((folder / "workers.log").read_text()[-4000:], file=sys.stderr)  # noqa: T201
    for name, value in dataclasses.asdict(storm.figures).items():
        print(f"{name.replace('_', ' '):>17} {value}")  # noqa: T201
    print(f"{'duration':>17} {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
