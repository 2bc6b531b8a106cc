"""An agent follows a link, consents on the platform, and the service dials as that agent."""

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from ringonce import AsyncClient
from ringonce.config import Endpoints
from ringonce.errors import InvalidInput, NotAuthenticated, NotFound, Unreachable
from ringonce.sandbox import Sandbox
from ringonce.service import audit, enrolled, enrolling
from ringonce.service.enrolling import Enrolling
from ringonce.service.store import Store
from ringonce.service.store.tables import identities
from ringonce.service.vault import Vault, VaultSafe

ADA, ADA_ID = "ada@example.com", "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
GRACE = "agent-00002@example.com"
BACK = "http://127.0.0.1:8090/connect/back"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, speed=50, agents=3) as running:
        yield running


@pytest.fixture
def now() -> list[float]:
    return [1_800_000_000.0]


@pytest.fixture
def enrolment(store: Store, vault: Vault, sandbox: Sandbox, now: list[float]) -> Enrolling:
    return Enrolling(store, vault, Endpoints(sandbox.url, sandbox.url), "your_client_id", clock=lambda: now[0])


def link_for(store: Store, agent: str = ADA, now: float = 1_800_000_000.0, **options: Any) -> str:
    with store.write() as db:
        return enrolling.invite(db, agent, by="tok_admin", now=now, **options).secret


def consents(url: str, agent: str = ADA, decision: str = "allow") -> dict[str, str]:
    """The agent presses the platform's button; give what the browser comes back with."""
    page = requests.get(url, timeout=10)
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    form = {name: value.replace("&amp;", "&") for name, value in fields.items()} | {"agent": agent}
    answer = requests.post(url.partition("?")[0], data=form | {"decision": decision}, timeout=10, allow_redirects=False)
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


async def enrol(enrolment: Enrolling, secret: str, **decides: str) -> enrolling.Enrolled:
    leaving = await enrolment.leave(secret, BACK)
    back = await asyncio.to_thread(consents, leaving.url, **decides)
    return await enrolment.come_back(leaving.cookie, back)


def tokens_of(sandbox: Sandbox) -> int:
    return sandbox.do(lambda world: sum(world.tokens.good(token) for token in world.tokens._tokens.values()))


def test_an_agent_who_follows_a_link_is_dialled_for_as_themselves(
    store: Store, vault: Vault, sandbox: Sandbox, enrolment: Enrolling
) -> None:
    async def story() -> str:
        made = await enrol(enrolment, link_for(store))
        assert made.agent_id == ADA_ID
        async with AsyncClient(base_url=sandbox.url, safe=VaultSafe(store, vault)) as client:
            client.use_agents(await store.look(enrolling.pool))
            placed = await client.place_call(agent=ADA, to="+15559870002", intent="crm-1")
        return placed.conversation_id

    conversation = asyncio.run(story())

    paths = [
        one["path"] for one in sandbox.requests() if one["method"] == "POST" and "/conversations/calls" in one["path"]
    ]
    assert paths[-1] == "/api/v2/conversations/calls"  # not on behalf: that one names the user
    assert conversation in {one["conversationId"] for one in sandbox.calls()}
    with store.read() as db:
        assert [one.what for one in audit.entries(db)] == ["enrolment.invited", "enrolment.made"]


def test_a_link_is_good_once(store: Store, enrolment: Enrolling) -> None:
    async def story() -> None:
        secret = link_for(store)
        leaving = await enrolment.leave(secret, BACK)
        await enrolment.leave(secret, BACK)  # looking at it is no use of it
        back = await asyncio.to_thread(consents, leaving.url)
        await enrolment.come_back(leaving.cookie, back)
        with pytest.raises(NotAuthenticated, match="it was used"):
            await enrolment.come_back(leaving.cookie, back)
        with pytest.raises(NotAuthenticated, match="it was used"):
            await enrolment.leave(secret, BACK)

    asyncio.run(story())


def test_a_link_ends_and_a_made_up_one_never_was_good(store: Store, enrolment: Enrolling, now: list[float]) -> None:
    async def story() -> None:
        secret = link_for(store, life=60)
        leaving = await enrolment.leave(secret, BACK)
        back = await asyncio.to_thread(consents, leaving.url)
        now[0] += 61
        with pytest.raises(NotAuthenticated, match="its time is over"):
            await enrolment.leave(secret, BACK)
        with pytest.raises(NotAuthenticated, match="its time is over"):
            await enrolment.come_back(leaving.cookie, back)
        with pytest.raises(NotAuthenticated, match="nobody made it"):
            await enrolment.leave("made-up", BACK)

    asyncio.run(story())


