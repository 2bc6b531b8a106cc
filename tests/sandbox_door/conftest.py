import os
from collections.abc import Callable, Iterator

import pytest
import requests

from ringonce.sandbox import Sandbox

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox in which time stands still until a test moves it."""
    with Sandbox(clock="manual") as running:
        yield running


@pytest.fixture
def bearer(sandbox: Sandbox) -> dict[str, str]:
    """The headers of a service that has signed in."""
    answer = requests.post(
        f"{sandbox.url}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=("your_client_id", "your_client_secret"),
        timeout=60,
    )
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture
def place(sandbox: Sandbox, bearer: dict[str, str]) -> Callable[..., requests.Response]:
    """Place a call for Ada, with one POST and no second thought."""

    def post(to: str = "+15559870000", *, prefix: str = "", timeout: float = 120) -> requests.Response:
        url = f"{sandbox.url}{prefix}/api/v2/conversations/calls/user/{ADA}"
        return requests.post(url, json={"phoneNumber": to}, headers=bearer, timeout=timeout)

    return post
