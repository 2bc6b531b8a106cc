"""Who may come in: before anything else is looked at, the name that the server was called by, the token, the pace."""

import ipaddress
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from litestar.connection import ASGIConnection, Request
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from ringonce.service import access, sessions
from ringonce.service.access import Role, Token
from ringonce.service.web import problems, session
from ringonce.service.web.desk import TOKEN
from ringonce.service.web.pace import Pace
from ringonce.service.web.problems import ProblemError

if TYPE_CHECKING:
    from ringonce.service.store import Store

OPEN_DOORS = frozenset({"/healthz", "/openapi.json", "/docs", "/connect", "/connect/back", "/"})
"""What tells nothing of anybody's calls; whoever enrols by a link has that in place of a token."""
PAGE_FILES = "/page/"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
STRANGERS_A_MINUTE = 60
"""Requests without a good token that one address may make in a minute: guessing gets slow."""
CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_RANK = {Role.VIEWER: 0, Role.DIALER: 1, Role.ADMIN: 2}
Observer = Callable[[HTTPScope, int, float], None]


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
        behind_tls: bool = False,
        observe: Observer = lambda *_: None,
    ) -> None:
        self._app, self._store = app, store
        self._behind_tls = behind_tls
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
        if is_open(request):
            return
        address = request.client.host if request.client else ""
        token = await self._who(request)
        if token is None:
            self._keep_pace(f"address {address}", STRANGERS_A_MINUTE)
            raise _stranger(request, session.of(request, behind_tls=self._behind_tls))
        self._keep_pace(token.id, self._per_minute)
        if token.used_at is None or self._clock() > token.used_at + access.USED_EVERY:
            await self._store.run(access.used, token, self._clock())
        request.scope[TOKEN] = token  # type: ignore[literal-required]  # a key of our own

    async def _who(self, request: Request[Any, Any, Any]) -> Token | None:
        """Find the token: the one that was sent, or the one for which a person's session stands."""
        if given := request.headers.get("authorization", ""):
            scheme, _, secret = given.partition(" ")
            return await self._store.look(access.bearer, secret.strip()) if scheme.lower() == "bearer" else None
        digest = session.of(request, behind_tls=self._behind_tls)
        if not digest:
            return None
        session.check_came_from_here(request)
        request.scope[session.SESSION] = digest  # type: ignore[literal-required]  # a key of our own
        return await self._store.look(sessions.holder, digest, self._clock())

    def _keep_pace(self, who: str, most: int) -> None:
        if wait := self._pace.spend(who, most):
            raise ProblemError(
                "too-many-requests",
                f"More than {most} requests in a minute",
                fix=f"wait {wait:.0f} s; events (/v1/events) cost less than asking again and again",
                headers={"Retry-After": f"{max(1.0, wait):.0f}"},
            )


def is_open(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """Say whether a request needs no token."""
    path = connection.scope["path"]
    if path == session.PATH:
        return connection.scope.get("method") == "POST"
    return path in OPEN_DOORS or path.startswith(PAGE_FILES)


def allowed(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let only those roles pass that the door is for (its `role`); a door that names none is for admins."""
    if is_open(connection):
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


def known_parameters(
    doors: Mapping[tuple[str, str], Sequence[str]],
) -> Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]:
    """Make a guard that lets only those query parameters pass that a door has: a misspelt filter must not be none.

    Each is one line of text: the limits of `Line` are not held by the framework where it stands in a query, and
    PostgreSQL refuses a NUL.
    """

    def check(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        for name, value in connection.query_params.multi_items():
            if CONTROLS.search(value):
                raise ProblemError(
                    "invalid",
                    f"The parameter {name[:80]!r} can't be used",
                    why="it has a control character, such as a NUL or a line's end",
                    fix="leave that out",
                )
        door = (str(connection.scope.get("method")), str(connection.scope.get("path_template")))
        # Whoever only looks whether the process is there may add what it likes, as may the login host.
        if is_open(connection) or door not in doors:
            return
        known = doors[door]
        strange = [name for name in connection.query_params if name not in known]
        if strange:
            raise ProblemError(
                "invalid",
                f"There is no parameter {strange[0][:80]!r} here",
                why=f"these are: {', '.join(known)}" if known else "this door has none",
                fix="check how it is spelt, or leave it out; /docs tells what each does",
            )

    return check


def is_loopback(host: str) -> bool:
    """Say whether nobody beyond this machine can reach a server that listens on *host*."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _stranger(request: Request[Any, Any, Any], digest: str) -> ProblemError:
    if "authorization" in request.headers:
        what, why = "The token is not known here", "it is misspelt, revoked, or another server's"
    elif digest:
        what, why = "You are signed out", "the session is over: its token was revoked, or it was begun 12 hours ago"
    else:
        what, why = "There is no token", "every door but a few needs one"
    challenge = 'Bearer realm="ringonce"' + (', error="invalid_token"' if "authorization" in request.headers else "")
    return ProblemError(
        "no-token",
        what,
        why=why,
        fix="send Authorization: Bearer ro_…; `ringonce token create`, with this server's --database or --sandbox, "
        "makes one",
        headers={"WWW-Authenticate": challenge},
    )


def _host(header: str) -> str:
    return re.sub(r":\d*$", "", header.strip().lower())


def _dress(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    there = {name.lower() for name, _ in headers}
    wanted = (
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
    )
    return [(name, value) for name, value in wanted if name not in there]
