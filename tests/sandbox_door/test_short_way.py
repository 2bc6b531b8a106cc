"""Requests as they really come over a connection: in pieces, several at once, with a last one announced."""

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import uvicorn
import websocket
from uvicorn.server import ServerState

from ringonce.sandbox import Sandbox, protocol
from ringonce.sandbox.clock import Clock
from ringonce.sandbox.door import Door
from ringonce.sandbox.protocol import Protocol
from ringonce.sandbox.world import World

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
BODY = b'{"phoneNumber":"+15559870000"}'


def create(bearer: dict[str, str], *more: str) -> bytes:
    head = [
        f"POST /api/v2/conversations/calls/user/{ADA} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: {bearer['Authorization']}",
        f"Content-Length: {len(BODY)}",
        *more,
    ]
    return "\r\n".join([*head, "", ""]).encode() + BODY


def answers(sandbox: Sandbox, *parts: bytes, until: int) -> bytes:
    """Send *parts* one after another; give back everything that came once there are *until* status lines."""
    where = urlsplit(sandbox.url)
    heard = b""
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=60) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            line.sendall(part)
            sandbox.requests()  # the sandbox's own thread has been round its loop
        while heard.count(b"HTTP/1.1 ") < until or (until and not heard.endswith(b"}")):
            came = line.recv(65_536)
            if not came:
                break
            heard += came
    return heard


