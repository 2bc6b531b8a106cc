"""Requests as they really come over a connection: in pieces, several at once, with a last one announced."""

import re
import socket
from urllib.parse import urlsplit

from ringonce.sandbox import Sandbox

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
