"""A service on a port of its own: the web door in front of a database of either kind, with or without a worker."""

import asyncio
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from databases import with_tables
from ringonce import AsyncClient
from ringonce.ledger import Ledger
from ringonce.sandbox import Sandbox
from ringonce.service import access, house
from ringonce.service.access import Role
from ringonce.service.store import Store
from ringonce.service.web import app, server
from ringonce.service.web.pace import Pace

ADA = "ada@example.com"
NUMBER = "+15559876543"
CALL = {"agent": ADA, "to": NUMBER}


class Service:
    """A service that runs on a thread of its own until it is closed."""

    def __init__(self, database: str, sandbox: Sandbox, *, dialling: bool = False, **web: Any) -> None:
        self._listener = server.bound("127.0.0.1", 0)
        self.url = server.url_of("127.0.0.1", self._listener)
        self.database = database
        self._sandbox, self._dialling, self._web = sandbox, dialling, web
        self._up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        self._up.wait()
        if self._failed:
            raise self._failed
        self.admin = self.token(Role.ADMIN)

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def token(self, role: Role, *agents: str) -> str:
        with self.store.write() as db:
            return access.issue(db, f"{role} of the tests", role, agents).secret

    def do(self, work: Callable[[sa.Connection], Any]) -> Any:
        with self.store.write() as db:
            return work(db)

    def ask(self, method: str, path: str, token: str | None = None, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.admin if token is None else token}"} | options.pop("headers", {})
        headers = {name: value for name, value in headers.items() if value}
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=60, **options)

    def place(self, key: str | None = None, token: str | None = None, **body: Any) -> requests.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self.ask("POST", "/v1/calls", token, json=CALL | body, headers=headers)

    def _work(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as wrong:
            self._failed = wrong
            raise
        finally:
            self._up.set()
            self._loop.close()

    async def _serve(self) -> None:
        platform = house.Platform(api=self._sandbox.url, login_client_id="your_client_id")

        def client(ledger: Ledger) -> AsyncClient:
            return AsyncClient(base_url=self._sandbox.url, ledger=ledger, settle=3.0)

        async with (
            house.opened(self.database, platform, client, dialling=self._dialling) as home,
            app.opened(home, **self._web) as (application, desk),
            server.serving(application, desk, self._listener),
        ):
            self.store: Store = home.store
            self.ledger = home.ledger
            self.desk = desk
            self._up.set()
            await self._stop.wait()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """The database of `standing`."""
    return str(request.param)


@pytest.fixture(scope="module")
def standing(
    request: pytest.FixtureRequest, backend: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """One service for all tests that leave nothing behind which another of them would see."""
    database = with_tables(request, backend, tmp_path_factory.mktemp("standing"))
    # A minute passes with each request, so that what one test asks for is not held against the next.
    pace = Pace(clock=itertools.count(0, 60).__next__)
    with Sandbox(port=0, speed=20, agents=5) as sandbox:
        service = Service(database, sandbox, pace=pace)
        try:
            yield service
        finally:
            service.close()


Opening = Callable[..., Service]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, speed=20, agents=5) as running:
        yield running


@pytest.fixture
def opening(sandbox: Sandbox, database: str) -> Iterator[Opening]:
    """Open a service; every one is closed in the end."""
    with ExitStack() as stack:

        def open_one(**options: Any) -> Service:
            service = Service(database, sandbox, **options)
            stack.callback(service.close)
            return service

        yield open_one


@pytest.fixture
def service(opening: Opening) -> Service:
    """A service that takes calls in, and dials none."""
    return opening()


@pytest.fixture
def dialling(opening: Opening) -> Service:
    return opening(dialling=True)


def frames(answer: requests.Response) -> Iterator[dict[str, Any]]:
    """Give the events of a stream, as they come."""
    for line in answer.iter_lines(chunk_size=1):
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))
