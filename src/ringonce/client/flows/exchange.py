"""One request and its answer: the token, what may be sent again, and refusals in words."""

from typing import Protocol, TypeVar

import msgspec

from ringonce.client import policy
from ringonce.client.flows.bounding import within
from ringonce.client.remedies import remedy
from ringonce.client.wishes import (
    CLOSED,
    UNREADABLE,
    Flow,
    Lane,
    Lost,
    Now,
    Pace,
    Request,
    Response,
    Send,
    Sleep,
    Token,
)
from ringonce.errors import (
    ApiRefusal,
    NoAnswer,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    RateLimited,
    TooLate,
    Unreachable,
)

T = TypeVar("T")
PATIENCE = 30.0
"""Seconds that one exchange may take, waits for the quota included, where the caller sets no bound."""


class Care(Protocol):
    """What is minded while a request goes out whose deed may be done only once."""

    deadline: float
    """Past it nothing is sent, and `TooLate` is raised."""

    def leaving(self) -> None:
        """Know that the request leaves: there is a connection, and bytes go out next."""

    def stopped(self) -> None:
        """Know that it is certain that it did nothing."""

    def again(self, *, answered: bool, waited: float) -> Flow[None]:
        """Raise `NoAnswer` if, in spite of that, the deed shows; else it may be sent once more.

        *answered* says that it is certain by the word of an answer, and not because there was no connection. That was
        *waited* seconds ago.
        """


def exchange(
    request: Request,
    *,
    deadline: float | None = None,
    care: Care | None = None,
    signed: bool = True,
    agent: str = "",
    lane: Lane = Lane.READ,
    paced: str = "",
) -> Flow[Response]:
    """Send *request* as the client's identity, or as *agent*'s own, and give the answer, save for 401 and 429.

    It is sent again only where `policy.may_repeat` allows. Raise `Unreachable` if nothing was sent, `NoAnswer` if
    something was, `NotAuthenticated`, or `RateLimited` if the quota comes back after *deadline* (epoch seconds).
    *care* is taken of a request whose deed may be done only once. Before each send it waits in *lane* for its turn at
    the token's quota, save the first time for that of the token *paced*, who has had it.
    Without *signed* no token is asked for, nothing is waited for, and 401 is an answer like any other.
    """
    if care is not None:
        deadline = care.deadline
    elif deadline is None:
        deadline = (yield Now()) + PATIENCE
    # One who sends once and never again may wait for that all the same.
    turn_by = deadline or (yield Now()) + PATIENCE
    token: str = (yield from token_for(request, agent=agent, deed=care is not None)) if signed else ""
    renewed = not signed
    tries = 0
    refused: Response | None = None
    while True:
        tries += 1
        pace = Pace(lane, token, turn_by) if signed and paced != token else None
        paced = ""
        outcome = yield from _send_in_turn(_signed(request, token) if signed else request, token, care, pace, refused)
        if isinstance(outcome, Response):
            if outcome.ok:
                return outcome
            outcome = unquoted(outcome, token)
            refused = outcome if outcome.status in {401, 429} else refused
            if outcome.status == 401 and not renewed:  # noqa: PLR2004
                # 401 proves that nothing was done, so even a create may be sent again, once.
                token, renewed = (yield from _renewed(request, outcome, token, agent, care)), True
                yield from _again(care, outcome, waited=0.0)
                continue
            if not policy.may_repeat(request, outcome):
                return _or_unauthenticated(outcome) if signed else outcome
        wait = policy.pause(tries, outcome)
        too_late = (yield Now()) + wait > deadline
        # Somebody else's use of the quota is waited out, for as long as the deadline allows.
        enough = tries >= policy.MOST_TRIES and not _limited(outcome)
        if too_late or enough or not policy.may_repeat(request, outcome):
            return _give_up(request, outcome, wait, refused)
        yield Sleep(wait)
        yield from _again(care, outcome, waited=wait)


