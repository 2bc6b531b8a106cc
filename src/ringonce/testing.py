"""A pytest plugin: a Genesys Cloud for your tests, with a port or without one.

    def test_a_busy_number_is_told(ringonce_sandbox):
        my_program(base_url=ringonce_sandbox.url, to="+15559870002")
        assert len(ringonce_sandbox.calls()) == 1

`ringonce_sandbox` opens no port. Whatever this process sends to its `url` by `http.client` (so by `urllib.request`), by
urllib3 (so by requests and the official SDK) or by aiohttp (so by ringonce) reaches it over a pair of sockets, as
real HTTP. `ringonce_sandbox_server` listens on a free port of loopback, for other processes and other libraries.

Installing ringonce is enough for pytest to find the plugin; it costs nothing until a test asks for a fixture.
"""

import contextlib
import difflib
import functools
import importlib.util
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from ringonce.sandbox import Sandbox

SETTINGS: Final = ("seed", "speed", "clock", "start", "agents", "org", "hostile", "rate_limit")
SPEED: Final = 20.0
_HELP: Final = {
    "seed": "throws the sandbox's dice: the same seed, the same ids, tokens and misfortunes (0)",
    "speed": f"how many times faster than life its clock runs ({SPEED:g})",
    "clock": "real, or manual: time stands still until the test calls advance() (real)",
    "start": "when world time begins, with the clock manual, as 2026-01-01T00:00:00Z (now)",
    "agents": "how many more agents there are: agent-00001@example.com and so on (0)",
    "org": "an org file, beside the project's configuration",
    "hostile": "usual, or doses such as lost_answers=0.3,throttled=0",
    "rate_limit": "requests a minute for each token; 0 lifts the limit (the org's, 300)",
}


@contextlib.contextmanager
def reachable(sandbox: "Sandbox") -> Iterator["Sandbox"]:
    """Lead whatever this process sends to a sandbox without a port (`Sandbox(port=None)`) to it, while the block lasts.

    That is what goes out by `http.client`, urllib3 and aiohttp; other hosts are reached as ever.
    """
    host = sandbox.url.partition("://")[2]
    with pytest.MonkeyPatch.context() as patch:
        # A proxy is no way to a host that does not exist.
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, ",".join(filter(None, (os.environ.get(name, ""), host))))
        for seam in (_http_client, _urllib3, _aiohttp):
            seam(patch, host, sandbox.connect)
        yield sandbox


@pytest.fixture
def ringonce_sandbox(request: pytest.FixtureRequest) -> Iterator["Sandbox"]:
    """A sandbox of its own for each test, without a port: programs of this process reach it at its `url`."""
    from ringonce.sandbox import Sandbox

    with Sandbox(port=None, **_settings(request)) as sandbox, reachable(sandbox):
        yield sandbox


@pytest.fixture
def ringonce_sandbox_server(request: pytest.FixtureRequest) -> Iterator["Sandbox"]:
    """A sandbox of its own for each test, on a free port of loopback."""
    from ringonce.sandbox import Sandbox

    with Sandbox(port=0, **_settings(request)) as sandbox:
        yield sandbox


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings that hold for all tests: `ringonce_seed` and so on."""
    for name, words in _HELP.items():
        parser.addini(f"ringonce_{name}", f"The sandbox of ringonce's fixtures: {words}", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Add the marker that changes settings for one test, class or module."""
    words = "this test's sandbox differs from the settings that ringonce_… of the configuration make"
    config.addinivalue_line("markers", f"ringonce_sandbox({', '.join(SETTINGS)}): {words}")


def _settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    settings = {"speed": SPEED, **_from_configuration(request.config)}
    for mark in reversed(list(request.node.iter_markers("ringonce_sandbox"))):
        settings |= _from_mark(mark, request.path.parent)
    return settings


def _from_configuration(config: pytest.Config) -> dict[str, Any]:
    from ringonce.sandbox.hostile import read_doses

    readers: Mapping[str, Callable[[str], Any]] = {
        "seed": int,
        "speed": float,
        "clock": str,
        "start": str,
        "agents": int,
        "org": lambda name: config.rootpath / name,
        "hostile": lambda text: read_doses("" if text in {"usual", "true"} else text),
        "rate_limit": int,
    }
    settings = {}
    for name, read in readers.items():
        text = str(config.getini(f"ringonce_{name}")).strip()
        if text:
            try:
                settings[name] = read(text)
            except ValueError:
                raise pytest.UsageError(f"ringonce_{name} = {text!r} is not understood; it is {_HELP[name]}") from None
    return settings


def _from_mark(mark: pytest.Mark, folder: Path) -> dict[str, Any]:
    if mark.args:
        raise pytest.UsageError(f"the marker ringonce_sandbox takes {', '.join(SETTINGS)}, each by its name")
    for name in mark.kwargs:
        if name not in SETTINGS:
            near = difflib.get_close_matches(name, SETTINGS, 1)
            meant = f"did you mean {near[0]}?" if near else f"it takes {', '.join(SETTINGS)}"
            raise pytest.UsageError(f"the marker ringonce_sandbox has no {name}; {meant}")
    org = mark.kwargs.get("org")
    return {**mark.kwargs, **({"org": folder / org} if isinstance(org, str) else {})}


def _http_client(patch: pytest.MonkeyPatch, host: str, connect: Callable[[], socket.socket]) -> None:
    import http.client

    elsewhere = http.client.HTTPConnection.connect

    @functools.wraps(elsewhere)
    def open_connection(self: http.client.HTTPConnection) -> None:
        if self.host != host:
            elsewhere(self)
            return
        self.sock = connect()
        if isinstance(self.timeout, int | float):
            self.sock.settimeout(self.timeout)

    patch.setattr(http.client.HTTPConnection, "connect", open_connection)


def _urllib3(patch: pytest.MonkeyPatch, host: str, connect: Callable[[], socket.socket]) -> None:
    if importlib.util.find_spec("urllib3") is None:
        return
    from urllib3.connection import HTTPConnection

    elsewhere = HTTPConnection._new_conn  # noqa: SLF001  # where every connection of urllib3 is opened

    @functools.wraps(elsewhere)
    def open_connection(self: HTTPConnection) -> socket.socket:
        return connect() if self.host == host else elsewhere(self)

    patch.setattr(HTTPConnection, "_new_conn", open_connection)


def _aiohttp(patch: pytest.MonkeyPatch, host: str, connect: Callable[[], socket.socket]) -> None:
    import aiohttp

    elsewhere = aiohttp.TCPConnector._create_connection  # noqa: SLF001  # where every connection of aiohttp is opened

    @functools.wraps(elsewhere)
    async def open_connection(self: aiohttp.TCPConnector, req: Any, *rest: Any) -> Any:
        if req.url.host != host:
            return await elsewhere(self, req, *rest)
        ours = connect()
        ours.setblocking(False)
        _, protocol = await self._loop.create_connection(self._factory, sock=ours)
        return protocol

    patch.setattr(aiohttp.TCPConnector, "_create_connection", open_connection)
