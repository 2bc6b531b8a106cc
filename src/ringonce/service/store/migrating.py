"""Bringing the tables to this version, once, however many processes start at the same time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from ringonce.errors import ConfigError

LOCK = 7_464_646_623
"""The PostgreSQL advisory lock of whoever migrates."""


@contextlib.contextmanager
def alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that no other process migrates beside."""
    with engine.begin() as db:
        if db.dialect.name == "postgresql":
            db.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        yield db


def upgrade(db: sa.Connection, name: str) -> None:
    """Apply what is missing. Raise `ConfigError` if the tables of *name* are newer than this program."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    current = MigrationContext.configure(db).get_current_revision()
    if current is not None and current not in known:
        raise ConfigError(
            f"The database {name} was made by a newer version of ringonce",
            why=f"its tables are at {current}, this program knows up to {script.get_current_head()}",
            fix="use the newer version, or restore a backup from before the upgrade",
        )
    context = EnvironmentContext(config, script, fn=lambda revision, _: script._upgrade_revs("head", revision))  # noqa: SLF001  what its own `upgrade` command does
    with context:
        context.configure(connection=db, transactional_ddl=True)
        context.run_migrations()
