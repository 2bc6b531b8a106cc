"""A service that runs, as the command line reaches it: its doors, its errors as ours, its events as they come."""

import asyncio
import collections.abc
import contextlib
import typing
import urllib.parse

import click

from ringonce import errors
from ringonce.cli.words import printable

if typing.TYPE_CHECKING:
    import aiohttp

F = typing.TypeVar("F", bound=collections.abc.Callable[..., typing.Any])
Shown = dict[str, typing.Any]
SERVER, TOKEN = "RINGONCE_SERVER", "RINGONCE_TOKEN"
PATIENCE = 30.0
AGAIN = (0.5, 1.0, 2.0, 4.0)
"""Seconds between askings that are safe to repeat, once an answer was lost."""
COME_BACK = 1.0


class Away(errors.Unreachable):
    """The service is there, and can't do anything now: its database is away, say."""


class WentBack(errors.RingonceError):
    """The service has no such event to go on from: its database was restored from a backup, say."""


_KINDS: dict[str, type[errors.RingonceError]] = {
    "no-token": errors.NotAuthenticated,
    "not-allowed": errors.NotPermitted,
    "not-found": errors.NotFound,
    "unknown-agent": errors.NotFound,
    "not-on-platform": errors.NotFound,
    "key-reused": errors.IntentConflict,
    "number-refused": errors.NumberRefused,
    "wrong-state": errors.Refused,
    "unknown-event": WentBack,
    "platform-refused": errors.ApiRefusal,
    "too-many-requests": errors.RateLimited,
    "platform-busy": errors.RateLimited,
    "unavailable": Away,
    "wrong-host": errors.ConfigError,
}


def server(command: F) -> F:
    """Add the option that has a service do the work."""
    words = f"Have this service do it, with the token in {TOKEN}; also {SERVER}."
    return click.option("--server", metavar="URL", default="", help=words)(command)


def chosen(given: str, environ: collections.abc.Mapping[str, str], **others: object) -> str:
    """Give the service's address, or nothing. Raise where *others* were given, which are the service's own matter."""
    url = (given or environ.get(SERVER, "").strip()).rstrip("/")
    if url and (strange := [f"--{name.replace('_', '-')}" for name, value in others.items() if value]):
        raise click.UsageError(f"--server has its own: leave {' and '.join(strange)} out")
    return url


@contextlib.asynccontextmanager
async def reached(url: str, environ: collections.abc.Mapping[str, str]) -> collections.abc.AsyncIterator["Service"]:
    """Give the service at *url*. Raise `ConfigError` without a token, or where that is no address."""
    import aiohttp

    at = urllib.parse.urlsplit(url)
    if at.scheme not in {"http", "https"} or not at.netloc:
        raise errors.ConfigError(
            f"{url[:80]!r} is no web address", why="it needs http:// or https://", fix="such as http://127.0.0.1:8090"
        )
    secret = environ.get(TOKEN, "").strip()
    if not secret:
        fix = f"set {TOKEN}; `ringonce token create --role dialer` makes one"
        raise errors.ConfigError("The service needs a token", why="none was given", fix=fix)
    headers, patience = {"Authorization": f"Bearer {secret}"}, aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(headers=headers, timeout=patience, read_bufsize=1 << 20) as session:
        yield Service(session, url)


class Doors:
    """The doors of one service."""

    lost = "ask again"
    """What to do about an answer that was lost."""

    def __init__(self, session: "aiohttp.ClientSession", url: str) -> None:
        self.session, self.url = session, url.rstrip("/")

    async def ask(self, method: str, path: str, **options: typing.Any) -> Shown:
        """Ask a door; give what it says. Raise what it refuses with."""
        import msgspec

        with self.said():
            async with self.session.request(method, self.url + path, **options) as answer:
                await self.check(answer)
                said: Shown = msgspec.json.decode(await answer.read())
                return said

    @contextlib.contextmanager
    def said(self) -> collections.abc.Iterator[None]:
        """Tell what goes wrong on the way as what it is."""
        import aiohttp
        import msgspec

        try:
            yield
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as wrong:
            raise errors.ConfigError(
                f"{self.url[:80]!r} is no web address", fix="such as http://127.0.0.1:8090"
            ) from wrong
        except aiohttp.ClientConnectorError as error:
            why = printable(str(error.os_error.strerror or error))
            raise errors.Unreachable(f"{self.url} can't be reached", why=why, fix="start it: ringonce serve") from error
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, ValueError) as error:
            why = printable(str(error) or type(error).__name__)
            raise errors.NoAnswer(f"{self.url} gave no usable answer", why=why, fix=self.lost) from error

    async def check(self, answer: "aiohttp.ClientResponse") -> None:
        """Raise what an answer refuses with."""
        if answer.status >= 400:  # noqa: PLR2004
            raise refusal(self.url, answer.status, await answer.read())


