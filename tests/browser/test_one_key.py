"""A key outlives whatever is typed or pressed after it, until its call is known to be over."""

import hashlib
import json
from typing import Any

import pytest

from browser.conftest import go
from browser.test_dial import TALKS_ON, filled, stands
from ringonce.sandbox import Sandbox
from ringonce.service.calls import State
from ringonce.service.store.tables import calls
from service_web.conftest import ADA, Service
from service_web.test_story import comes_true

pytestmark = pytest.mark.browser
BUSY = "+1 555 987 0002"


def lose(route: Any) -> None:
    """Let the server have the request, and nobody its answer."""
    route.fetch()
    route.abort()


def keys_of(service: Service) -> list[str]:
    return [call["key"] for call in service.ask("GET", "/v1/calls").json()["calls"]]


def test_a_call_whose_answer_was_lost_keeps_its_key_while_other_agents_are_typed(page: Any, sandbox: Sandbox) -> None:
    press = filled(page, TALKS_ON)
    page.route("**/v1/calls", lose, times=1)
    press.click()
    page.get_by_text("Press again: it is the same call").wait_for()

    agent = page.get_by_label("Agent")
    for other in ("somebody.with.a.long.name@example.com", "another.long.name@example.com", "third@example.com", ADA):
        agent.fill("")
        agent.press_sequentially(other)
    press.click()

    stands(page, "Connected")
    assert len(sandbox.calls()) == 1


def test_a_call_that_may_have_rung_is_settled_before_there_is_once_more(
    page: Any, service: Service, sandbox: Sandbox
) -> None:
    filled(page, BUSY).click()
    page.get_by_role("button", name="once more").wait_for()
    service.do(lambda db: db.execute(calls.update().values(state=str(State.UNKNOWN), outcome="unknown")))
    page.reload()

    press = page.get_by_role("button", name="May have rung: settle it first")
    press.click(force=True)
    press.focus()
    page.keyboard.press("Enter")

    page.get_by_role("link", name="Settle what became of it").wait_for()
    assert len(keys_of(service)) == 1
    assert len(sandbox.calls()) == 1


def test_once_more_in_three_tabs_at_the_same_moment_is_one_call(page: Any, sandbox: Sandbox) -> None:
    filled(page, BUSY).click()
    page.get_by_role("button", name="once more").wait_for()
    tabs = [page]
    for _ in range(2):
        tabs.append(page.context.new_page())
        tabs[-1].goto(page.url)
        filled_in(tabs[-1], ADA)
        tabs[-1].get_by_role("button", name="once more").wait_for()
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    for tab in tabs:
        tab.route("**/v1/calls", hold)
    at = page.evaluate("Date.now() + 700")
    for tab in tabs:
        pressing = "(at) => void setTimeout(() => document.querySelector('button.main').click(), at - Date.now())"
        tab.evaluate(pressing, at)
    while len(held) < 3:
        page.wait_for_timeout(20)

    keys = {route.request.headers["idempotency-key"] for route in held}
    for route in held:
        route.continue_()

    page.get_by_role("button", name="once more").wait_for()
    assert len(keys) == 1
    comes_true(lambda: len(sandbox.calls()) == 2)


def filled_in(page: Any, agent: str, number: str = BUSY) -> None:
    page.get_by_role("heading", name="Dial", exact=True).wait_for()
    form = page.get_by_role("form", name="One call")
    form.get_by_label("Agent").fill(agent)
    form.get_by_label("Number", exact=True).fill(number)


@pytest.mark.parametrize("spelt", ["  Ada@Example.COM ", "Ada Lovelace"])
def test_another_spelling_of_the_agent_is_the_same_call(page: Any, service: Service, spelt: str) -> None:
    service.place("once", agent="Ada Lovelace", to=BUSY)
    comes_true(lambda: bool(service.ask("GET", "/v1/calls").json()["calls"][0]["outcome"]))
    press = filled(page, TALKS_ON)
    page.route("**/v1/calls", lose, times=1)
    press.click()
    page.get_by_text("Press again: it is the same call").wait_for()

    page.get_by_label("Agent").fill(spelt)
    page.get_by_role("button", name="Call +1").click()

    stands(page, "Connected")
    assert len(keys_of(service)) == 2


def test_no_number_is_kept_in_clear(page: Any) -> None:
    filled(page, TALKS_ON).click()
    stands(page, "Connected")

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in to ringonce").wait_for()

    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "987" not in kept
    assert "page-" in kept


def test_the_page_s_own_hash_is_sha_256(page: Any) -> None:
    texts = ["", "abc", "é" * 27 + "x", *("a" * length for length in (55, 56, 63, 64, 65, 119, 120, 100_003))]

    told = page.evaluate(
        "(texts) => import('/page/sha256.js').then(({ sha256 }) => texts.map(sha256))", json.loads(json.dumps(texts))
    )

    assert told == [hashlib.sha256(text.encode()).hexdigest() for text in texts]


def test_where_the_browser_keeps_nothing_the_page_says_so_and_a_double_press_is_one_call(
    page: Any, sandbox: Sandbox
) -> None:
    page.add_init_script(
        "for (const name of ['getItem', 'setItem', 'removeItem', 'clear'])"
        " Storage.prototype[name] = () => { throw new Error('storage is off'); };"
    )
    page.reload()
    press = filled(page, TALKS_ON)
    page.get_by_text("This browser keeps nothing for the page").wait_for()

    page.route("**/v1/calls", lose, times=1)
    press.click()
    page.get_by_text("Press again: it is the same call").wait_for()
    press.dblclick()

    stands(page, "Connected")
    assert len(sandbox.calls()) == 1


def test_a_press_by_keyboard_leaves_the_focus_where_it_was(page: Any) -> None:
    press = filled(page, TALKS_ON)
    press.focus()
    page.keyboard.press("Enter")
    stands(page, "Connected")

    assert page.evaluate("document.activeElement.textContent") == "This call is taken in"
    go(page, "now", "Now")
