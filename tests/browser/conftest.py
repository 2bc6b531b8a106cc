"""A real, headless Chromium in front of a service that dials a sandbox. `make browser` runs what is here."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ringonce.sandbox import Sandbox
from service_web.conftest import Service

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000.0
WIDE = {"width": 1440, "height": 900}
Visiting = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "there is no Chromium; `make browser` says how to get one"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, speed=4, agents=20) as running:
        yield running


@pytest.fixture
def opening(sandbox: Sandbox, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Open a service on SQLite; every one is closed in the end."""
    with ExitStack() as stack:

        def open_one(**options: Any) -> Service:
            service = Service(f"sqlite:///{tmp_path}/service.db", sandbox, **options)
            stack.callback(service.close)
            return service

        yield open_one


@pytest.fixture
def service(opening: Callable[..., Service]) -> Service:
    """A service that dials."""
    return opening(dialling=True)


@pytest.fixture
def visiting(browser: Any) -> Iterator[Visiting]:
    """Open a page in a browser of its own; what the page's scripts get wrong fails the test."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def visit(url: str = "", **options: Any) -> Any:
        context = browser.new_context(viewport=options.pop("viewport", WIDE), **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        if url:
            page.goto(url)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def page(visiting: Visiting, service: Service) -> Any:
    """An admin's page."""
    return signed_in(visiting(service.url), service.admin)


def signed_in(page: Any, token: str) -> Any:
    page.get_by_label("API token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Now", exact=True).wait_for()
    return page


def go(page: Any, view: str, title: str) -> None:
    page.goto(f"{page.url.partition('#')[0]}#/{view}")
    page.get_by_role("heading", name=title, level=1).wait_for()