class Service(Doors):
    """A service that dials single calls."""

    async def take(self, key: str, body: Shown) -> tuple[Shown, bool]:
        """Hand a call in; give it, and whether it was there already.

        A lost answer is asked for again: the key is the decision, and the service dials it once. Raise
        `OutcomeUnknown` if the service may have it all the same.
        """
        left, waits = False, list(AGAIN)
        while True:
            try:
                return await self._take(key, body)
            except (errors.NoAnswer, errors.Unreachable) as lost:
                left = left or isinstance(lost, errors.NoAnswer)
                if not left and not (waits and isinstance(lost, Away)):
                    raise
                if not waits:
                    raise errors.OutcomeUnknown(
                        "The service may have the call, and dial it",
                        why=str(lost),
                        fix=f"find out with the same command and --intent {key}: it rings nobody twice",
                        intent=key,
                    ) from lost
            await asyncio.sleep(waits.pop(0))

    async def find(self, name: str) -> Shown:
        """Give a call by its own id or its conversation's. Raise `NotFound`."""
        if name.startswith("call_"):
            return await self.ask("GET", f"/v1/calls/{name}")
        page = await self.ask("GET", "/v1/calls", params={"conversation": name.lower(), "limit": "1"})
        if not page["calls"]:
            raise errors.NotFound(
                f"The service has no call with the conversation {name}",
                why="it was placed by somebody else, or has not been placed yet",
                fix="give the call's own id (call_…), or leave --server out",
            )
        found: Shown = page["calls"][0]
        return found

    async def act(self, call_id: str, what: str) -> Shown:
        """Cancel the call, or hang it up."""
        return await self.ask("POST", f"/v1/calls/{call_id}/{what}")

    async def follow(
        self, call_id: str, say: collections.abc.Callable[[str], None]
    ) -> "collections.abc.AsyncGenerator[Shown]":
        """Give the call as it stands after each change, from its beginning on, for as long as there is anything.

        A service that is away for a while is waited for; *say* is told.
        """
        import msgspec

        seq, told = 0, False
        while True:
            try:
                async with contextlib.aclosing(self._events(call_id, seq)) as events:
                    async for event in events:
                        seen = msgspec.json.decode(event)
                        seq, told = seen["seq"], False
                        yield seen["body"]
            except WentBack:
                seq = 0  # what the service knows of the call, from the beginning
            except (errors.NoAnswer, errors.Unreachable) as lost:
                if not told:
                    say(f"{lost.what}; the call is the service's, and goes on with it; asking again …")
                told = True
            await asyncio.sleep(COME_BACK)

    async def _take(self, key: str, body: Shown) -> tuple[Shown, bool]:
        import msgspec

        with self.said():
            async with self.session.post(f"{self.url}/v1/calls", json=body, headers={"Idempotency-Key": key}) as answer:
                await self.check(answer)
                return msgspec.json.decode(await answer.read()), "Idempotency-Replayed" in answer.headers

    async def _events(self, call_id: str, seq: int) -> "collections.abc.AsyncGenerator[bytes]":
        import aiohttp

        url, patience = f"{self.url}/v1/events?call={call_id}", aiohttp.ClientTimeout(total=None, sock_read=PATIENCE)
        with self.said():
            async with self.session.get(url, headers={"Last-Event-ID": str(seq)}, timeout=patience) as answer:
                await self.check(answer)
                async for line in answer.content:
                    if line.startswith(b"data: "):
                        yield line.removeprefix(b"data: ")


class Refusal(typing.NamedTuple):
    """What a problem of the service's says."""

    kind: str
    said: Shown


def problem(body: bytes) -> Refusal:
    """Read a problem; one without a kind is none of the service's."""
    import msgspec

    try:
        said = msgspec.json.decode(body, type=dict[str, typing.Any])
    except msgspec.DecodeError:
        said = {}
    return Refusal(str(said.get("type", "")).rpartition(":")[2], said)


def refusal(url: str, status: int, body: bytes) -> errors.RingonceError:
    """Put a refusal of the service's in our own words and kinds."""
    kind, said = problem(body)
    what = printable(str(said.get("detail") or f"{url} answered {status}"))
    fix = printable(str(said.get("fix") or ("" if kind else "is it `ringonce serve`?")))
    broke = status >= 500 or not kind  # noqa: PLR2004
    return _KINDS.get(kind, errors.NoAnswer if broke else errors.InvalidInput)(what, fix=fix)
