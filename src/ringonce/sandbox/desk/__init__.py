"""The desk: the whole HTTP API of the sandbox as one function from a request to an answer.

oauth           `/oauth/token`: tokens for services and for agents
authorize       `/oauth/authorize`: the page where an agent says yes to a program
assertions      SAML and JWT assertions, which say who an agent is
authority       whose token it is, and what it may do
calls           placing and reading calls
tutorial        the same POST in the shape that a tutorial taught
conferencing    more than two in a call
steering        everything else that changes a call
transfers       handing a call on
wrapup          what a call came to
callbacks       those who want to be called
users, search   who there is, and how to find them
presence        whether they are there and take queues' work
phones          stations, and who sits at which
routing, telephony, organization   queues, numbers, roles
notifications   channels and topics
analytics       finding calls afterwards
"""

import functools
import itertools
import logging
from email.utils import formatdate
from typing import Final

import msgspec

from ringonce.sandbox.desk import (
    analytics,
    authority,
    callbacks,
    calls,
    conferencing,
    notifications,
    oauth,
    organization,
    phones,
    presence,
    routing,
    search,
    steering,
    telephony,
    transfers,
    users,
    wrapup,
)
from ringonce.sandbox.desk.authorize import AUTHORIZE_PATH, authorize
from ringonce.sandbox.desk.routes import Route, Table
from ringonce.sandbox.desk.visit import Visit
from ringonce.sandbox.http import Reply, Request
from ringonce.sandbox.shapes.problems import (
    Problem,
    missing_permissions,
    missing_scopes,
    not_a_user,
    not_found,
    too_many_requests,
    unauthorized,
    unsupported_media_type,
)
from ringonce.sandbox.tokens import Token
from ringonce.sandbox.world import World

API: Final = "/api/v2"
LARGEST_BODY: Final = 512_000
TABLE = Table(
    itertools.chain(
        calls.ROUTES,
        conferencing.ROUTES,
        steering.ROUTES,
        transfers.ROUTES,
        wrapup.ROUTES,
        callbacks.ROUTES,
        users.ROUTES,
        search.ROUTES,
        presence.ROUTES,
        phones.ROUTES,
        routing.ROUTES,
        telephony.ROUTES,
        organization.ROUTES,
        notifications.ROUTES,
        analytics.ROUTES,
        authority.ROUTES,
    )
)

log = logging.getLogger("ringonce.sandbox")
_ENCODE = msgspec.json.Encoder().encode
Headers = tuple[tuple[str, str], ...]


class Desk:
    """Answers requests for a world. Whatever stands before `/api/v2` or `/oauth/` in a path is a gateway's prefix."""

    def __init__(self, world: World) -> None:
        self.world = world

    def handle(self, request: Request) -> Reply:
        """Answer one request, whatever it is."""
        world = self.world
        correlation_id = world.dice.uuid()
        headers: Headers = (("ININ-Correlation-Id", correlation_id), ("Date", _date(int(world.agenda.now))))
        try:
            if "/oauth/" in request.path and API not in request.path:
                return self._sign_in(request, headers)
            route, prefix, values = _find(request.method, request.path)
            token, reset = self._admit(request)
            if world.rate_limit is not None:
                headers += _limits(token, world.rate_limit, reset)
                _within_limit(token, world.rate_limit, reset)
            _check(route, request, token)
            status, payload = route.handler(Visit(world, request, token, prefix, correlation_id), *values)
        except Problem as problem:
            headers += problem.headers
            status, payload = problem.status, problem.body(correlation_id)
        except Exception:
            # A mistake of the sandbox's own looks on the wire like one of the platform's.
            log.exception("%s %s went wrong", request.method, request.path)
            words = "The server encountered an unexpected condition which prevented it from fulfilling the request."
            status, payload = 500, Problem(500, "internal.server.error", words).body(correlation_id)
        body = b"" if payload is None or request.method == "HEAD" else _ENCODE(payload)
        return Reply(status, body, headers)

    def _sign_in(self, request: Request, headers: Headers) -> Reply:
        path, method = request.path, request.method
        if path.endswith(AUTHORIZE_PATH):
            if method not in {"GET", "POST"}:
                raise _wrong_method(method, AUTHORIZE_PATH, ["GET", "POST"])
            reply = authorize(self.world, request)
            return msgspec.structs.replace(reply, headers=headers + reply.headers)
        if not path.endswith(oauth.TOKEN_PATH):
            known = f"POST {oauth.TOKEN_PATH} and GET {AUTHORIZE_PATH}"
            raise not_found(f"Nothing is at {path}; the nearest paths are {known}.", code="not.found")
        if method != "POST":
            raise _wrong_method(method, oauth.TOKEN_PATH, ["POST"])
        status, payload = oauth.token(self.world, request)
        return Reply(status, _ENCODE(payload), (*headers, ("Cache-Control", "no-store")))

    def _admit(self, request: Request) -> tuple[Token, int]:
        """The token of a request, and the seconds until its minute is over."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        value = value.strip()
        if scheme.lower() != "bearer" or not value:
            words = "No authentication bearer token specified in authorization header."
            raise unauthorized("authentication.required", words)
        token = self.world.tokens.find(value)
        if token is None:
            raise unauthorized("bad.credentials", "Invalid login credentials.")
        if not self.world.tokens.good(token):
            words = "The supplied credentials are expired and cannot be used."
            raise unauthorized("credentials.expired", words)
        return token, token.spend(self.world.now)


@functools.lru_cache(maxsize=2_048)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


@functools.lru_cache(maxsize=1_024)
def _find(method: str, whole: str) -> tuple[Route, str, list[str]]:
    """The route of a request, the prefix before `/api/v2`, and what stands in the route's place-holders."""
    prefix, found, path = whole.partition(API)
    routes, values = TABLE.match(path) if found else ({}, [])
    if not routes:
        raise _unknown(whole, path if found else whole)
    route = routes.get(method)
    if route is None:
        raise _wrong_method(method, whole, sorted(routes))
    return route, prefix, values


def _limits(token: Token, allowed: int, reset: int) -> Headers:
    return (
        ("inin-ratelimit-count", str(token.spent)),
        ("inin-ratelimit-allowed", str(allowed)),
        ("inin-ratelimit-reset", str(reset)),
    )


def _within_limit(token: Token, allowed: int, reset: int) -> None:
    if token.spent > allowed:
        raise too_many_requests(allowed, reset)


def _check(route: Route, request: Request, token: Token) -> None:
    if len(request.body) > LARGEST_BODY:
        words = f"The request is over the size limit. Maximum bytes: {LARGEST_BODY}"
        raise Problem(413, "request.entity.too.large", words)
    kind = request.headers.get("content-type", "")
    if kind and request.body and not _is_json(kind):
        raise unsupported_media_type(kind)
    if route.user_only and not token.user_id:
        raise not_a_user()
    if not token.reaches(route.scopes):
        raise missing_scopes(route.scopes)
    if not token.allows(route.any_of):
        raise missing_permissions(route.any_of)


@functools.lru_cache(maxsize=256)
def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _unknown(whole: str, path: str) -> Problem:
    nearest = TABLE.nearest(path)
    hint = f" The nearest path that this sandbox knows is {API}{nearest}." if nearest else ""
    return not_found(f"Nothing is at {whole}.{hint}", code="not.found")


def _wrong_method(method: str, path: str, known: list[str]) -> Problem:
    listed = ", ".join(known)
    words = f"{method} is not a method of {path}; it has {listed}."
    return Problem(405, "method.not.allowed", words, headers=(("Allow", listed),))
