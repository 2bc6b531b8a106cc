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

from ringonce.service.web.problems import KINDS, MEDIA_TYPE, URN, Problem

ABOUT = """\
Takes calls in and dials each once, for its agent, when it may be dialled.

Every door but /connect, /healthz, /openapi.json and /docs needs a token: `Authorization: Bearer ro_…`.
Times are seconds since the epoch. Errors are problem details (RFC 9457) with a `fix`; their `type` tells them apart.
"""
EVERYWHERE = ("no-token", "wrong-host", "too-many-requests", "internal", "unavailable")
OPEN = ("wrong-host", "internal")
_BODY = ("malformed", "too-large", "not-json", "invalid")
_PLATFORM = ("platform-refused", "platform-away", "platform-busy", "still-going")
_STEERING = ("not-allowed", "not-found", "wrong-state", "invalid", "not-on-platform", *_PLATFORM)
PROBLEMS: dict[str, tuple[str, ...]] = {
    "POST /v1/calls": (*_BODY, "not-allowed", "key-reused", "number-refused", "unknown-agent"),
    "GET /v1/calls": ("invalid", "number-refused"),
    "GET /v1/calls/{call_id}": ("not-found",),
    "POST /v1/calls/{call_id}/cancel": ("not-allowed", "not-found", "wrong-state"),
    "POST /v1/calls/{call_id}/wrapup": (*_BODY, *_STEERING),
    "POST /v1/calls/{call_id}/resolve": (*_BODY, *_STEERING),
    "POST /v1/batches": ("malformed", "too-large", "invalid", "faulty-file", "not-allowed", "key-reused"),
    "GET /v1/batches": ("invalid",),
    "GET /v1/batches/{batch_id}": ("not-found",),
    "GET /v1/batches/{batch_id}/preview": ("not-found",),
    "GET /v1/batches/{batch_id}/results.csv": ("not-found",),
    "GET /v1/events": ("invalid", "not-found"),
    "POST /v1/stop": (*_BODY, "not-allowed"),
    "DELETE /v1/stop": ("not-allowed",),
    "GET /v1/tokens": ("not-allowed",),
    "POST /v1/tokens": (*_BODY, "not-allowed"),
    "DELETE /v1/tokens/{token_id}": ("not-allowed", "not-found"),
    "GET /v1/audit": ("not-allowed", "invalid"),
    "GET /v1/agents": ("invalid",),
    "GET /v1/check": ("not-allowed", "invalid", "number-refused", "unknown-agent", *_PLATFORM),
    "GET /v1/webhooks": ("not-allowed",),
    "POST /v1/webhooks": (*_BODY, "not-allowed"),
    "GET /v1/enrolments": ("not-allowed",),
    "POST /v1/enrolments": (*_BODY, "not-allowed"),
    "DELETE /v1/enrolments/{agent}": ("not-allowed", "not-found", "invalid", *_PLATFORM),
    "POST /v1/webhooks/{hook_id}/pause": (*_BODY, "not-allowed", "not-found"),
    "GET /v1/webhooks/{hook_id}": ("not-allowed", "not-found", "invalid"),
    "DELETE /v1/webhooks/{hook_id}": ("not-allowed", "not-found", "invalid"),
    "POST /v1/webhooks/{hook_id}/resume": ("not-allowed", "not-found", "invalid"),
    "POST /v1/webhooks/{hook_id}/secret": ("not-allowed", "not-found", "invalid"),
    "POST /v1/webhooks/{hook_id}/test": ("not-allowed", "not-found", "invalid"),
    "GET /healthz": (),
    "GET /readyz": (),
    "GET /metrics": (),
    "GET /v1/stop": (),
} | {f"POST /v1/calls/{{call_id}}/{what}": _STEERING for what in ("hangup", "hold", "resume", "mute", "unmute")}
PROBLEMS |= {
    f"POST /v1/batches/{{batch_id}}/{what}": ("not-allowed", "not-found", "wrong-state")
    for what in ("start", "pause", "resume", "drain", "cancel")
}
CALL = {
    "id": "call_0019aac1f2c03b1c7d9e0f24",
    "key": "crm-4711",
    "agent": "ada@example.com",
    "agent_id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "to": "+1••••••6543",
    "state": "ended",
    "progress": "ended",
    "outcome": "answered",
    "conversation_id": "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
    "attempt": 1,
    "why": {},
    "evidence": {"because": "the far end was connected", "purpose": "customer", "state": "terminated"},
    "due_at": None,
    "batch_id": None,
    "row": None,
    "created_at": 1795377600.0,
    "placed_at": 1795377600.4,
    "ended_at": 1795377611.2,
    "changed_at": 1795377611.2,
    "held": False,
    "muted": False,
}
TAKEN = CALL | {
    "agent_id": "", "state": "waiting", "progress": "", "outcome": "", "conversation_id": "", "evidence": None,
    "due_at": 1795377600.0, "placed_at": None, "ended_at": None, "changed_at": 1795377600.0,
}  # fmt: skip
TOKEN = {
    "id": "tok_0019aac1f2c03b1c7d9e0f24",
    "name": "the shop's CRM",
    "role": "dialer",
    "agents": ["ada@example.com"],
    "created_at": 1795377600.0,
    "used_at": None,
    "revoked_at": None,
}
WEBHOOK = {
    "id": "hook_0019aac1f2c03b1c7d9e0f24", "url": "https://crm.example.com/hooks", "kinds": ["call.changed"],
    "created_at": 1795377600.0, "next_seq": 18, "behind": 0, "failures": 0, "due_at": 1795377600.0, "paused": "",
    "said": "",
}  # fmt: skip
LINK = {
    "id": "invite_0019aac1f2c03b1c7d9e0f24", "agent": "ada@example.com", "expires_at": 1795381200.0,
    "url": "http://127.0.0.1:8090/connect?link=…",
}  # fmt: skip
ENROLLED = {"agent_id": CALL["agent_id"], "agent": "Ada Lovelace <ada@example.com>", "changed_at": 1795377600.0}
STOPPED = {"stopped": True, "by": TOKEN["id"], "reason": "wrong file", "since": 1795377600.0}
ASKED: dict[str, Any] = {
    "POST /v1/calls": {
        "agent": "ada@example.com",
        "to": "+1 555 987 6543",
        "caller_id": "+15551234567",
        "attributes": {"ticket": "4711"},
    },
    "POST /v1/calls/{call_id}/wrapup": {"code": "Sale", "notes": "sends the order by mail"},
    "POST /v1/calls/{call_id}/resolve": {"not_placed": True, "reason": "the agent's call history has none"},
    "POST /v1/webhooks": {"url": WEBHOOK["url"], "kinds": WEBHOOK["kinds"]},
    "POST /v1/webhooks/{hook_id}/pause": {"reason": "the CRM moves"},
    "POST /v1/enrolments": {"agent": "ada@example.com"},
    "POST /v1/stop": {"reason": "wrong file"},
    "POST /v1/tokens": {"name": "the shop's CRM", "role": "dialer", "agents": ["ada@example.com"]},
}
ANSWERED: dict[str, Any] = {
    "POST /v1/calls": TAKEN,
    "GET /v1/calls": {"calls": [CALL], "next": None},
    "GET /v1/calls/{call_id}": CALL,
    "POST /v1/calls/{call_id}/cancel": TAKEN | {"state": "cancelled", "why": {"by": TOKEN["id"]}, "due_at": None},
    "GET /v1/stop": {"stopped": False},
    "POST /v1/stop": STOPPED,
    "DELETE /v1/stop": {"stopped": False},
    "GET /v1/tokens": {"tokens": [TOKEN]},
    "POST /v1/tokens": TOKEN | {"secret": "ro_…"},
    "GET /v1/agents": {
        "agents": [
            {
                "agent_id": CALL["agent_id"], "names": ["ada@example.com"], "state": "busy", "call_id": CALL["id"],
                "free_at": None, "waiting": 3,
            }
        ],
        "next": None,
    },
    "GET /v1/check": {
        "findings": [{"name": "station", "verdict": "pass", "evidence": "Ada's phone is registered", "remedy": ""}]
    },
    "GET /v1/webhooks": {"webhooks": [WEBHOOK]},
    "POST /v1/webhooks": WEBHOOK | {"secret": "whsec_…"},
    "GET /v1/webhooks/{hook_id}": WEBHOOK,
    "POST /v1/webhooks/{hook_id}/pause": WEBHOOK | {"paused": "the CRM moves"},
    "POST /v1/webhooks/{hook_id}/resume": WEBHOOK,
    "POST /v1/webhooks/{hook_id}/secret": WEBHOOK | {"secret": "whsec_…"},
    "POST /v1/webhooks/{hook_id}/test": {"ok": True, "status": 204, "said": "", "seconds": 0.12},
    "GET /v1/enrolments": {"enrolments": [ENROLLED]},
    "POST /v1/enrolments": LINK,
    "GET /healthz": {"status": "ok"},
    "GET /readyz": {
        "ready": True, "database": {"ok": True, "said": ""}, "platform": {"ok": True, "said": ""},
        "worker": {"ok": True, "said": ""},
    },
}  # fmt: skip
BATCH: dict[str, Any] = {
    "id": "batch_0019aac1f2c03b1c7d9e0f24",
    "key": "monday",
    "name": "Monday's renewals",
    "state": "running",
    "rows": 3,
    "settings": {"agents": ["ada@example.com"], "retry": {"attempts": 2, "gap": 3600.0, "outcomes": ["busy"]}},
    "report": {"faulty": 0, "by_column": {}, "faults": [], "read_to_the_end": True},
    "created_at": 1795377600.0,
    "changed_at": 1795377611.2,
    "progress": {"states": {"waiting": 1, "live": 1, "ended": 1}, "outcomes": {"answered": 1}, "open": 2},
}
FORESEEN: dict[str, Any] = {
    "at": 1795377600.0, "rows": 3, "now": 1, "later": [
        {"rule": "calling hours", "at": 1795420800.0, "rows": 1, "examples": [
            {"row": 3, "key": "crm-2", "to": "+49•••••••5678", "why": "it is Sun 2026-11-22 20:00 in Europe/Berlin"}
        ]}
    ], "more_later": 0, "refused": [{"rule": "do-not-call", "at": None, "rows": 1, "examples": []}],
}  # fmt: skip
ANSWERED |= {
    "POST /v1/batches": {"batch": BATCH, "preview": None},
    "GET /v1/batches": {"batches": [BATCH], "next": None},
    "GET /v1/batches/{batch_id}": BATCH,
    "GET /v1/batches/{batch_id}/preview": FORESEEN,
} | {f"POST /v1/batches/{{batch_id}}/{what}": BATCH for what in ("start", "pause", "resume", "drain", "cancel")}
FILES = {
    "text/csv": "key,agent,to\ncrm-1,ada@example.com,+1 555 987 6543\n",
    "application/x-ndjson": '{"key": "crm-1", "agent": "ada@example.com", "to": "+1 555 987 6543"}\n',
}
EVENT = (
    'id: 17\nevent: call.changed\ndata: {"seq":17,"at":1795377600.4,"kind":"call.changed",'
    '"subject":"call_0019aac1f2c03b1c7d9e0f24","agent_id":"a1b2…","body":{"state":"live","progress":"ringing", …}}\n\n'
)


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
    if door == "POST /v1/batches":
        content = {kind: {"schema": {"type": "string"}, "example": example} for kind, example in FILES.items()}
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
