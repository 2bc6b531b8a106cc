"""What becomes of one call when its answer is lost: eleven with the official SDK, one with ringonce."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ringonce import Client, ClientCredentials, Placed
from ringonce.sandbox import Sandbox

pytestmark = pytest.mark.official_sdk

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
CREATE = {"method": "POST", "path": "/api/v2/conversations/calls*"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that does not stand still: what ringonce looks for comes to pass while it looks."""
    with Sandbox(speed=20) as running:
        yield running


@pytest.fixture
def ring_once(sandbox: Sandbox) -> Iterator[Callable[[], Placed]]:
    """Place a call with ringonce."""
    auth = ClientCredentials("your_client_id", "your_client_secret")
    with Client(base_url=sandbox.url, auth=auth) as genesys:
        yield lambda: genesys.place_call(agent="ada@example.com", to="+15559876543", intent="crm-4711")


def creates(sandbox: Sandbox) -> int:
    """How many times a request for a call has arrived."""
    path = f"/api/v2/conversations/calls/user/{ADA}"
    return sum(entry["method"] == "POST" and entry["path"].endswith(path) for entry in sandbox.requests())


@pytest.mark.parametrize("action", ["drop_after", "truncate"])
def test_one_call_of_the_sdk_becomes_eleven(place: Callable[..., str], sandbox: Sandbox, action: str) -> None:
    sandbox.fault(**CREATE, action=action)
    lost = pytest.importorskip("urllib3").exceptions.MaxRetryError

    with pytest.raises(lost):
        place()

    assert len(sandbox.calls()) == 11
    assert {call["to"] for call in sandbox.calls()} == {"+15559876543"}
    assert creates(sandbox) == 11


def test_the_sdk_calls_twice_where_one_answer_is_lost(place: Callable[..., str], sandbox: Sandbox) -> None:
    sandbox.fault(**CREATE, action="drop_after", times=1)

    told = place()

    first, second = (call["conversationId"] for call in sandbox.calls())
    assert told == second != first


def test_a_busy_platform_hears_the_sdk_eleven_times(sdk: Any, place: Callable[..., str], sandbox: Sandbox) -> None:
    sandbox.fault(**CREATE, action="late_status", status=503, retry_after=0)

    with pytest.raises(sdk.rest.ApiException) as caught:
        place()

    assert caught.value.status == 503
    assert len(sandbox.calls()) == 11


@pytest.mark.parametrize("action", ["drop_after", "truncate"])
def test_one_call_of_ringonce_stays_one(ring_once: Callable[[], Placed], sandbox: Sandbox, action: str) -> None:
    sandbox.fault(**CREATE, action=action)

    placed = ring_once()

    [call] = sandbox.calls()
    assert (placed.conversation_id, placed.adopted) == (call["conversationId"], True)
    assert "crm-4711" in call["attributes"].values()
    sandbox.advance(600)
    assert len(sandbox.calls()) == creates(sandbox) == 1


def test_a_call_that_is_created_late_is_waited_for(ring_once: Callable[[], Placed], sandbox: Sandbox) -> None:
    sandbox.fault(**CREATE, action="create_late", delay_s=2)

    placed = ring_once()

    sandbox.advance(600)
    [call] = sandbox.calls()
    assert (placed.conversation_id, placed.adopted) == (call["conversationId"], True)
    assert creates(sandbox) == 1


def test_the_same_intent_again_is_the_same_call(ring_once: Callable[[], Placed], sandbox: Sandbox) -> None:
    sandbox.fault(**CREATE, action="drop_after")
    first = ring_once()

    again = ring_once()

    assert (again.conversation_id, again.replayed) == (first.conversation_id, True)
    assert len(sandbox.calls()) == creates(sandbox) == 1
