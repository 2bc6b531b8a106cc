"""A file is judged before anything is taken, and a batch is steered and followed."""

from pathlib import Path
from typing import Any

import pytest

from browser.conftest import go
from ringonce.sandbox import Sandbox
from service_web.conftest import Service

pytestmark = pytest.mark.browser


def chosen(page: Any, folder: Path, name: str, *lines: str) -> None:
    file = folder / name
    file.write_text("key,agent,to\n" + "".join(f"{line}\n" for line in lines))
    page.locator("input[type=file]").set_input_files(file)


def test_a_bad_file_is_shown_row_by_row_and_nothing_is_taken(page: Any, tmp_path: Path, service: Service) -> None:
    go(page, "batches", "Batches")
    chosen(page, tmp_path, "bad.csv", "a,ada@example.com,+1 555 987 6543", "b,ada@example.com,12", "c,,+1 555 987 6544")

    page.get_by_text("2 rows of the file are wrong. Nothing was taken.").wait_for()
    wrong = page.get_by_role("region", name="Wrong rows")
    assert "not a telephone number" in wrong.get_by_role("row", name="3 to").inner_text()
    assert "has no agent" in wrong.get_by_role("row", name="4 agent").inner_text()
    assert page.get_by_role("button", name="Take in").count() == 0
    assert service.ask("GET", "/v1/batches").json()["batches"] == []


def test_a_good_file_is_previewed_taken_started_paused_and_resumed(
    page: Any, tmp_path: Path, sandbox: Sandbox, service: Service
) -> None:
    rows = [f"row-{row},agent-{row % 3 + 1:05d}@example.com,+1 555 987 {5000 + row}" for row in range(9)]
    go(page, "batches", "Batches")
    chosen(page, tmp_path, "good.csv", *rows)
    page.get_by_text("9 rows, none of them wrong").wait_for()
    page.get_by_text("At once").wait_for()
    assert service.ask("GET", "/v1/batches").json()["batches"] == []

    page.get_by_role("button", name="Take in 9 rows").dblclick()
    page.get_by_role("heading", name="good.csv").wait_for()
    page.locator(".tag", has_text="Ready").wait_for()
    assert len(service.ask("GET", "/v1/batches").json()["batches"]) == 1
    assert sandbox.calls() == []
    page.get_by_role("button", name="Start").click()
    page.locator(".tag", has_text="Running").wait_for()
    page.locator(".legend", has_text="In call").wait_for()

    page.get_by_role("button", name="Pause").click()
    page.locator(".tag", has_text="Paused").wait_for()
    page.get_by_text("3 of 9 over").wait_for()
    page.reload()
    page.locator(".tag", has_text="Paused").wait_for()
    assert len(sandbox.calls()) == 3

    page.get_by_role("button", name="Resume").click()
    page.get_by_text("9 of 9 over (100 %)").wait_for(timeout=40_000)
    page.locator(".tag", has_text="Done").wait_for()
    assert "Answered" in page.get_by_role("heading", name="Outcomes").locator("..").inner_text()
    with page.expect_download() as told:
        page.get_by_role("link", name="Results as a file").click()
    assert len(told.value.path().read_text().splitlines()) == 10
    assert len(sandbox.calls()) == 9
