"""What a transaction does last: what it locks so late, it can't hold while it waits for something else."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

_KEPT = "ringonce.last"
Doing = Callable[[sa.Connection, list[Any]], None]


@contextlib.contextmanager
def things(db: sa.Connection) -> Iterator[None]:
    """Do what was put last, if all else went well."""
    kept: dict[Doing, list[Any]] = {}
    db.info[_KEPT] = kept
    try:
        yield
        for do, what in kept.items():
            do(db, what)
    finally:
        del db.info[_KEPT]


def put(db: sa.Connection, do: Doing, one: Any) -> None:
    """Have *do* be called once at the end of a `Store.write`, with all that was put for it, in that order."""
    db.info[_KEPT].setdefault(do, []).append(one)
