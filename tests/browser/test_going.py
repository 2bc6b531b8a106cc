"""What the page says when the connection goes, when somebody goes, and where an address leads nowhere."""

from pathlib import Path
from typing import Any

import pytest

from browser.conftest import Visiting, go, signed_in
from browser.test_batches import chosen
from browser.test_dial import TALKS_ON, filled, stands
from service_web.conftest import Service

pytestmark = pytest.mark.browser
LET_GO = """
  const ask = window.fetch;
  window.letGo = [];
  window.fetch = (url, options) => {
    options?.signal?.addEventListener("abort", () => window.letGo.push(String(url)));
    return ask(url, options);
  };
"""


def test_a_sign_out_that_did_not_reach_the_server_is_none_and_says_so(page: Any) -> None:
    page.context.set_offline(True)
    page.get_by_role("button", name="Sign out").click()

    page.get_by_text("You are still signed in").wait_for()
    page.context.set_offline(False)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in to ringonce").wait_for()
    page.reload()
    page.get_by_role("heading", name="Sign in to ringonce").wait_for()


def test_a_sign_out_forgets_the_form_of_every_tab(page: Any) -> None:
    filled(page, TALKS_ON)
    second = page.context.new_page()
    second.goto(page.url)
    second.get_by_role("heading", name="Dial", exact=True).wait_for()

    second.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in to ringonce").wait_for()

    assert page.evaluate("sessionStorage.length") == 0
    assert "987" not in page.evaluate("JSON.stringify({...localStorage})")


def test_what_a_lost_connection_has_left_goes_once_it_is_back(page: Any) -> None:
    filled(page, TALKS_ON).click()
    stands(page, "Connected")
    page.route("**/v1/**", lambda route: route.abort())
    page.get_by_label("Number", exact=True).fill("+1 555 987 6544")
    page.get_by_text("It is looked up again once the connection is back").wait_for()
    page.locator(".notice", has_text="Connection lost, retrying").wait_for()

    page.unroute_all()

    page.get_by_role("button", name="Call +1 555-987-6544").wait_for()
    page.get_by_text("can't be reached").wait_for(state="hidden")
    assert page.locator(".notice.bad:visible").count() == 0


def test_the_verdict_follows_the_switch_that_stops_all_dialling(page: Any, service: Service) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/v1/number" in request.url else None)
    filled(page)
    before = len(asked)

    service.ask("POST", "/v1/stop", json={"reason": "a drill"})
    page.locator(".notice", has_text="All dialling is stopped").wait_for()
    page.wait_for_timeout(500)

    assert len(asked) > before


def test_a_file_that_is_only_looked_at_is_nowhere_else(page: Any, tmp_path: Path, service: Service) -> None:
    # The browser's own word of a request that was let go while it was held may never come.
    page.add_init_script(LET_GO)
    page.reload()
    go(page, "batches", "Batches")
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/v1/batches?*dry_run*", hold)
    chosen(page, tmp_path, "looked.csv", "a,ada@example.com,+1 555 987 6543")
    while not held:
        page.wait_for_timeout(20)

    page.unroute_all()
    chosen(page, tmp_path, "other.csv", "b,ada@example.com,+1 555 987 6543")

    page.get_by_role("button", name="Take in 1 row").wait_for()
    page.wait_for_function("window.letGo.some((url) => url.includes('looked.csv'))")
    assert service.ask("GET", "/v1/calls").json()["calls"] == []


def test_strange_addresses_lead_to_now_and_the_skip_link_stays_in_its_view(page: Any) -> None:
    for name in ("toString", "constructor/x", "nowhere"):
        go(page, name, "Now")
    go(page, "history", "History")

    page.locator(".skip").focus()
    page.keyboard.press("Enter")

    assert page.url.endswith("#/history")
    assert page.evaluate("document.activeElement.id") == "main"


def test_on_the_narrowest_phone_nothing_sticks_out_and_one_sees_who_is_signed_in(
    visiting: Visiting, service: Service
) -> None:
    page = signed_in(visiting(service.url, viewport={"width": 320, "height": 640}), service.admin)

    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert page.get_by_text("admin of the tests").is_visible()


def test_history_on_a_phone_has_no_cell_over_another(visiting: Visiting, service: Service) -> None:
    service.place("crm-1")
    page = signed_in(visiting(service.url, viewport={"width": 390, "height": 844}), service.admin)
    go(page, "history", "History")
    page.locator("tbody tr").first.wait_for()

    boxes = page.evaluate(
        "[...document.querySelectorAll('tbody td')].filter((one) => one.textContent)"
        ".map((one) => { const range = document.createRange(); range.selectNodeContents(one);"
        " const {left, top, right, bottom} = range.getBoundingClientRect(); return [left, top, right, bottom]; })"
    )
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            over = (
                min(one[2], other[2]) - max(one[0], other[0]) > 1 and min(one[3], other[3]) - max(one[1], other[1]) > 1
            )
            assert not over, (one, other)
