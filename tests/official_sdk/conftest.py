"""The official SDK, kept away from this machine's settings, and a sandbox that it takes for the platform."""

import contextlib
import json
import os
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from ringonce.sandbox import Sandbox

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
ROADS = ("through a gateway", "through a plain host")


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


@pytest.fixture(params=ROADS)
def road(request: pytest.FixtureRequest) -> str:
    """How a user of the SDK tells it where the platform is."""
    way: str = request.param
    return way


@pytest.fixture
def make_client(sdk: Any, road: str) -> Iterator[Callable[[str], Any]]:
    """Make an SDK client for a base URL. It fails on any enum value that the SDK's models do not know."""
    made = []

    def make(url: str) -> Any:
        if road == "through a gateway":
            client = sdk.ApiClient()
            parts = urllib.parse.urlsplit(url)
            client.set_gateway(parts.hostname, parts.scheme, parts.port, "/sign-in", "/genesys/cloud")
        else:
            client = sdk.ApiClient(host=url)
        client.deserialize = _strict(client.deserialize)
        made.append(client)
        return client

    yield make
    for client in made:
        client.get_http_client().rest_client.pool_manager.clear()


def _strict(deserialize: Callable[..., Any]) -> Callable[..., Any]:
    def read(response: Any, response_type: str) -> Any:
        thing = deserialize(response, response_type)
        # What the SDK's setters put where a value is not in their list.
        assert "outdated_sdk_version" not in repr(thing)
        return thing

    return read


@pytest.fixture
def client(sandbox: Sandbox, make_client: Callable[[str], Any]) -> Any:
    """A service that has signed in."""
    return make_client(sandbox.url).get_client_credentials_token("your_client_id", "your_client_secret")


@pytest.fixture
def adas_client(sandbox: Sandbox, make_client: Callable[[str], Any]) -> Any:
    """A program that Ada has signed in to."""
    client = make_client(sandbox.url)
    client.access_token = sandbox.do(lambda world: world.issue_user_token(ADA))
    return client


@pytest.fixture
def conversations(sdk: Any, client: Any) -> Any:
    """The conversations of the org, as a service sees them."""
    return sdk.ConversationsApi(client)


@pytest.fixture
def place(sdk: Any, conversations: Any) -> Callable[..., str]:
    """Place a call for Ada to +1555987 and the digits, and give its id."""

    def post(digits: str = "6543", **fields: Any) -> str:
        body = sdk.CreateCallRequest()
        body.phone_number = f"+1555987{digits}"
        for name, value in fields.items():
            setattr(body, name, value)
        conversation_id: str = conversations.post_conversations_calls_user_user_id(ADA, body).id
        return conversation_id

    return post


@pytest.fixture
def talking(sandbox: Sandbox, place: Callable[..., str]) -> Callable[..., str]:
    """Place a call that is answered and goes on until somebody hangs up."""

    def answered(**fields: Any) -> str:
        conversation_id = place("0000", **fields)
        sandbox.advance(5)
        return conversation_id

    return answered


@pytest.fixture
def refused(sdk: Any) -> Callable[[int, str], AbstractContextManager[None]]:
    """Expect a refusal with this status and this code, in the platform's ErrorBody."""

    @contextlib.contextmanager
    def expect(status: int, code: str) -> Iterator[None]:
        with pytest.raises(sdk.rest.ApiException) as caught:
            yield
        error = caught.value
        body = json.loads(error.body)
        assert (error.status, body["status"], body["code"]) == (status, status, code)
        assert body["contextId"] == error.headers["ININ-Correlation-Id"]

    return expect
