"""An example for each door of the API, and the kinds of problems that each may answer with."""

from typing import Any

_BODY = ("malformed", "too-large", "not-json", "invalid")
_PLATFORM = ("platform-refused", "platform-away", "platform-busy", "still-going")
_STEERING = ("not-allowed", "not-found", "wrong-state", "invalid", "not-on-platform", *_PLATFORM)
PROBLEMS: dict[str, tuple[str, ...]] = {
    "POST /v1/calls": (*_BODY, "not-allowed", "key-reused", "number-refused", "unknown-agent"),
    "GET /v1/calls": ("invalid", "not-allowed", "number-refused"),
    "GET /v1/calls/{call_id}": ("not-found",),
    "GET /v1/calls/{call_id}/story": ("not-found",),
    "GET /v1/now": ("invalid",),
    "GET /v1/number": ("not-allowed", "invalid", "number-refused"),
    "POST /v1/calls/{call_id}/cancel": ("not-allowed", "not-found", "wrong-state"),
    "POST /v1/calls/{call_id}/wrapup": (*_BODY, *_STEERING),
    "POST /v1/calls/{call_id}/resolve": (*_BODY, *_STEERING),
    "POST /v1/batches": ("malformed", "too-large", "invalid", "faulty-file", "not-allowed", "key-reused"),
    "GET /v1/batches": ("invalid",),
    "GET /v1/batches/{batch_id}": ("not-found",),
    "GET /v1/batches/{batch_id}/preview": ("not-found",),
    "GET /v1/batches/{batch_id}/results.csv": ("not-found",),
    "GET /v1/events": ("invalid", "not-found", "unknown-event"),
    "POST /v1/stop": (*_BODY, "not-allowed"),
    "DELETE /v1/stop": ("not-allowed",),
    "GET /v1/tokens": ("not-allowed",),
    "POST /v1/tokens": (*_BODY, "not-allowed"),
    "DELETE /v1/tokens/{token_id}": ("not-allowed", "not-found"),
    "GET /v1/audit": ("not-allowed", "invalid"),
    "GET /v1/agents": ("invalid",),
    "GET /v1/check": ("not-allowed", "invalid", "number-refused", "unknown-agent", *_PLATFORM),
    "GET /v1/lists": ("not-allowed",),
    "PUT /v1/lists/{name}": ("malformed", "too-large", "invalid", "faulty-file", "not-allowed"),
    "DELETE /v1/lists/{name}": ("not-allowed", "not-found", "invalid"),
    "POST /v1/lists/{name}/numbers": (*_BODY, "not-allowed", "not-found", "number-refused"),
    "DELETE /v1/lists/{name}/numbers/{number}": ("not-allowed", "not-found", "invalid", "number-refused"),
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
AGENT = {
    "agent_id": CALL["agent_id"], "name": "ada@example.com", "names": ["ada@example.com"], "state": "busy",
    "call_id": CALL["id"], "free_at": None, "unreached_at": None, "waiting": 3, "enrolled": False,
}  # fmt: skip
NOW: dict[str, Any] = {
    "at": 1795377605.0, "last_event_id": 17, "sandbox": False, "platform": "https://api.mypurecloud.com",
    "stop": {"stopped": False, "by": "", "reason": "", "since": None},
    "calls": [
        {
            "id": CALL["id"], "agent_id": CALL["agent_id"], "agent": "ada@example.com", "to": "+1••••••6543",
            "state": "live", "phase": "ringing", "since": 1795377601.2, "muted": False, "attempt": 1, "why": {},
            "conversation_id": CALL["conversation_id"], "batch_id": None, "placed_at": 1795377600.4,
            "changed_at": 1795377601.2,
        }
    ],
    "more_calls": 0, "states": {"waiting": 3, "live": 1, "ended": 12, "unknown": 0},
    "agents": {"free": 1, "busy": 1, "wrapping_up": 0, "unreachable": 0}, "wrapping_up": [],
    "quota": [
        {
            "mark": "9f2c41aa03de", "limit": 300, "used": 41, "left": 259, "resets_at": 1795377640.0,
            "shut_until": None, "heard_at": 1795377604.0,
        }
    ],
    "dials": [{"at": 1795377540.0, "dials": 11}, {"at": 1795377600.0, "dials": 2}],
    "workers": [
        {"id": "host-17", "host": "dialler-1", "started_at": 1795370000.0, "beat_at": 1795377604.0}
    ],
}  # fmt: skip
FORESEEN_NUMBER: dict[str, Any] = {
    "number": "+33142685300", "international": "+33 1 42 68 53 00", "national": "01 42 68 53 00",
    "countries": ["FR"], "clocks": [{"zone": "Europe/Paris", "time": "2026-11-22T21:20:00+01:00"}],
    "at": 1795378800.0, "allowed": False, "allowed_from": 1795420800.0, "never": "",
    "refusals": [
        {
            "rule": "calling hours", "said": "France: it is Sun 2026-11-22 21:20 in Europe/Paris",
            "until": 1795420800.0, "fix": "",
        }
    ],
    "warnings": [], "agent_id": "",
}  # fmt: skip
STORY: list[dict[str, Any]] = [
    {"at": 1795377600.0, "source": "feed", "what": "call.accepted", "body": {"seq": 15, "state": "waiting"}},
    {"at": 1795377600.1, "source": "guard", "what": "allowed", "body": {"intent": "crm-4711", "outcome": "answered"}},
    {"at": 1795377600.2, "source": "ledger", "what": "armed", "body": {"intent": "crm-4711"}},
    {"at": 1795377600.4, "source": "ledger", "what": "placed", "body": {"conversation_id": CALL["conversation_id"]}},
    {"at": 1795377600.4, "source": "feed", "what": "call.changed", "body": {"seq": 16, "state": "live"}},
]
LIST = {
    "name": "own", "source": "letters to us", "taken": "2026-11-20", "age_days": 2, "max_age_days": 31,
    "stale": False, "numbers": 4711, "kept_in": "database", "changed_at": 1795377600.0,
}  # fmt: skip
ASKED: dict[str, Any] = {
    "POST /v1/lists/{name}/numbers": {"numbers": ["+1 555 987 6543"]},
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
    "GET /v1/agents": {"agents": [AGENT], "next": None},
    "GET /v1/now": NOW,
    "GET /v1/number": FORESEEN_NUMBER,
    "GET /v1/calls/{call_id}/story": {
        "call": CALL, "story": STORY, "more": False, "who": {TOKEN["id"]: TOKEN["name"]},
    },
    "GET /v1/check": {
        "findings": [{"name": "station", "verdict": "pass", "evidence": "Ada's phone is registered", "remedy": ""}]
    },
    "GET /v1/lists": {"lists": [LIST]},
    "PUT /v1/lists/{name}": LIST,
    "POST /v1/lists/{name}/numbers": {"list": LIST, "new": 1},
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
LIST_FILES = {
    "text/plain": "+15559876543\n+33142685300\n",
    "text/csv": "number,since\n+15559876543,2026-01-04\n",
    "application/x-ndjson": '{"number": "+15559876543"}\n',
}
STREAMED = {"POST /v1/batches": FILES, "PUT /v1/lists/{name}": LIST_FILES}
EVENT = (
    'id: 17\nevent: call.changed\ndata: {"seq":17,"at":1795377600.4,"kind":"call.changed",'
    '"subject":"call_0019aac1f2c03b1c7d9e0f24","agent_id":"a1b2…","body":{"state":"live","progress":"ringing", …}}\n\n'
)
