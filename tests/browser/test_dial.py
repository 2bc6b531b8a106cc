"""One press is one call, whatever is pressed how often and where, and the page follows it to its end."""

from typing import Any

import pytest

from browser.conftest import Visiting, go, signed_in
from ringonce.sandbox import Sandbox
from ringonce.service.access import Role
from service_web.conftest import ADA, Service
from service_web.test_story import comes_true

pytestmark = pytest.mark.browser
TALKS_ON = "+1 555 987 0000"


def filled(page: Any, number: str = "+1 555 987 6543") -> Any:
    go(page, "dial", "Dial")
    form = page.get_by_role("form", name="One call")
    form.get_by_label("Agent").fill(ADA)
    form.get_by_label("Number", exact=True).fill(number)
    page.get_by_text("May be called now").wait_for()
    return page.get_by_role("button", name=f"Call {number[:2]}")


def stands(page: Any, words: str) -> None:
    page.locator(".cardstate", has_text=words).wait_for()


def test_a_double_click_is_one_call_and_it_is_followed_to_its_end(page: Any, sandbox: Sandbox) -> None:
    filled(page).dblclick()

    stands(page, "Connected")
    stands(page, "Answered")
    words = page.locator(".timeline .what").all_inner_texts()
    assert [words.index(one) for one in ("Taken in", "Dialling", "Ringing", "Connected")] == sorted(
        words.index(one) for one in ("Taken in", "Dialling", "Ringing", "Connected")
    )
    assert len(sandbox.calls()) == 1


def test_a_reload_and_a_second_tab_press_for_the_same_call(page: Any, sandbox: Sandbox) -> None:
    filled(page, TALKS_ON).click()
    stands(page, "Connected")

    page.reload()
    stands(page, "Connected")
    again = page.get_by_role("button", name="This call is taken in")
    assert again.is_disabled()
    second = page.context.new_page()
    second.goto(page.url)
    go(second, "dial", "Dial")
    second.get_by_label("Agent").fill(ADA)
    second.get_by_label("Number", exact=True).fill("1 (555) 987-0000")

    stands(second, "Connected")
    assert second.get_by_role("button", name="This call is taken in").is_disabled()
    assert len(sandbox.calls()) == 1


def test_two_tabs_that_press_before_they_hear_of_each_other_are_one_call(page: Any, sandbox: Sandbox) -> None:
    second = page.context.new_page()
    second.goto(page.url)
    second.get_by_role("heading", name="Now", exact=True).wait_for()
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    for tab in (page, second):
        tab.route("**/v1/calls", hold)
        filled(tab, TALKS_ON).click()
    while len(held) < 2:
        page.wait_for_timeout(20)

    keys = {route.request.headers["idempotency-key"] for route in held}
    for route in held:
        route.continue_()

    stands(page, "Connected")
    stands(second, "Connected")
    assert len(keys) == 1
    assert len(sandbox.calls()) == 1


def test_an_answer_that_is_lost_on_the_way_is_asked_for_again_by_the_same_key(page: Any, sandbox: Sandbox) -> None:
    press = filled(page, TALKS_ON)
    lost = []

    def lose(route: Any) -> None:
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/v1/calls", lose, times=1)
    press.click()
    page.get_by_text("Press again: it is the same call").wait_for()
    page.get_by_role("button", name="Call +1").click()

    stands(page, "Connected")
    assert lost == [202]
    assert len(sandbox.calls()) == 1


def test_once_a_call_is_over_the_same_form_is_another_decision(page: Any, service: Service, sandbox: Sandbox) -> None:
    filled(page, "+1 555 987 0002").click()
    stands(page, "Busy")

    page.get_by_role("button", name="once more").click()

    comes_true(lambda: len(sandbox.calls()) == 2)
    page.get_by_role("button", name="once more").wait_for()
    keys = [call["key"] for call in service.ask("GET", "/v1/calls").json()["calls"]]
    assert len(set(keys)) == 2


def test_a_person_holds_mutes_wraps_up_and_hangs_up_by_button(page: Any, sandbox: Sandbox) -> None:
    press = filled(page, TALKS_ON)
    page.get_by_label("Shows as").select_option(label="For a queue")
    page.get_by_label("Queue").fill("Sales")
    press.click()
    stands(page, "Connected")

    page.get_by_role("button", name="Hold").click()
    stands(page, "On hold")
    page.reload()
    stands(page, "On hold")
    page.get_by_role("button", name="Resume").click()
    stands(page, "Connected")
    page.get_by_role("button", name="Mute", exact=True).click()
    stands(page, "Connected, muted")
    page.get_by_role("button", name="Unmute").click()
    page.get_by_role("button", name="Mute", exact=True).wait_for()
    page.get_by_role("button", name="Hang up").click()
    stands(page, "Answered")
    page.get_by_text("Wrap up", exact=True).click()
    page.get_by_label("Wrap-up code").fill("Sale")
    page.get_by_role("button", name="Keep the wrap-up").click()
    page.get_by_text("Kept: Sale.").wait_for()

    page.reload()
    stands(page, "Answered")
    assert len(sandbox.calls()) == 1


def test_a_number_that_must_not_be_dialled_says_why_while_it_is_typed(page: Any, sandbox: Sandbox) -> None:
    go(page, "dial", "Dial")
    page.get_by_label("Agent").fill(ADA)
    page.get_by_label("Number", exact=True).fill("911")

    page.locator(".hint[data-wrong]", has_text="emergency").wait_for()
    assert page.get_by_role("button", name="Call", exact=True).is_disabled()
    assert sandbox.calls() == []


def test_a_viewer_sees_calls_with_masked_numbers_and_cannot_dial(
    visiting: Visiting, service: Service, sandbox: Sandbox
) -> None:
    call_id = service.place("crm-1", to=TALKS_ON).json()["id"]
    page = signed_in(visiting(service.url), service.token(Role.VIEWER))
    page.get_by_role("row", name="Connected").get_by_text("+1 •••••• 0000").wait_for()

    go(page, "dial", "Dial")
    page.get_by_text("Your token is a viewer's").wait_for()
    assert page.get_by_label("Agent").is_disabled()
    assert page.get_by_role("button", name="Call", exact=True).is_disabled()
    go(page, f"history/{call_id}", "+1 •••••• 0000")
    stands(page, "Connected")
    assert page.get_by_role("button", name="Hang up").count() == 0
    refused = page.evaluate(
        "fetch('/v1/calls', {method: 'POST', headers: {'X-Ringonce-Page': '1', 'Content-Type': 'application/json'},"
        ' body: \'{"agent": "ada@example.com", "to": "+15559876543"}\'}).then((answer) => answer.status)'
    )
    assert refused == 403
    assert len(sandbox.calls()) == 1
