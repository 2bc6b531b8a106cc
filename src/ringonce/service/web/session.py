"""`/session`: a person signs in at the page with a token, once; a cookie that scripts can't read stands for it then."""

from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from litestar import delete, get, post
from litestar.connection import Request
from litestar.datastructures import Cookie
from litestar.params import JSONBody
from litestar.response import Response
from msgspec import Meta

from ringonce.service import access, sessions
from ringonce.service.access import Role, Token
from ringonce.service.web.desk import Desk, desk_of, token_of
from ringonce.service.web.problems import ProblemError

Asked = Request[Any, Any, Any]
PATH = "/session"
PAGE_HEADER = "x-ringonce-page"
"""A page of another origin can't send it unless this server lets it, and it lets nobody."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FAILURES_A_MINUTE = 10
SESSION = "ringonce.session"
"""Where the hash of a request's session is in its scope."""


class SignInBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Who wants in."""

    token: Annotated[str, Meta(min_length=1, max_length=200)]


class Who(msgspec.Struct, kw_only=True):
    """Who is signed in, and what the page may offer them."""

    name: str
    role: Role
    agents: tuple[str, ...]
    sandbox: bool
    country: str
    """Where numbers without a country code live."""
    enrols: bool
    """Whether agents can be let in by a link."""


@post(PATH, status_code=200, include_in_schema=False)
async def sign_in(request: Asked, data: JSONBody[SignInBody]) -> Response[Who]:
    """Begin a session. Wrong tokens from one address are soon not looked at any more."""
    check_came_from_here(request)
    desk = desk_of(request)
    who = f"sign-in {request.client.host if request.client else ''}"
    if wait := desk.pace.exhausted(who, FAILURES_A_MINUTE):
        raise ProblemError(
            "too-many-requests",
            "Too many wrong tokens came from this address",
            fix=f"wait {wait:.0f} s",
            headers={"Retry-After": f"{max(1.0, wait):.0f}"},
        )
    token = await desk.house.store.look(access.bearer, data.token.strip())
    if token is None:
        desk.pace.spend(who, FAILURES_A_MINUTE)
        raise ProblemError(
            "no-token",
            "The token is not known here",
            why="it is misspelt, revoked, or another server's",
            fix="paste the whole of it; `ringonce token create` makes another",
        )
    secret = await desk.house.store.run(sessions.begin, token, desk.house.clock())
    return Response(_who(desk, token), cookies=[_cookie(request, desk, secret, int(sessions.LIFE))])


@get(PATH, opt={"role": Role.VIEWER}, include_in_schema=False)
async def signed_in(request: Asked) -> Who:
    """Say who is signed in."""
    return _who(desk_of(request), token_of(request))


@delete(PATH, status_code=200, opt={"role": Role.VIEWER}, include_in_schema=False)
async def sign_out(request: Asked) -> Response[None]:
    """End the session."""
    desk = desk_of(request)
    if digest := session_of(request):
        await desk.house.store.run(sessions.end, digest, token_of(request), desk.house.clock())
    return Response(None, cookies=[_cookie(request, desk, "", 0)], status_code=200)


def session_of(request: Asked) -> str:
    """Give the hash of the session that a request was let in by; empty if a token was sent."""
    found: str = request.scope.get(SESSION, "")  # type: ignore[assignment]  # the doorkeeper's own key
    return found


def of(request: Asked, *, behind_tls: bool) -> str:
    """Give the hash of the session that a request's cookie names; empty if there is none."""
    secret = request.cookies.get(_name(request, behind_tls=behind_tls), "")
    return sessions.hashed(secret) if secret else ""


def check_came_from_here(request: Asked) -> None:
    """Raise unless the browser says that a page of this server's own asks; a cookie comes along whoever asks."""
    site, origin = request.headers.get("sec-fetch-site", ""), request.headers.get("origin", "")
    strange = site not in {"", "same-origin", "none"}
    if request.method not in SAFE:
        strange = strange or not (site or origin) or site == "none" or PAGE_HEADER not in request.headers
    if origin:
        strange = strange or urlsplit(origin).netloc.lower() != request.headers.get("host", "").strip().lower()
    if strange:
        raise ProblemError(
            "not-allowed",
            "The request didn't come from this server's own page",
            why="a page of another site could have sent the browser here",
            fix="use the page, or send Authorization: Bearer ro_… in place of the cookie",
        )


def _who(desk: Desk, token: Token) -> Who:
    platform = desk.house.platform
    return Who(
        name=token.name,
        role=token.role,
        agents=token.agents,
        sandbox=platform.sandbox,
        country=platform.country,
        enrols=bool(platform.login_client_id),
    )


def _name(request: Asked, *, behind_tls: bool) -> str:
    # Cookies don't tell ports apart: two servers on one machine would sign each other's people out.
    port = request.headers.get("host", "").strip().rpartition(":")[2]
    return "__Host-ringonce" if behind_tls else f"ringonce_{port}" if port.isdigit() else "ringonce"


def _cookie(request: Asked, desk: Desk, value: str, life: int) -> Cookie:
    return Cookie(
        key=_name(request, behind_tls=desk.behind_tls),
        value=value,
        max_age=life,
        httponly=True,
        samesite="strict",
        secure=desk.behind_tls,
    )


DOORS: tuple[Any, ...] = (sign_in, signed_in, sign_out)
