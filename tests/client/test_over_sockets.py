"""The clients over real HTTP and WebSockets: what leaves the process, however the network fails."""

import asyncio
import gc
import inspect
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringonce import (
    AsyncClient,
    Client,
    ClientCredentials,
    ConfigError,
    InvalidInput,
    NoAnswer,
    Outcome,
    OutcomeUnknown,
    Placed,
    RingonceError,
    StillGoing,
    Unreachable,
)
from ringonce.sandbox import Sandbox

CREATE = {"method": "POST", "path": "/api/v2/conversations/calls*"}
ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
TUTORIAL_CLIENT = ClientCredentials("your_client_id", "your_client_secret")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, speed=50, agents=40) as running:
        yield running


def connect(sandbox: Sandbox, **rest: Any) -> Client:
    return Client(base_url=sandbox.url, auth=TUTORIAL_CLIENT, **rest)


def aconnect(sandbox: Sandbox, **rest: Any) -> AsyncClient:
    return AsyncClient(base_url=sandbox.url, auth=TUTORIAL_CLIENT, **rest)


def asked(sandbox: Sandbox, path: str, method: str = "POST") -> int:
    return sum(one["path"].startswith(path) and one["method"] == method for one in sandbox.requests())


def test_a_call_is_placed_followed_and_ended(sandbox: Sandbox) -> None:
    with connect(sandbox) as genesys:
        placed = genesys.place_call(agent="ada@example.com", to="+1 555 987 6543", intent="crm-4711")
        states = [call.state for call in genesys.follow(placed)]

    assert states[-1] == "ended"
    assert "connected" in states
    assert asked(sandbox, "/api/v2/conversations", "GET") == 0


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "drop_after"},
        {"action": "truncate"},
        {"action": "late_status", "status": 504},
        {"action": "create_late", "delay_s": 100},
    ],
    ids=lambda fault: fault["action"],
)
def test_a_lost_answer_leaves_one_call_which_is_adopted(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    sandbox.fault(**CREATE, **fault)
    with connect(sandbox) as genesys:
        placed = genesys.place_call(agent="ada@example.com", to="+15559876543", intent="crm-4711")

    assert placed.adopted
    assert [one["conversationId"] for one in sandbox.calls()] == [placed.conversation_id]
    assert asked(sandbox, "/api/v2/conversations/calls") == 1


def test_a_request_that_was_lost_on_the_way_is_unknown_and_was_sent_once(sandbox: Sandbox) -> None:
    sandbox.fault(**CREATE, action="drop_before")
    with connect(sandbox, settle=0.3) as genesys, pytest.raises(OutcomeUnknown):
        genesys.place_call(agent="ada@example.com", to="+15559876543")

    assert asked(sandbox, "/api/v2/conversations/calls") == 1


def test_two_at_once_with_one_intent_are_one_call(sandbox: Sandbox) -> None:
    sandbox.fault(**CREATE, action="delay", delay_s=10)

    async def both() -> list[Placed]:
        async with aconnect(sandbox) as genesys:
            press = [genesys.place_call(agent="ada@example.com", to="+15559876543", intent="press-1") for _ in "12"]
            return await asyncio.gather(*press)

    first, second = asyncio.run(both())

    assert first.conversation_id == second.conversation_id
    assert sorted([first.replayed, second.replayed]) == [False, True]
    assert len(sandbox.calls()) == 1


def test_many_callers_share_one_token_and_one_channel(sandbox: Sandbox) -> None:
    async def crowd() -> None:
        async with aconnect(sandbox) as genesys:
            agents = [f"agent-{n:05d}@example.com" for n in range(1, 41)]
            await asyncio.gather(*(genesys.place_call(agent=one, to="+15559876543") for one in agents))

    asyncio.run(crowd())

    assert asked(sandbox, "/oauth/token") == 1
    assert sum(one["path"] == "/api/v2/notifications/channels" for one in sandbox.requests()) == 1
    assert len(sandbox.calls()) == 40


def test_a_one_shot_program_uses_its_channel_again_and_two_at_once_have_their_own(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    for _ in range(3):
        with connect(sandbox, channel_store=tmp_path) as genesys:
            genesys.wait(genesys.place_call(agent="ada@example.com", to="+15559876543"))
    channels = "/api/v2/notifications/channels"
    assert sum(one["path"] == channels for one in sandbox.requests()) == 1

    with connect(sandbox, channel_store=tmp_path) as one, connect(sandbox, channel_store=tmp_path) as two:
        for genesys in (one, two):
            genesys.wait(genesys.place_call(agent="ada@example.com", to="+15559876543"), until="connected")
    assert sum(one["path"] == channels for one in sandbox.requests()) == 2
    assert all(kept.stat().st_mode & 0o077 == 0 for kept in tmp_path.iterdir())


def test_a_kept_channel_that_is_gone_is_replaced(sandbox: Sandbox, tmp_path: Path) -> None:
    with connect(sandbox, channel_store=tmp_path) as genesys:
        genesys.place_call(agent="ada@example.com", to="+15559876543")
    sandbox.reset()
    with connect(sandbox, channel_store=tmp_path) as genesys:
        call = genesys.wait(genesys.place_call(agent="ada@example.com", to="+15559876543"))
    assert call.outcome is Outcome.ANSWERED


def test_a_socket_that_closes_is_opened_again_and_the_call_read(sandbox: Sandbox) -> None:
    with connect(sandbox) as genesys:
        placed = genesys.place_call(agent="ada@example.com", to="+15559870000")
        genesys.wait(placed, until="connected")
        sandbox.fault(action="close_socket")
        genesys.hang_up(placed)

        assert genesys.wait(placed).outcome is Outcome.ANSWERED


def test_where_channels_are_refused_the_call_is_followed_by_reads(sandbox: Sandbox) -> None:
    sandbox.fault(method="POST", path="/api/v2/notifications/*", action="status", status=403)
    with connect(sandbox) as genesys:
        call = genesys.wait(genesys.place_call(agent="ada@example.com", to="+15559876543"))

    assert call.outcome is Outcome.ANSWERED
    assert asked(sandbox, "/api/v2/conversations", "GET") > 0


def test_a_wait_is_bounded_and_the_call_goes_on(sandbox: Sandbox) -> None:
    with connect(sandbox) as genesys:
        placed = genesys.place_call(agent="ada@example.com", to="+15559870009")
        with pytest.raises(StillGoing) as error:
            genesys.wait(placed, until="connected", timeout=0.3)
        assert error.value.call.state in {"dialing", "ringing"}
        assert not genesys.get_call(placed).ended


def test_nobody_at_the_address_is_unreachable_and_nothing_was_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        genesys = Client(base_url=f"http://127.0.0.1:{port}", auth=TUTORIAL_CLIENT)
        with genesys, pytest.raises(Unreachable) as error:
            genesys.place_call(agent="ada@example.com", to="+15559876543")
    assert str(port) in error.value.what
    assert error.value.fix


def test_the_twins_have_the_same_public_face() -> None:
    def face(kind: type) -> dict[str, list[tuple[str, object, object]]]:
        named = {"close" if name == "aclose" else name: one for name, one in inspect.getmembers(kind, callable)}
        return {
            name: [(p.name, p.kind, p.default) for p in inspect.signature(one).parameters.values()]
            for name, one in named.items()
            if name == "__init__" or not name.startswith("_")
        }

    assert face(Client) == face(AsyncClient)


def test_a_client_is_safe_between_threads(sandbox: Sandbox) -> None:
    with connect(sandbox) as genesys:
        results: list[str] = []

        def press() -> None:
            placed = genesys.place_call(agent="ada@example.com", to="+15559876543", intent="press-1")
            results.append(placed.conversation_id)

        threads = [threading.Thread(target=press) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(results) == 8
    assert len(set(results)) == len(sandbox.calls()) == 1


def test_leaving_a_follow_early_leaves_nothing_behind(sandbox: Sandbox) -> None:
    with connect(sandbox) as genesys:
        placed = genesys.place_call(agent="ada@example.com", to="+15559870000")
        for _ in genesys.follow(placed):
            break
        assert genesys.hang_up(placed).ended


def test_a_closed_client_says_so(sandbox: Sandbox) -> None:
    genesys = connect(sandbox)
    genesys.close()
    with pytest.raises(RuntimeError, match="closed"):
        genesys.active_calls(agent=ADA)


def test_closing_lets_another_threads_wait_end(sandbox: Sandbox) -> None:
    genesys = connect(sandbox)
    placed = genesys.place_call(agent="ada@example.com", to="+15559870009")
    raised: list[BaseException] = []

    def wait() -> None:
        try:
            genesys.wait(placed, timeout=None)
        except RingonceError as error:
            raised.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    genesys.close()
    waiter.join(60)

    assert not waiter.is_alive()
    assert [type(error) for error in raised] in ([NoAnswer], [])


def test_a_cancelled_placing_that_sent_nothing_leaves_the_intent_free(sandbox: Sandbox) -> None:
    async def press_twice() -> Placed:
        async with aconnect(sandbox) as genesys:
            sandbox.fault(**CREATE, action="status", status=429, retry_after=3000, times=1)
            order: dict[str, Any] = {"agent": "ada@example.com", "to": "+15559876543", "intent": "crm-4711"}
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await genesys.place_call(**order, timeout=6000)
            assert not genesys.sending("crm-4711")
            return await genesys.place_call(**order)

    placed = asyncio.run(press_twice())

    assert not placed.replayed
    assert len(sandbox.calls()) == 1


@pytest.mark.parametrize("ask", ["quota", "place_call"])
def test_work_that_waits_for_its_token_when_the_client_is_closed_says_that(sandbox: Sandbox, ask: str) -> None:
    sandbox.fault(path="/oauth/token", method="POST", action="delay", delay_s=5_000)

    async def cut_off() -> None:
        genesys = aconnect(sandbox)
        asking = genesys.quota() if ask == "quota" else genesys.place_call(agent=ADA, to="+15559876543")
        asked_for = asyncio.create_task(asking)
        for _ in iter(lambda: bool(asked(sandbox, "/oauth/token")), True):
            await asyncio.sleep(0.01)
        await genesys.aclose()
        with pytest.raises(NoAnswer, match="The client was closed meanwhile"):
            await asked_for

    asyncio.run(cut_off())


def test_a_client_that_is_collected_in_its_own_thread_is_closed_all_the_same(sandbox: Sandbox) -> None:
    genesys = connect(sandbox)
    genesys.quota()
    loop, thread = genesys._loop, genesys._thread
    cycle: list[object] = [genesys]
    cycle.append(cycle)
    gc.disable()
    try:
        del cycle, genesys
        loop.call_soon_threadsafe(gc.collect)
        thread.join(10)
    finally:
        gc.enable()

    assert not thread.is_alive()
    assert loop.is_closed()


def test_an_async_client_that_is_closed_says_so(sandbox: Sandbox) -> None:
    async def use_after_close() -> None:
        genesys = aconnect(sandbox)
        await genesys.aclose()
        with pytest.raises(RuntimeError, match="closed"):
            await genesys.active_calls(agent=ADA)

    asyncio.run(use_after_close())


def test_a_client_does_not_work_in_a_forked_child_and_says_so(sandbox: Sandbox) -> None:
    with connect(sandbox) as genesys:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                genesys.active_calls(agent=ADA)
            except RuntimeError as error:
                code = 0 if "fork" in str(error) else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("what", [None, 5, b"x", "", "../x"])
def test_what_is_no_call_is_refused_in_words(sandbox: Sandbox, what: Any) -> None:
    with connect(sandbox) as genesys, pytest.raises(InvalidInput) as error:
        genesys.get_call(what)
    assert error.value.fix


def test_a_settle_window_that_is_none_is_refused_at_once(sandbox: Sandbox) -> None:
    for settle in ("x", -1, float("inf")):
        with pytest.raises(ConfigError):
            connect(sandbox, settle=settle)


def test_a_program_that_forgets_to_close_ends_all_the_same(sandbox: Sandbox) -> None:
    program = (
        "from ringonce import Client\n"
        f"genesys = Client(base_url={sandbox.url!r})\n"
        "print(genesys.place_call(agent='ada@example.com', to='+15559876543').conversation_id)\n"
    )
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603  our own interpreter and program
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert len(sandbox.calls()) == 1
    assert time.monotonic() - began < 20


def test_the_environment_says_who_and_where(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGONCE_BASE_URL", sandbox.url)
    monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_ID", "your_client_id")
    monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_SECRET", "your_client_secret")
    with Client() as genesys:
        assert genesys.active_calls(agent="ada@example.com") == ()


def test_a_path_on_a_gateway_is_kept(sandbox: Sandbox) -> None:
    with Client(base_url=f"{sandbox.url}/gateway/genesys/", auth=TUTORIAL_CLIENT) as genesys:
        call = genesys.wait(genesys.place_call(agent="ada@example.com", to="+15559876543"))

    assert call.outcome is Outcome.ANSWERED
    assert Path(sandbox.requests()[0]["path"]).parts[-2:] == ("oauth", "token")
