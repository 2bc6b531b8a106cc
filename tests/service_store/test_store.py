"""The service's database, of either kind: made once, never half, and refused when it is of a newer version."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ringonce.errors import ConfigError
from ringonce.service.store import Store, StoreDown
from ringonce.service.store.tables import metadata, settings

STOP = {"name": "stop", "value": True, "changed_at": 1.0}


def test_the_migrations_make_the_tables_that_the_code_knows(database: str) -> None:
    store = Store(database)

    with store.read() as db:
        differences = compare_metadata(MigrationContext.configure(db), metadata)
    store.close()

    assert differences == []


def test_several_processes_that_start_at_once_make_the_tables_once(database: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        stores = list(threads.map(Store, [database] * 6))

    with stores[0].read() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(settings)) == 0
    for store in stores:
        store.close()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database: str) -> None:
    store = Store(database)
    with store.write() as db:
        db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()

    with pytest.raises(ConfigError, match="newer version"):
        Store(database)


def test_a_transaction_that_fails_leaves_nothing_behind(database: str) -> None:
    store = Store(database)

    def half() -> None:
        with store.write() as db:
            db.execute(settings.insert().values(STOP))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()

    with store.read() as db:
        assert db.execute(settings.select()).all() == []
    store.close()


def test_writers_wait_for_each_other(database: str) -> None:
    store = Store(database)
    with store.write() as db:
        db.execute(settings.insert().values({**STOP, "value": 0}))

    def add(_: int) -> None:
        with store.write() as db:
            seen: int = db.execute(sa.select(settings.c.value).with_for_update()).scalar_one()
            db.execute(settings.update().values(value=seen + 1))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(40)))

    with store.read() as db:
        assert db.scalar(sa.select(settings.c.value)) == 40
    store.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "no URL"),
        ("calls.db", "no URL"),
        ("mysql://x/y", "SQLite and PostgreSQL"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_an_address_that_is_none_is_refused_with_the_forms_that_are(url: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as refused:
        Store(url)

    assert "sqlite:///" in str(refused.value)


def test_a_database_that_is_down_says_where_it_was_looked_for_and_no_password(unused_port: int) -> None:
    with pytest.raises(StoreDown) as down:
        Store(f"postgresql://ringonce:hunter2@127.0.0.1:{unused_port}/calls")

    assert f":{unused_port}/calls" in str(down.value)
    assert "hunter2" not in str(down.value)


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "calls.db").write_text("a shopping list, and then some more of it, until it is long enough" * 20)

    with pytest.raises(StoreDown, match="not a database"):
        Store(f"sqlite:///{tmp_path}/calls.db")
