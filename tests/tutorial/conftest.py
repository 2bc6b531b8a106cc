"""The tutorial's wire, spoken with `requests` alone: its paths, headers, forms and bodies, and nothing more."""

import base64
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from ringonce.sandbox import Sandbox

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
CALLER_ID, CUSTOMER = "+15551234567", "+15559876543"
FINAL = ("connected", "disconnected", "failed")
PATIENCE = 60
"""Seconds that a request may take."""


class OutboundCaller:
    """All that the tutorial's script knows of the platform: sign in, ring, look. RuntimeError for a refusal."""

    def __init__(self, origin: str, client_id: str, client_secret: str) -> None:
        self.base_url, self.token_url = f"{origin}/api/v2", f"{origin}/oauth/token"
        self.client_id, self.client_secret = client_id, client_secret
        self.access_token = ""

    def authenticate(self, scope: str = "conversation:call:write") -> None:
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        answer = requests.post(
            self.token_url,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {basic}"},
            data={"grant_type": "client_credentials", "scope": scope},
            timeout=PATIENCE,
        )
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code} - {answer.text}")
        self.access_token = answer.json()["access_token"]

    def post(self, body: Any) -> requests.Response:
        """Send a body to where calls are made, and give whatever comes back."""
        if not self.access_token:
            self.authenticate()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.access_token}"}
        return requests.post(f"{self.base_url}/conversations/calls", headers=headers, json=body, timeout=PATIENCE)

    def make_call(self, from_user_id: str = ADA, from_number: str = CALLER_ID, to_number: str = CUSTOMER) -> str:
        answer = self.post(
            {
                "from": {"id": from_user_id, "phoneNumber": from_number},
                "to": {"phoneNumber": to_number},
                "type": "pstn",
            }
        )
        if answer.status_code != 201:
            raise RuntimeError(f"{answer.status_code} - {answer.text}")
        conversation_id: str = answer.json()["id"]
        return conversation_id

    def get_call_status(self, conversation_id: str) -> dict[str, Any]:
        if not self.access_token:
            self.authenticate()
        headers = {"Authorization": f"Bearer {self.access_token}"}
        url = f"{self.base_url}/conversations/{conversation_id}"
        answer = requests.get(url, headers=headers, timeout=PATIENCE)
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code} - {answer.text}")
        shown: dict[str, Any] = answer.json()
        return shown

    def poll(self, conversation_id: str, sandbox: Sandbox, times: int = 10, every: float = 2) -> list[str]:
        """Look again and again until the call is no longer on its way; give every status seen."""
        seen: list[str] = []
        while len(seen) < times:
            seen.append(self.get_call_status(conversation_id)["status"])
            if seen[-1] in FINAL:
                break
            sandbox.advance(every)
        return seen


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
def make_caller(sandbox: Sandbox) -> Callable[..., OutboundCaller]:
    """Write the script with another id or secret."""
    return functools.partial(OutboundCaller, sandbox.url)


@pytest.fixture
def caller(make_caller: Callable[..., OutboundCaller]) -> OutboundCaller:
    """The script with the tutorial's own id and secret."""
    return make_caller("your_client_id", "your_client_secret")