def _send_in_turn(
    request: Request, token: str, care: Care | None, pace: Pace | None, refused: Response | None
) -> Flow[Response | Lost]:
    try:
        if pace is not None:
            yield pace
        return (yield from _send_once(request, token, care))
    except (RateLimited, TooLate) as late:
        if refused is None:
            raise
        raise _not_again(refused, late) from late


def _send_once(request: Request, token: str, care: Care | None) -> Flow[Response | Lost]:
    wish = Send(request, token=token) if care is None else Send(request, care.deadline, token, care.leaving)
    outcome: Response | Lost
    try:
        outcome = yield wish
    except Lost as lost:
        outcome = lost
    except TooLate:
        if care is not None:
            care.stopped()
        raise
    # 401 and 429 are answers of the door, before anything is done.
    if care is not None and (not outcome.sent if isinstance(outcome, Lost) else outcome.status in {401, 429}):
        care.stopped()
    return outcome


def _again(care: Care | None, outcome: Response | Lost, *, waited: float) -> Flow[None]:
    if care is None:
        return
    answered = isinstance(outcome, Response)
    yield from care.again(answered=answered, waited=waited)
    now: float = yield Now()
    if isinstance(outcome, Response) and now >= care.deadline:  # what would show the deed was not looked at to its end
        raise _not_again(outcome, None)


def _not_again(refused: Response, why: RateLimited | TooLate | Lost | None) -> RateLimited | TooLate | Unreachable:
    """Say why a request that was refused was not sent again: that nothing was sent is not true of it."""
    if refused.status == 429:  # noqa: PLR2004
        return _rate_limited(refused, why.retry_after if isinstance(why, RateLimited) else policy.pause(1, refused))
    what = f"It was refused with HTTP {refused.status}, and could not be sent again"
    if isinstance(why, RateLimited):
        return RateLimited(what, why=why.why, fix=why.fix, retry_after=why.retry_after, status=why.status)
    if isinstance(why, Lost):
        return Unreachable(what, why=why.why, fix="check the network and the proxy, and try again")
    return TooLate(what, why="its deadline had passed", fix="try again, or allow more time")


def token_for(request: Request, stale: str = "", *, agent: str = "", deed: bool = False) -> Flow[str]:
    """Have a token for *request*. Raise `Unreachable` if none can be had: then the request does not leave.

    With the token *stale* it was refused. If the client is closed, that is raised, save of a *deed* that it is certain
    of that it was not done.
    """
    try:
        token: str = yield Token(stale=stale, agent=agent)
    except NoAnswer as lost:
        if lost.what == CLOSED and not deed:
            raise
        # It was the token's request that got no answer; this one did not leave, or was refused with 401.
        unsent = f"{request.method} {request.url.partition('?')[0]} was not sent{' again' if stale else ''}"
        raise Unreachable(
            f"No access token could be had, so {unsent}",
            why=f"{lost.what}: {lost.why}",
            fix=lost.fix if lost.what == CLOSED else "check the login host and try again",
        ) from lost
    return token


def _renewed(request: Request, refused: Response, stale: str, agent: str, care: Care | None) -> Flow[str]:
    new = token_for(request, stale, agent=agent, deed=care is not None)
    try:
        return (yield from (new if care is None else within(new, care.deadline)))
    except NotAuthenticated as final:
        if final.fix:
            raise
        # A token that can't be renewed: why the platform refused it is all that helps.
        said = problem(refused)
        words = f"{said.message or 'HTTP 401'}{f' [{said.code}]' if said.code else ''}; {final.why}"
        raise NotAuthenticated(
            final.what,
            why=words,
            fix=remedy(401, said.code).fix,
            status=401,
            code=said.code,
            correlation_id=said.context_id,
        ) from final


def read(
    request: Request,
    what: str,
    *,
    fix: str = "",
    deadline: float | None = None,
    agent: str = "",
    lane: Lane = Lane.READ,
) -> Flow[Response]:
    """Like `exchange`, but any refusal is raised: as `NotFound` of *what*, `NotPermitted`, …; 5xx as `NoAnswer`."""
    response = yield from exchange(request, deadline=deadline, agent=agent, lane=lane)
    if response.ok:
        return response
    raise refusal(response, what, fix=fix)


