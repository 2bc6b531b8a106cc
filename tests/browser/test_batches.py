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


def answered_never(route: Any) -> None:
    route.fetch()
    route.abort()


def test_a_file_whose_answer_was_lost_is_not_taken_in_twice_whatever_is_set_or_chosen_since(
    page: Any, tmp_path: Path, service: Service
) -> None:
    file = tmp_path / "unkeyed.csv"
    file.write_text("agent,to\nada@example.com,+1 555 987 6543\nada@example.com,+1 555 987 6544\n")
    go(page, "batches", "Batches")
    page.locator("input[type=file]").set_input_files(file)
    take = page.get_by_role("button", name="Take in 2 rows")
    take.wait_for()
    page.route(lambda url: "/v1/batches?" in url and "dry_run" not in url, answered_never, times=1)
    take.click()
    page.get_by_text("Press again: it is the same batch").wait_for()

    page.get_by_text("Settings for the whole file").click()
    page.get_by_label("Calls a minute").fill("7")
    page.wait_for_timeout(700)
    take.click()
    page.get_by_text("stands for another file, or for other settings").wait_for()
    page.get_by_role("link", name="See what was taken in of it").click()
    page.get_by_role("heading", name="unkeyed.csv").wait_for()

    assert len(service.ask("GET", "/v1/batches").json()["batches"]) == 1


def test_the_same_file_chosen_once_more_is_the_same_batch(page: Any, tmp_path: Path, service: Service) -> None:
    for _ in range(2):
        go(page, "batches", "Batches")
        chosen(page, tmp_path, "twice.csv", ",ada@example.com,+1 555 987 6543")
        page.get_by_role("button", name="Take in 1 row").click()
        page.get_by_role("heading", name="twice.csv").wait_for()

    assert len(service.ask("GET", "/v1/batches").json()["batches"]) == 1


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
