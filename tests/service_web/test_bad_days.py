"""What a service does on a bad day: a database that goes away and comes back, and bodies that have no end."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from databases import new_database
from ringonce.service.access import Role
from service_web.conftest import ADA, Opening, Service, frames
from service_web.test_doors import problem

Gate = Callable[[bool], None]


@pytest.fixture
def database(postgres: sa.URL) -> str:
    """A real one that can be shut."""
    return new_database(postgres)


@pytest.fixture
def gate(postgres: sa.URL, database: str) -> Iterator[Gate]:
    """Shut the database, with whoever is in it put out, and open it again."""
    name = sa.make_url(database).database
    engine = sa.create_engine(postgres.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

    def let(in_: bool) -> None:
        with engine.connect() as db:
            db.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {in_}"))
            if not in_:
                out = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
                db.execute(sa.text(out), {"name": name})

    yield let
    let(True)
    engine.dispose()


def test_while_the_database_is_away_every_door_says_so_and_then_all_goes_on(opening: Opening, gate: Gate) -> None:
    service = opening()
    assert service.place("before").status_code == 202
    stream = service.ask("GET", "/v1/events?after=0", stream=True)
    assert next(frames(stream))["body"]["key"] == "before"

    gate(False)
    refused = service.place("meanwhile")
    looked = service.ask("GET", "/v1/calls")
    ready = service.ask("GET", "/readyz")
    alive = service.ask("GET", "/healthz")
    list(frames(stream))  # it ends, and the page comes again
    gate(True)
    taken = service.place("meanwhile")
    again = service.place("before")

    for answer in (refused, looked, ready):
        assert answer.status_code == 503
    for answer in (refused, looked):
        assert "check that it runs" in problem(answer, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert alive.status_code == 200
    assert "idempotency-replayed" not in taken.headers  # nothing had been half taken
    assert taken.status_code == 202
    assert again.headers["idempotency-replayed"] == "true"


def test_a_body_that_does_not_say_how_long_it_is_is_cut_short(opening: Opening) -> None:
    service = opening()

    def endless() -> Iterator[bytes]:
        yield b'{"agent": "'
        for _ in range(100):
            yield b"a" * 1024
        yield b'", "to": "+15559876543"}'

    answer = service.ask("POST", "/v1/calls", data=endless(), headers={"Content-Type": "application/json"})

    problem(answer, "too-large")
    assert service.ask("GET", "/v1/calls").json()["calls"] == []


def test_a_key_stands_for_one_call_or_one_file_whoever_gives_it(opening: Opening) -> None:
    service = opening()
    file = {"Content-Type": "text/csv", "Idempotency-Key": "monday"}
    first = service.ask("POST", "/v1/batches", data=f"agent,to\n{ADA},+15559876543\n", headers=file)

    other = service.ask("POST", "/v1/batches", data=f"agent,to\n{ADA},+15559876544\n", headers=file)
    same = service.place("crm-1")
    differs = [
        service.place("crm-1", **change)
        for change in ({"to": "+15559876544"}, {"agent": "agent-00001@example.com"}, {"priority": 3}, {"zone": "UTC"})
    ]

    assert (first.status_code, same.status_code) == (201, 202)
    assert "key of its own" in problem(other, "key-reused")
    for answer in differs:
        assert "key of its own" in problem(answer, "key-reused")


def test_a_role_that_is_too_low_is_told_which_one_is_needed(service: Service) -> None:
    answer = service.place("crm-1", service.token(Role.VIEWER))

    assert "token of that role" in problem(answer, "not-allowed")
    assert "dialers and up" in answer.json()["detail"]
