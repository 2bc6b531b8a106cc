"""What the docs say about speed, written from the last full run: `docs/performance.md` and its plots."""

import json
from pathlib import Path
from typing import Any

from bench import plots, tables
from bench.measuring import ROOT
from bench.targets import verdicts

RESULTS, PLOTS = ROOT / "bench" / "results.json", ROOT / "docs" / "plots"


def load(path: Path = RESULTS) -> dict[str, Any]:
    """Read a run's results."""
    results: dict[str, Any] = json.loads(path.read_text())
    return results


def machine(results: dict[str, Any]) -> str:
    """Say in one sentence where and when the run was."""
    where = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    cores = f"{where['cores']} cores ({where['processor']})"
    warning = "**A quick run: its figures prove nothing.** " if results["quick"] else ""
    low, high = results["yardstick_ms"]
    return (
        f"{warning}Measured on {results['when']} in {results['minutes']} minutes: {cores}, "
        f"{where['memory_gib']} GiB, {where['system']}, CPython {where['python']}; {versions}. "
        f"A loop of a million additions took {low:g} to {high:g} ms of CPU there."
    )


def targets(results: dict[str, Any]) -> str:
    """Give the table of targets."""
    return tables.markdown(tables.of_targets(verdicts(results["cases"])))


def case(results: dict[str, Any], name: str) -> str:
    """Give the tables of one case."""
    if name not in results["cases"]:
        return "Not measured in this run."
    return "\n\n".join(tables.markdown(table) for _, table in tables.of_case(results["cases"][name]["rows"]))


def terminal(results: dict[str, Any]) -> str:
    """Give everything for a terminal, targets last."""
    told = [
        f"{name}\n{tables.plain(table)}"
        for name, measured in results["cases"].items()
        for _, table in tables.of_case(measured["rows"])
    ]
    return "\n\n".join([*told, machine(results), tables.plain(tables.of_targets(verdicts(results["cases"])))])


if __name__ == "__main__":
    PLOTS.mkdir(parents=True, exist_ok=True)
    for name, drawing in plots.drawings(load()["cases"]).items():
        (PLOTS / f"{name}.svg").write_text(drawing)
