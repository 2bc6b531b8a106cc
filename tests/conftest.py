"""What every room of the tests may use; and whatever a test logs or prints is searched for secrets."""

import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from databases import database, postgres, postgres_tables, sqlite_tables, store
from leaks import leaks_in

__all__ = ["database", "postgres", "postgres_tables", "sqlite_tables", "store"]


MEMORY = Path("/dev/shm")  # noqa: S108  pytest makes folders of its own there
ENOUGH = 4 << 30
"""Bytes that must be free in it: every worker's PostgreSQL keeps the databases of all its tests."""


def pytest_configure() -> None:
    # Nothing that a test writes outlives the run, so nobody has to wait for a disk.
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH:
        os.environ["TMPDIR"], tempfile.tempdir = str(MEMORY), None
    # A shell starts what runs in the background with Ctrl-C ignored, and the programs under test would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # To import the official SDK takes seconds and 250 MB: side by side, its tests fall to one worker.
    items.sort(key=lambda item: item.get_closest_marker("official_sdk") is None)


@pytest.fixture(scope="session")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The SDK's package. It reads a settings file and starts to watch the home folder as soon as it is imported."""
    settings = tmp_path_factory.mktemp("home") / ".genesyscloudpython" / "config"
    settings.parent.mkdir()
    settings.write_text("[general]\nlive_reload_config = false\n")
    with pytest.MonkeyPatch.context() as home:
        home.setenv("HOME", str(settings.parent.parent))
        package = pytest.importorskip("PureCloudPlatformClientV2")
    # Somebody else's tests may have imported it first, from the real home.
    configuration = package.configuration
    configuration.live_reload_config = False
    if configuration._observer is not None:
        configuration._observer.unschedule_all()
    configuration.config_file_path = str(settings)
    configuration.host, configuration.gateway_configuration = "https://api.mypurecloud.com", None
    return package


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
