"""The sandbox's page in a real browser: what rings is answered by mouse, and faults are switched on. `make browser`."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from browser.conftest import Visiting
from ringonce.sandbox import Sandbox
from simulated import ADA

pytestmark = pytest.mark.browser
RINGS = "+15559870009"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, clock="manual") as running:
        yield running


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, sandbox: Sandbox, visiting: Visiting) -> Iterator[Any]:
    """The page, open; whatever its console says fails the test."""
    page = visiting(color_scheme=request.param)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{sandbox.url}/_sandbox/")
    page.get_by_role("status").get_by_text("live").wait_for()
    yield page
    assert [each for each in complaints if "400" not in each] == []


@pytest.fixture
def bearer(sandbox: Sandbox) -> dict[str, str]:
    secret = sandbox.do(lambda world: world.tokens.issue(world.clients["your_client_id"]).value)
    return {"Authorization": f"Bearer {secret}"}


def place(sandbox: Sandbox, bearer: dict[str, str], to: str = RINGS, **fields: Any) -> requests.Response:
    url = f"{sandbox.url}/api/v2/conversations/calls/user/{ADA}"
    return requests.post(url, json={"phoneNumber": to, **fields}, headers=bearer, timeout=5)


def test_a_call_is_answered_seen_to_connect_and_hung_up_by_mouse(
    sandbox: Sandbox, page: Any, bearer: dict[str, str]
) -> None:
    place(sandbox, bearer, attributes={"crm": "4711"})
    sandbox.advance(2)
    calls, agents = page.locator("#calls"), page.locator("#agents")
    agents.get_by_text(f"{RINGS} dialing").wait_for()

    page.get_by_role("button", name=f"Answer {RINGS}").click()
    calls.get_by_text("connected", exact=True).wait_for()
    agents.get_by_text(f"{RINGS} connected").wait_for()
    assert sandbox.calls()[0]["state"] == "connected"

    page.get_by_role("button", name=f"Hang up {RINGS}").click()
    calls.get_by_text("ended", exact=True).wait_for()
    assert sandbox.calls()[0]["state"] == "ended"

    calls.get_by_role("button").click()
    calls.get_by_text("crm = 4711").wait_for()
    calls.get_by_text("Interact").first.wait_for()


def test_of_two_calls_at_one_number_the_one_that_was_pressed_is_answered(
    sandbox: Sandbox, page: Any, bearer: dict[str, str]
) -> None:
    for _ in range(2):
        place(sandbox, bearer)
        sandbox.advance(2)

    page.get_by_role("button", name=f"Decline {RINGS}").nth(1).click()
    page.locator("#calls").get_by_text("declined", exact=True).wait_for()

    assert [call["state"] for call in sandbox.calls()] == ["ended", "ringing"]


def test_a_call_that_is_ignored_rings_on_until_its_carrier_gives_up(
    sandbox: Sandbox, page: Any, bearer: dict[str, str]
) -> None:
    place(sandbox, bearer)
    sandbox.advance(2)
    page.get_by_role("button", name=f"Ignore {RINGS}").click()
    page.locator("#phones").get_by_text("ignored").wait_for()
    assert sandbox.calls()[0]["state"] == "ringing"

    page.get_by_role("button", name="+1 min").click()
    page.locator("#calls").get_by_text("not reached").wait_for()


def test_a_fault_is_switched_on_and_off_with_the_keyboard(sandbox: Sandbox, page: Any, bearer: dict[str, str]) -> None:
    switch = page.get_by_role("button", name="Every request: 503")
    switch.focus()
    page.keyboard.press("Enter")
    page.locator("#faults [aria-pressed=true]").wait_for()

    assert place(sandbox, bearer).status_code == 503
    switch.get_by_text("fired 1").wait_for()

    page.keyboard.press("Space")
    page.locator("#faults [aria-pressed=true]").wait_for(state="detached")
    assert place(sandbox, bearer).status_code == 202


def test_the_hostile_profile_has_a_knob_for_each_dose(sandbox: Sandbox, page: Any) -> None:
    page.get_by_text("Hostile profile").click()
    page.get_by_label("lost answers").fill("0.5")
    page.get_by_role("button", name="Set these doses").click()
    page.locator("#hostile-state").get_by_text("on").wait_for()

    assert [each["share"] for each in sandbox.faults() if each["id"] == "hostile.lost_answers"] == [0.5]


def test_a_request_opens_and_shows_what_was_sent_and_answered_without_secrets(sandbox: Sandbox, page: Any) -> None:
    answer = requests.post(
        f"{sandbox.url}/oauth/token",
        data={"grant_type": "client_credentials", "client_secret": "hunter2"},
        auth=("your_client_id", "your_client_secret"),
        timeout=5,
    )
    asked = page.locator("#requests")
    asked.get_by_role("button").first.click()
    asked.get_by_text('"access_token": "***"').wait_for()

    shown = asked.inner_text()
    assert '"grant_type": "client_credentials"' in shown
    assert "hunter2" not in shown
    assert answer.json()["access_token"] not in shown


def test_time_runs_and_stands_still_by_mouse(sandbox: Sandbox, page: Any) -> None:
    now = page.locator("#now").inner_text()
    page.get_by_role("button", name="+10 s").click()
    page.wait_for_function("before => document.getElementById('now').textContent !== before", arg=now)
    page.get_by_role("button", name="Let time run").click()
    page.get_by_role("button", name="Stop time").wait_for()

    clock = requests.get(f"{sandbox.url}/_sandbox/clock", timeout=5).json()
    assert clock["mode"] == "real"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", page.locator("#now").inner_text())
