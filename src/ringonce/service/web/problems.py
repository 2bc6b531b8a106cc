"""What goes wrong, as RFC 9457 tells it: a problem with a kind, a sentence, and what to do about it.

Every error of ours has *what*, *why* and *fix* already; here they get a kind and a status. What the web framework
refuses by itself (no such path, no such method, …) is told in the same form.
"""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar.connection import Request
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Response

from ringonce import errors
from ringonce.service.store import StoreDown
from ringonce.service.vault import VaultLocked

log = logging.getLogger("ringonce.service")
MEDIA_TYPE = "application/problem+json"
URN = "urn:ringonce:problem:"
PATIENCE = 5
"""Seconds after which to ask again where nothing says it better."""


class Kind(msgspec.Struct, frozen=True):
    """One kind of problem."""

    status: int
    title: str


KINDS = {
    "malformed": Kind(400, "The request can't be read"),
    "no-token": Kind(401, "A token is needed"),
    "not-allowed": Kind(403, "The token may not do this"),
    "not-found": Kind(404, "There is no such thing"),
    "wrong-method": Kind(405, "This can't be done here"),
    "key-reused": Kind(409, "The idempotency key stands for something else"),
    "wrong-state": Kind(409, "It is not in a state in which this can be done"),
    "unknown-event": Kind(409, "The event to go on from is not there"),
    "too-large": Kind(413, "The body is too large"),
    "not-json": Kind(415, "The body has to be JSON"),
    "wrong-host": Kind(421, "This server is not known by that name"),
    "invalid": Kind(422, "The request can't be used as it is"),
    "faulty-file": Kind(422, "The file has faults, and nothing of it was taken"),
    "number-refused": Kind(422, "The number can't be dialled, or must not be"),
    "unknown-agent": Kind(422, "The agent can't be found"),
    "not-on-platform": Kind(422, "The platform knows no such thing"),
    "too-many-requests": Kind(429, "Too many requests"),
    "internal": Kind(500, "The server made a mistake"),
    "platform-refused": Kind(502, "The platform refused"),
    "platform-away": Kind(502, "The platform gave no answer"),
    "platform-busy": Kind(503, "The platform's quota is spent"),
    "unavailable": Kind(503, "The service can't answer now"),
    "still-going": Kind(504, "It takes longer than one request waits"),
}


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as it is told (RFC 9457)."""

    type: str
    """What kind of problem it is; programs tell them apart by this."""
    title: str
    status: int
    detail: str
    """What happened and why, for people."""
    fix: str = ""
    """What to do about it."""


class ProblemError(errors.RingonceError):
    """An error that already knows its *kind*, one of `KINDS`."""

    def __init__(
        self, kind: str, what: str, *, why: str = "", fix: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(what, why=why, fix=fix)
        self.kind, self.headers = kind, dict(headers or {})


_KIND_OF: tuple[tuple[type[Exception], str], ...] = (
    (StoreDown, "unavailable"),
    (VaultLocked, "unavailable"),
    (errors.LedgerError, "unavailable"),
    (errors.NumberRefused, "number-refused"),
    (errors.InvalidInput, "invalid"),
    (errors.Ambiguous, "invalid"),
    (errors.IntentConflict, "key-reused"),
    (errors.RateLimited, "platform-busy"),
    (errors.NotFound, "not-on-platform"),
    (errors.ApiRefusal, "platform-refused"),
    (errors.Refused, "wrong-state"),
    (errors.StillGoing, "still-going"),
    (errors.NoAnswer, "platform-away"),
    (errors.Unreachable, "platform-away"),
    (errors.ConfigError, "platform-refused"),
)
_FRAMEWORK = {
    400: ("malformed", "send what /openapi.json describes"),
    404: ("not-found", "look at /docs for the paths that there are"),
    405: ("wrong-method", "the header Allow says what can be done here"),
    413: ("too-large", "send less at once; many calls go into a batch"),
    415: ("not-json", "send JSON, with Content-Type: application/json"),
}


def kind_of(error: errors.RingonceError) -> str:
    """Give the kind of an error of ours."""
    if isinstance(error, ProblemError):
        return error.kind
    return next((kind for of, kind in _KIND_OF if isinstance(error, of)), "internal")


def response(error: Exception) -> Response[Problem]:
    """Give the answer that tells an error. What is nobody's fault but ours is logged, and told without details."""
    headers: dict[str, str] = {}
    if isinstance(error, errors.RingonceError):
        kind, what, why, fix = kind_of(error), error.what, error.why, error.fix
        if isinstance(error, ProblemError):
            headers = error.headers
        if KINDS[kind].status == 503:  # noqa: PLR2004
            headers = {"Retry-After": f"{max(PATIENCE, getattr(error, 'retry_after', 0)):.0f}"} | headers
        elif KINDS[kind].status >= 500 and kind == "internal":  # noqa: PLR2004
            log.error("%s", error)
    elif isinstance(error, ValidationException):
        kind, what, why, fix = "invalid", *_invalid(error)
    elif isinstance(error, HTTPException) and error.status_code in _FRAMEWORK:
        kind, fix = _FRAMEWORK[error.status_code]
        what, why = KINDS[kind].title, error.detail if error.status_code == 400 else ""  # noqa: PLR2004
        headers = dict(error.headers or {})
    else:
        log.error("a request failed", exc_info=error)
        kind, what, why, fix = "internal", "Something broke while this was answered", "", "the server's log has more"
    said = Problem(
        type=URN + kind,
        title=KINDS[kind].title,
        status=KINDS[kind].status,
        detail=": ".join(part for part in (what, why) if part),
        fix=fix,
    )
    return Response(said, status_code=said.status, media_type=MEDIA_TYPE, headers=headers)


def handler(_: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Answer for the framework, which has caught the error."""
    return response(error)


def _invalid(error: ValidationException) -> tuple[str, str, str]:
    extra = error.extra if isinstance(error.extra, list) else []
    if any(one.get("key") == "data" and one["message"] == "'data'" for one in extra):
        # The framework's word for a body of which it found nothing.
        return "The body is empty", "this door needs one", "send one JSON object, as /openapi.json describes"
    found = [f"{one['key']}: {one['message']}" if one.get("key") else str(one["message"]) for one in extra]
    return "The request can't be used as it is", "; ".join(found) or error.detail, "send what /openapi.json describes"
