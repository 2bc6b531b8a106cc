"""How a program signs in, step by step: what tests of several grants need."""

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from ringonce.sandbox.desk import Desk
from ringonce.sandbox.http import Reply, Request

SERVICE = "your_client_id:your_client_secret"
HERE = "127.0.0.1:8080"
CALLBACK = "http://127.0.0.1:54321/callback"
VERIFIER = "a-verifier-of-at-least-43-characters-as-PKCE-asks"


def ask_for_token(desk: Desk, *, basic: str | None = SERVICE, prefix: str = "", **form: str) -> tuple[int, Any]:
    """POST a form to `/oauth/token`."""
    headers = {"host": HERE}
    if basic is not None:
        headers["authorization"] = "Basic " + base64.b64encode(basic.encode()).decode()
    reply = desk.handle(Request("POST", f"{prefix}/oauth/token", {}, headers, urlencode(form).encode()))
    return reply.status, json.loads(reply.body)


def visit_page(desk: Desk, method: str = "GET", *, prefix: str = "", **asked: str) -> Reply:
    """GET the page of `/oauth/authorize`, or POST what it posts."""
    asked = {"client_id": "your_client_id", "redirect_uri": CALLBACK, "response_type": "code", **asked}
    asked = {name: value for name, value in asked.items() if value}
    path = f"{prefix}/oauth/authorize"
    if method == "GET":
        return desk.handle(Request("GET", path, asked, {"host": HERE}))
    return desk.handle(Request("POST", path, {}, {"host": HERE}, urlencode(asked).encode()))


def told(reply: Reply) -> tuple[str, dict[str, str]]:
    """Where a redirect leads, and what it says there."""
    assert reply.status == 302, reply.body.decode()
    location = dict(reply.headers)["Location"]
    return location.partition("?")[0], dict(parse_qsl(urlsplit(location).query))


def code_for(desk: Desk, agent: str = "ada@example.com", **asked: str) -> str:
    """Let an agent say yes."""
    return told(visit_page(desk, "POST", agent=agent, **asked))[1]["code"]


def who(desk: Desk, token: str) -> str:
    """The e-mail address behind a token, or the code of the refusal."""
    headers = {"authorization": f"Bearer {token}"}
    answer = json.loads(desk.handle(Request("GET", "/api/v2/users/me", {}, headers)).body)
    name: str = answer.get("email") or answer["code"]
    return name