def unquoted(response: Response, token: str) -> Response:
    """Take the token out of a refusal that quotes it, since its words end up in errors and logs."""
    if response.ok or not token or token.encode() not in response.body:
        return response
    return Response(response.status, response.headers, response.body.replace(token.encode(), b"..."))


def decoded(response: Response, type_: type[T], what: str) -> T:
    """Decode an answer's body. Raise `NoAnswer` where it is cut off or of another shape: it tells nothing."""
    try:
        return msgspec.json.decode(response.body, type=type_)
    except UNREADABLE as wrong:
        raise NoAnswer(f"{what}: the answer can't be read", why=str(wrong), fix="try again later") from wrong


def _limited(outcome: Response | Lost) -> bool:
    return isinstance(outcome, Response) and outcome.status == 429  # noqa: PLR2004


def _give_up(request: Request, outcome: Response | Lost, wait: float, refused: Response | None) -> Response:
    if isinstance(outcome, Response):
        if _limited(outcome):
            raise _rate_limited(outcome, wait)
        return outcome
    where = request.url.partition("?")[0]
    if outcome.sent:
        raise NoAnswer(f"No answer to {request.method} {where}", why=outcome.why) from outcome
    if refused is not None:
        raise _not_again(refused, outcome) from outcome
    raise Unreachable(
        f"{_origin(where)} cannot be reached, and nothing was sent",
        why=outcome.why,
        fix="check the region or base URL, the network and the proxy",
    ) from outcome


def _rate_limited(response: Response, wait: float) -> RateLimited:
    said = problem(response)
    return RateLimited(
        "The quota of requests is spent",
        why=said.message or "HTTP 429",
        fix=f"try again in {wait:.0f} s; {remedy(429, said.code).fix}",
        retry_after=wait,
        status=429,
        code=said.code,
        correlation_id=said.context_id,
    )


def _or_unauthenticated(response: Response) -> Response:
    if response.status == 401:  # noqa: PLR2004
        said = problem(response)
        raise NotAuthenticated(
            "The access token was refused, a renewed one too",
            why=said.message or said.code,
            fix=remedy(401, said.code).fix,
            status=401,
            code=said.code,
            correlation_id=said.context_id,
        )
    return response


class Problem(msgspec.Struct, rename="camel"):
    """The platform's error body (official SDK model ErrorBody)."""

    message: str = ""
    code: str = ""
    context_id: str = ""


def problem(response: Response) -> Problem:
    """Read the error body; an answer that has none gives empty words and the correlation header."""
    try:
        said = msgspec.json.decode(response.body, type=Problem)
    except UNREADABLE:
        said = Problem()
    if not said.context_id:
        said.context_id = response.headers.get("inin-correlation-id", "")
    return said


def refusal(response: Response, what: str, *, fix: str = "", tutorial: bool = False) -> ApiRefusal | NoAnswer:
    """Turn an answer that is not 2xx into the error to raise; *tutorial* is the wire that was spoken."""
    said = problem(response)
    status = response.status
    why = said.message or f"HTTP {status}"
    if said.code:
        why += f" [{said.code}]"
    known = remedy(status, said.code, tutorial=tutorial)
    if status >= 500 or status < 400:  # noqa: PLR2004
        return NoAnswer(f"{what}: no usable answer (HTTP {status})", why=why, fix=known.fix)
    kind: type[ApiRefusal] = {401: NotAuthenticated, 403: NotPermitted, 404: NotFound}.get(status, ApiRefusal)
    return kind(what, why=why, fix=fix or known.fix, status=status, code=said.code, correlation_id=said.context_id)


def _signed(request: Request, token: str) -> Request:
    headers = {**request.headers, "authorization": f"Bearer {token}"}
    return Request(request.method, request.url, request.body, request.form, headers, request.repeatable)


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
