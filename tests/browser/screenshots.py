"""`make screenshots`: every view of the page, wide and narrow, light and dark, from a live run.

All go to .tools/screenshots; three of them are the docs' own, in docs/images.
"""

import datetime as dt
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, Page, sync_playwright

from browser.conftest import FLAGS, go, signed_in
from service_web.test_story import comes_true

ROOT = Path(__file__).parents[2]
SHOTS, IMAGES = ROOT / ".tools" / "screenshots", ROOT / "docs" / "images"
IN_DOCS = {"now-wide-light": "now.png", "batch-wide-dark": "batch.png", "dial-narrow-light": "dial.png"}
SIZES = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 390, "height": 844}}
AREAS = {"wide-light": 415, "narrow-light": 212, "wide-dark": 312, "narrow-dark": 617}
GUARD = """
[attempts]
gap_minutes = 120
[[list]]
name = "own"
source = "our customers' wishes"
taken = {today}
file = "{folder}/own.txt"
"""
MORNING = """key,agent,to
a-1,ada@example.com,+1 555 987 6543
a-2,ada@example.com,12
a-3,,+1 555 987 6545
a-4,grace@example.com,911
"""


class Run:
    """A service that was started for this."""

    def __init__(self, ready: dict[str, str], folder: Path) -> None:
        self.url, self.token, self.sandbox, self.folder = ready["url"], ready["token"], ready["sandbox"], folder

    def ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        answer = requests.request(method, f"{self.url}{path}", headers=headers, timeout=20, **options)
        answer.raise_for_status()
        return answer.json()

    def call(self, key: str, agent: str, to: str, **body: Any) -> str:
        made = self.ask("POST", "/v1/calls", json={"agent": agent, "to": to} | body, headers={"Idempotency-Key": key})
        return str(made["id"])

    def state(self, call_id: str) -> str:
        return str(self.ask("GET", f"/v1/calls/{call_id}")["state"])

    def batch(self, name: str, rows: int, *, first: int, pool: int) -> str:
        fates = ("2000", "0000", "2001", "0001", "2002", "0002", "2003", "0005", "2004", "0003", "2005", "0006")
        lines = [f"{name.lower()}-{row},+1212{first + row}{fates[row % len(fates)]}" for row in range(rows)]
        query = [("name", name), ("start", "true")] + [("agent", f"agent-{n:05d}@example.com") for n in range(1, pool)]
        data, headers = "key,to\n" + "\n".join(lines), {"Content-Type": "text/csv"}
        return str(self.ask("POST", "/v1/batches", params=query, data=data, headers=headers)["batch"]["id"])


@contextmanager
def serving() -> Iterator[Run]:
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        (folder / "own.txt").write_text("+15559870013\n")
        today = dt.datetime.now(tz=dt.UTC).date()
        (folder / "guard.toml").write_text(GUARD.format(today=today, folder=folder))
        (folder / "morning.csv").write_text(MORNING)
        command = [sys.executable, "-m", "ringonce.cli", "serve", "--sandbox", "--json", "--port", "0"]
        command += ["--guard", str(folder / "guard.toml"), "--database", f"sqlite:///{folder}/service.db"]
        with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as server:  # noqa: S603  # our own
            assert server.stdout
            try:
                yield Run(json.loads(server.stdout.readline()), folder)
            finally:
                server.kill()


def lived(run: Run) -> tuple[str, str]:
    """Let a morning pass: calls of every kind; give a batch that runs and a call that is over."""
    over = run.call("crm-4711", "ada@example.com", "+1 555 987 6543", queue="Sales")
    comes_true(lambda: run.state(over) == "ended")
    fault = {"method": "POST", "path": "/api/v2/conversations/calls*", "action": "drop_before", "times": 2}
    requests.post(f"{run.sandbox}/_sandbox/faults", json=fault, timeout=20).raise_for_status()
    lost = [run.call("crm-4710", "linus@example.com", "+1 555 987 6501")]
    lost += [run.call("crm-4712", "grace@example.com", "+1 555 987 6502")]
    run.call("crm-4713", "ada@example.com", "+1 555 987 0013")
    run.call("crm-4714", "ada@example.com", "+1 555 987 6543")
    run.batch("Renewals", 24, first=200, pool=13)
    time.sleep(40)
    comes_true(lambda: {run.state(one) for one in lost} == {"unknown"})
    running = run.batch("Monday", 90, first=300, pool=21)
    time.sleep(7)
    return running, over


def taken(page: Page, run: Run, kind: str, running: str, over: str) -> None:
    def shot(view: str) -> None:
        page.wait_for_timeout(700)
        page.screenshot(path=SHOTS / f"{view}-{kind}.png")
        if name := IN_DOCS.get(f"{view}-{kind}"):
            shutil.copy(SHOTS / f"{view}-{kind}.png", IMAGES / name)

    shot("now")
    page.evaluate("document.querySelector('.rows').scrollIntoView()")
    shot("now-list")
    go(page, f"batches/{running}", "Monday")
    shot("batch")
    go(page, "dial", "Dial")
    page.get_by_label("Agent").fill("ada@example.com")
    # Another number each time: the rules of this run let nobody be called twice.
    page.get_by_label("Number", exact=True).fill(f"+1 {AREAS[kind]} 230 0000")
    page.get_by_text("May be called now").wait_for()
    page.get_by_role("button", name="Call +1").click()
    page.locator(".cardstate", has_text="Connected").wait_for()
    page.wait_for_timeout(2500)
    shot("dial")
    page.get_by_role("button", name="Hang up").click()
    page.locator(".cardstate", has_text="Answered").wait_for()
    go(page, "doubts", "Refused and unknown")
    shot("doubts")
    page.get_by_role("button", name="It did not ring").first.click()
    shot("settling")
    page.keyboard.press("Escape")
    go(page, "agents", "Agents")
    shot("agents")
    go(page, "history", "History")
    shot("history")
    page.goto(f"{run.url}/#/history/{over}")
    page.locator(".timeline li").first.wait_for()
    shot("story")
    go(page, "batches", "Batches")
    shot("batches")
    page.locator("input[type=file]").set_input_files(run.folder / "morning.csv")
    page.get_by_role("region", name="Wrong rows").wait_for()
    shot("faults")


def visit(browser: Browser, run: Run, size: str, scheme: Any) -> Page:
    viewport: Any = SIZES[size]
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    page.goto(run.url)
    page.get_by_label("API token").wait_for()
    page.screenshot(path=SHOTS / f"sign-in-{size}-{scheme}.png")
    signed_in(page, run.token)
    return page


def main() -> None:
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir(parents=True)
    IMAGES.mkdir(exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with serving() as run, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        kinds = [(size, scheme) for scheme in ("light", "dark") for size in ("wide", "narrow")]
        pages = {f"{size}-{scheme}": visit(browser, run, size, scheme) for size, scheme in kinds}
        running, over = lived(run)
        for kind, page in pages.items():
            page.bring_to_front()
            taken(page, run, kind, running, over)
        browser.close()


if __name__ == "__main__":
    main()
