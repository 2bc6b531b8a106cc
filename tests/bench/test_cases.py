"""The small form of every measurement runs, and says what the docs and the targets need."""

import importlib

import pytest
from bench.__main__ import CASES
from bench.targets import verdicts

from bench import plots, tables

pytestmark = [pytest.mark.bench, pytest.mark.official_sdk, pytest.mark.timeout(300)]
TARGETS = {"start": 3, "place": 10, "decode": 0, "spending": 1, "crowd": 3, "sandbox": 3, "simulation": 1, "service": 4}


@pytest.mark.parametrize("name", CASES)
def test_a_case_yields_its_rows(name: str) -> None:
    measured = importlib.import_module(f"bench.cases.{name}").measure(quick=True)

    for _, (head, *body) in tables.of_case(measured["rows"]):
        assert len(head) > 1
        assert body
    assert len(verdicts({name: measured})) == TARGETS[name]
    assert plots.drawings({name: measured}) or name in {"simulation", "service"}
