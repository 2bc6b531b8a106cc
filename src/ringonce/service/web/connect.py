"""The doors of enrolment: an admin makes a link, the agent opens it, consents on the platform, and comes back."""

import html
from typing import Annotated, Any

import msgspec
from litestar import delete, get, post
from litestar.connection import Request
from litestar.datastructures import Cookie
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import Response
from msgspec import Meta

from ringonce.errors import NotFound, RingonceError
from ringonce.service import enrolling
from ringonce.service.web.bodies import Name
from ringonce.service.web.desk import desk_of, token_of
from ringonce.service.web.problems import KINDS, ProblemError, kind_of

Asked = Request[Any, Any, Any]
LINK, BACK = "/connect", "/connect/back"
COOKIE = "ringonce_connect"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>ringonce</title><style>body{{font:1.1rem/1.5 system-ui;max-width:34rem;margin:15vh auto;padding:0 1rem}}</style>
<h1>{title}</h1><p>{words}</p></html>"""


class LinkBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A link to make."""

    agent: Annotated[Name, Meta(description="Who has to log in: an e-mail, or an id.", examples=["ada@example.com"])]
    life: Annotated[float, Meta(gt=0, le=enrolling.LONGEST_LIFE, description="Seconds.")] = enrolling.LIFE


class LinkMade(msgspec.Struct, kw_only=True):
    """A link, which is shown once and works once."""

    id: str
    agent: str
    expires_at: float
    url: Annotated[str, Meta(description="Send it to the agent alone.")]


class EnrolmentShown(msgspec.Struct, kw_only=True):
    """An agent whose calls go out as themselves."""

    agent_id: str
    agent: str
    changed_at: Annotated[float, Meta(description="When the agent's token was renewed last.")]


class Enrolments(msgspec.Struct, kw_only=True):
    """All who are enrolled."""

    enrolments: list[EnrolmentShown]


@get("/v1/enrolments")
async def enrolments(request: Asked) -> Enrolments:
    """List the agents who let the service call as themselves."""
    found = await desk_of(request).house.store.look(enrolling.enrolled)
    shown = [EnrolmentShown(agent_id=one.agent_id, agent=one.agent, changed_at=one.changed_at) for one in found]
    return Enrolments(enrolments=shown)


@post("/v1/enrolments", status_code=201)
async def invite(request: Asked, data: JSONBody[LinkBody]) -> LinkMade:
    """Make a link by which an agent lets the service call as them. It is good once, and is in this answer alone."""
    house, by = desk_of(request).house, token_of(request).id
    await house.enrolling()  # without a vault or an OAuth client, better told now than to the agent
    made = await house.store.run(enrolling.invite, data.agent, by=by, life=data.life, now=house.clock())
    link = made.invitation
    url = f"{_origin(request)}{LINK}?link={made.secret}"
    return LinkMade(id=link.id, agent=link.agent, expires_at=link.expires_at, url=url)


@delete("/v1/enrolments/{agent:str}", status_code=204)
async def withdraw(request: Asked, agent: Annotated[str, PathParameter(min_length=1, max_length=256)]) -> None:
    """Withdraw an agent's enrolment, by id or e-mail: the platform forgets it, and calls go out as the service."""
    try:
        await (await desk_of(request).house.enrolling()).withdraw(agent, by=token_of(request).id)
    except NotFound as missing:
        raise ProblemError("not-found", missing.what, why=missing.why, fix=missing.fix) from missing


@get(LINK, include_in_schema=False)
async def connect(request: Asked, link: Annotated[str, QueryParameter(max_length=100)] = "") -> Response[str]:
    """Send whoever opened a link to the platform's page."""
    try:
        leaving = await (await desk_of(request).house.enrolling()).leave(link, f"{_origin(request)}{BACK}")
    except RingonceError as refused:
        return _told(refused)
    headers = {"Location": leaving.url}
    return Response("", status_code=303, headers=headers, cookies=[_cookie(request, leaving.cookie)])


@get(BACK, include_in_schema=False)
async def back(request: Asked) -> Response[str]:
    """Enrol whoever comes back with the platform's consent."""
    try:
        enrolment = await desk_of(request).house.enrolling()
        made = await enrolment.come_back(request.cookies.get(COOKIE, ""), dict(request.query_params))
    except RingonceError as refused:
        return _told(refused)
    words = f"Calls for {made.agent} go out as yourself from now on. You can close this page."
    return _page(200, "Done", words, cookies=[_cookie(request, "", life=0)])


def _told(refused: RingonceError) -> Response[str]:
    kind = kind_of(refused)
    status = getattr(refused, "status", 0) if kind == "platform-refused" else KINDS[kind].status
    return _page(status or 400, refused.what, ": ".join(part for part in (refused.why, refused.fix) if part))


def _page(status: int, title: str, words: str, **options: Any) -> Response[str]:
    page = PAGE.format(title=html.escape(title), words=html.escape(words))
    return Response(
        page, status_code=status, media_type="text/html", headers={"Content-Security-Policy": POLICY}, **options
    )


def _origin(request: Asked) -> str:
    # The doorkeeper has checked the name; the platform checks the whole address against its list.
    return desk_of(request).house.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"


def _cookie(request: Asked, value: str, life: int = int(enrolling.VISIT)) -> Cookie:
    secure = _origin(request).startswith("https:")
    return Cookie(key=COOKIE, value=value, path=LINK, max_age=life, httponly=True, samesite="lax", secure=secure)


DOORS: tuple[Any, ...] = (enrolments, invite, withdraw, connect, back)
