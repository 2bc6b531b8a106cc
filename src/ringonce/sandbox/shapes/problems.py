"""The platform's ErrorBody: one exception that carries it, and one constructor for each refusal."""

import json
from collections.abc import Iterable, Mapping
from typing import Any


class Problem(Exception):
    """A refusal. It becomes an answer with an ErrorBody of the official SDK's model."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        params: Mapping[str, str] | None = None,
        field: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.params = params or {}
        self.field = field
        self.headers = headers

    def body(self, context_id: str) -> dict[str, Any]:
        """The ErrorBody; *context_id* is the answer's correlation id."""
        details = [{"errorCode": self.code, "fieldName": self.field}] if self.field else []
        return {
            "message": self.message,
            "code": self.code,
            "status": self.status,
            "messageParams": dict(self.params),
            "contextId": context_id,
            "details": details,
            "errors": [],
        }


def bad_request(message: str, *, field: str | None = None, code: str = "bad.request") -> Problem:
    """400: the request is not understood."""
    return Problem(400, code, message, field=field)


def invalid_value(field: str, value: object, allowed: Iterable[str]) -> Problem:
    """400: a value outside of an enum."""
    shown = value if isinstance(value, str) else json.dumps(value, default=str)
    words = f"Value [{shown}] is not valid for field type [{field}]. Allowable values are: {', '.join(allowed)}"
    return Problem(400, "invalid.value", words, params={"field": field}, field=field)


def not_simulated(field: str, what: str, instead: str) -> Problem:
    """400: the platform can do this, and the sandbox cannot."""
    return bad_request(f"{what}: the platform has that and this sandbox has not; {instead}.", field=field)


def not_a_user() -> Problem:
    """400: a service's token where only a user's will do."""
    return Problem(
        400,
        "not.a.user",
        "This request requires a user context. Client credentials cannot be used for requests to this resource.",
    )


def no_station() -> Problem:
    """400: an agent without a phone."""
    return Problem(400, "conversation.error.no.user.station", "A station is required to place a call.")


def unauthorized(code: str, message: str) -> Problem:
    """401: no token, or one that is not good (any more)."""
    return Problem(401, code, message)


def missing_permissions(any_of: Iterable[str]) -> Problem:
    """403: the token has none of these permissions."""
    listed = f"[{', '.join(any_of)}]"
    words = "Unable to perform the requested action. You must have at least one of the following permissions assigned: "
    return Problem(403, "missing.any.permissions", words + listed, params={"permissions": listed})


def missing_permission(permission: str) -> Problem:
    """403: the token lacks a permission that nothing else stands in for."""
    words = "Unable to perform the requested action. You are missing the following permission(s): "
    return Problem(403, "missing.permissions", f"{words}[{permission}]", params={"permissions": f"[{permission}]"})


def missing_scopes(any_of: Iterable[str]) -> Problem:
    """403: a user's token does not reach so far. The platform's own code for this is not documented."""
    listed = f"[{', '.join(sorted(any_of))}]"
    words = "Unable to perform the requested action. The token must have at least one of the following OAuth scopes: "
    return Problem(403, "insufficient.scope", words + listed, params={"scopes": listed})


def not_found(message: str = "The resource could not be found.", code: str = "resource.not.found") -> Problem:
    """404: no such thing."""
    return Problem(404, code, message)


def no_conversation(conversation_id: str) -> Problem:
    """404: no such conversation."""
    words = f"Conversation [{conversation_id}] could not be found."
    return Problem(404, "conversation.error.conversation.not.found", words, params={"conversationId": conversation_id})


def too_many_requests(allowed: int, retry_after: int) -> Problem:
    """429: over the token's limit."""
    words = f"Rate limit exceeded the maximum. Retry the request in [{retry_after}] seconds"
    return Problem(
        429,
        "too.many.requests.retry.after",
        words,
        params={"maximum": str(allowed), "retryAfter": str(retry_after)},
        headers=(("Retry-After", str(retry_after)),),
    )


def unsupported_media_type(given: str) -> Problem:
    """415: a body that is not sent as JSON."""
    why = f"Unsupported or incorrect media type, {given[:100]!a} in place of application/json."
    return Problem(415, "unsupported.media.type", f"Unsupported Media Type - {why}")
