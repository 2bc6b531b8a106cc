"""Whatever a test of any room logs or prints is searched for secrets: one that shows fails the test."""

from collections.abc import Generator
from typing import Any

import pytest

from leaks import leaks_in


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    found = leaks_in(f"{report.capstdout}\n{report.capstderr}\n{report.caplog}")
    if found and report.passed:
        report.outcome = "failed"
        report.longrepr = f"secrets were logged or printed: {', '.join(found)}"
    return report
