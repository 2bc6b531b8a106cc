"""A short storm of each kind; `make service-chaos` is the long one."""

from pathlib import Path

import pytest

from service_chaos.postgres import PostgresProcess
from service_chaos.storm import Storm, Weather

WEATHER = Weather(intents=30, agents=15, every=1.5)


@pytest.mark.timeout(1000)
def test_workers_that_are_killed_on_sqlite_ring_nobody_twice_and_lose_nothing(tmp_path: Path) -> None:
    storm = Storm(tmp_path, WEATHER, None)

    assert storm.blow() == []
    assert storm.figures.intents == 30
    assert storm.figures.kills >= 1


@pytest.mark.timeout(1000)
def test_on_postgresql_a_crash_of_the_database_changes_nothing_about_that(tmp_path: Path) -> None:
    with PostgresProcess() as database:
        storm = Storm(tmp_path, WEATHER, database)

        assert storm.blow() == []
    assert storm.figures.database_crashes == 1
