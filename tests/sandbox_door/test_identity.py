"""Signing in over HTTP: the page in front of a browser, what the record keeps of it, and registering clients."""

import subprocess
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from ringonce.sandbox import Sandbox
from ringonce.sandbox.published_key import PUBLISHED_PRIVATE_KEY, PUBLISHED_PUBLIC_KEY

CLIENT = ("your_client_id", "your_client_secret")
CALLBACK = "http://127.0.0.1:1234/callback"
ASKED = {"client_id": CLIENT[0], "redirect_uri": CALLBACK, "response_type": "code", "state": "s"}


def consent(sandbox: Sandbox, prefix: str = "", **headers: str) -> requests.Response:
    return requests.post(
        f"{sandbox.url}{prefix}/oauth/authorize",
        {**ASKED, "agent": "ada@example.com", "decision": "allow"},
        headers=headers,
        timeout=60,
        allow_redirects=False,
    )


def redeem(sandbox: Sandbox, code: str) -> requests.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    return requests.post(f"{sandbox.url}/oauth/token", form, auth=CLIENT, timeout=60)


def register(sandbox: Sandbox, client_id: str = CLIENT[0], **fields: Any) -> requests.Response:
    return requests.post(f"{sandbox.url}/_sandbox/clients/{client_id}", json=fields, timeout=60)


def test_an_agent_signs_in_with_a_browser(sandbox: Sandbox) -> None:
    page = requests.get(f"{sandbox.url}/gateway/oauth/authorize", ASKED, timeout=60)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Ada Lovelace" in page.text

    answer = consent(sandbox, "/gateway", Origin=sandbox.url)
    assert answer.status_code == 302
    says = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert says["state"] == ["s"]

    token = redeem(sandbox, says["code"][0]).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    me = requests.get(f"{sandbox.url}/api/v2/users/me", headers=bearer, timeout=60).json()
    assert me["email"] == "ada@example.com"


def test_another_page_on_the_web_cannot_say_yes(sandbox: Sandbox) -> None:
    assert consent(sandbox, Origin="https://evil.example").status_code == 403
    assert consent(sandbox, Origin="null").status_code == 403


def test_the_record_keeps_no_code_and_no_token(sandbox: Sandbox) -> None:
    code = parse_qs(urlsplit(consent(sandbox).headers["Location"]).query)["code"][0]
    answer = redeem(sandbox, code).json()

    kept = repr(sandbox.requests())
    assert "/oauth/authorize" in kept
    assert [secret for secret in (code, *answer.values()) if len(str(secret)) > 20 and secret in kept] == []


def test_a_token_can_be_revoked_in_the_middle_of_things(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    sandbox.fault(action="revoke_token", path="/api/v2/users/*", times=1)
    me = f"{sandbox.url}/api/v2/tokens/me"

    assert requests.get(me, headers=bearer, timeout=60).status_code == 200
    refused = requests.get(f"{sandbox.url}/api/v2/users/x", headers=bearer, timeout=60)
    assert (refused.status_code, refused.json()["code"]) == (401, "bad.credentials")
    assert requests.get(me, headers=bearer, timeout=60).status_code == 401


def test_clients_are_listed_without_their_secrets(sandbox: Sandbox) -> None:
    answer = requests.get(f"{sandbox.url}/_sandbox/clients", timeout=60)

    clients = {each["id"]: each for each in answer.json()["clients"]}
    assert clients["disabled_client_id"]["state"] == "disabled"
    assert clients[CLIENT[0]]["publicKey"] == PUBLISHED_PUBLIC_KEY
    assert "http://127.0.0.1/callback" in clients[CLIENT[0]]["redirectUris"]
    assert "secret" not in answer.text.replace("limited_client_secret", "?")


def test_somebody_registers_what_is_theirs(sandbox: Sandbox) -> None:
    mine = "https://mine.example/callback"
    fields = {"redirectUris": [mine], "publicKey": PUBLISHED_PUBLIC_KEY, "audience": "urn:mine", "tokenLifetime": 300}

    answer = register(sandbox, "narrow_client_id", **fields)

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in fields} == fields
    page = f"{sandbox.url}/oauth/authorize"
    asked = {**ASKED, "client_id": "narrow_client_id"}
    assert requests.get(page, {**asked, "redirect_uri": mine}, timeout=60).status_code == 200
    assert requests.get(page, asked, timeout=60).status_code == 400


def test_a_client_can_be_switched_off_and_on(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    assert register(sandbox, state="inactive").json()["state"] == "inactive"
    assert requests.get(f"{sandbox.url}/api/v2/tokens/me", headers=bearer, timeout=60).status_code == 401
    form = {"grant_type": "client_credentials"}
    refused = requests.post(f"{sandbox.url}/oauth/token", form, auth=CLIENT, timeout=60)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")

    register(sandbox, state="active")
    assert requests.post(f"{sandbox.url}/oauth/token", form, auth=CLIENT, timeout=60).status_code == 200


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({}, "no JSON object with fields", id="nothing"),
        pytest.param({"secret": "x"}, "secret cannot be registered", id="a field that cannot be"),
        pytest.param({"redirectUris": "https://a.example/"}, "a list", id="no list"),
        pytest.param({"redirectUris": [7]}, "text", id="no text"),
        pytest.param({"redirectUris": ["http://a.example/"]}, "https", id="plain http elsewhere"),
        pytest.param({"redirectUris": ["https://a.example/#x"]}, "fragment", id="a fragment"),
        pytest.param({"publicKey": PUBLISHED_PRIVATE_KEY}, "private key", id="a private key"),
        pytest.param({"publicKey": "x"}, "PEM", id="no key"),
        pytest.param({"publicKey": None}, "text", id="null"),
        pytest.param({"audience": "x" * 3_000}, "2048", id="too long"),
        pytest.param({"state": "asleep"}, "active, disabled, inactive", id="no state"),
        pytest.param({"state": ["active"]}, "active, disabled, inactive", id="a list of states"),
        pytest.param({"tokenLifetime": 299}, "300 to 172800", id="too short-lived"),
        pytest.param({"tokenLifetime": True}, "300 to 172800", id="no number"),
    ],
)
def test_what_cannot_be_registered(sandbox: Sandbox, fields: dict[str, Any], words: str) -> None:
    before = requests.get(f"{sandbox.url}/_sandbox/clients", timeout=60).json()

    answer = register(sandbox, **fields)

    assert answer.status_code == 400
    assert answer.json().keys() == {"what", "why", "fix"}
    assert words in answer.text
    assert PUBLISHED_PRIVATE_KEY.splitlines()[1] not in answer.text
    assert requests.get(f"{sandbox.url}/_sandbox/clients", timeout=60).json() == before


def test_one_wrong_field_registers_nothing(sandbox: Sandbox) -> None:
    assert register(sandbox, audience="urn:mine", state="asleep").status_code == 400

    clients = requests.get(f"{sandbox.url}/_sandbox/clients", timeout=60).json()["clients"]
    assert "urn:mine" not in {each["audience"] for each in clients}


def test_a_client_that_does_not_exist(sandbox: Sandbox) -> None:
    answer = register(sandbox, "nobody", state="active")

    assert answer.status_code == 404
    assert "limited_client_id" in answer.json()["why"]


def test_a_sandbox_starts_without_the_tools_of_assertions() -> None:
    code = (
        "import sys; from ringonce.sandbox import Sandbox\n"
        "with Sandbox(): print(*sorted({'joserfc', 'cryptography', 'defusedxml'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # our own

    assert done.stdout.strip() == ""