def test_a_request_that_comes_in_pieces_places_one_call(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    whole = create(bearer)
    assert answers(sandbox, whole[:30], whole[30:-12], whole[-12:], until=1).startswith(b"HTTP/1.1 202 ")
    assert len(sandbox.calls()) == 1


def test_half_a_request_places_none(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    answers(sandbox, create(bearer)[:-5], until=0)
    assert sandbox.calls() == []


def test_requests_sent_without_waiting_are_answered_in_order(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    read = b"GET /_sandbox/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    heard = answers(sandbox, create(bearer) + read + create(bearer), until=3)
    assert re.findall(rb"HTTP/1\.1 (\d+)", heard) == [b"202", b"200", b"202"]
    assert len(sandbox.calls()) == 2


def test_a_connection_that_is_to_be_closed_is_closed(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    heard = answers(sandbox, create(bearer, "Connection: close"), until=2)
    assert heard.startswith(b"HTTP/1.1 202 ")
    assert b"connection: close" in heard


def test_a_chunked_body_is_read_to_its_end(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    head = create(bearer)[: -len(BODY)].replace(b"Content-Length: %d" % len(BODY), b"Transfer-Encoding: chunked")
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    assert answers(sandbox, head + chunks, until=1).startswith(b"HTTP/1.1 202 ")
    assert len(sandbox.calls()) == 1


def test_one_connection_speaks_for_one_token_after_another(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    stranger = {"Authorization": bearer["Authorization"][:-1] + "?"}
    heard = answers(sandbox, create(bearer), create(stranger), create(bearer), until=3)
    assert re.findall(rb"HTTP/1\.1 (\d+)", heard) == [b"202", b"401", b"202"]
    assert len(sandbox.calls()) == 2


class Timers:
    """An event loop's clock and timers, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.set: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, do: Callable[[], None]) -> Any:
        due = (self.now + seconds, do)
        self.set.append(due)

        class Handle:
            def cancel(_) -> None:  # noqa: N805  # the test's self is the timers'
                self.set.remove(due)

        return Handle()

    def pass_until(self, then: float) -> None:
        self.now = then
        for due in [each for each in self.set if each[0] <= then]:
            self.set.remove(due)
            due[1]()


class Wire(asyncio.Transport):
    """What was written, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


PROBE = b"GET /api/v2/tokens/me HTTP/1.1\r\nHost: localhost\r\n\r\n"


def connected() -> tuple[Protocol, Wire, Timers]:
    world, timers, wire = World(now=0.0), Timers(), Wire()
    door = Door(world, Clock(world, mode="manual"))
    config = uvicorn.Config(door, http=Protocol, lifespan="off", log_config=None, timeout_keep_alive=75)
    config.load()
    line = Protocol(door, config=config, server_state=ServerState(), app_state={}, _loop=timers)
    line.connection_made(wire)
    return line, wire, timers


def test_a_connection_is_closed_once_it_was_quiet_for_long(monkeypatch: Any) -> None:
    monkeypatch.setattr(Door, "rearm", lambda _: None)
    line, wire, timers = connected()
    line.data_received(PROBE)
    timers.pass_until(50.0)
    line.data_received(PROBE)
    assert wire.written.count(b"HTTP/1.1 401 ") == 2
    timers.pass_until(124.0)
    assert not wire.closed
    timers.pass_until(125.0)
    assert wire.closed


def test_a_connection_is_not_closed_in_the_middle_of_a_request(monkeypatch: Any) -> None:
    monkeypatch.setattr(Door, "rearm", lambda _: None)
    line, wire, timers = connected()
    line.data_received(PROBE)
    timers.pass_until(70.0)
    line.data_received(PROBE[:-9])
    timers.pass_until(129.0)
    assert not wire.closed
    line.data_received(PROBE[-9:])
    assert wire.written.count(b"HTTP/1.1 401 ") == 2
    timers.pass_until(204.0)
    assert wire.closed


@pytest.mark.parametrize(
    "half",
    [
        pytest.param(b"GET / HT", id="half a line"),
        pytest.param(PROBE[:-9], id="half its headers"),
        pytest.param(PROBE.replace(b"GET", b"POST")[:-2] + b"Content-Length: 9\r\n\r\n{", id="half its body"),
    ],
)
def test_half_a_request_is_refused_after_a_minute(monkeypatch: Any, half: bytes) -> None:
    monkeypatch.setattr(Door, "rearm", lambda _: None)
    line, wire, timers = connected()
    line.data_received(PROBE)
    timers.pass_until(50.0)
    line.data_received(half)
    timers.pass_until(60.0)
    timers.pass_until(109.0)
    assert not wire.closed

    timers.pass_until(110.0)

    head, _, body = wire.written.rpartition(b"\r\n\r\n")
    assert wire.closed
    assert head.rpartition(b"HTTP/1.1 ")[2].splitlines()[0] == b"408 Request Timeout"
    assert b"Connection: close" in head
    assert msgspec.json.decode(body)["code"] == "client.timeout"
    line.connection_lost(None)
    assert timers.set == []


def test_half_a_request_on_the_long_way_is_refused_and_places_no_call(
    sandbox: Sandbox, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(protocol, "REQUEST_TAKES", 0.05)
    chunked = create(bearer)[: -len(BODY)].replace(b"Content-Length: %d" % len(BODY), b"Transfer-Encoding: chunked")
    admin = b"POST /_sandbox/clock HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"

    heard = [answers(sandbox, half, until=2) for half in (chunked + b"5\r\n{", admin)]

    assert [re.findall(rb"HTTP/1\.1 (\d+)", each) for each in heard] == [[b"408"], [b"408"]]
    assert sandbox.calls() == []
    assert capfd.readouterr().err == ""


def while_time_passes(sandbox: Sandbox) -> None:
    for _ in range(50):
        sandbox.requests()  # the sandbox's own thread has been round its loop


def test_while_an_earlier_answer_is_held_the_next_request_is_waited_for(
    sandbox: Sandbox, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "REQUEST_TAKES", 0.001)
    sandbox.fault(action="delay", delay_s=3_000, path="/api/v2/tokens/me", times=1)
    where = urlsplit(sandbox.url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=60) as line:
        line.sendall(PROBE + PROBE[:-9])
        while_time_passes(sandbox)
        sandbox.advance(3_000)
        heard = line.recv(65_536)

    assert heard.startswith(b"HTTP/1.1 401 ")


def test_what_is_open_for_events_is_no_half_request(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    monkeypatch.setattr(protocol, "REQUEST_TAKES", 0.001)
    line = websocket.create_connection(
        f"{sandbox.url.replace('http', 'ws')}/_sandbox/live", origin=sandbox.url, timeout=60
    )
    with contextlib.closing(line):
        assert line.recv()
        while_time_passes(sandbox)
        sandbox.fault(action="drop_before", path="/nowhere")
        assert "drop_before" in line.recv()


def test_a_connection_that_went_leaves_no_timer(monkeypatch: Any) -> None:
    monkeypatch.setattr(Door, "rearm", lambda _: None)
    line, _, timers = connected()
    line.data_received(PROBE)
    line.connection_lost(None)
    assert timers.set == []
