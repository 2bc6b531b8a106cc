"""However the wire breaks, one create leaves; told by servers that speak as little HTTP as they need."""

import socket
import threading
from collections.abc import Callable
from typing import Self

import pytest

from ringonce import (
    Client,
    ClientCredentials,
    OutcomeUnknown,
    RingonceError,
    Timeouts,
)

TUTORIAL_CLIENT = ClientCredentials("your_client_id", "your_client_secret")


class Wire:
    """A server on loopback that speaks as little HTTP as a test needs, and counts the creates it has read."""

    def __init__(self, on_create: Callable[[socket.socket], None]) -> None:
        self.creates = 0
        self._on_create = on_create
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._listener, *self._open):
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(peer)
            threading.Thread(target=self._answer, args=(peer,), daemon=True).start()

    def _answer(self, peer: socket.socket) -> None:
        try:
            with peer, peer.makefile("rb") as lines:
                while head := lines.readline():
                    size = 0
                    while (line := lines.readline().strip()) != b"":
                        if line.lower().startswith(b"content-length:"):
                            size = int(line.split(b":")[1])
                    lines.read(size)
                    if b"/conversations/calls" in head and head.startswith(b"POST"):
                        self.creates += 1
                        self._on_create(peer)
                    elif b"/oauth/token" in head:
                        respond(peer, 200, b'{"access_token":"t0ken-for-tests","expires_in":600}')
                    else:
                        respond(peer, 404, b"{}")
        except OSError:
            return


def respond(peer: socket.socket, status: int, body: bytes, extra: bytes = b"") -> None:
    peer.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), extra, body))


ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


def place_at(url: str) -> RingonceError:
    quick = Timeouts(connect=0.5, read=0.2, total=0.4)
    genesys = Client(base_url=url, auth=TUTORIAL_CLIENT, timeouts=quick, settle=0.1)
    with genesys, pytest.raises(RingonceError) as error:
        genesys.place_call(agent=ADA, to="+15559876543")
    return error.value


@pytest.mark.parametrize(
    "on_create",
    [
        pytest.param(lambda peer: peer.close(), id="closed without a word"),
        pytest.param(lambda peer: peer.shutdown(socket.SHUT_RDWR), id="shut"),
        pytest.param(lambda _: None, id="silence"),
        pytest.param(lambda peer: peer.sendall(b"HTTP/1.1 202 X\r\nContent-Length: 99\r\n\r\n{"), id="half an answer"),
        pytest.param(lambda peer: peer.sendall(b"not http at all\r\n\r\n"), id="no HTTP"),
        pytest.param(
            lambda peer: respond(peer, 307, b"", b"Location: /api/v2/conversations/calls/x\r\n"), id="redirect"
        ),
        pytest.param(lambda peer: respond(peer, 503, b"", b"Retry-After: 0\r\n"), id="503 with Retry-After"),
        pytest.param(lambda peer: respond(peer, 202, b"<html>welcome</html>"), id="a captive portal"),
    ],
)
def test_whatever_the_network_does_one_create_leaves(on_create: Callable[[socket.socket], None]) -> None:
    with Wire(on_create) as wire:
        error = place_at(wire.url)

    assert isinstance(error, OutcomeUnknown)
    assert wire.creates == 1


def test_no_token_or_secret_is_in_what_is_raised_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with Wire(lambda peer: peer.close()) as wire:
        error = place_at(wire.url)
    for words in (repr(error), str(error), caplog.text, repr(TUTORIAL_CLIENT)):
        assert "t0ken-for-tests" not in words
        assert "your_client_secret" not in words
