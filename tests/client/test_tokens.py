"""The one token cache: however many ask, one renewal is in flight, and each identity has a token of its own."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consenting import PUBLISHED_PRIVATE_KEY
from ringonce import AsyncClient, ClientCredentials, FileSafe, JwtBearer, NotAuthenticated, RefreshToken
from ringonce.client.transport import Transport
from ringonce.client.wishes import Request, Response
from ringonce.models import Identity
from ringonce.sandbox import Sandbox
from ringonce.sandbox.world import World

CLIENT, SECRET = "your_client_id", "your_client_secret"
CALLERS = 100


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, speed=50) as running:
        yield running


def service(sandbox: Sandbox, **rest: Any) -> AsyncClient:
    return AsyncClient(base_url=sandbox.url, auth=ClientCredentials(CLIENT, SECRET), **rest)


def token_requests(sandbox: Sandbox) -> int:
    return sum(one["path"] == "/oauth/token" for one in sandbox.requests())


def expire(world: World) -> None:
    world.tokens.expire()


def revoke(world: World) -> None:
    world.tokens.revoke_all(CLIENT)


async def all_at_once(genesys: AsyncClient) -> None:
    await asyncio.gather(*(genesys.whoami() for _ in range(CALLERS)))


def unlimited(world: World) -> None:
    world.rate_limit = None


def test_a_hundred_callers_spend_one_token_request_at_expiry_and_one_at_a_revocation(sandbox: Sandbox) -> None:
    sandbox.do(unlimited)

    async def work() -> list[int]:
        counts = []
        async with service(sandbox) as genesys:
            await all_at_once(genesys)
            counts.append(token_requests(sandbox))
            sandbox.do(expire)
            await all_at_once(genesys)
            counts.append(token_requests(sandbox))
            sandbox.do(revoke)
            await all_at_once(genesys)
            counts.append(token_requests(sandbox))
        return counts

    assert asyncio.run(work()) == [1, 2, 3]


def test_a_hundred_callers_spend_one_token_request_where_the_clock_says_that_it_has_expired(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.do(unlimited)
    sandbox.do(lambda world: world.change_client(CLIENT, token_lifetime=300))

    async def work() -> int:
        async with service(sandbox) as genesys:
            await all_at_once(genesys)
            # The token's life is over by our clock, so that no request is spent on a refusal.
            later = time.time() + 290
            monkeypatch.setattr("ringonce.client.tokens.time.time", lambda: later)
            await all_at_once(genesys)
            return sum(one["status"] == 401 for one in sandbox.requests())

    assert asyncio.run(work()) == 0
    assert token_requests(sandbox) == 2


def test_every_identity_has_a_token_of_its_own(sandbox: Sandbox) -> None:
    agents = {
        mail: JwtBearer(CLIENT, PUBLISHED_PRIVATE_KEY, subject=mail, algorithm="ES256")
        for mail in ("ada@example.com", "grace@example.com")
    }

    async def work() -> None:
        async with service(sandbox, agents=agents) as genesys:
            for _ in range(2):
                await asyncio.gather(
                    *(genesys.place_call(agent=agent, to="+1 555 987 6543") for agent in [*agents, "linus@example.com"])
                )

    asyncio.run(work())

    creates = [one["path"] for one in sandbox.requests() if one["path"].startswith("/api/v2/conversations/calls")]
    assert sorted(path.count("/user/") for path in creates) == [0, 0, 0, 0, 1, 1]
    assert token_requests(sandbox) == 3
    assert len(sandbox.calls()) == 6


def consent(world: World) -> str:
    """Give a refresh token of Ada's."""
    client, user = world.clients[CLIENT], world.org.user_of("ada@example.com")
    assert user
    code = world.consents.give(client, user, redirect_uri="", scopes=None)
    given = world.consents.of_code(code)
    assert given
    given.public = True
    world.consents.issue(client, given)
    return given.refresh_token


def test_processes_that_share_a_refresh_token_do_not_lock_each_other_out(sandbox: Sandbox, tmp_path: Path) -> None:
    first = sandbox.do(consent)

    async def work() -> None:
        clients = [
            AsyncClient(base_url=sandbox.url, auth=RefreshToken(CLIENT, first), safe=FileSafe(tmp_path))
            for _ in range(8)
        ]
        for _ in range(2):
            names = await asyncio.gather(*(genesys.whoami() for genesys in clients))
            assert {one.email for one in names} == {"ada@example.com"}
            sandbox.do(expire)
        for genesys in clients:
            await genesys.aclose()

    asyncio.run(work())

    assert token_requests(sandbox) == 2


