"""`/_sandbox/*`: what tests and people do to the sandbox, and who may."""

import base64
import hashlib
import http.client
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests

from ringonce.sandbox import Sandbox

Place = Callable[..., requests.Response]


def get(sandbox: Sandbox, path: str, **more: Any) -> requests.Response:
    return requests.get(f"{sandbox.url}{path}", timeout=60, **more)


def post(sandbox: Sandbox, path: str, **more: Any) -> requests.Response:
    return requests.post(f"{sandbox.url}/_sandbox/{path}", timeout=60, **more)


def test_health_says_what_time_it_is(sandbox: Sandbox) -> None:
    health = get(sandbox, "/_sandbox/health").json()

    assert health["status"] == "ok"
    assert health["mode"] == "manual"
    assert health["now"].endswith("Z")


def test_time_is_moved_over_http(sandbox: Sandbox, place: Place) -> None:
    place()

    assert post(sandbox, "clock", json={"advance": 10}).status_code == 200

    assert get(sandbox, "/_sandbox/calls").json()["calls"][0]["state"] == "connected"


def test_in_real_time_the_world_moves_by_itself() -> None:
    with Sandbox(speed=1_000) as sandbox:
        before = sandbox.do(lambda world: world.now)
        reached: list[float] = []
        sandbox.do(lambda world: world.at(world.now + 5, lambda: reached.append(world.now)))
        while not reached:
            pass

        assert reached == [pytest.approx(before + 5, abs=100)]


def test_requests_show_who_asked_and_what_came_of_it_but_no_secret(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    path = "/gateway/api/v2/users?pageSize=1&access_token=hunter2&Code=hunter2"
    get(sandbox, path, headers=bearer)

    signed_in, asked = sandbox.requests()

    assert (signed_in["path"], signed_in["client"]) == ("/oauth/token", "your_client_id")
    assert asked["path"] == "/gateway/api/v2/users"
    assert asked["query"] == "pageSize=1&access_token=%2A%2A%2A&Code=%2A%2A%2A"
    assert (asked["client"], asked["status"], asked["fault"]) == ("your_client_id", 200, None)
    everything = get(sandbox, "/_sandbox/requests").text
    for secret in ("hunter2", "your_client_secret", bearer["Authorization"].split()[1]):
        assert secret not in everything


def test_a_secret_sent_where_the_client_id_belongs_is_not_written_down(sandbox: Sandbox) -> None:
    requests.post(f"{sandbox.url}/oauth/token", auth=("s3cr3t", "your_client_id"), timeout=60)

    assert sandbox.requests()[0]["client"] is None
    assert "s3cr3t" not in str(sandbox.requests())


def test_requests_are_forgotten_on_demand(sandbox: Sandbox, place: Place) -> None:
    place()
    requests.delete(f"{sandbox.url}/_sandbox/requests", timeout=60)

    assert sandbox.requests() == []


def test_the_newest_entries_can_be_asked_for_alone(sandbox: Sandbox, place: Place) -> None:
    for to in ("+15559870001", "+15559870002", "+15559870003"):
        place(to)

    calls = get(sandbox, "/_sandbox/calls?last=2").json()["calls"]

    assert [call["to"] for call in calls] == ["+15559870002", "+15559870003"]
    assert len(get(sandbox, "/_sandbox/requests?last=1").json()["requests"]) == 1
    assert get(sandbox, "/_sandbox/requests?last=-1").status_code == 400


def test_a_reset_forgets_calls_tokens_faults_and_requests(sandbox: Sandbox, place: Place) -> None:
    place()
    sandbox.fault(action="drop_after")
    before = sandbox.world.now
    sandbox.advance(5)

    assert post(sandbox, "reset").status_code == 200

    assert (sandbox.calls(), sandbox.requests(), sandbox.faults()) == ([], [], [])
    assert place().status_code == 401
    assert sandbox.world.now == before + 5


def test_faults_are_set_listed_and_taken_away_over_http(sandbox: Sandbox) -> None:
    first = post(sandbox, "faults", json={"method": "post", "path": "/oauth/*", "action": "drop_before"})
    second = post(sandbox, "faults", json={"action": "delay", "delay_s": 2, "share": 0.5})

    assert first.status_code == 201
    assert [fault["id"] for fault in get(sandbox, "/_sandbox/faults").json()["faults"]] == ["f1", "f2"]
    assert second.json() == {
        "id": "f2",
        "action": "delay",
        "method": "*",
        "path": "*",
        "delay_s": 2,
        "share": 0.5,
        "fired": 0,
    }
    assert requests.delete(f"{sandbox.url}/_sandbox/faults/f1", timeout=60).status_code == 204
    assert requests.delete(f"{sandbox.url}/_sandbox/faults/f1", timeout=60).status_code == 404
    assert requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=60).status_code == 204
    assert sandbox.faults() == []


