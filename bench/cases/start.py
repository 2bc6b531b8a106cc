"""What it costs to get ready: importing, and the command line's help."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bench.measuring import CLIENT_CORE, ROOT, Turn, environment, interleave, pin

PROGRAMS: dict[str, Sequence[str]] = {
    "bare Python": ("-c", "pass"),
    "import ringonce": ("-c", "import ringonce"),
    "ringonce.Client": ("-c", "import ringonce; ringonce.Client"),
    "ringonce --help": ("-m", "ringonce", "--help"),
    "import of the official SDK": ("-c", "import PureCloudPlatformClientV2"),
}
SLOW = "import of the official SDK"


def measure(*, quick: bool) -> dict[str, Any]:
    rounds, slow_rounds = (5, 1) if quick else (21, 5)
    for arguments in PROGRAMS.values():
        _start(arguments)  # once before, so that every round finds its bytecode
    turns: dict[str, Turn] = {name: _later(arguments) for name, arguments in PROGRAMS.items()}
    rows = interleave(slow_rounds, turns)
    rows |= interleave(rounds, {name: turn for name, turn in turns.items() if name != SLOW})
    return {"rounds": rounds, "rows": {"started": rows}}


def _later(arguments: Sequence[str]) -> Turn:
    return lambda: _start(arguments)


def _start(arguments: Sequence[str]) -> Mapping[str, float]:
    began = time.perf_counter()
    process = subprocess.Popen(  # our own interpreter
        [sys.executable, *arguments], cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL
    )
    pin(process.pid, CLIENT_CORE)
    _, status, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"python {' '.join(arguments)} ended with {process.returncode}")
    return {"wall_ms": took * 1e3, "cpu_ms": (used.ru_utime + used.ru_stime) * 1e3}
