"""One sandbox in a process of its own for all small tests; each has a ledger, numbers and callers of its own."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.crew import Crew
from chaos.judge import Figures, Wanted, Wrong, verdict
from chaos.sandboxes import SandboxProcess
from chaos.storm import DROPS, rows_of

Wants = Callable[[int], list[Wanted]]
Judge = Callable[[list[Wanted]], list[Wrong]]
_numbers = itertools.count(3_000_100)


@pytest.fixture(scope="package")
def common_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox"), seed=4711, agents=200) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(common_sandbox: SandboxProcess) -> SandboxProcess:
    common_sandbox.set_faults(list(DROPS))
    common_sandbox.count_requests()
    return common_sandbox


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.sqlite3"


@pytest.fixture
def crew(tmp_path: Path, ledger: Path, sandbox: SandboxProcess) -> Iterator[Crew]:
    crew = Crew(tmp_path, ledger, sandbox, Figures())
    yield crew
    crew.end()


@pytest.fixture
def wants() -> Wants:
    """Make decisions to call; no two have a number in common."""

    def make(count: int) -> list[Wanted]:
        found = list(itertools.islice(_numbers, count))
        return [Wanted(f"i{n}", f"agent-{n % 200 + 1:05d}@example.com", f"+1555{n}") for n in found]

    return make


@pytest.fixture
def made(sandbox: SandboxProcess) -> Callable[[list[Wanted]], list[dict[str, Any]]]:
    """Give the calls to the numbers of some decisions."""

    def find(wanted: list[Wanted]) -> list[dict[str, Any]]:
        numbers = {one.to for one in wanted}
        return [call for call in sandbox.record() if call["to"].removeprefix("tel:") in numbers]

    return find


@pytest.fixture
def judge(crew: Crew, ledger: Path, made: Callable[[list[Wanted]], list[dict[str, Any]]]) -> Judge:
    def judge(wanted: list[Wanted]) -> list[Wrong]:
        return [*crew.wrong, *verdict(wanted, made(wanted), rows_of(ledger), crew.told, Figures())]

    return judge
