"""Webhooks and enrolments by HTTP: for admins, with secrets that are shown once."""

import base64
import http.server
import os
import queue
import re
import threading
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from standardwebhooks import Webhook

from ringonce.service import feed
from ringonce.service.access import Role
from ringonce.service.house import TO_PRIVATE
from ringonce.service.vault import VARIABLE
from service_web.conftest import ADA, Service

HOOK = {"url": "https://crm.example.com/hooks", "kinds": ["call.changed"]}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, base64.b64encode(os.urandom(32)).decode())
    monkeypatch.setenv(TO_PRIVATE, "1")


class Receiver(http.server.BaseHTTPRequestHandler):
    got: queue.Queue[tuple[dict[str, str], bytes]]

    def do_POST(self) -> None:
        self.got.put((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's
        pass


@pytest.fixture
def receiver() -> Iterator[http.server.ThreadingHTTPServer]:
    Receiver.got = queue.Queue()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_happens_reaches_a_webhook_signed(service: Service, receiver: http.server.ThreadingHTTPServer) -> None:
    url = f"http://127.0.0.1:{receiver.server_port}/hooks"
    made = service.ask("POST", "/v1/webhooks", json={"url": url}).json()
    assert service.ask("POST", f"/v1/webhooks/{made['id']}/test").json()["status"] == 204
    Receiver.got.get(timeout=60)

    service.do(lambda db: feed.tell(db, "call.changed", "call_1", {"state": "live"}))

    headers, body = Receiver.got.get(timeout=60)
    assert Webhook(made["secret"]).verify(body, headers)["data"]["state"] == "live"


def test_a_webhook_s_life_by_http(service: Service) -> None:
    made = service.ask("POST", "/v1/webhooks", json=HOOK)
    path = f"/v1/webhooks/{made.json()['id']}"

    assert made.status_code == 201
    assert "secret" not in service.ask("GET", path).json()
    assert service.ask("POST", f"{path}/pause", json={"reason": "it moves"}).json()["paused"] == "it moves"
    assert service.ask("POST", f"{path}/resume?skip=true").json()["paused"] == ""
    assert service.ask("POST", f"{path}/secret").json()["secret"] != made.json()["secret"]
    assert [one["id"] for one in service.ask("GET", "/v1/webhooks").json()["webhooks"]] == [made.json()["id"]]
    assert service.ask("DELETE", path).status_code == 204
    for method, where in (("GET", path), ("DELETE", path), ("POST", f"{path}/resume"), ("POST", f"{path}/test")):
        assert service.ask(method, where).status_code == 404


def test_only_admins_may_do_any_of_it(service: Service) -> None:
    for role in (Role.VIEWER, Role.DIALER):
        token = service.token(role)
        for method, path in (
            ("GET", "/v1/webhooks"),
            ("POST", "/v1/webhooks"),
            ("GET", "/v1/enrolments"),
            ("POST", "/v1/enrolments"),
        ):
            assert service.ask(method, path, token, json=HOOK).status_code == 403


def test_without_a_key_for_the_vault_nothing_is_made_and_the_remedy_is_said(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.ask("POST", "/v1/webhooks", json=HOOK)
    monkeypatch.setenv(VARIABLE, base64.b64encode(os.urandom(32)).decode())

    refused = service.ask("POST", "/v1/webhooks", json=HOOK)

    assert refused.status_code == 503
    assert VARIABLE in refused.json()["fix"]
    assert len(service.ask("GET", "/v1/webhooks").json()["webhooks"]) == 1


def test_an_agent_enrols_with_a_browser_and_is_withdrawn(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "urllib3")  # the browser's own log tells the code that it was given
    link = service.ask("POST", "/v1/enrolments", json={"agent": ADA}).json()["url"]
    with requests.Session() as browser:
        page = browser.get(link, timeout=60)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        form = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
        where = page.url.partition("?")[0]
        done = browser.post(where, data=form | {"agent": ADA, "decision": "allow"}, timeout=60)

    assert done.status_code == 200
    assert "go out as yourself" in done.text
    (enrolled,) = service.ask("GET", "/v1/enrolments").json()["enrolments"]
    assert ADA in enrolled["agent"]
    assert requests.get(link, timeout=60).status_code == 401
    assert service.ask("DELETE", f"/v1/enrolments/{ADA}").status_code == 204
    assert service.ask("DELETE", f"/v1/enrolments/{ADA}").status_code == 404
    assert service.ask("GET", "/v1/enrolments").json()["enrolments"] == []


def test_another_browser_can_not_bring_the_answer_back(service: Service) -> None:
    link = service.ask("POST", "/v1/enrolments", json={"agent": ADA}).json()["url"]
    leaving = requests.get(link, timeout=60, allow_redirects=False)
    asked = dict(parse_qsl(urlsplit(leaving.headers["location"]).query))

    refused = requests.get(f"{service.url}/connect/back", params={"code": "x", "state": asked["state"]}, timeout=60)

    assert leaving.status_code == 303
    assert asked["code_challenge_method"] == "S256"
    assert refused.status_code == 401
    assert "default-src 'none'" in refused.headers["content-security-policy"]
    assert "httponly" in leaving.headers["set-cookie"].lower()


def test_a_link_that_nobody_made_is_told_so_in_words_that_can_not_be_markup(service: Service) -> None:
    refused = requests.get(f"{service.url}/connect", params={"link": "<script>"}, timeout=60)

    assert refused.status_code == 401
    assert "The link is not good" in refused.text
    assert "<script>" not in refused.text


def test_the_metrics_tell_what_calls_wait_for_and_how_far_behind_webhooks_are(service: Service) -> None:
    made = service.ask("POST", "/v1/webhooks", json=HOOK | {"url": "http://127.0.0.1:1/"}).json()
    service.ask("POST", f"/v1/webhooks/{made['id']}/pause", json={"reason": "a test"})
    service.place("crm-1", not_before=4_000_000_000)

    told = service.ask("GET", "/metrics").text

    assert 'ringonce_calls_waiting{for="turn"} 1.0' in told
    assert f'ringonce_webhook_behind{{webhook="{made["id"]}"}} 2.0' in told
    assert f'ringonce_webhook_paused{{webhook="{made["id"]}"}} 1.0' in told