def test_a_token_revoked_while_a_call_is_followed_is_replaced_and_the_call_followed_to_its_end(
    sandbox: Sandbox,
) -> None:
    async def work() -> str:
        async with service(sandbox) as genesys:
            placed = await genesys.place_call(agent="ada@example.com", to="+1 555 987 6543")
            await genesys.wait(placed, until="connected")
            sandbox.do(revoke)
            call = await genesys.wait(placed)
            return str(call.state)

    assert asyncio.run(work()) == "ended"
    assert len(sandbox.calls()) == 1


def test_a_grant_that_fails_is_told_to_everybody_who_waits(sandbox: Sandbox) -> None:
    sandbox.do(lambda world: world.change_client(CLIENT, state="disabled"))

    async def work() -> list[Any]:
        async with service(sandbox) as genesys:
            return await asyncio.gather(*(genesys.whoami() for _ in range(10)), return_exceptions=True)

    told = asyncio.run(work())

    assert [type(one) for one in told] == [NotAuthenticated] * 10
    assert token_requests(sandbox) == 1


class Slow(FileSafe):
    """A disk that takes its time, so that something can happen meanwhile."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.busy, self.on = threading.Event(), threading.Event()

    def keep(self, name: str, secret: str | None) -> None:
        self.busy.set()
        self.on.wait(60)
        super().keep(name, secret)


async def gone(genesys: AsyncClient, asking: asyncio.Task[Identity], how: str, go_on: Callable[[], None]) -> None:
    """Have whoever asks go away, one way or the other; what is slow goes on only once that is waited for."""
    if "cancelled" in how:
        asking.cancel()
    closing = asyncio.create_task(genesys.aclose())
    for _ in range(50):
        await asyncio.sleep(0)
    assert not closing.done()
    go_on()
    await closing
    await asyncio.gather(asking, return_exceptions=True)


async def next_run(sandbox: Sandbox, first: str, folder: Path) -> str:
    """Say who the next program is that uses the chain, once the access token has expired."""
    sandbox.do(expire)
    async with AsyncClient(base_url=sandbox.url, auth=RefreshToken(CLIENT, first), safe=FileSafe(folder)) as other:
        return (await other.whoami()).email


@pytest.mark.parametrize("how", ["the client is closed", "the caller is cancelled"])
def test_a_refresh_token_that_was_just_given_is_not_lost_when(sandbox: Sandbox, tmp_path: Path, how: str) -> None:
    first, slow = sandbox.do(consent), Slow(tmp_path)

    async def work() -> str:
        genesys = AsyncClient(base_url=sandbox.url, auth=RefreshToken(CLIENT, first), safe=slow)
        asking = asyncio.create_task(genesys.whoami())
        await asyncio.to_thread(slow.busy.wait, 60)
        await gone(genesys, asking, how, slow.on.set)
        return await next_run(sandbox, first, tmp_path)

    assert asyncio.run(work()) == "ada@example.com"


@pytest.mark.parametrize("how", ["the client is closed", "the caller is cancelled"])
def test_the_answer_that_brings_a_refresh_token_is_waited_for_when(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    first = sandbox.do(consent)
    send, left, go_on = Transport.send, asyncio.Event(), asyncio.Event()

    async def slowly(self: Transport, request: Request, *ready: Callable[[], None]) -> Response:
        answer = await send(self, request, *ready)
        if "/oauth/token" in request.url:
            left.set()
            await go_on.wait()
        return answer

    async def work() -> str:
        genesys = AsyncClient(base_url=sandbox.url, auth=RefreshToken(CLIENT, first), safe=FileSafe(tmp_path))
        asking = asyncio.create_task(genesys.whoami())
        await left.wait()
        await gone(genesys, asking, how, go_on.set)
        return await next_run(sandbox, first, tmp_path)

    monkeypatch.setattr(Transport, "send", slowly)
    assert asyncio.run(work()) == "ada@example.com"
