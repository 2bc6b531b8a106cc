"""Signing in and out at the page, and what becomes of it when the token or the server goes."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from browser.conftest import Visiting, signed_in
from ringonce.service.access import Role
from service_web.conftest import Service

pytestmark = pytest.mark.browser


def test_a_wrong_token_is_told_and_the_cookie_of_a_good_one_is_out_of_reach_of_scripts(
    visiting: Visiting, service: Service
) -> None:
    page = visiting(service.url)
    page.get_by_label("API token").fill("ro_guessed")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("The token is not known here").wait_for()

    signed_in(page, service.admin)

    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    assert service.admin not in cookie["value"]
    assert page.evaluate("document.cookie") == ""
    assert service.admin not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")


def test_one_who_signs_out_is_out_in_every_tab(page: Any) -> None:
    second = page.context.new_page()
    second.goto(page.url)
    second.get_by_role("heading", name="Now", exact=True).wait_for()

    page.get_by_role("button", name="Sign out").click()

    page.get_by_role("heading", name="Sign in to ringonce").wait_for()
    second.get_by_role("heading", name="Sign in to ringonce").wait_for()
    assert page.context.cookies() == []


def test_the_session_dies_with_its_token_and_the_page_says_so(visiting: Visiting, service: Service) -> None:
    token = service.token(Role.DIALER)
    page = signed_in(visiting(service.url), token)
    made = service.ask("GET", "/v1/tokens").json()["tokens"][-1]

    service.ask("DELETE", f"/v1/tokens/{made['id']}")

    page.get_by_text("You are signed out").wait_for()
    page.get_by_text("its token was revoked").wait_for()


@contextmanager
def serving(port: int, state: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    command = [sys.executable, "-m", "ringonce.cli", "serve", "--sandbox", "--json", "--port", str(port)]
    environ = os.environ | {"RINGONCE_STATE_DIR": str(state), "RINGONCE_SECRETS": "file"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environ, text=True, stdout=pipe, stderr=subprocess.DEVNULL) as server:  # noqa: S603  # our own
        try:
            assert server.stdout
            yield server, json.loads(server.stdout.readline())
        finally:
            server.kill()


def test_a_first_run_has_life_by_one_press_and_outlives_a_killed_server(visiting: Visiting, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving(port, tmp_path) as (server, ready):
        page = signed_in(visiting(ready["url"]), ready["token"])
        page.get_by_text("Nothing real rings").wait_for()
        page.get_by_role("button", name="Place 40 sample calls").click()
        page.get_by_role("row", name="Connected").first.wait_for()

        server.kill()
        page.locator(".notice", has_text="Connection lost, retrying").wait_for()
        assert page.get_by_role("row").count() > 1

    with serving(port, tmp_path):
        page.locator(".notice", has_text="Connection lost, retrying").wait_for(state="hidden", timeout=40_000)
        page.locator("[data-link=live]").wait_for()
        page.get_by_role("link", name="Batches").click()
        page.get_by_role("heading", name="Sample calls").wait_for()
