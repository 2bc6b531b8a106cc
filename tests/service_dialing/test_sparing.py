"""The engine's errors are told like everybody's, and once."""

import asyncio
import logging
import sqlite3

import pytest
import sqlalchemy as sa

from ringonce.service.dialing.sparing import EVERY, Sparing
from ringonce.service.store import Store
from service_dialing.conftest import Working

FULL = sa.exc.OperationalError("INSERT …", {"to": "+15559876543"}, sqlite3.OperationalError("database or disk is full"))


def line(words: str, error: BaseException | None = None) -> logging.LogRecord:
    told = (type(error), error, None) if error is not None else None
    return logging.LogRecord("dbos", logging.ERROR, __file__, 1, words, (), told)


def test_an_error_that_comes_in_masses_is_told_once_and_then_with_its_count() -> None:
    now = [0.0]
    sparing = Sparing(lambda: now[0])

    passed = [sparing.filter(line(f"workflow run_{number} failed", FULL)) for number in range(100)]
    other = sparing.filter(line("something else"))
    now[0] += EVERY
    later = line("workflow run_1 failed", FULL)

    assert passed == [True] + [False] * 99
    assert other
    assert sparing.filter(later)
    assert later.getMessage().endswith("OperationalError: database or disk is full (and 99 more like it before)")


def test_what_a_database_says_of_itself_is_told_without_its_statement() -> None:
    told = line("Exception encountered in asynchronous workflow:", FULL)

    assert Sparing().filter(told)
    assert told.exc_info is None
    assert "15559876543" not in told.getMessage()


def test_an_error_that_is_no_databases_keeps_its_traceback() -> None:
    told = line("it broke", ValueError("why"))

    assert Sparing().filter(told)
    assert told.exc_info is not None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_while_a_worker_runs_the_engines_lines_go_where_ours_go(store: Store, working: Working) -> None:
    async def play() -> None:
        async with working():
            engine = logging.getLogger("dbos")
            assert engine.handlers == []
            assert engine.propagate

    asyncio.run(play())
