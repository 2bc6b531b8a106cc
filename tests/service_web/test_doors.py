"""Every door refuses whoever may not come in, and every refusal says what to do."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from databases import with_tables
from ringonce.sandbox import Sandbox
from ringonce.service import access
from ringonce.service.access import Role
from ringonce.service.web import document
from ringonce.service.web.app import DOORS
from ringonce.service.web.doorkeeper import OPEN_DOORS
from ringonce.service.web.pace import Pace
from service_web.conftest import ADA, Opening, Service, frames

PATHS: dict[str, dict[str, Any]] = document.drawn(DOORS)["paths"]
EVERY = sorted((method.upper(), path) for path, operations in PATHS.items() for method in operations)
CALL_ID = "call_0019aac1f2c03b1c7d9e0f24"
# The lowest role that may; what a body or an id lacks is found out only by those who may.
ROLES = {
    "/v1/calls": {"GET": "viewer", "POST": "dialer"},
    "/v1/calls/{call_id}": {"GET": "viewer"},
    "/v1/calls/{call_id}/resolve": {"POST": "admin"},
    "/v1/calls/{call_id}/story": {"GET": "viewer"},
    "/v1/now": {"GET": "viewer"},
    "/v1/number": {"GET": "dialer"},
    "/v1/batches": {"GET": "viewer", "POST": "dialer"},
    "/v1/batches/{batch_id}": {"GET": "viewer"},
    "/v1/batches/{batch_id}/preview": {"GET": "viewer"},
    "/v1/batches/{batch_id}/results.csv": {"GET": "viewer"},
    "/v1/lists": {"GET": "admin"},
    "/v1/lists/{name}": {"PUT": "admin", "DELETE": "admin"},
    "/v1/lists/{name}/numbers": {"POST": "admin"},
    "/v1/lists/{name}/numbers/{number}": {"DELETE": "admin"},
    "/v1/webhooks": {"GET": "admin", "POST": "admin"},
    "/v1/webhooks/{hook_id}": {"GET": "admin", "DELETE": "admin"},
    "/v1/enrolments": {"GET": "admin", "POST": "admin"},
    "/v1/enrolments/{agent}": {"DELETE": "admin"},
    "/healthz": {"GET": ""},
    "/v1/events": {"GET": "viewer"},
    "/v1/stop": {"GET": "viewer", "POST": "admin", "DELETE": "admin"},
    "/v1/tokens": {"GET": "admin", "POST": "admin"},
    "/v1/tokens/{token_id}": {"DELETE": "admin"},
    "/v1/audit": {"GET": "admin"},
    "/v1/agents": {"GET": "viewer"},
    "/v1/check": {"GET": "dialer"},
    "/readyz": {"GET": "viewer"},
    "/metrics": {"GET": "viewer"},
} | {
    f"/v1/calls/{{call_id}}/{what}": {"POST": "dialer"}
    for what in ("cancel", "hangup", "hold", "resume", "mute", "unmute", "wrapup")
}
ROLES |= {
    f"/v1/batches/{{batch_id}}/{what}": {"POST": "dialer"} for what in ("start", "pause", "resume", "drain", "cancel")
}
ROLES |= {f"/v1/webhooks/{{hook_id}}/{what}": {"POST": "admin"} for what in ("pause", "resume", "secret", "test")}
IDS = {
    "call_id": CALL_ID,
    "token_id": "x",
    "batch_id": "batch_0019aac1f2c03b1c7d9e0f24",
    "hook_id": "hook_0019aac1f2c03b1c7d9e0f24",
    "agent": "nobody@example.com",
    "name": "own",
    "number": "+15559876543",
}


def problem(answer: Any, kind: str) -> str:
    """Check that an answer is a problem of that kind; give what it says to do."""
    said = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert said["type"] == f"urn:ringonce:problem:{kind}"
    assert said["status"] == answer.status_code
    assert said["title"]
    assert said["detail"]
    return str(said.get("fix", ""))


@pytest.fixture(scope="module")
def backend() -> str:
    """One kind is enough: none of this is about SQL."""
    return "sqlite"


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path, backend: str) -> str:
    return with_tables(request, backend, tmp_path)


def test_no_door_opens_without_a_good_token(opening: Opening) -> None:
    # A minute passes with each request: strangers may not make many in one.
    service = opening(pace=Pace(clock=itertools.count(0, 60).__next__))
    for method, path in EVERY:
        for token in ("", "ro_guessed"):
            answer = service.ask(method, path.format(**IDS), token)
            if path in OPEN_DOORS:
                assert answer.status_code == 200
            else:
                assert answer.status_code == 401, (method, path)
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert "ringonce token create" in problem(answer, "no-token")


def test_a_path_that_is_not_there_is_no_way_to_learn_that_without_a_token(standing: Service) -> None:
    problem(standing.ask("GET", "/v1/nothing", ""), "no-token")
    problem(standing.ask("GET", "/v1/nothing"), "not-found")


def test_roles_open_the_doors_of_the_table_and_no_others(service: Service) -> None:
    # A door that is new has to be given a role here, too.
    assert sorted((method, path) for path, methods in ROLES.items() for method in methods) == EVERY
    tokens = {role: service.token(role) for role in Role}
    ranks = list(tokens)
    for path, methods in ROLES.items():
        for method, lowest in methods.items():
            for role, token in tokens.items():
                body: dict[str, Any] | None = {} if method in {"POST", "PUT"} else None
                answer = service.ask(method, path.format(**IDS), token, stream=True, json=body)
                may = not lowest or ranks.index(role) >= ranks.index(Role(lowest))
                assert (answer.status_code != 403) == may, (role, method, path, answer.status_code)
                answer.close()


STEERED = [
    path
    for path in PATHS
    if path.startswith(("/v1/calls/{call_id}/", "/v1/batches/{batch_id}/")) and "post" in PATHS[path]
]


def test_no_door_lets_a_dialer_act_for_agents_that_its_token_is_not_for(service: Service) -> None:
    other = service.token(Role.DIALER, "agent-00001@example.com")
    call = service.place("hers").json()
    file = f"agent,to\n{ADA},+15559876544\n"
    batch = service.ask("POST", "/v1/batches", data=file, headers={"Content-Type": "text/csv"}).json()["batch"]
    ids = {"call_id": call["id"], "batch_id": batch["id"]}
    body = {"code": "Sale", "reason": "x", "not_placed": True}

    for path in STEERED:
        asked = {"code": body["code"]} if path.endswith("wrapup") else {k: v for k, v in body.items() if k != "code"}
        problem(service.ask("POST", path.format(**ids), other, json=asked), "not-allowed")
    problem(service.place("new", other), "not-allowed")
    problem(service.ask("GET", "/v1/check", other, params={"agent": ADA, "to": "+15559876543"}), "not-allowed")
    problem(service.ask("GET", "/v1/number", other, params={"agent": ADA, "to": "+15559876543"}), "not-allowed")
    taken = service.ask("POST", "/v1/batches", other, data=file, headers={"Content-Type": "text/csv"})
    pooled = service.ask("POST", f"/v1/batches?agent={ADA}", other, data="to\n+15559876544\n")

    assert "may not" in problem(taken, "faulty-file") + taken.json()["detail"]
    problem(pooled, "not-allowed")
    assert len(STEERED) == 13
    assert service.ask("GET", f"/v1/calls/{call['id']}").json()["state"] == "waiting"
    assert service.ask("GET", f"/v1/batches/{batch['id']}").json()["state"] == "ready"


def test_no_door_tells_a_viewer_or_a_dialer_a_whole_number(service: Service) -> None:
    call = service.place("crm-1").json()
    file = f"key,agent,to\ncrm-2,{ADA},+15559876543\n"
    batch = service.ask("POST", "/v1/batches", data=file, headers={"Content-Type": "text/csv"}).json()["batch"]
    ids = IDS | {"call_id": call["id"], "batch_id": batch["id"]}

    for role in (Role.VIEWER, Role.DIALER):
        token = service.token(role)
        for method, path in EVERY:
            if method == "GET" and path not in {"/v1/events", "/v1/number", "/v1/check"}:
                said = service.ask("GET", path.format(**ids), token).text
                assert "5559876543" not in said, (role, path)
        with service.ask("GET", "/v1/events?after=0", token, stream=True) as answer:
            assert "5559876543" not in str(list(itertools.islice(frames(answer), 2)))
    assert "5559876543" in service.ask("GET", "/v1/calls").text


def test_a_token_that_is_revoked_opens_nothing_any_more(service: Service) -> None:
    made = service.ask("POST", "/v1/tokens", json={"name": "a CRM", "role": "viewer"}).json()
    assert service.ask("GET", "/v1/calls", made["secret"]).status_code == 200

    assert service.ask("DELETE", f"/v1/tokens/{made['id']}").status_code == 204

    problem(service.ask("GET", "/v1/calls", made["secret"]), "no-token")
    problem(service.ask("DELETE", f"/v1/tokens/{made['id']}"), "not-found")
    assert made["secret"] not in service.ask("GET", "/v1/tokens").text


def test_a_dialer_calls_for_its_agents_only_however_they_are_named(service: Service, sandbox: Sandbox) -> None:
    dialer = service.token(Role.DIALER, ADA)
    other = service.place("other", agent="agent-00001@example.com").json()

    refused = service.place("mine", dialer, agent="agent-00001@example.com")
    steered = service.ask("POST", f"/v1/calls/{other['id']}/cancel", dialer)
    allowed = service.place("mine", dialer)
    by_id = service.place("by id", dialer, agent="a1b2c3d4-e5f6-7890-abcd-ef1234567890")

    assert "agent-00001@example.com" in refused.json()["detail"]
    problem(refused, "not-allowed")
    problem(steered, "not-allowed")
    assert (allowed.status_code, by_id.status_code) == (202, 202)


def test_numbers_are_masked_for_everybody_but_admins(service: Service) -> None:
    viewer = service.token(Role.VIEWER)
    made = service.place("crm-1").json()

    assert made["to"] == "+15559876543"
    assert service.ask("GET", f"/v1/calls/{made['id']}", viewer).json()["to"] == "+1••••••6543"
    assert "555987" not in service.ask("GET", "/v1/calls", viewer).text


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        ({"to": "911"}, "number-refused", "by hand"),
        ({"to": "+19005551234"}, "number-refused", "override"),
        ({"to": "12"}, "number-refused", "in full"),
        ({"agent": "nobody@example.com"}, "unknown-agent", "spelling"),
        ({"agent": " "}, "invalid", "openapi"),
        ({"zone": "Mars/Olympus"}, "invalid", "America/New_York"),
        ({"priority": "3"}, "invalid", "openapi"),
        ({"priority": 10**12}, "invalid", "openapi"),
        ({"nonsense": 1}, "invalid", "openapi"),
        ({"caller_id": "+15551234567", "queue": "Support"}, "invalid", "one of them"),
        ({"attributes": {"ringonce.intent": "x"}}, "invalid", "another name"),
        ({"retry": {"attempts": 3, "outcomes": ["declined"]}}, "invalid", "no_answer"),
        ({"expires_at": 5}, "invalid", "later"),
        ({"override": {"rules": ["kill switch"], "reason": "x"}}, "invalid", "calling hours"),
    ],
    ids=str,
)
def test_a_call_that_can_not_be_taken_in(standing: Service, body: dict[str, Any], kind: str, says: str) -> None:
    assert says in problem(standing.place(**body), kind)


def test_bodies_that_are_no_calls(standing: Service) -> None:
    json = {"Content-Type": "application/json"}
    problem(standing.ask("POST", "/v1/calls", data="{", headers=json), "malformed")
    problem(standing.ask("POST", "/v1/calls", data="[" * 5000, headers=json), "invalid")
    problem(standing.ask("POST", "/v1/calls", data=b"\xff", headers=json), "malformed")
    problem(standing.ask("POST", "/v1/calls", data="agent=ada"), "not-json")
    problem(standing.ask("POST", "/v1/calls", data=b"x" * 70_000, headers=json), "too-large")
    wrong = standing.ask("PUT", "/v1/calls")
    problem(wrong, "wrong-method")
    assert "POST" in wrong.headers["allow"]


def test_keys_that_can_not_be_kept_apart(service: Service) -> None:
    assert service.place("crm-1").status_code == 202
    problem(service.place("crm-1", to="+15559876544"), "key-reused")
    problem(service.place("crm-1~2"), "invalid")
    problem(service.place("k" * 121), "invalid")
    assert service.place('"crm-1"').headers["idempotency-replayed"] == "true"


def test_an_override_is_an_admins_and_is_noted(service: Service) -> None:
    override = {"rules": ["calling hours"], "reason": "she asked to be called at night"}

    problem(service.place("mine", service.token(Role.DIALER), override=override), "not-allowed")
    assert service.place("mine", override=override).status_code == 202

    noted = service.ask("GET", "/v1/audit").json()["entries"][-1]
    assert noted["what"] == "call.override"
    assert "at night" in noted["details"]


def test_lists_come_in_pages_and_can_be_filtered(service: Service) -> None:
    for number in range(5):
        service.place(f"crm-{number}", to=f"+1555987654{number}")

    first = service.ask("GET", "/v1/calls?limit=2").json()
    rest = service.ask("GET", "/v1/calls", params={"limit": 5, "cursor": first["next"]}).json()
    one = service.ask("GET", "/v1/calls", params={"number": "(555) 987-6543", "state": ["waiting", "live"]}).json()

    keys = [call["key"] for call in first["calls"] + rest["calls"]]
    assert sorted(keys) == [f"crm-{number}" for number in range(5)]
    assert rest["next"] is None
    assert [call["key"] for call in one["calls"]] == ["crm-3"]
    assert service.ask("GET", "/v1/calls?state=ended&agent=ADA@example.com").json()["calls"] == []
    problem(service.ask("GET", "/v1/calls?state=bogus"), "invalid")
    problem(service.ask("GET", "/v1/calls?cursor=%00"), "invalid")


def test_a_host_that_the_server_is_not_known_by_is_turned_away(opening: Opening) -> None:
    service = opening(names=["calls.example.com"])

    problem(service.ask("GET", "/healthz", headers={"Host": "evil.example"}), "wrong-host")
    assert service.ask("GET", "/healthz", headers={"Host": "calls.example.com"}).status_code == 200


def test_more_requests_than_the_pace_allows_are_put_off(opening: Opening) -> None:
    service = opening(per_minute=3, pace=Pace(clock=lambda: 90.0))

    answers = [service.ask("GET", "/v1/stop") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    problem(answers[3], "too-many-requests")
    assert answers[3].headers["retry-after"] == "30"


def test_the_page_of_the_api_needs_nothing_from_elsewhere(standing: Service) -> None:
    page = standing.ask("GET", "/docs", "")
    found = standing.ask("GET", "/openapi.json", "").json()

    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "://" not in page.text
    assert found["openapi"] == "3.1.0"
    for method, path in EVERY:
        door = found["paths"][path][method.lower()]
        assert door["description"]
        if path != "/healthz":
            assert "401" in door["responses"]


def test_what_breaks_inside_is_told_without_details(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("a secret")

    monkeypatch.setattr(access, "every", broken)
    answer = service.ask("GET", "/v1/tokens")

    problem(answer, "internal")
    assert "secret" not in answer.text


def test_an_ask_has_the_fields_that_the_service_keeps() -> None:
    from ringonce.service.calls import Ask
    from ringonce.service.web.bodies import CallBody

    assert CallBody.__struct_fields__ == Ask.__struct_fields__
    assert CallBody(agent=ADA, to="+15559876543").ask() == Ask(agent=ADA, to="+15559876543")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/v1/calls?bogus=1", "agent, state"),
        ("/v1/batches?after=batch_1", "cursor"),
        ("/v1/now?mots=0", "most"),
        ("/v1/stop?x", "has none"),
        ("/v1/calls/call_1?x=1", "has none"),
    ],
)
def test_a_parameter_that_a_door_does_not_have_is_refused_with_those_that_it_has(
    standing: Service, path: str, why: str
) -> None:
    answer = standing.ask("GET", path)

    assert "spelt" in problem(answer, "invalid")
    assert why in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("POST", "/v1/batches?name=%00", "name"),
        ("POST", "/v1/batches?name=a%00b", "name"),
        ("POST", "/v1/batches?name=fine&agent=fine&agent=a%0Ab", "agent"),
        ("POST", "/v1/batches?zone=%00", "zone"),
        ("PUT", "/v1/lists/x?source=a%00b", "source"),
        ("DELETE", "/v1/lists/x/numbers/+15559876543?reason=%7f", "reason"),
        ("GET", "/v1/calls?agent=%00", "agent"),
        ("GET", "/connect?link=%00", "link"),
    ],
)
def test_a_parameter_with_a_control_character_is_refused_by_its_name(
    standing: Service, method: str, path: str, named: str
) -> None:
    answer = standing.ask(method, path, data=b"to\n+15559876543\n")

    assert problem(answer, "invalid") == "leave that out"
    assert f"{named!r}" in answer.json()["detail"]


def test_the_login_host_and_probes_may_add_parameters(standing: Service) -> None:
    assert standing.ask("GET", "/healthz?now=1").status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (b"", "invalid", "The body is empty"),
        (b'{"agent": "a", "to": "+15559876543", "attributes": {"a": "b\\u0000"}}', "invalid", "attributes"),
        (b'{"agent": "a", "to": "+15559876543", "not_before": "2026-11-23T09:00"}', "invalid", "seconds since 1970"),
    ],
    ids=["empty", "a NUL", "a day in words"],
)
def test_a_body_that_can_not_be_used_is_told_in_words(standing: Service, body: bytes, kind: str, says: str) -> None:
    answer = standing.ask("POST", "/v1/calls", data=body, headers={"Content-Type": "application/json"})

    problem(answer, kind)
    assert says in answer.json()["detail"]
