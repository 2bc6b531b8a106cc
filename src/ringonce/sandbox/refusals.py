"""Answers that the platform's edge gives before anybody looked at the request: ErrorBody with a code per status."""

import json
import math

from ringonce.sandbox.http import Reply
from ringonce.sandbox.shapes.problems import Problem

# Codes and messages of the platform's swagger; a status that is not listed gets its class's general one.
_WORDS = {
    400: ("bad.request", "The request could not be understood by the server due to malformed syntax."),
    401: ("bad.credentials", "Invalid login credentials."),
    403: ("not.authorized", "You are not authorized to perform the requested action."),
    404: ("not.found", "The requested resource was not found."),
    408: ("client.timeout", "The request was not received in time."),
    409: ("general.conflict", "The request conflicts with the current state of the target resource."),
    413: ("request.entity.too.large", "The request is over the size limit. Maximum bytes: %s"),
    415: ("unsupported.media.type", "Unsupported Media Type - Unsupported or incorrect media type."),
    429: ("too.many.requests.retry.after", "Rate limit exceeded the maximum. Retry the request in [%s] seconds"),
    500: (
        "internal.server.error",
        "The server encountered an unexpected condition which prevented it from fulfilling the request.",
    ),
    503: ("service.unavailable", "Service Unavailable - The service is temporarily unavailable."),
    504: ("request.timeout", "The request timed out."),
}
_SERVER_ERRORS = 500
_TOO_MANY = 429


def refuse(status: int, *, context_id: str, retry_after: float | None = None, word: str = "", why: str = "") -> Reply:
    """Refuse with the platform's words for *status*, or with *why*; *word* fills the message's gap.

    A 429 always says when to come back, as the platform's does.
    """
    if retry_after is None and status == _TOO_MANY:
        retry_after = 1
    code, message = _WORDS.get(status, _WORDS[500 if status >= _SERVER_ERRORS else 400])
    message = why or message.replace("%s", word or f"{math.ceil(retry_after or 0)}")
    headers = [("ININ-Correlation-Id", context_id)]
    if retry_after is not None:
        headers.append(("Retry-After", str(math.ceil(retry_after))))
    return Reply(status, json.dumps(Problem(status, code, message).body(context_id)).encode(), tuple(headers))
