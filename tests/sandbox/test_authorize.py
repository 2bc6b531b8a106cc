"""The page of `/oauth/authorize`: who may be asked what, where the answer may go, and what it says."""

import html.parser
import re
from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.desk.oauth import challenge_of
from ringonce.sandbox.http import Reply
from ringonce.sandbox.redirects import flaw_of, may_go_to
from ringonce.sandbox.world import World
from signing_in import CALLBACK, VERIFIER, told, visit_page


class Form(html.parser.HTMLParser):
    """What a browser would send, and what it would load."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.fields: dict[str, str | None] = {}
        self.agents: list[str | None] = []
        self.chosen: str | None = None
        self.buttons: list[str | None] = []
        self.loads: list[str | None] = []
        self.feed(reply.body.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.loads += [value for name, value in attrs if name in {"src", "href"}]
        if tag == "input":
            self.fields[found["name"] or ""] = found["value"]
        if tag == "option":
            self.agents.append(found["value"])
            if "selected" in found:
                self.chosen = found["value"]
        if tag == "button":
            self.buttons.append(found["value"])


def header(reply: Reply, name: str) -> str:
    return dict(reply.headers)[name]


def test_the_page_lets_one_choose_an_agent_and_say_yes_or_no(desk: Desk, world: World) -> None:
    reply = visit_page(desk, state="a&b", login_hint="grace@example.com:your_org_id")

    form = Form(reply)
    assert (reply.status, reply.media_type) == (200, "text/html; charset=utf-8")
    assert set(form.agents) == {user.id for user in world.org.users.values() if user.state == "active"}
    assert form.chosen == next(user.id for user in world.org.users.values() if user.email == "grace@example.com")
    assert form.buttons == ["allow", "deny"]
    assert form.fields["state"] == "a&b"

    answers = {name: value or "" for name, value in form.fields.items()}
    address, says = told(visit_page(desk, "POST", **answers, agent=ADA, decision="allow"))
    assert address == CALLBACK
    assert says.keys() == {"code", "state"}
    assert says["state"] == "a&b"


def test_the_page_loads_nothing_and_lets_nothing_run(desk: Desk) -> None:
    reply = visit_page(desk)

    policy = header(reply, "Content-Security-Policy")
    assert Form(reply).loads == []
    assert b"<script" not in reply.body
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:54321;" in policy
    assert "frame-ancestors 'none'" in policy
    assert header(reply, "Cache-Control") == "no-store"


def test_what_a_request_says_cannot_become_part_of_the_page(desk: Desk) -> None:
    evil = '"><script>alert(1)</script>'

    for reply in (visit_page(desk, state=evil, login_hint=evil), visit_page(desk, redirect_uri=evil)):
        assert b"<script" not in reply.body
    refused = visit_page(desk, "POST", agent=evil)
    assert refused.status == 400
    assert b"<script" not in refused.body


def test_no_means_no(desk: Desk) -> None:
    address, says = told(visit_page(desk, "POST", agent=ADA, decision="deny", state="s"))

    assert address == CALLBACK
    assert (says["error"], says["state"]) == ("access_denied", "s")
    assert "code" not in says


def test_somebody_who_left_cannot_sign_in(desk: Desk) -> None:
    _, says = told(visit_page(desk, "POST", agent="alan@example.com"))

    assert says["error"] == "access_denied"
    assert "inactive" in says["error_description"]


@pytest.mark.parametrize("agent", ["", "nobody@example.com"])
def test_nobody_of_that_name_leads_back_to_the_page(desk: Desk, agent: str) -> None:
    reply = visit_page(desk, "POST", agent=agent, state="s")

    assert reply.status == 400
    assert b"Choose an agent." in reply.body
    assert Form(reply).fields["state"] == "s"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        pytest.param({"client_id": "nobody"}, "client not found", id="an unknown client"),
        pytest.param({"client_id": "disabled_client_id"}, "client is disabled", id="a client that is switched off"),
        pytest.param({"redirect_uri": ""}, "redirect_uri is missing", id="nowhere to go"),
        pytest.param({"redirect_uri": "https://evil.example/callback"}, "is not registered", id="somewhere else"),
        pytest.param({"redirect_uri": f"{CALLBACK}/"}, "is not registered", id="one slash more"),
    ],
)
def test_a_wrong_address_gets_a_page_and_no_redirect(desk: Desk, asked: dict[str, str], words: str) -> None:
    for method in ("GET", "POST"):
        reply = visit_page(desk, method, **asked, agent=ADA)

        assert reply.status == 400
        assert words in reply.body.decode()
        assert "Location" not in dict(reply.headers)


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        pytest.param({"response_type": "token"}, "unsupported_response_type", "use code", id="the implicit grant"),
        pytest.param({"response_type": ""}, "invalid_request", "response_type is missing", id="no response type"),
        pytest.param({"scope": "conversations fly"}, "invalid_scope", "'fly'", id="an unknown scope"),
        pytest.param(
            {"client_id": "narrow_client_id", "scope": "conversations"},
            "invalid_scope",
            "registered",
            id="a scope that is not registered",
        ),
        pytest.param({"code_challenge": "x" * 43}, "invalid_request", "S256", id="PKCE without a method"),
        pytest.param(
            {"code_challenge": "x" * 43, "code_challenge_method": "plain"}, "invalid_request", "S256", id="plain PKCE"
        ),
        pytest.param(
            {"code_challenge": "short", "code_challenge_method": "S256"},
            "invalid_request",
            "43 characters",
            id="no hash at all",
        ),
        pytest.param({"code_challenge_method": "S256"}, "invalid_request", "no code_challenge", id="half of PKCE"),
    ],
)
def test_a_wrong_request_is_told_to_the_program(desk: Desk, asked: dict[str, str], error: str, words: str) -> None:
    for method in ("GET", "POST"):
        address, says = told(visit_page(desk, method, **asked, agent=ADA, state="s"))

        assert (address, says["error"], says["state"]) == (CALLBACK, error, "s")
        assert words in says["error_description"]


def test_the_page_says_what_the_program_could_do(desk: Desk) -> None:
    narrow = visit_page(desk, client_id="narrow_client_id").body.decode()
    wide = visit_page(desk).body.decode()

    assert "See and change conversations and calls" in wide
    assert "See conversations and calls" not in wide
    assert "See and change conversations and calls" not in narrow
    assert "See users" in narrow


def test_ten_thousand_agents_still_make_a_short_page() -> None:
    desk = Desk(World(now=0, agents=2_000))

    reply = visit_page(desk, login_hint="agent-01999@example.com")

    form = Form(reply)
    assert len(form.agents) == 201
    assert form.chosen == form.agents[0]
    assert re.search(r"There are \d{4} more agents", reply.body.decode())


@pytest.mark.parametrize("prefix", ["/sign-in", "/a/b"])
def test_the_page_is_below_any_prefix_and_its_form_stays_there(desk: Desk, prefix: str) -> None:
    reply = visit_page(desk, prefix=prefix)

    assert reply.status == 200
    assert b'action="authorize"' in reply.body
    assert told(visit_page(desk, "POST", prefix=prefix, agent=ADA))[1]["code"]


def test_the_page_knows_two_methods(desk: Desk) -> None:
    from ringonce.sandbox.http import Request

    assert desk.handle(Request("DELETE", "/oauth/authorize")).status == 405


def test_pkce_and_its_challenge_are_remembered(desk: Desk, world: World) -> None:
    asked: dict[str, Any] = {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256"}
    code = told(visit_page(desk, "POST", agent=ADA, **asked))[1]["code"]

    consent = world.consents.of_code(code)
    assert consent is not None
    assert (consent.user.id, consent.challenge) == (ADA, asked["code_challenge"])


REGISTERED = ("http://127.0.0.1/callback", "http://localhost:9/cb?x=1", "https://app.example.com/oauth")


@pytest.mark.parametrize(
    ("asked", "may"),
    [
        ("http://127.0.0.1/callback", True),
        ("http://127.0.0.1:1/callback", True),
        ("http://127.0.0.1:65535/callback", True),
        ("http://localhost:7/cb?x=1", True),
        ("https://app.example.com/oauth", True),
        ("http://127.0.0.1:1/Callback", False),
        ("http://127.0.0.1:1/callback?x=1", False),
        ("http://localhost:1/callback", False),
        ("https://127.0.0.1:1/callback", False),
        ("https://app.example.com:444/oauth", False),
        ("http://127.0.0.1.evil.example/callback", False),
        ("http://127.0.0.1:1@evil.example/callback", False),
        ("http://127.0.0.1@evil.example/callback", False),
        ("http://127.0.0.1:/callback", False),
        ("", False),
    ],
)
def test_where_a_code_may_go(asked: str, may: bool) -> None:
    assert may_go_to(asked, REGISTERED) is may


@pytest.mark.parametrize(
    ("uri", "flaw"),
    [
        ("https://app.example.com/callback", ""),
        ("http://127.0.0.1/callback", ""),
        ("http://[::1]/", ""),
        ("http://app.example.com/callback", "https"),
        ("https://app.example.com/#top", "fragment"),
        ("https://ada@app.example.com/", "whole address"),
        ("javascript:alert(1)", "whole address"),
        ("/callback", "whole address"),
        ("https://app.example.com/a b", "ASCII"),
        ("https://app.example.com/\r\nX: y", "ASCII"),
        ("https://[app", "Invalid IPv6"),
        ("", "ASCII"),
    ],
)
def test_what_may_be_registered(uri: str, flaw: str) -> None:
    assert flaw in flaw_of(uri)
    assert bool(flaw) is bool(flaw_of(uri))


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_port_that_no_machine_has_is_nowhere_to_go(desk: Desk, port: str) -> None:
    there = f"http://127.0.0.1:{port}/callback"

    assert not may_go_to(there, ["http://127.0.0.1/callback"])
    assert visit_page(desk, redirect_uri=there).status == 400
