"""An insert that either kind of database knows, each in its own dialect."""

import sqlalchemy as sa


def insert_once(db: sa.Connection, table: sa.Table, **values: object) -> None:
    """Insert a row unless there is one of the same key."""
    from sqlalchemy.dialects import postgresql, sqlite

    build = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    db.execute(build(table).values(**values).on_conflict_do_nothing())
