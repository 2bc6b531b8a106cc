"""Whatever bytes come to the door, it answers or closes, and goes on serving."""

import socket
import urllib.parse
from collections.abc import Callable

import pytest

from ringonce.sandbox import Sandbox

DEEP = b"[" * 200_000


def say(url: str, raw: bytes) -> bytes:
    """Send bytes and read what comes until the connection is closed."""
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as line:
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        heard = b""
        while part := line.recv(65_536):
            heard += part
    return heard


@pytest.fixture
def request_line(sandbox: Sandbox) -> Callable[..., bytes]:
    """A request with a good token, whole but for what the test makes of it."""
    token = sandbox.do(lambda world: world.issue_user_token(next(iter(world.org.users))))

    def write(target: str, body: bytes = b"", method: str = "GET", *extra: str) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}"]
        lines += ["Connection: close", f"Content-Length: {len(body)}", *extra, "", ""]
        return "\r\n".join(lines).encode("latin-1") + body

    return write


@pytest.mark.parametrize(
    "target",
    [
        "/api/v2/users/%00",
        "/api/v2/users/%",
        "/api/v2/users/%zz%e2%28%a1",
        "/api/v2/users/%f0%9f%92%a5",
        "/api/v2/users/a%2Fb",
        "/api/v2/users/../../etc",
        "/api/v2//users///me",
        "/api/v2/users/" + "x" * 20_000,
        "/api/v2/users?pageSize=-1&pageNumber=99999999999999999999",
        "/api/v2/users?id=%00,%ff&expand=%",
        "/api/v2/users?" + "a&" * 5_000,
        "/%2e%2e/api/v2/users/me",
        "/api/v2/conversations/calls/\x7f",
        "*",
        "http://elsewhere.example/api/v2/users/me",
    ],
)
def test_a_strange_path_is_answered(sandbox: Sandbox, request_line: Callable[..., bytes], target: str) -> None:
    heard = say(sandbox.url, request_line(target))

    assert heard.startswith(b"HTTP/1.1 ")
    assert heard[9:10] in b"234"
    assert say(sandbox.url, request_line("/api/v2/users/me")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (DEEP, b"400"),
        (b'{"phoneNumber":"\xff"}', b"400"),
        (b'{"phoneNumber":"\\ud800"}', b"400"),
    ],
)
def test_a_strange_body_is_refused(
    sandbox: Sandbox, request_line: Callable[..., bytes], body: bytes, status: bytes
) -> None:
    heard = say(sandbox.url, request_line("/api/v2/conversations/calls", body, "POST"))

    assert heard.split(b" ")[1] == status
    assert sandbox.calls() == []


def test_half_a_request_places_nothing(sandbox: Sandbox, request_line: Callable[..., bytes]) -> None:
    whole = request_line("/api/v2/conversations/calls", b'{"phoneNumber":"+15559876543"}', "POST")

    say(sandbox.url, whole[:-1])

    assert sandbox.calls() == []