@pytest.mark.parametrize("way", ["faults", "clock", "clients/your_client_id"])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="half an object"),
        pytest.param(b"[" * 30_000, id="a deep hole"),
        pytest.param(b"\xff", id="no text"),
        pytest.param(b'{"action": "delay", "delay_s": ' + b"9" * 400 + b"}", id="an endless integer"),
        pytest.param(b'{"advance": ' + b"9" * 5_000 + b"}", id="an integer that Python will not read"),
        pytest.param(b'{"action": "truncate", "path": "/\\ud800"}', id="half a character"),
        pytest.param(b'{"\\ud800": "real"}', id="half a character for a field"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"surprise": 1}', id="an unknown field"),
        pytest.param(b" " * 70_000, id="too much"),
    ],
)
def test_a_bad_body_is_refused_with_what_why_and_fix(sandbox: Sandbox, way: str, body: bytes) -> None:
    answer = post(sandbox, way, data=body)

    assert answer.status_code == 400
    assert all(answer.json()[word] for word in ("what", "why", "fix"))


def test_an_unknown_way_is_answered_with_those_that_exist(sandbox: Sandbox) -> None:
    unknown = get(sandbox, "/_sandbox/callz")
    wrong_method = post(sandbox, "calls")

    assert (unknown.status_code, wrong_method.status_code) == (404, 405)
    assert "calls, requests" in unknown.json()["fix"]


def test_a_phone_rings_until_somebody_answers_it(sandbox: Sandbox, place: Place) -> None:
    place("+15559870009")
    sandbox.advance(20)
    assert sandbox.calls()[0]["state"] == "ringing"

    assert post(sandbox, "phones/+15559870009/answer").status_code == 200
    assert sandbox.calls()[0]["state"] == "connected"
    assert post(sandbox, "phones/+15559870009/decline").status_code == 409
    assert post(sandbox, "phones/+15559870009/hangup").status_code == 200

    sandbox.advance(1)
    assert sandbox.calls()[0]["state"] == "ended"


def test_a_phone_that_does_not_ring_cannot_be_answered(sandbox: Sandbox) -> None:
    answer = post(sandbox, "phones/+15559870009/answer")

    assert answer.status_code == 404
    assert "nothing rings" in answer.json()["why"]
    assert post(sandbox, "phones/+15559870009/eat").status_code == 404


def test_a_browser_is_led_to_the_page(sandbox: Sandbox) -> None:
    page = get(sandbox, "/")

    assert page.url == f"{sandbox.url}/_sandbox/"
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert get(sandbox, "/_sandbox").url == page.url


def test_the_page_loads_nothing_from_elsewhere_and_its_policy_knows_its_script(sandbox: Sandbox) -> None:
    page = get(sandbox, "/_sandbox/")
    policy = page.headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert not re.search(r"https?://|//\w+\.|<script \S|<link (?!rel=\"icon\" href=\"data:)", page.text)
    for tag in ("script", "style"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "rebound.example"}, id="a name that somebody else controls"),
        pytest.param({"Host": "127.0.0.1.evil.example:80"}, id="a name that looks like loopback"),
        pytest.param({"Origin": "https://evil.example"}, id="a page on the web"),
        pytest.param({"Origin": "null"}, id="a page without an origin"),
        pytest.param({"Origin": "http://[::1"}, id="an origin that is no address"),
        pytest.param({"Host": "[::1"}, id="a name that is no address"),
    ],
)
def test_a_browser_that_was_led_here_is_turned_away(sandbox: Sandbox, headers: dict[str, str]) -> None:
    sandbox.fault(action="drop_after")

    assert requests.post(f"{sandbox.url}/_sandbox/reset", headers=headers, timeout=60).status_code == 403
    assert len(sandbox.faults()) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:9", "api.localhost:8080", "127.8.8.8"])
def test_every_name_of_this_machine_is_welcome(sandbox: Sandbox, host: str) -> None:
    answer = get(sandbox, "/_sandbox/health", headers={"Host": host, "Origin": f"http://{host}"})

    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_sandbox_that_was_opened_answers_to_any_name() -> None:
    with Sandbox(host="0.0.0.0") as sandbox:  # noqa: S104  # what this test is about; for an instant
        answer = get(sandbox, "/_sandbox/health", headers={"Host": "sandbox.office.example"})

    assert answer.status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_platforms_limit_is_refused(sandbox: Sandbox, bearer: dict[str, str], chunked: bool) -> None:
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=60)
    body = b" " * 512_001
    connection.request(
        "POST", "/api/v2/users/search", iter([body]) if chunked else body, bearer, encode_chunked=chunked
    )
    answer = connection.getresponse()

    assert answer.status == 413
    assert b"Maximum bytes: 512000" in answer.read()
    assert sandbox.requests()[-1]["status"] == 413
    connection.close()
