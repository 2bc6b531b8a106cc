"""Who may come in: before anything else is looked at, the name that the server was called by, the token, the pace."""

import ipaddress
import re
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from litestar.connection import ASGIConnection, Request
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from ringonce.service import access
from ringonce.service.access import Role, Token
from ringonce.service.web import problems
from ringonce.service.web.desk import TOKEN
from ringonce.service.web.problems import ProblemError

if TYPE_CHECKING:
    from ringonce.service.store import Store

OPEN_DOORS = frozenset({"/healthz", "/openapi.json", "/docs"})
"""What tells nothing of anybody's calls."""
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
STRANGERS_A_MINUTE = 60
"""Requests without a good token that one address may make in a minute: guessing gets slow."""
WINDOW = 60.0
_RANK = {Role.VIEWER: 0, Role.DIALER: 1, Role.ADMIN: 2}
Observer = Callable[[HTTPScope, int, float], None]


class Pace:
    """Requests of everybody in the minute that runs. *clock* gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._minute = 0
        self._counts: dict[str, int] = {}

    def spend(self, who: str, most: int) -> float:
        """Count a request; give the seconds to wait if it is one too many, else 0."""
        minute, spent = divmod(self._clock(), WINDOW)
        if minute != self._minute:
            self._minute, self._counts = int(minute), {}
        self._counts[who] = self._counts.get(who, 0) + 1
        return WINDOW - spent if self._counts[who] > most else 0.0


class Doorkeeper:
    """Stands in front of the whole application, paths that do not exist included."""

    def __init__(
        self,
        app: ASGIApp,
        store: "Store",
        *,
        names: Iterable[str] = (),
        per_minute: int,
        clock: Callable[[], float] = time.time,
        pace: Pace | None = None,
        observe: Observer = lambda *_: None,
    ) -> None:
        self._app, self._store = app, store
        self._names = LOOPBACK_NAMES | {name.lower() for name in names}
        self._per_minute, self._clock = per_minute, clock
        self._pace = pace or Pace()
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or tell it why not."""
        if scope["type"] == ScopeType.WEBSOCKET:
            return await send({"type": "websocket.close", "code": 1008, "reason": "there are no WebSockets here"})
        began, status = time.perf_counter(), 500

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_dress(message["headers"])]
            await send(message)

        request = Request[Any, Any, Any](scope)
        try:
            await self._admit(request)
        except Exception as refused:  # noqa: BLE001  what breaks here is told like what breaks inside
            answer = problems.response(refused).to_asgi_response(app=None, request=request)
            await answer(scope, receive, dressed)
        else:
            await self._app(scope, receive, dressed)
        finally:
            self._observe(scope, status, time.perf_counter() - began)
        return None

    async def _admit(self, request: Request[Any, Any, Any]) -> None:
        name = _host(request.headers.get("host", ""))
        if name not in self._names:
            raise ProblemError(
                "wrong-host",
                f"This server is not known as {name[:80]!r}",
                why="a page of another site could have sent the browser here",
                fix="use its own address, or start it with --allow-host NAME",
            )
        if request.scope["path"] in OPEN_DOORS:
            return
        address = request.client.host if request.client else ""
        token = await self._who(request)
        if token is None:
            self._keep_pace(f"address {address}", STRANGERS_A_MINUTE)
            given = "authorization" in request.headers
            raise ProblemError(
                "no-token",
                "The token is not known here" if given else "There is no token",
                why="it is misspelt, revoked, or another server's" if given else "every door but a few needs one",
                fix="send Authorization: Bearer ro_…; `ringonce token create` makes one",
                headers={"WWW-Authenticate": 'Bearer realm="ringonce"' + (', error="invalid_token"' if given else "")},
            )
        self._keep_pace(token.id, self._per_minute)
        if token.used_at is None or self._clock() > token.used_at + access.USED_EVERY:
            await self._store.run(access.used, token, self._clock())
        request.scope[TOKEN] = token  # type: ignore[literal-required]  # a key of our own

    async def _who(self, request: Request[Any, Any, Any]) -> Token | None:
        """Find the token. A session's cookie is another way in, once there is a page."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        return await self._store.look(access.bearer, secret.strip())

    def _keep_pace(self, who: str, most: int) -> None:
        if wait := self._pace.spend(who, most):
            raise ProblemError(
                "too-many-requests",
                f"More than {most} requests in a minute",
                fix=f"wait {wait:.0f} s; events (/v1/events) cost less than asking again and again",
                headers={"Retry-After": f"{max(1.0, wait):.0f}"},
            )


def allowed(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let only those roles pass that the door is for (its `role`); a door that names none is for admins."""
    if connection.scope["path"] in OPEN_DOORS:
        return
    token: Token = connection.scope[TOKEN]  # type: ignore[literal-required]  # the doorkeeper has put it there
    needed = handler.opt.get("role", Role.ADMIN)
    if _RANK[token.role] < _RANK[needed]:
        raise ProblemError(
            "not-allowed",
            f"Token {token.name!r} may not do this",
            why=f"it is a {token.role}'s, and this is for {'admins' if needed is Role.ADMIN else f'{needed}s and up'}",
            fix="use a token of that role; an admin makes one with `ringonce token create`",
        )


def is_loopback(host: str) -> bool:
    """Say whether nobody beyond this machine can reach a server that listens on *host*."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _host(header: str) -> str:
    return re.sub(r":\d*$", "", header.strip().lower())


def _dress(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    there = {name.lower() for name, _ in headers}
    wanted = (
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
    )
    return [(name, value) for name, value in wanted if name not in there]
