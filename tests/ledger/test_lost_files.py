"""A ledger's file that is removed, emptied, damaged or made by several at once: no intent is forgotten in silence."""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ringonce.errors import LedgerError
from ringonce.ledger import Meter, Row
from ringonce.ledger.sqlite import SqliteLedger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "a ledger? 100%.sqlite3"


def refused(do: Callable[[], object]) -> LedgerError:
    with pytest.raises(LedgerError) as error:
        do()
    assert "nothing was sent by this run" in error.value.why
    return error.value


def metered(ledger: SqliteLedger) -> int:
    return ledger.meter("https://api.test", "one token", lambda meter: (meter, meter.taken))


def remove(path: Path) -> None:
    for file in path.parent.glob("*"):
        file.unlink()


def test_a_removed_file_is_not_made_anew_by_a_meter(path: Path) -> None:
    with contextlib.closing(SqliteLedger(path)) as ledger:
        remove(path)

        assert "was removed" in refused(lambda: metered(ledger)).what
    assert list(path.parent.iterdir()) == []


def test_a_file_that_is_removed_right_before_its_meters_are_opened_is_not_made_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.closing(SqliteLedger(path)) as ledger:
        monkeypatch.setattr(ledger, "_still_there", lambda: remove(path))

        assert "can't be written" in refused(lambda: metered(ledger)).what
    assert list(path.parent.iterdir()) == []


def test_an_empty_file_is_a_ledger_that_was_lost_and_is_not_begun_anew(path: Path) -> None:
    SqliteLedger(path).close()
    os.truncate(path, 0)

    told = refused(lambda: SqliteLedger(path))

    assert "is empty" in told.what
    assert "put a backup back, or remove the file" in told.fix
    assert path.stat().st_size == 0


def test_a_file_without_the_one_that_is_written_ahead_can_not_be_begun_anew(path: Path) -> None:
    with contextlib.closing(SqliteLedger(path)):
        path.unlink()

        told = refused(lambda: SqliteLedger(path))

    assert "its -wal file is there" in told.what
    assert not path.exists()


def test_a_database_in_which_nothing_was_ever_written_is_no_ledger(path: Path) -> None:
    SqliteLedger(path).close()
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as strange:
        strange.execute("PRAGMA journal_mode = WAL")
    path.chmod(0o600)

    assert "another version" in refused(lambda: SqliteLedger(path)).what


@pytest.mark.parametrize("damage", [b"dear diary, ", b"\0"], ids=["no database", "no pages"])
def test_a_damaged_file_is_to_be_put_back_from_a_backup(path: Path, damage: bytes) -> None:
    SqliteLedger(path).close()
    whole = path.read_bytes()
    kept = b"" if damage.strip(b"\0") else whole[:100]
    path.write_bytes((kept + damage * len(whole))[: len(whole)])

    told = refused(lambda: SqliteLedger(path))

    assert "can't be opened" in told.what
    assert "put a backup back" in told.fix
    assert "space" not in told.fix


def test_of_many_who_make_a_ledger_at_once_all_have_the_same_one(path: Path) -> None:
    together = threading.Barrier(12)

    def begin(number: int) -> tuple[str, bool]:
        together.wait()
        with contextlib.closing(SqliteLedger(path)) as ledger:
            row = Row(
                platform="p", intent="crm-4711", agent_id="ada", mark="m", tail="6543", incarnation=str(number),
                armed_at=1.0, deadline=2.0,
            )  # fmt: skip
            return ledger.mark("+15559876543"), ledger.arm(row) is None

    with ThreadPoolExecutor(12) as threads:
        made = list(threads.map(begin, range(12)))

    assert len({mark for mark, _ in made}) == 1
    assert sum(armed for _, armed in made) == 1
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_ends_the_making_of_a_ledger_leaves_nothing_that_stands_in_its_way(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("os.link", end)
        with pytest.raises(KeyboardInterrupt):
            SqliteLedger(path)

    assert list(path.parent.iterdir()) == []
    with contextlib.closing(SqliteLedger(path)) as ledger:
        assert ledger.meter("https://api.test", "t", lambda _: (Meter(taken=1), 1)) == 1
