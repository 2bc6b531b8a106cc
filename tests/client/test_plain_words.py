"""A connection that fails says in plain words how, and whether anything left."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ringonce.client.transport import Transport
from ringonce.client.wishes import Lost, Request
from ringonce.config import Timeouts

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def says(bytes_: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            if await reader.read(1):
                writer.write(bytes_)
            writer.close()
            await writer.wait_closed()

    return serve


@contextlib.asynccontextmanager
async def serving(serve: Serve, **options: Any) -> AsyncIterator[int]:
    async with await asyncio.start_server(serve, "127.0.0.1", 0, **options) as server:
        yield server.sockets[0].getsockname()[1]


async def failure(url: str) -> Lost:
    async with Transport(Timeouts()) as transport:
        with pytest.raises(Lost) as lost:
            await transport.send(Request("GET", url))
    return lost.value


def test_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        lost = asyncio.run(failure(f"http://127.0.0.1:{bound.getsockname()[1]}/"))

    assert lost.why == "nothing listens there: the connection was refused"
    assert not lost.sent


def test_dns_knows_no_such_host(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", unknown)
    lost = asyncio.run(failure("http://api.nowhere.example/"))

    assert lost.why == "DNS knows no host 'api.nowhere.example'"
    assert not lost.sent


def test_the_address_is_none() -> None:
    lost = asyncio.run(failure("http://:80:80/"))

    assert lost.why == "it is no address"
    assert not lost.sent


def test_the_far_side_does_not_encrypt() -> None:
    async def tried() -> Lost:
        async with serving(says(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
            return await failure(f"https://127.0.0.1:{port}/")

    lost = asyncio.run(tried())

    assert lost.why.startswith("no encrypted connection could be agreed on")
    assert not lost.sent


def test_the_certificate_is_a_strangers(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))

    async def tried() -> Lost:
        async with serving(says(b""), ssl=context) as port:
            return await failure(f"https://127.0.0.1:{port}/")

    lost = asyncio.run(tried())

    assert lost.why.startswith("its certificate is not trusted: self")
    assert not lost.sent


@pytest.mark.parametrize(
    ("bytes_", "why"),
    [
        pytest.param(b"", "the connection was closed before an answer came", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "the answer was cut off", id="half an answer"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", "the answer is not HTTP", id="another protocol"),
    ],
)
def test_a_connection_that_breaks_later_may_have_carried_the_request(bytes_: bytes, why: str) -> None:
    async def tried() -> Lost:
        async with serving(says(bytes_)) as port:
            return await failure(f"http://127.0.0.1:{port}/")

    lost = asyncio.run(tried())

    assert lost.why == why
    assert lost.sent


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
