"""Pages of other origins: what they may do to a sandbox on the same machine, and what they may not."""

import asyncio
from collections.abc import Callable

import aiohttp
import pytest
import requests

from ringonce.sandbox import Sandbox

Place = Callable[..., requests.Response]
APP = "http://127.0.0.1:18099"
CALLS = "/api/v2/conversations/calls"


def ask_first(sandbox: Sandbox, path: str, method: str = "POST", origin: str = APP) -> requests.Response:
    """What a browser sends before a page's request."""
    asks = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,purecloud-sdk",
    }
    return requests.options(f"{sandbox.url}{path}", headers=asks, timeout=60)


@pytest.mark.parametrize("origin", [APP, "https://127.0.0.1:443", "http://localhost"])
def test_a_page_of_another_port_cannot_wipe_the_world(sandbox: Sandbox, place: Place, origin: str) -> None:
    place()

    answer = requests.post(f"{sandbox.url}/_sandbox/reset", headers={"Origin": origin}, timeout=60)

    assert answer.status_code == 403
    assert len(sandbox.calls()) == 1


def test_a_page_of_another_port_cannot_look_on(sandbox: Sandbox) -> None:
    async def look(origin: str) -> int:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(f"{sandbox.url}/_sandbox/live", headers={"Origin": origin}):
                    return 101
            except aiohttp.WSServerHandshakeError as refused:
                return refused.status

    assert asyncio.run(look(APP)) == 403
    assert asyncio.run(look(sandbox.url)) == 101


def test_the_sandboxs_own_page_may(sandbox: Sandbox) -> None:
    own = {"Origin": sandbox.url}

    assert requests.post(f"{sandbox.url}/_sandbox/reset", headers=own, timeout=60).status_code == 200


def test_a_page_of_another_port_cannot_say_yes_for_an_agent(sandbox: Sandbox) -> None:
    form = {"client_id": "your_client_id", "agent": "ada@example.com", "decision": "allow"}

    answer = requests.post(f"{sandbox.url}/oauth/authorize", form, headers={"Origin": APP}, timeout=60)

    assert answer.status_code == 403


def test_an_opened_sandbox_is_not_looked_after_by_strangers_pages() -> None:
    with Sandbox(host="0.0.0.0") as sandbox:  # noqa: S104  # what this test is about; for an instant
        way = f"{sandbox.url}/_sandbox/reset"
        by_a_stranger = requests.post(way, headers={"Origin": "https://evil.example"}, timeout=60)
        behind_tls = {"Host": "box.example", "Origin": "https://box.example"}

        assert by_a_stranger.status_code == 403
        assert requests.post(way, headers=behind_tls, timeout=60).status_code == 200


@pytest.mark.parametrize("path", ["/oauth/token", CALLS, f"/gateway{CALLS}"])
def test_a_browser_that_asks_first_is_told_that_its_page_may(sandbox: Sandbox, path: str) -> None:
    answer = ask_first(sandbox, path)

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "purecloud-sdk" in answer.headers["Access-Control-Allow-Headers"]
    assert sandbox.requests() == []


@pytest.mark.parametrize("path", ["/_sandbox/reset", "/_sandbox/api/v2/users", "/oauth/authorize"])
def test_what_is_no_part_of_the_api_is_shared_with_no_page(sandbox: Sandbox, path: str) -> None:
    answer = ask_first(sandbox, path, origin=sandbox.url)

    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_page_on_the_web_is_told_nothing(sandbox: Sandbox) -> None:
    answer = ask_first(sandbox, CALLS, origin="https://evil.example")

    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("troubled", [False, True])
def test_a_page_of_another_port_reads_answers_and_their_headers(sandbox: Sandbox, troubled: bool) -> None:
    if troubled:
        sandbox.fault(path="/api/v2/*", action="status", status=429, retry_after=7)
    signed_in = requests.post(
        f"{sandbox.url}/oauth/token",
        {"grant_type": "client_credentials"},
        auth=("your_client_id", "your_client_secret"),
        headers={"Origin": APP},
        timeout=60,
    )
    bearer = {"Authorization": f"Bearer {signed_in.json()['access_token']}", "Origin": APP}
    answer = requests.get(f"{sandbox.url}/api/v2/users", headers=bearer, timeout=60)

    assert answer.status_code == (429 if troubled else 200)
    for each in (signed_in, answer):
        assert each.headers["Access-Control-Allow-Origin"] == APP
        assert each.headers["Vary"] == "Origin"
        readable = each.headers["Access-Control-Expose-Headers"].lower()
        assert {"inin-correlation-id", "inin-ratelimit-count", "retry-after"} <= set(readable.split(", "))


def test_a_refusal_can_be_read_too(sandbox: Sandbox) -> None:
    answer = requests.get(f"{sandbox.url}{CALLS}", headers={"Origin": APP}, timeout=60)

    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, APP)


def test_a_program_that_is_no_page_gets_no_such_headers(sandbox: Sandbox, place: Place) -> None:
    assert not [name for name in place().headers if name.lower().startswith("access-control")]
