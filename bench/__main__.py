"""`make bench`: measure, write `bench/results.json`, print a table with every target beside its figure."""

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import report
from bench.measuring import yardstick

CASES = ("start", "place", "decode", "spending", "crowd", "sandbox", "simulation", "service")
QUICK = report.RESULTS.with_name("quick.json")
BESIDE = ("aiohttp", "urllib3", "requests", "PureCloudPlatformClientV2", "uvicorn", "starlette", "msgspec")


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument(
        "--quick", action="store_true", help="a small form, for a first look; its figures prove nothing"
    )
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), help="these cases")
    parser.add_argument("--out", type=Path, help="where to write the JSON")
    asked = parser.parse_args()
    began = time.monotonic()
    cases: dict[str, Any] = {}
    results: dict[str, Any] = {"when": f"{datetime.now(UTC):%Y-%m-%d}", "quick": asked.quick, "machine": machine()}
    results["cases"] = cases
    loops = [yardstick()]
    # A part is no run to be published.
    whole = not asked.quick and asked.only == list(CASES)
    out = asked.out or (report.RESULTS if whole else QUICK)
    for name in asked.only:
        started = time.monotonic()
        cases[name] = importlib.import_module(f"bench.cases.{name}").measure(quick=asked.quick)
        loops.append(yardstick())
        results["yardstick_ms"] = [round(min(loops), 1), round(max(loops), 1)]
        results["minutes"] = round((time.monotonic() - began) / 60, 1)
        _write(results, QUICK)  # what was measured outlives a case that fails
        sys.stderr.write(f"{name}: {time.monotonic() - started:.0f} s\n")
    _write(results, out)
    print(report.terminal(results))
    sys.stderr.write(f"\nwritten: {out}\n")
    return 0


def _write(results: dict[str, Any], out: Path) -> None:
    out.write_text(json.dumps(results, indent=1) + "\n")


def machine() -> dict[str, Any]:
    """Say what this was measured on."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(pages / 2**30),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in BESIDE},
    }


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.exit(main())
