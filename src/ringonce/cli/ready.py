"""`ringonce ready`: whether a service would dial."""

import os
import time
import typing
import urllib.error
import urllib.parse
import urllib.request

import click

from ringonce.cli.menu import NOT_AS_ASKED
from ringonce.cli.options import Seconds, answering
from ringonce.cli.words import complain, say
from ringonce.errors import ConfigError, NoAnswer, NotAuthenticated, RingonceError, Unreachable

SERVER = "http://127.0.0.1:8090"
EVERY = 0.5
PATIENCE = 10.0


@click.command(short_help="Say whether a service is ready to dial.")
@click.option("--server", metavar="URL", help=f"The service; also RINGONCE_SERVER.  [default: {SERVER}]")
@click.option("--wait", "waiting", is_flag=True, help="Wait until it is.")
@click.option("--timeout", type=Seconds(), default=60.0, show_default=True, help="Seconds to wait at the most.")
@answering
def command(*, server: str | None, waiting: bool, timeout: float) -> int:
    """Say whether a service is ready: its database, its identity on the platform, and a worker.

    It needs a token of the service, of any role, in RINGONCE_TOKEN. Exit code 0: ready; 4: not ready; 6: not reached.
    """
    url = (server or os.environ.get("RINGONCE_SERVER", "").strip() or SERVER).rstrip("/")
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        raise ConfigError(
            f"{url[:80]!r} is no web address", why="it needs http:// or https://", fix=f"such as {SERVER}"
        )
    deadline = time.monotonic() + timeout
    while True:
        missing, failure = _look(url, os.environ.get("RINGONCE_TOKEN", "").strip())
        if failure is None and not missing:
            say(f"{url} is ready")
            return 0
        if not waiting or time.monotonic() + EVERY > deadline:
            break
        time.sleep(EVERY)
    if failure is not None:
        raise failure
    complain(f"{url} is not ready", "; ".join(missing))
    return NOT_AS_ASKED


def _look(url: str, token: str) -> tuple[list[str], RingonceError | None]:
    """Give what is missing, or the error for which that can't be said."""
    import msgspec

    request = urllib.request.Request(  # noqa: S310  the scheme was looked at
        f"{url}/readyz", headers={"Authorization": f"Bearer {token}"} if token else {}
    )
    try:
        status, body = _answer(request)
    except (urllib.error.URLError, OSError) as error:
        why = str(getattr(error, "reason", error))
        return [], Unreachable(f"{url} can't be reached", why=why, fix="start it with: ringonce serve")
    if status == 401:  # noqa: PLR2004
        fix = "set RINGONCE_TOKEN to a token of the service; `ringonce token create --role viewer` makes one"
        raise NotAuthenticated(f"{url} doesn't know the token", why="it is missing, misspelt or revoked", fix=fix)
    try:
        parts: dict[str, typing.Any] = msgspec.json.decode(body, type=dict[str, typing.Any])
    except msgspec.DecodeError:
        parts = {}
    if "ready" not in parts:
        why = str(parts.get("detail") or f"it answered {status}")
        return [], NoAnswer(f"{url} can't say whether it is ready", why=why, fix="is it `ringonce serve`?")
    found = {name: part for name, part in parts.items() if isinstance(part, dict) and not part.get("ok")}
    return [f"{name}: {part.get('said', '')}" for name, part in found.items()], None


def _answer(request: urllib.request.Request) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310  the scheme was looked at
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()
