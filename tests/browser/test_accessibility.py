"""Each view, light and dark, wide and narrow, held against axe-core's rules: nothing serious is wrong."""

from pathlib import Path
from typing import Any

import pytest

from browser.conftest import WIDE, Visiting, go, signed_in
from ringonce.sandbox import Sandbox
from service_web.conftest import ADA, Service
from service_web.test_story import comes_true

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / ".tools" / "axe" / "package" / "axe.min.js"
NARROW = {"width": 390, "height": 844}
RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.map((one) => `${one.impact} ${one.id}: ${one.nodes.map((node) => node.target).join(" ")}`);
}"""


def serious(page: Any) -> list[str]:
    # By the debugger, not by a script element: the page's own policy lets none in.
    page.evaluate(AXE.read_text())
    return [one for one in page.evaluate(RUN) if one.startswith(("serious", "critical"))]


def busy(service: Service, sandbox: Sandbox) -> str:
    """Give the service a batch that runs, a call in doubt, and one that goes on; give the batch's id."""
    sandbox.fault(method="POST", path="/api/v2/conversations/calls*", action="drop_before", times=1)
    lost = service.place("lost").json()["id"]
    comes_true(lambda: service.ask("GET", f"/v1/calls/{lost}").json()["state"] == "unknown")
    service.place("talks", to="+1 555 987 0000")
    rows = "".join(f"row-{row},agent-{row % 4 + 1:05d}@example.com,+1 555 987 {7000 + row}\n" for row in range(40))
    headers = {"Content-Type": "text/csv"}
    made = service.ask("POST", "/v1/batches?start=true&name=Renewals", data="key,agent,to\n" + rows, headers=headers)
    return str(made.json()["batch"]["id"])


@pytest.mark.timeout(180)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_serious_is_wrong_on_any_view(
    visiting: Visiting, service: Service, sandbox: Sandbox, scheme: str, viewport: dict[str, int]
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core could not be fetched; `make browser` tries")
    batch_id = busy(service, sandbox)
    page = visiting(service.url, viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    found = {"sign in": serious(page)}
    signed_in(page, service.admin)
    page.get_by_role("row", name="Connected").first.wait_for()
    found["now"] = serious(page)
    go(page, "dial", "Dial")
    page.get_by_label("Agent").fill(ADA)
    page.get_by_label("Number", exact=True).fill("+1 555 987 0009")
    page.get_by_text("May be called now").wait_for()
    page.get_by_role("button", name="Call +1").click()
    page.locator(".cardstate").wait_for()
    found["dial"] = serious(page)
    go(page, "batches", "Batches")
    page.get_by_text("rows over").wait_for()
    found["batches"] = serious(page)
    go(page, f"batches/{batch_id}", "Renewals")
    page.locator(".legend li").first.wait_for()
    found["batch"] = serious(page)
    go(page, "doubts", "Refused and unknown")
    page.get_by_role("button", name="It rang").wait_for()
    found["doubts"] = serious(page)
    page.get_by_role("button", name="It rang").click()
    found["settling"] = serious(page)
    page.keyboard.press("Escape")
    go(page, "agents", "Agents")
    page.get_by_role("row", name="agent-00001").wait_for()
    found["agents"] = serious(page)
    go(page, "history", "History")
    page.locator("tbody tr").first.wait_for()
    found["history"] = serious(page)
    page.locator("tbody a").last.click()
    page.locator(".timeline li").first.wait_for()
    found["story"] = serious(page)

    assert {view: wrong for view, wrong in found.items() if wrong} == {}
