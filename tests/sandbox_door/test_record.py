"""The record of requests: what it shows of bodies, what it hides, and how much of them it keeps."""

import contextlib
import http.client
from typing import Any

import pytest
import requests

from ringonce.sandbox import Sandbox, admin
from ringonce.sandbox.journal import BYTES_KEPT, LARGEST_KEPT, Journal

URLENCODED = "application/x-www-form-urlencoded"


def shown(sandbox: Sandbox, method: str, path: str, **more: Any) -> Any:
    """Send a request, and give back what the record shows of it."""
    requests.request(method, f"{sandbox.url}{path}", timeout=60, **more)
    return last(sandbox)


def last(sandbox: Sandbox) -> Any:
    number = requests.get(f"{sandbox.url}/_sandbox/requests", timeout=60).json()["total"]
    answer = requests.get(f"{sandbox.url}/_sandbox/requests/{number}", timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"<client_secret>hunter2</client_secret>", "application/xml", id="XML"),
        pytest.param(b'<a secret="hunter2">x</a>', "application/xml", id="XML with an attribute"),
        pytest.param(b'<a secret="hunter2">x</a>', URLENCODED, id="XML that is sent as a form"),
        pytest.param(b"my=hunter2", "text/plain", id="text with an equals sign"),
        pytest.param(b"my=hunter2", "", id="no content type"),
        pytest.param(b'"hunter2"', "application/json", id="a bare word of JSON"),
        pytest.param(b'{"my": NaN, "x": "hunter2"}', "application/json", id="what is no JSON"),
        pytest.param(b'{"my": "hunter2\\ud800"}', "application/json", id="half a character"),
    ],
)
def test_of_what_is_neither_json_nor_a_form_only_the_length_is_shown(sandbox: Sandbox, body: bytes, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}

    entry = shown(sandbox, "POST", "/api/v2/conversations/calls", data=body, headers=headers)

    assert entry["request"] == f"({len(body)} bytes)"


def test_a_form_in_parts_is_shown_by_its_length(sandbox: Sandbox) -> None:
    entry = shown(sandbox, "POST", "/oauth/token", files={"client_secret": (None, "hunter2")})

    assert entry["request"].endswith(" bytes)")
    assert "hunter2" not in str(entry)


def test_json_and_forms_are_shown_without_secrets(sandbox: Sandbox) -> None:
    token = "0123456789abcdef" * 4
    secrets = {"client_secret": "hunter2", "apiKey": "hunter2", "x": f"Bearer {token}"}
    asked = {"grant_type": "client_credentials", "code": "hunter2", "empty": "", **secrets}

    form = shown(sandbox, "POST", "/oauth/token", data=asked)["request"]
    sent = shown(sandbox, "POST", "/api/v2/users/search", json={"deep": [secrets], "code": "a wrap-up's"})["request"]

    assert form == dict.fromkeys(asked, "***") | {
        "grant_type": "client_credentials",
        "empty": "",
        "x": "Bearer ***",
    }
    assert sent == {"deep": [{"client_secret": "***", "apiKey": "***", "x": "Bearer ***"}], "code": "a wrap-up's"}


def test_neither_paths_nor_queries_tell_a_secret(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    token = bearer["Authorization"].split()[1]
    query = f"?api_key=hunter2&client_secret=hunter2&token=hunter2&idToken=hunter2&q={token}&pageSize=1"

    # Not with requests, which would write the address to its own log.
    with contextlib.closing(http.client.HTTPConnection(sandbox.url.removeprefix("http://"))) as line:
        line.request("GET", f"/api/v2/tokens/{token}{query}", headers=bearer)
        assert line.getresponse().status == 404
    entry = last(sandbox)

    assert entry["path"] == "/api/v2/tokens/***"
    assert entry["query"].endswith("&pageSize=1")
    assert token not in str(entry)
    assert "hunter2" not in str(entry)


def test_of_a_long_body_path_or_query_only_the_length_is_kept(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    body = b'{"x":"' + b"a" * LARGEST_KEPT + b'"}'
    way = f"/api/v2/users/{'x' * 5_000}?{'y' * 5_000}"
    before = len(str(sandbox.snapshot()["objects"]))

    large = shown(sandbox, "POST", "/api/v2/users/search", data=body, headers=bearer)
    long = shown(sandbox, "GET", way, headers=bearer)

    assert large["request"] == f"({len(body)} bytes)"
    assert len(long["path"]) < 1_100
    assert len(long["query"]) < 1_100
    assert len(str(sandbox.snapshot()["objects"])) < before + 10_000


def test_all_bodies_together_have_a_bound_and_the_oldest_go_first() -> None:
    journal = Journal()
    body = b"[" + b" " * (LARGEST_KEPT - 2) + b"]"
    entries = [journal.write(0, "POST", "/", "", body) for _ in range(BYTES_KEPT // LARGEST_KEPT)]
    assert journal.one(1) == {**(journal.one(1) or {}), "request": []}

    journal.answered(entries[-1], 200, b"{}")

    assert journal.one(1) == {**(journal.one(1) or {}), "request": f"({LARGEST_KEPT} bytes)", "answer": None}
    assert journal.one(2) == {**(journal.one(2) or {}), "request": []}
    assert sum(len(each.body) + len(each.answer) for each in entries) <= BYTES_KEPT


def test_an_answer_to_a_request_that_was_forgotten_meanwhile_is_not_kept() -> None:
    journal = Journal()
    held = journal.write(0, "GET", "/", "")
    journal.clear()
    journal.write(0, "GET", "/", "")

    journal.answered(held, 200, b"{}")

    assert held.answer == b""


def test_a_snapshot_that_could_not_be_put_back_is_not_given(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "MOST_OF_A_WORLD", 2_000)
    url = f"{sandbox.url}/_sandbox/snapshot"

    given = requests.get(url, timeout=60)
    sent = requests.post(url, data=b'{"format": 1' + b" " * 2_000, timeout=60)

    assert (given.status_code, given.json()["what"]) == (409, "No snapshot was given")
    assert "takes 2000 at most" in given.json()["why"]
    assert (sent.status_code, sent.json()["why"]) == (400, "it is larger than 2000 bytes")
    assert sent.json()["what"] == "The body was not read"
