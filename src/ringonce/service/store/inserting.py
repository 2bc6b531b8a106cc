"""An insert that either kind of database knows, each in its own dialect."""

import functools

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningInsert


def insert_once(db: sa.Connection, table: sa.Table, **values: object) -> bool:
    """Insert a row unless there is one of the same key; say whether there was none."""
    return db.execute(_insert(db.dialect.name, table), values).first() is not None


@functools.cache
def _insert(dialect: str, table: sa.Table) -> ReturningInsert[int]:
    from sqlalchemy.dialects import postgresql, sqlite

    build = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return build(table).on_conflict_do_nothing().returning(sa.literal_column("1", sa.Integer()))
