"""The OpenAPI document: drawn from the doors themselves, with an example and every error for each."""

import base64
import functools
import hashlib
import re
from importlib.metadata import version
from typing import Any

import msgspec
from litestar import Litestar
from litestar.openapi import OpenAPIConfig

from ringonce.service.web.examples import ANSWERED, ASKED, CALL, EVENT, PROBLEMS, STREAMED
from ringonce.service.web.problems import KINDS, MEDIA_TYPE, URN, Problem

ABOUT = """\
Takes calls in and dials each once, for its agent, when it may be dialled.

Every door but /connect, /healthz, /openapi.json and /docs needs a token: `Authorization: Bearer ro_…`.
Times are seconds since the epoch. Errors are problem details (RFC 9457) with a `fix`; their `type` tells them apart.
"""
EVERYWHERE = ("no-token", "invalid", "wrong-host", "too-many-requests", "internal", "unavailable")
OPEN = ("wrong-host", "internal")


@functools.cache
def drawn(doors: tuple[Any, ...]) -> dict[str, Any]:
    """Give the document of these doors."""
    # An application of its own: the framework would serve the document by doors that nobody asked for.
    config = OpenAPIConfig("ringonce", version("ringonce"), description=ABOUT, use_handler_docstrings=True)
    app = Litestar(doors, openapi_config=config, logging_config=None)
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()))
    components = found.setdefault("components", {})
    (problem,), schemas = msgspec.json.schema_components([Problem], ref_template="#/components/schemas/{name}")
    components.setdefault("schemas", {}).update(schemas)
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    components["responses"] = {kind: _response(kind, problem) for kind in KINDS}
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            _finish(operation, f"{method.upper()} {path}")
    return found


def asked_by(document: dict[str, Any]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Give the query parameters of each door, by its method and path."""
    return {
        (method.upper(), path): tuple(one["name"] for one in operation.get("parameters", ()) if one["in"] == "query")
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def hashed(page: bytes, element: bytes) -> str:
    """Give the Content-Security-Policy's name for what is inside the page's one such element."""
    inside = re.search(rb"<%b>(.*?)</%b>" % (element, element), page, re.DOTALL)
    digest = hashlib.sha256(inside.group(1) if inside else b"").digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _finish(operation: dict[str, Any], door: str) -> None:
    operation["responses"] = {
        status: answer for status, answer in operation["responses"].items() if not status.startswith(("4", "5"))
    }
    is_open = door == "GET /healthz"
    operation["security"] = [] if is_open else [{"token": []}]
    kinds = (OPEN if is_open else EVERYWHERE) + PROBLEMS[door]
    (answer,) = operation["responses"].values()
    _example(answer, ANSWERED.get(door, CALL if door.startswith("POST /v1/calls/") else None))
    if door in ASKED:
        _example(operation["requestBody"], ASKED[door])
    if door == "GET /v1/events":
        answer["content"] = {"text/event-stream": {"schema": {"type": "string"}, "example": EVENT}}
    if door in STREAMED:
        content = {kind: {"schema": {"type": "string"}, "example": example} for kind, example in STREAMED[door].items()}
        operation["requestBody"] = {"required": True, "content": content}
    if door.endswith("/results.csv"):
        answer["content"] = {"text/csv": {"schema": {"type": "string"}}}
    if door == "GET /metrics":
        answer["content"] = {"text/plain": {"schema": {"type": "string"}}}
    if door == "GET /readyz":
        operation["responses"]["503"] = _not_ready(answer)
        kinds = tuple(kind for kind in kinds if kind != "unavailable")
    if door == "POST /v1/calls":
        answer["headers"] = {
            name: {"schema": {"type": "string"}, "description": words}
            for name, words in (
                ("Location", "Where the call is."),
                ("Idempotency-Key", "The key, given or made."),
                ("Idempotency-Replayed", "`true` if the key was used before: this is the first answer again."),
            )
        }
    for status in sorted({KINDS[kind].status for kind in kinds}):
        same = [kind for kind in dict.fromkeys(kinds) if KINDS[kind].status == status]
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/{same[0]}"} if len(same) == 1 else {
            "description": " · ".join(KINDS[kind].title for kind in same),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {
                kind: {"value": _problem(kind)} for kind in same
            }}},
        }  # fmt: skip


def _example(answer: dict[str, Any], example: Any) -> None:
    if example is not None and "application/json" in answer.get("content", {}):
        answer["content"]["application/json"]["example"] = example


def _not_ready(answer: dict[str, Any]) -> dict[str, Any]:
    content = msgspec.json.decode(msgspec.json.encode(answer["content"]))
    return {"description": "Something is missing; which part says what.", "content": content}


def _response(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": KINDS[kind].title,
        "content": {MEDIA_TYPE: {"schema": schema, "example": _problem(kind)}},
    }


def _problem(kind: str) -> dict[str, Any]:
    known = KINDS[kind]
    return {"type": URN + kind, "title": known.title, "status": known.status, "detail": known.title, "fix": "…"}
