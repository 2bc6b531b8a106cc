"""A wait for an answer ends: where nothing comes any more, and in any case; and not before."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from ringonce.client import transport
from ringonce.client.patience import Patience
from ringonce.client.transport import Transport
from ringonce.client.wishes import Lost, Request, Response
from ringonce.config import Timeouts

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
QUICK = Timeouts(connect=0.5, read=0.2, total=1.0)


@contextlib.asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    serving: set[asyncio.Task[None] | None] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    await serve(reader, writer)
        finally:
            writer.close()

    async with await asyncio.start_server(one, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*filter(None, serving))


def trickling(pieces: int, apart: float) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % pieces)
        for _ in range(pieces):
            await asyncio.sleep(apart)
            writer.write(b"x")
            await writer.drain()

    return serve


async def mute(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx")


async def asked(serve: Serve, request: Callable[[str], Request]) -> tuple[Response | Lost, float, int]:
    """Send one request; give what came of it, after how many seconds, and how often the task was cancelled by then."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    async with serving(serve) as url, Transport(QUICK) as wire:
        began = loop.time()
        came: Response | Lost
        try:
            came = await wire.send(request(url))
        except Lost as lost:
            came = lost
        return came, loop.time() - began, task.cancelling() if task else -1


def read(url: str) -> Request:
    return Request("GET", f"{url}/api/v2/users/me")


def create(url: str) -> Request:
    return Request("POST", f"{url}/api/v2/conversations/calls", body={"phoneNumber": "+15559876543"})


@pytest.mark.parametrize("request_", [read, create])
@pytest.mark.parametrize("serve", [mute, half])
def test_an_answer_of_which_nothing_comes_any_more_is_not_waited_for(
    serve: Serve, request_: Callable[[str], Request]
) -> None:
    came, seconds, cancelled = asyncio.run(asked(serve, request_))

    assert isinstance(came, Lost)
    assert (came.why, came.sent) == ("no answer in time", True)
    assert QUICK.read <= seconds < 2 * QUICK.total
    assert not cancelled


def test_an_answer_that_keeps_coming_is_read_whole() -> None:
    came, seconds, _ = asyncio.run(asked(trickling(6, QUICK.read / 4), read))

    assert isinstance(came, Response)
    assert came.body == b"xxxxxx"
    assert seconds > QUICK.read


def test_an_answer_that_never_ends_is_given_up_all_the_same() -> None:
    came, seconds, _ = asyncio.run(asked(trickling(1_000_000, QUICK.read / 4), read))

    assert isinstance(came, Lost)
    assert came.why == "no answer in time"
    assert QUICK.total <= seconds < 1.5 * QUICK.total


def test_the_wait_for_a_free_connection_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CONNECTIONS", 1)

    async def two() -> tuple[Response, Response]:
        async with serving(trickling(6, QUICK.read / 4)) as url, Transport(QUICK) as wire:
            return await asyncio.gather(wire.send(read(url)), wire.send(read(url)))

    assert [answer.body for answer in asyncio.run(two())] == [b"xxxxxx", b"xxxxxx"]


def test_the_wait_for_a_free_connection_ends_before_the_whole_does_and_says_that_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "CONNECTIONS", 1)

    async def two() -> tuple[Response | BaseException, Response | BaseException]:
        async with serving(mute) as url, Transport(Timeouts(connect=5, read=5, total=0.5)) as wire:
            return await asyncio.gather(wire.send(create(url)), wire.send(create(url)), return_exceptions=True)

    had_it, had_none = asyncio.run(two())

    assert isinstance(had_it, Lost)
    assert had_it.sent
    assert isinstance(had_none, Lost)
    assert not had_none.sent


def test_who_is_cancelled_while_the_wait_ends_is_cancelled() -> None:
    async def waits() -> None:
        task = asyncio.current_task()
        with Patience(silent=60, whole=0.01).wait():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if task is not None:
                    task.cancel()  # by somebody else, in the same moment
                raise

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(waits())


@pytest.mark.parametrize(
    "path", ["/api/v2/users/0a-b_1", "/api/v2/routing/queues?pageSize=100&name=a%20b", "/api/v2/x.y/%C3%A4"]
)
def test_an_address_goes_out_as_it_was_written(path: str) -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    asyncio.run(asked(serve, lambda url: Request("GET", url + path)))

    assert heads[0].startswith(f"GET {path} HTTP/1.1\r\n".encode())
