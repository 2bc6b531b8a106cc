"""A mistake of the sandbox's own is answered as the platform answers its own: with an ErrorBody."""

from typing import Any

import pytest

from ringonce.sandbox.desk import Desk
from ringonce.sandbox.world import World


def test_a_handler_that_breaks_is_an_error_body_and_a_line_in_the_log(
    world: World, ask: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    assert ask("GET", "/users")[0] == 200
    monkeypatch.setattr(Desk, "_admit", broken)

    status, body = ask("GET", "/users")

    assert (status, body["code"]) == (500, "internal.server.error")
    assert body["contextId"] == dict(ask.last.headers)["ININ-Correlation-Id"]
    assert "ZeroDivisionError" in caplog.text
