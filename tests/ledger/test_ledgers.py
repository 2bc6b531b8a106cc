"""Both ledgers keep the same promise; the one on disk keeps it past the process."""

import contextlib
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from databases import new_database
from ringonce.errors import LedgerError
from ringonce.ledger import Ledger, Meter, Row, RowState
from ringonce.ledger.memory import MemoryLedger
from ringonce.ledger.sql import SqlLedger
from ringonce.ledger.sqlite import SqliteLedger
from ringonce.service.store import Store

NUMBER = "+15559876543"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.sqlite3"


@pytest.fixture(params=["memory", "file", "sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, path: Path, tmp_path: Path) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    if request.param == "file":
        opened = SqliteLedger(path)
        yield opened
        opened.close()
        return
    file = f"sqlite:///{tmp_path}/calls.db"
    store = Store(file if request.param == "sqlite" else new_database(request.getfixturevalue("postgres")))
    yield SqlLedger(store.engine)
    store.close()


def row_of(ledger: Ledger, intent: str = "crm-4711", incarnation: str = "one") -> Row:
    return Row(
        platform="https://api.test",
        intent=intent,
        agent_id="ada",
        mark=ledger.mark(NUMBER),
        tail=NUMBER[-4:],
        incarnation=incarnation,
        armed_at=100.0,
        deadline=130.0,
    )


def test_the_first_to_arm_an_intent_is_the_only_one(ledger: Ledger) -> None:
    first, second = row_of(ledger), row_of(ledger, incarnation="two")

    assert ledger.arm(first) is None
    assert ledger.arm(second) == first
    assert ledger.look("https://api.test", "crm-4711") == first


def test_of_many_threads_one_arms(ledger: Ledger) -> None:
    together = threading.Barrier(16)

    def race(number: int) -> bool:
        together.wait()
        return ledger.arm(row_of(ledger, incarnation=str(number))) is None

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(race, range(16))) == 1


def test_what_became_of_an_intent_is_written_once(ledger: Ledger) -> None:
    armed = row_of(ledger)
    ledger.arm(armed)
    placed = msgspec.structs.replace(armed, state=RowState.PLACED, conversation_id="c", settled_at=101.0)

    assert ledger.settle(placed) == placed
    assert ledger.settle(msgspec.structs.replace(armed, state=RowState.UNKNOWN)) == placed
    assert ledger.look("https://api.test", "crm-4711") == placed


def test_an_unknown_call_can_still_be_found(ledger: Ledger) -> None:
    armed = row_of(ledger)
    ledger.arm(armed)
    ledger.settle(msgspec.structs.replace(armed, state=RowState.UNKNOWN))
    placed = msgspec.structs.replace(armed, state=RowState.PLACED, conversation_id="c", adopted=True)

    assert ledger.settle(placed) == placed


def test_only_whoever_armed_a_row_releases_it_and_only_while_it_is_armed(ledger: Ledger) -> None:
    armed = row_of(ledger)
    ledger.arm(armed)
    ledger.release(row_of(ledger, incarnation="two"))
    assert ledger.look("https://api.test", "crm-4711") == armed

    ledger.release(armed)
    assert ledger.look("https://api.test", "crm-4711") is None

    ledger.arm(armed)
    unknown = msgspec.structs.replace(armed, state=RowState.UNKNOWN)
    ledger.settle(unknown)
    ledger.release(armed)
    assert ledger.look("https://api.test", "crm-4711") == unknown


def test_an_attempt_that_another_took_the_place_of_settles_and_releases_nothing(ledger: Ledger) -> None:
    first = row_of(ledger)
    same_process = msgspec.structs.replace(first, armed_at=200.0, deadline=230.0)
    placed = msgspec.structs.replace(first, state=RowState.PLACED, conversation_id="c", adopted=True)
    for second in (same_process, msgspec.structs.replace(same_process, incarnation="two")):
        ledger.arm(first)
        ledger.release(first)
        ledger.arm(second)

        assert ledger.settle(placed) == second
        ledger.release(first)
        assert ledger.look("https://api.test", "crm-4711") == second
        ledger.release(second)


def test_what_became_of_an_attempt_is_written_though_it_was_taken_back(ledger: Ledger) -> None:
    armed = row_of(ledger)
    ledger.arm(armed)
    ledger.release(armed)
    placed = msgspec.structs.replace(armed, state=RowState.PLACED, conversation_id="c", adopted=True)

    assert ledger.settle(placed) == placed
    assert ledger.look("https://api.test", "crm-4711") == placed


def test_what_a_person_said_never_rang_may_be_armed_again(ledger: Ledger) -> None:
    armed = row_of(ledger)
    ledger.arm(armed)
    ledger.settle(msgspec.structs.replace(armed, state=RowState.NOT_PLACED))

    assert ledger.arm(row_of(ledger, incarnation="two")) is None


def test_equal_numbers_have_equal_marks_and_others_do_not(ledger: Ledger) -> None:
    assert ledger.mark(NUMBER) == ledger.mark(NUMBER)
    assert ledger.mark(NUMBER) != ledger.mark("+15550001111")


# The ledger on disk.


def test_a_row_is_there_for_the_next_process_though_this_one_is_killed(path: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from ringonce.ledger import Row
from ringonce.ledger.sqlite import SqliteLedger
ledger = SqliteLedger(Path({str(path)!r}))
ledger.arm(Row(platform="https://api.test", intent="crm-4711",
               agent_id="ada", mark=ledger.mark("{NUMBER}"), tail="6543",
               incarnation="killed", armed_at=1.0, deadline=2.0))
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", program], check=False)  # noqa: S603  our own program

    assert killed.returncode == -signal.SIGKILL
    found = SqliteLedger(path).look("https://api.test", "crm-4711")
    assert found is not None
    assert (found.incarnation, found.state) == ("killed", RowState.ARMED)


def test_of_two_processes_one_arms_each_intent(path: Path) -> None:
    program = f"""
from pathlib import Path
from ringonce.ledger import Row
from ringonce.ledger.sqlite import SqliteLedger
ledger = SqliteLedger(Path({str(path)!r}))
for n in range(200):
    row = Row(platform="p", intent=str(n), agent_id="ada",
              mark="m", tail="6543", incarnation="p", armed_at=1.0, deadline=2.0)
    if ledger.arm(row) is None:
        print(n)
"""
    racers = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in "123"]  # noqa: S603
    armed = [line for racer in racers for line in racer.communicate()[0].split()]

    assert sorted(map(int, armed)) == list(range(200))


def test_the_file_tells_nobody_whom_was_called(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger.arm(row_of(ledger))
    ledger.close()

    assert path.stat().st_mode & 0o077 == 0
    kept = b"".join(one.read_bytes() for one in path.parent.iterdir())
    assert NUMBER.encode() not in kept
    assert NUMBER[1:].encode() not in kept


def test_a_call_is_found_by_its_number_its_last_digits_its_agent_or_its_state(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger.arm(row_of(ledger, "a"))
    ledger.arm(msgspec.structs.replace(row_of(ledger, "b"), mark=ledger.mark("+4420"), tail="4420", armed_at=200.0))

    def found(**by: str) -> list[str]:
        return [row.intent for row in ledger.history(**by)]  # type: ignore[arg-type]  # all but limit are texts

    assert found() == ["b", "a"]
    assert found(number=NUMBER) == ["a"]
    assert found(tail="4420") == ["b"]
    assert found(agent_id="grace") == []
    assert found(state="armed", intent="a") == ["a"]


def test_a_persons_word_is_kept_with_who_said_it_and_why(path: Path) -> None:
    ledger = SqliteLedger(path)
    unknown = msgspec.structs.replace(row_of(ledger), state=RowState.UNKNOWN)
    ledger.arm(unknown)
    said = msgspec.structs.replace(unknown, state=RowState.NOT_PLACED)

    assert ledger.resolve(said, at=9.0, who="support", reason="the customer says so") == said
    again = msgspec.structs.replace(unknown, state=RowState.PLACED)
    assert ledger.resolve(again, at=10.0, who="x", reason="y") == said
    ledger.close()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT was, became, who, reason FROM audit").fetchall() == [
            ("unknown", "not_placed", "support", "the customer says so")
        ]
    db.close()


def refused(do: Callable[[], object]) -> str:
    with pytest.raises(LedgerError) as error:
        do()
    assert "nothing was sent" in error.value.why + error.value.what or error.value.fix
    return error.value.what


def test_a_removed_file_is_noticed_before_anything_is_armed(path: Path) -> None:
    ledger = SqliteLedger(path)
    path.unlink()

    assert "removed" in refused(lambda: ledger.arm(row_of(ledger)))


def test_a_file_of_another_version_is_refused(path: Path) -> None:
    SqliteLedger(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()

    assert "version" in refused(lambda: SqliteLedger(path))


def test_a_file_that_is_no_ledger_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"dear diary, " * 100)
    path.chmod(0o600)

    assert "can't be opened" in refused(lambda: SqliteLedger(path))


def test_a_file_that_others_can_read_is_refused(path: Path) -> None:
    SqliteLedger(path).close()
    path.chmod(0o644)

    assert "read by others" in refused(lambda: SqliteLedger(path))


def test_a_full_disk_arms_nothing(path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        # In a child, because the limit on file size that stands for a full disk can't be taken back.
        code = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            ledger = SqliteLedger(path)
            size = path.with_name(path.name + "-wal").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            ledger.arm(row_of(ledger))
        except LedgerError as error:
            code = 0 if "can't be written" in error.what else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert SqliteLedger(path).look("https://api.test", "crm-4711") is None


def spent(ledger: Ledger, requests: int, whose: str = "one token", platform: str = "https://api.test") -> int:
    def change(meter: Meter) -> tuple[Meter, int]:
        meter = msgspec.structs.replace(meter, taken=meter.taken + requests)
        return meter, meter.taken

    return ledger.meter(platform, whose, change)


def test_a_meter_is_one_tokens_on_one_platform(ledger: Ledger) -> None:
    spent(ledger, 3)

    assert spent(ledger, 2) == 5
    assert spent(ledger, 1, whose="another token") == 1
    assert spent(ledger, 1, platform="https://api.elsewhere.test") == 1


def test_a_change_of_a_meter_that_fails_changes_nothing(ledger: Ledger) -> None:
    def fail(meter: Meter) -> tuple[Meter, int]:
        raise ZeroDivisionError

    spent(ledger, 3)
    with pytest.raises(ZeroDivisionError):
        ledger.meter("https://api.test", "one token", fail)

    assert spent(ledger, 0) == 3


def test_threads_that_share_a_meter_count_every_request(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: spent(ledger, 1), range(200)))

    assert spent(ledger, 0) == 200


def test_two_processes_share_a_meter_and_the_file_does_not_name_the_token(path: Path) -> None:
    first, second = SqliteLedger(path), SqliteLedger(path)
    spent(first, 3, whose="a-very-secret-token")

    assert spent(second, 2, whose="a-very-secret-token") == 5
    first.close()
    second.close()
    assert not [file for file in path.parent.iterdir() if b"a-very-secret-token" in file.read_bytes()]


def test_a_file_from_before_there_were_meters_is_used_as_it_is(path: Path) -> None:
    SqliteLedger(path).close()
    with contextlib.closing(sqlite3.connect(path)) as before:
        before.execute("DROP TABLE meters")

    ledger = SqliteLedger(path)

    assert spent(ledger, 2) == 2
    ledger.close()


def test_meters_of_tokens_long_gone_are_forgotten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = SqliteLedger(path)
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    spent(ledger, 3)
    monkeypatch.setattr("time.time", lambda: 1_000_000.0 + 90_000)
    spent(ledger, 1, whose="another token")

    assert spent(ledger, 0) == 0
    ledger.close()


def test_a_meter_that_can_not_be_read_begins_anew(path: Path) -> None:
    ledger = SqliteLedger(path)
    spent(ledger, 3)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE meters SET meter = '[]'")

    assert spent(ledger, 1) == 1
    ledger.close()


def test_a_damaged_row_is_a_ledger_that_cannot_be_read(path: Path) -> None:
    with contextlib.closing(SqliteLedger(path)) as ledger:
        ledger.arm(row_of(ledger))
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE intents SET state = 'weird'")

        with pytest.raises(LedgerError) as error:
            ledger.look("https://api.test", "crm-4711")
    assert "damaged" in error.value.fix


def test_a_ledger_that_another_process_holds_is_to_be_tried_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringonce.ledger.sqlite.PATIENCE", 0.01)
    ledger = SqliteLedger(path)
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError) as error:
            ledger.arm(row_of(ledger))
    assert "another process holds it: try again" in error.value.fix
    ledger.close()
