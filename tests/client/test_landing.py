"""Where a browser comes back to: a page on this machine, and words for whoever has no browser."""

import asyncio
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request
import webbrowser
from collections.abc import Callable

import pytest

from ringonce import AuthorizationCode, ConfigError
from ringonce.client.landing import consent
from ringonce.client.wishes import Consent, Landing

URL = "https://login.example/oauth/authorize?client_id=x"
HERE = "http://127.0.0.1/callback"
STATE = "the-state"


@pytest.fixture(autouse=True)
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def browse(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], object]], None]:
    """Have something stand in for the browser; it is given the redirect URI."""

    def browse(come_back: Callable[[str], object]) -> None:
        def opened(url: str) -> bool:
            come_back(urllib.parse.unquote(url.partition("redirect_uri=")[2]))
            return True

        monkeypatch.setenv("BROWSER", "a browser")
        monkeypatch.setattr(webbrowser, "open", opened)

    return browse


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as page:  # noqa: S310  # loopback
        text: str = page.read().decode()
        return text


def test_the_browser_comes_back_to_a_free_port_with_what_it_was_given(
    browse: Callable[[Callable[[str], object]], None],
) -> None:
    pages = []
    browse(lambda uri: pages.append(get(f"{uri}?code=c%20d&state={STATE}")))

    landing = asyncio.run(consent(Consent(URL, HERE, STATE, 10)))

    assert landing.query == {"code": "c d", "state": STATE}
    assert landing.redirect_uri.startswith("http://127.0.0.1:")
    assert landing.redirect_uri.endswith("/callback")


def test_other_pages_and_empty_answers_are_not_taken(browse: Callable[[Callable[[str], object]], None]) -> None:
    codes = []

    def wander(uri: str) -> None:
        for where in (uri.replace("callback", "favicon.ico"), uri, f"{uri}?code="):
            try:
                get(where)
            except urllib.error.HTTPError as error:
                with error:
                    codes.append(error.code)
        get(f"{uri}?error=access_denied&state={STATE}")

    browse(wander)
    landing = asyncio.run(consent(Consent(URL, HERE, STATE, 10)))

    assert codes == [404, 404, 404]
    assert landing.query == {"error": "access_denied", "state": STATE}


@pytest.mark.parametrize(
    "answer", ["code=stolen&state=another", "code=stolen", "error=access_denied&state=", "error=e&state=%F0%9F%90%A7"]
)
def test_an_answer_to_another_question_is_passed_over_and_the_wait_goes_on(
    browse: Callable[[Callable[[str], object]], None], answer: str
) -> None:
    pages, wandered = [], threading.Event()

    def wander(uri: str) -> None:
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(f"{uri}?{answer}")
        with refused.value as page:
            pages.append((page.code, page.read().decode()))
        pages.append((200, get(f"{uri}?code=ours&state={STATE}")))
        wandered.set()

    browse(wander)
    landing = asyncio.run(consent(Consent(URL, HERE, STATE, 10)))

    assert wandered.wait(60)
    [(refused, words), (_, taken)] = pages
    assert refused == 400
    assert "passed this answer over" in words
    assert "has your answer" in taken
    assert landing.query["code"] == "ours"
    assert landing.foreign == 1


def test_without_a_browser_the_address_is_shown_and_the_wait_ends(capsys: pytest.CaptureFixture[str]) -> None:
    landing = asyncio.run(consent(Consent(URL, HERE, STATE, 0.01)))

    assert landing.query == {}
    shown = capsys.readouterr()
    assert f"{URL}&redirect_uri=http%3A%2F%2F127.0.0.1%3A" in shown.err
    assert shown.out == ""


def test_a_browser_that_fails_to_open_is_no_error(
    browse: Callable[[Callable[[str], object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: str) -> None:
        raise webbrowser.Error("no browser")

    browse(fail)

    assert asyncio.run(consent(Consent(URL, HERE, STATE, 0.05))).query == {}
    assert URL in capsys.readouterr().err


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=str(port)) as caught:
            asyncio.run(consent(Consent(URL, f"http://localhost:{port}/", STATE, 1)))

    assert "without a port" in caught.value.fix


def test_a_connection_that_says_nothing_holds_nobody_up(browse: Callable[[Callable[[str], object]], None]) -> None:
    silent = []

    def connect_twice(uri: str) -> None:
        silent.append(socket.create_connection(("127.0.0.1", int(uri.rpartition(":")[2].partition("/")[0]))))
        get(f"{uri}?code=c&state={STATE}")

    browse(connect_twice)
    landing = asyncio.run(consent(Consent(URL, HERE, STATE, 5)))
    silent[0].close()

    assert landing.query


def test_what_came_back_shows_no_code() -> None:
    assert "a-secret-code" not in repr(Landing(HERE, {"code": "a-secret-code"}))


@pytest.mark.skipif(not socket.has_ipv6, reason="the machine has no IPv6")
def test_the_browser_comes_back_by_ipv6_where_that_is_what_the_client_registered(
    browse: Callable[[Callable[[str], object]], None],
) -> None:
    AuthorizationCode("client", redirect_uri="http://[::1]/callback")
    browse(lambda uri: get(f"{uri}?code=x&state={STATE}"))

    landing = asyncio.run(consent(Consent(URL, "http://[::1]/callback", STATE, 10)))

    assert landing.query == {"code": "x", "state": STATE}
    assert landing.redirect_uri.startswith("http://[::1]:")
