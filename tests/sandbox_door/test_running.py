"""Starting, stopping, and living beside others."""

import asyncio
import json
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import aiohttp
import grimp
import pytest
import requests

from ringonce.sandbox import HOSTILE, Sandbox, SandboxError, serve


def open_channel(sandbox: Sandbox) -> str:
    def make(world: Any) -> str:
        channel_id: str = world.channels.create(("your_client_id", "")).id
        return channel_id

    return f"{sandbox.url}/channels/{sandbox.do(make)}"


def test_importing_the_sandbox_costs_no_web_server() -> None:
    program = "import sys, ringonce.sandbox; print([name for name in ('uvicorn', 'starlette') if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603

    assert done.stdout.strip() == "[]"


def test_a_missing_extra_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name in {"ringonce.sandbox.server", "uvicorn"}]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("ringonce.sandbox.server", raising=False)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [_Without("uvicorn"), *sys.meta_path])

    with pytest.raises(SandboxError) as missing:
        Sandbox().start()

    assert missing.value.what == "The sandbox needs Starlette and uvicorn"
    assert missing.value.fix == "pip install 'ringonce[sandbox]'"


class _Without:
    """An import system in which one package is not installed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, name: str, *_: object) -> None:
        if name == self._name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_a_port_in_use_is_named() -> None:
    with Sandbox() as first:
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(SandboxError) as taken:
            Sandbox(port=port).start()

    assert str(port) in taken.value.what
    assert "in use" in taken.value.why
    assert "--port 0" in taken.value.fix


@pytest.mark.parametrize(
    ("host", "port", "fix"),
    [
        ("h" * 64, 0, "--host 127.0.0.1"),
        ("192.0.2.1", 0, "--host 127.0.0.1"),
        ("127.0.0.1", 70_000, "--port 0"),
        ("127.0.0.1", -1, "--port 0"),
    ],
)
def test_an_address_that_cannot_be_had_is_refused_with_what_to_change(host: str, port: int, fix: str) -> None:
    with pytest.raises(SandboxError) as refused:
        Sandbox(host=host, port=port).start()

    assert fix in refused.value.fix


def test_a_port_is_free_again_after_stop() -> None:
    with Sandbox() as first:
        port = int(first.url.rpartition(":")[2])
        requests.get(f"{first.url}/_sandbox/health", timeout=60)
    with Sandbox(port=port) as second:
        assert requests.get(f"{second.url}/_sandbox/health", timeout=60).status_code == 200


def test_two_sandboxes_know_nothing_of_each_other() -> None:
    with Sandbox(clock="manual") as one, Sandbox(clock="manual", seed=1) as other:
        requests.get(f"{one.url}/api/v2/users/me", timeout=60)
        one.fault(action="drop_before")

        assert one.url != other.url
        assert len(one.requests()) == 1
        assert (other.requests(), other.faults()) == ([], [])


def test_stopping_is_quick_and_complete_with_connections_of_every_kind_open() -> None:
    sandbox = Sandbox(clock="manual")
    sandbox.start()
    threads = threading.active_count()
    sandbox.fault(path="/slow", action="delay", delay_s=60)
    address = ("127.0.0.1", int(sandbox.url.rpartition(":")[2]))

    async def story() -> tuple[aiohttp.WSMsgType, float]:
        async with aiohttp.ClientSession() as session, session.ws_connect(open_channel(sandbox)) as follower:
            before = time.perf_counter()
            await asyncio.to_thread(sandbox.stop)
            took = time.perf_counter() - before
            return (await follower.receive()).type, took

    with socket.create_connection(address) as idle, socket.create_connection(address) as held:
        idle.sendall(b"GET / HT")
        held.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not sandbox.requests():
            pass
        kind, took = asyncio.run(story())

    assert kind is aiohttp.WSMsgType.CLOSE
    assert took < 5  # it takes milliseconds; a busy machine gets time
    assert threading.active_count() < threads
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_a_stopped_sandbox_says_so() -> None:
    sandbox = Sandbox()
    sandbox.start()
    sandbox.stop()
    sandbox.stop()

    with pytest.raises(SandboxError, match="not running"):
        sandbox.calls()


def test_what_goes_wrong_on_the_servers_thread_reaches_the_one_who_asked() -> None:
    with Sandbox() as sandbox:
        with pytest.raises(SandboxError, match="explode"):
            sandbox.fault(action="explode")
        with pytest.raises(KeyError, match="nothing rings"):
            sandbox.phone("+15559870000", "answer")


def test_a_sandbox_can_be_asked_from_its_own_thread() -> None:
    with Sandbox() as sandbox:
        assert sandbox.do(lambda _: sandbox.calls()) == []


def test_a_setting_that_makes_no_sense_is_refused_at_the_start() -> None:
    with pytest.raises(SandboxError, match="speed cannot be 0"):
        Sandbox(speed=0).start()


def test_an_error_survives_the_journey_between_processes() -> None:
    error = SandboxError("what", why="why", fix="fix")

    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own

    assert (again.what, again.why, again.fix) == ("what", "why", "fix")


def test_a_broken_request_is_refused_without_a_word_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with (
        Sandbox() as sandbox,
        socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2]))) as client,
    ):
        client.sendall(b"NONSENSE\r\n\r\n")
        answer = client.recv(1000)

    assert answer.startswith(b"HTTP/1.1 400")
    assert capfd.readouterr().err == ""


def test_a_mistake_of_the_sandbox_itself_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported: list[logging.LogRecord] = []
    monkeypatch.setattr(logging.getLogger("ringonce.sandbox"), "handle", reported.append)

    def break_down(*_: object) -> None:
        raise ZeroDivisionError

    with Sandbox() as sandbox:
        monkeypatch.setattr(sandbox.world.tokens, "find", break_down)
        answer = requests.get(f"{sandbox.url}/api/v2/users/me", headers={"Authorization": "Bearer x"}, timeout=60)

    assert answer.status_code == 500
    assert [record.exc_info[0] for record in reported if record.exc_info] == [ZeroDivisionError]


def test_a_fault_that_makes_no_sense_keeps_the_foreground_from_starting() -> None:
    with pytest.raises(SandboxError, match="explode"):
        asyncio.run(serve(port=0, faults=[{"action": "explode"}]))


def test_served_in_the_foreground_it_ends_when_its_task_is_cancelled() -> None:
    async def story() -> int:
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve(port=0, faults=HOSTILE, ready=ready.set_result))
        url = await ready
        async with aiohttp.ClientSession() as session, session.get(f"{url}/_sandbox/faults") as answer:
            faults = (await answer.json())["faults"]
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        return len(faults)

    assert asyncio.run(story()) == len(HOSTILE)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_served_in_the_foreground_it_ends_quietly_on_a_signal(sign: signal.Signals) -> None:
    if signal.getsignal(sign) is signal.SIG_IGN:
        pytest.skip("whoever started the tests decided that this signal means nothing")
    program = (
        "import json; from ringonce.sandbox import run;"
        "run(port=0, ready=lambda url: print(json.dumps(url), flush=True)); print('ended')"
    )
    with subprocess.Popen(  # noqa: S603  # our own program
        [sys.executable, "-W", "error", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    ) as serving:
        assert serving.stdout is not None
        url = json.loads(serving.stdout.readline())
        assert requests.get(f"{url}/_sandbox/health", timeout=60).json()["status"] == "ok"
        serving.send_signal(sign)
        out, err = serving.communicate(timeout=60)

    assert (out, err, serving.returncode) == ("ended\n", "", 0)


def test_what_the_door_is_made_of_does_not_know_the_door() -> None:
    graph = grimp.build_graph("ringonce", cache_dir=None)

    for part in graph.find_modules_directly_imported_by("ringonce.sandbox.door"):
        assert graph.find_shortest_chain(part, "ringonce.sandbox.door") is None, part
