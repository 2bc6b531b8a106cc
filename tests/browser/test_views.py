"""What may have rung is settled, what happened is found, agents are checked, and all dialling is stopped."""

from typing import Any

import pytest

from browser.conftest import go
from ringonce.sandbox import Sandbox
from service_web.conftest import ADA, NUMBER, Service
from service_web.test_story import comes_true

pytestmark = pytest.mark.browser


def state_of(service: Service, call_id: str) -> str:
    return str(service.ask("GET", f"/v1/calls/{call_id}").json()["state"])


def test_a_call_in_doubt_is_settled_with_a_reason_and_dialled_after_all(
    page: Any, service: Service, sandbox: Sandbox
) -> None:
    sandbox.fault(method="POST", path="/api/v2/conversations/calls*", action="drop_before", times=1)
    call_id = service.place("crm-1").json()["id"]
    comes_true(lambda: state_of(service, call_id) == "unknown")
    go(page, "doubts", "Refused and unknown")
    page.get_by_role("link", name="Refused and unknown 1").wait_for()
    doubt = page.get_by_role("listitem").filter(has_text="+1 555 987 6543")

    doubt.get_by_role("button", name="It did not ring").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="It did not ring").click()
    assert dialog.is_visible()  # without a reason nothing is settled
    page.keyboard.press("Escape")
    assert state_of(service, call_id) == "unknown"
    doubt.get_by_role("button", name="It did not ring").click()
    dialog.get_by_label("Dial it after all").check()
    dialog.get_by_label("Reason").fill("her history has no such call")
    dialog.get_by_role("button", name="It did not ring").click()

    page.get_by_text("Nothing is in doubt.").wait_for()
    comes_true(lambda: state_of(service, call_id) == "ended")
    assert len(sandbox.calls()) == 1
    noted = service.ask("GET", "/v1/audit").json()["entries"]
    assert any("her history has no such call" in entry["details"] for entry in noted)


def test_the_history_is_searched_by_the_whole_number_and_tells_one_call_s_story(
    page: Any, service: Service, sandbox: Sandbox
) -> None:
    call_id = service.place("crm-1").json()["id"]
    service.place("crm-2", agent="grace@example.com", to="+1 555 987 0002")
    comes_true(lambda: state_of(service, call_id) == "ended")

    go(page, "history", "History")
    page.get_by_label("Number").fill("(555) 987-6543")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**#/history?number=*")
    found = page.locator("tbody tr")
    found.first.wait_for()
    assert found.count() == 1
    page.go_back()
    page.locator("tbody tr").nth(1).wait_for()
    page.go_forward()
    found.get_by_role("link").click()

    page.get_by_role("heading", name="+1 555 987 6543 for ada@example.com").wait_for()
    story = page.locator(".timeline")
    for words in ("Taken in", "Written down before it is sent", "The platform took it", "Ringing", "Answered"):
        story.get_by_text(words, exact=True).first.wait_for()
    page.get_by_text("crm-1", exact=True).first.wait_for()
    assert len([one for one in sandbox.calls() if NUMBER in str(one)]) == 1


def test_agents_are_listed_checked_and_enrolled_by_a_link_that_is_shown_once(page: Any, service: Service) -> None:
    service.place("crm-1")
    go(page, "agents", "Agents")
    page.get_by_role("row", name="ada@example.com").wait_for()

    check = page.get_by_role("form", name="Check an agent")
    check.get_by_label("Agent").fill(ADA)
    check.get_by_label("Number").fill(NUMBER)
    check.get_by_role("button", name="Check").click()

    page.get_by_role("listitem").filter(has_text="station").wait_for()


def test_an_admin_stops_all_dialling_with_a_reason_and_lifts_it(page: Any, service: Service, sandbox: Sandbox) -> None:
    page.get_by_role("button", name="Stop dialling").click()
    page.get_by_label("Reason").fill("wrong file")
    page.get_by_role("dialog").get_by_role("button", name="Stop dialling").click()
    page.get_by_text("All dialling is stopped").wait_for()
    call_id = service.place("crm-1").json()["id"]
    comes_true(lambda: service.ask("GET", f"/v1/calls/{call_id}").json()["why"].get("for") == "stop")
    assert sandbox.calls() == []

    page.reload()
    page.get_by_text("wrong file").wait_for()
    page.get_by_role("button", name="Dial again").click()
    page.get_by_role("dialog").get_by_role("button", name="Dial again").click()

    page.get_by_text("All dialling is stopped").wait_for(state="hidden")
    comes_true(lambda: len(sandbox.calls()) == 1)


def test_the_whole_page_is_used_by_keyboard(page: Any, sandbox: Sandbox) -> None:
    page.reload()
    page.get_by_role("heading", name="Now", exact=True).wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Dial"
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Dial", exact=True).wait_for()
    page.get_by_label("Agent").focus()
    page.keyboard.type(ADA)
    page.keyboard.press("Tab")
    page.keyboard.type("5559876543")
    page.get_by_text("May be called now").wait_for()
    page.keyboard.press("Enter")

    page.locator(".cardstate", has_text="Connected").wait_for()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert len(sandbox.calls()) == 1
