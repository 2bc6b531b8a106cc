"""A ledger in an SQL database that many machines share (PostgreSQL, or SQLite on one machine)."""

import contextlib
import functools
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from ringonce.errors import LedgerError
from ringonce.ledger import OPEN, Meter, Row, RowState

T = TypeVar("T")
STALE = 3600.0
"""Seconds after which a meter that nobody used is forgotten."""

metadata = sa.MetaData()
_time: sa.types.TypeEngine[float] = sa.Double()

intents = sa.Table(
    "intents",
    metadata,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("intent", sa.Text, primary_key=True),
    sa.Column("agent_id", sa.Text, nullable=False),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("tail", sa.Text, nullable=False),
    sa.Column("incarnation", sa.Text, nullable=False),
    sa.Column("deadline", _time, nullable=False),
    sa.Column("armed_at", _time, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("settled_at", _time, nullable=True),
    sa.Column("conversation_id", sa.Text, nullable=False),
    sa.Column("adopted", sa.Boolean, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("refusal", sa.Text, nullable=False),
    sa.Index("ix_intents_agent_id_armed_at", "agent_id", "armed_at"),
    sa.Index("ix_intents_mark", "mark"),
    sa.Index("ix_intents_armed_at", "armed_at"),
)
meters = sa.Table(
    "meters",
    metadata,
    sa.Column("mark", sa.Text, primary_key=True),
    sa.Column("at", _time, nullable=False),
    sa.Column("meter", sa.JSON, nullable=False),
)
"""Each token's quota, as all who share the database know it."""
secret = sa.Table("secret", metadata, sa.Column("key", sa.LargeBinary, nullable=False))
"""One row: what numbers are hashed with."""


class SqlLedger:
    """Rows in a database whose tables are there already.

    Raise `LedgerError` wherever a row can't be known to be kept.
    """

    instant = False

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        with self._said("read"), engine.begin() as db:
            self._key = marking_key(db)

    def mark(self, number: str) -> str:
        """Give what stands for a number in rows: a hash keyed with this database's secret."""
        return marked(self._key, number)

    def look(self, platform: str, intent: str) -> Row | None:
        """Give the intent's row, if it has one."""
        with self._said("read"), self._engine.connect() as db:
            return find(db.execution_options(reading=True), platform, intent)

    def rivals(self, row: Row, since: float) -> list[Row]:
        """Give the other rows of the same platform and agent that were armed after *since*."""
        query = intents.select().where(
            intents.c.platform == row.platform,
            intents.c.agent_id == row.agent_id,
            intents.c.armed_at > since,
            intents.c.intent != row.intent,
        )
        with self._said("read"), self._engine.connect() as db:
            return [_row(found) for found in db.execution_options(reading=True).execute(query).mappings()]

    def arm(self, row: Row) -> Row | None:
        """Insert *row*, kept for good, and give None; or leave all as it is and give the row that was there."""
        with self._said("written"), self._engine.begin() as db:
            # What a person has said never rang may be placed again.
            db.execute(_FREED, {"of": row.platform, "key": row.intent})
            if db.execute(_insert(db.dialect.name), _values(row)).first() is not None:
                return None
            return find(db, row.platform, row.intent)

    def settle(self, row: Row) -> Row:
        """Replace the row of the same intent if that is still open, and give the row that then stands."""
        with self._said("written"), self._engine.begin() as db:
            return settle(db, row)

    def release(self, row: Row) -> None:
        """Remove the row if it is still armed by the same incarnation."""
        with self._said("written"), self._engine.begin() as db:
            db.execute(intents.delete().where(*_is(row), *_same_attempt(row), intents.c.state == RowState.ARMED))

    def meter(self, platform: str, token: str, change: Callable[[Meter], tuple[Meter, T]]) -> T:
        """Replace the meter of *token*, alone among all who share the database; give the rest of what *change* gave.

        It is kept under a hash that is keyed with this database's secret.
        """
        mark = marked(self._key, f"meter {platform} {token}")
        now = time.time()
        with self._said("written"), self._engine.begin() as db:
            if db.dialect.name == "postgresql":
                db.execute(sa.text("SET LOCAL synchronous_commit TO OFF"))  # it may be lost, so nobody waits for a disk
            mine = meters.c.mark == mark
            kept = sa.select(meters.c.meter).where(mine).with_for_update()
            found = db.scalar(kept)
            if found is None:
                # Others' meters are held by nobody who waits for this one, which is not there yet.
                db.execute(meters.delete().where(meters.c.at < now - STALE))
                first = {"mark": mark, "at": now, "meter": msgspec.to_builtins(Meter())}
                db.execute(_build(db.dialect.name)(meters).values(first).on_conflict_do_nothing())
                found = db.scalar(kept)
            meter, rest = change(msgspec.convert(found, Meter))
            db.execute(meters.update().where(mine).values(at=now, meter=msgspec.to_builtins(meter)))
        return rest

    @contextlib.contextmanager
    def _said(self, done: str) -> Iterator[None]:
        try:
            yield
        except (sa.exc.SQLAlchemyError, OSError, msgspec.ValidationError) as wrong:
            cause = str(getattr(wrong, "orig", None) or wrong).strip().partition("\n")[0]
            damaged = isinstance(wrong, msgspec.ValidationError)
            raise LedgerError(
                f"The ledger in {self._engine.url.render_as_string(hide_password=True)} can't be {done} ({cause})",
                why="without it a second ring can't be ruled out, so nothing was sent by this run",
                fix="a row of it is damaged: put a backup back, or use the version of ringonce that wrote it"
                if damaged
                else "check that the database runs, and its disk's space",
            ) from wrong


# Made once, as they are needed for every call: a statement costs more to make than to run.
_THIS = intents.select().where(intents.c.platform == sa.bindparam("of"), intents.c.intent == sa.bindparam("key"))
_FREED = intents.delete().where(
    intents.c.platform == sa.bindparam("of"),
    intents.c.intent == sa.bindparam("key"),
    intents.c.state == RowState.NOT_PLACED,
)


def find(db: sa.Connection, platform: str, intent: str) -> Row | None:
    """Give the intent's row, if it has one."""
    found = db.execute(_THIS, {"of": platform, "key": intent}).mappings().first()
    return _row(found) if found else None


def settle(db: sa.Connection, row: Row) -> Row:
    """Replace the row of the same intent if that is still open, and give the row that then stands."""
    if db.execute(_settle(db.dialect.name), _values(row)).first() is not None:
        return row
    return find(db, row.platform, row.intent) or row


def marking_key(db: sa.Connection) -> bytes:
    """Give what numbers are hashed with, made the first time."""
    if db.dialect.name == "postgresql":
        db.execute(sa.text("LOCK TABLE secret IN EXCLUSIVE MODE"))
    found: bytes | None = db.scalar(sa.select(secret.c.key))
    if found is None:
        found = secrets.token_bytes(32)
        db.execute(secret.insert().values(key=found))
    return found


def marked(key: bytes, number: str) -> str:
    """Give what stands for a number (E.164)."""
    return hmac.new(key, number.encode(), hashlib.sha256).hexdigest()


@functools.cache
def _insert(dialect: str) -> ReturningInsert[str]:
    return _build(dialect)(intents).on_conflict_do_nothing().returning(intents.c.intent)


@functools.cache
def _settle(dialect: str) -> ReturningInsert[str]:
    # A row that was taken back is written anew: what became of an attempt is never lost.
    insert = _build(dialect)(intents)
    new = insert.excluded
    same = (intents.c.incarnation == new.incarnation, intents.c.armed_at == new.armed_at)
    return insert.on_conflict_do_update(
        index_elements=[intents.c.platform, intents.c.intent],
        set_=dict(new.items()),
        where=sa.and_(*same, sa.or_(*(intents.c.state == state for state in sorted(OPEN)))),
    ).returning(intents.c.intent)


def _build(dialect: str) -> type[postgresql.Insert] | type[sqlite.Insert]:
    return postgresql.Insert if dialect == "postgresql" else sqlite.Insert


def _is(row: Row) -> tuple[sa.ColumnElement[bool], ...]:
    return intents.c.platform == row.platform, intents.c.intent == row.intent


def _same_attempt(row: Row) -> tuple[sa.ColumnElement[bool], ...]:
    return intents.c.incarnation == row.incarnation, intents.c.armed_at == row.armed_at


def _values(row: Row) -> dict[str, Any]:
    return msgspec.structs.asdict(row) | {"state": str(row.state)}


def _row(found: sa.RowMapping) -> Row:
    return msgspec.convert({str(name): value for name, value in found.items()}, Row)