def test_the_login_of_another_agent_is_refused_withdrawn_and_the_link_stays_good(
    store: Store, sandbox: Sandbox, enrolment: Enrolling
) -> None:
    async def story() -> None:
        secret, before = link_for(store), tokens_of(sandbox)
        with pytest.raises(NotAuthenticated, match="was logged in as"):
            await enrol(enrolment, secret, agent=GRACE)
        with store.read() as db:
            assert not db.execute(identities.select()).all()
        assert tokens_of(sandbox) == before
        assert (await enrol(enrolment, secret)).agent_id == ADA_ID

    asyncio.run(story())


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda cookie, back: ("", back), "not opened a link"),
        (lambda cookie, back: (cookie[:-8] + "AAAAAAA=", back), "not opened a link"),
        (lambda cookie, back: (cookie, back | {"state": "another"}), "not to the question"),
        (lambda cookie, back: (cookie, {"state": back["state"], "error": "access_denied"}), "access_denied"),
        (lambda cookie, back: (cookie, back | {"code": "made-up"}), "No token was given"),
    ],
    ids=["no cookie", "a changed cookie", "another state", "the agent says no", "a made-up code"],
)
def test_whatever_else_comes_back_is_refused_and_leaves_nothing(
    spoil: Callable[[str, dict[str, str]], tuple[str, dict[str, str]]], told: str, store: Store, enrolment: Enrolling
) -> None:
    async def story() -> None:
        secret = link_for(store)
        leaving = await enrolment.leave(secret, BACK)
        back = await asyncio.to_thread(consents, leaving.url)
        with pytest.raises(NotAuthenticated, match=told):
            await enrolment.come_back(*spoil(leaving.cookie, back))
        with store.read() as db:
            assert not db.execute(identities.select()).all()
        assert (await enrol(enrolment, secret)).agent_id == ADA_ID

    asyncio.run(story())


def test_a_second_enrolment_takes_the_place_of_the_first_which_is_withdrawn(
    store: Store, sandbox: Sandbox, enrolment: Enrolling
) -> None:
    async def story() -> None:
        await enrol(enrolment, link_for(store))
        between = tokens_of(sandbox)
        await enrol(enrolment, link_for(store, ADA_ID))
        assert tokens_of(sandbox) == between

    asyncio.run(story())

    with store.read() as db:
        assert len(enrolling.enrolled(db)) == 1
        assert len(db.execute(identities.select()).all()) == 1


def test_a_withdrawn_enrolment_is_forgotten_on_the_platform_and_here(
    store: Store, sandbox: Sandbox, enrolment: Enrolling
) -> None:
    async def story() -> None:
        before = tokens_of(sandbox)
        await enrol(enrolment, link_for(store))
        await enrolment.withdraw(ADA, by="tok_admin")
        assert tokens_of(sandbox) == before
        with pytest.raises(NotFound, match="not enrolled"):
            await enrolment.withdraw(ADA, by="tok_admin")

    asyncio.run(story())

    with store.read() as db:
        assert not enrolling.pool(db)


def test_what_can_not_be_withdrawn_now_is_used_no_more_and_withdrawn_later(
    store: Store, sandbox: Sandbox, enrolment: Enrolling, now: list[float]
) -> None:
    async def story() -> None:
        await enrol(enrolment, link_for(store))
        with socket.socket() as taken:  # bound, and nobody listens
            taken.bind(("127.0.0.1", 0))
            nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
            away = Enrolling(store, enrolment.vault, Endpoints(nowhere, nowhere), "your_client_id", enrolment.clock)
            with pytest.raises(Unreachable):
                await away.withdraw(ADA, by="tok_admin")
        assert not await store.look(enrolling.pool)
        now[0] += 2e6  # the vault's own clock is the real one

        async def opened() -> Enrolling:
            return enrolment

        async def rest(seconds: float) -> None:
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await enrolled.sweep(store, opened, enrolment.clock, rest)

    asyncio.run(story())

    with store.read() as db:
        assert not db.execute(identities.select()).all()


def test_running_clients_hear_of_who_is_enrolled(
    store: Store, vault: Vault, sandbox: Sandbox, enrolment: Enrolling
) -> None:
    async def story() -> None:
        looks = 0

        async def sleep(seconds: float) -> None:
            nonlocal looks
            looks += 1
            if looks == 1:
                await enrol(enrolment, link_for(store))
            if looks == 3:
                raise asyncio.CancelledError

        async def opened() -> Vault:
            return vault

        async with AsyncClient(base_url=sandbox.url) as client:
            with pytest.raises(asyncio.CancelledError):
                await enrolled.follow(store, client, opened, sleep)
            assert (await client.place_call(agent=ADA, to="+15559870002")).conversation_id
            assert set(client._session.pool) == {ADA_ID}

    asyncio.run(story())


@pytest.mark.parametrize(("agent", "life"), [("Ada Lovelace", 60), (ADA, 0), (ADA, 1e9), ("", 60)])
def test_who_may_not_be_invited_is_told_why(store: Store, agent: str, life: float) -> None:
    with pytest.raises(InvalidInput):
        link_for(store, agent, life=life)
