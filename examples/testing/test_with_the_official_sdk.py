"""How a program that uses the official SDK (PureCloudPlatformClientV2) is tested: `pytest examples/testing`."""

from typing import Any

import pytest

from ringonce.sandbox import Sandbox

sdk: Any = pytest.importorskip("PureCloudPlatformClientV2")
ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


@pytest.fixture
def conversations(ringonce_sandbox: Sandbox) -> Any:
    """The SDK's calls, signed in. Its login host is its API host here, and it is told of no port."""
    client = sdk.ApiClient(host=ringonce_sandbox.url)
    client.get_client_credentials_token("your_client_id", "your_client_secret")
    return sdk.ConversationsApi(client)


@pytest.mark.ringonce_sandbox(clock="manual")
def test_a_call_connects_once_both_have_answered(ringonce_sandbox: Sandbox, conversations: Any) -> None:
    placed = conversations.post_conversations_calls_user_user_id(ADA, {"phoneNumber": "+15559870000"})
    ringonce_sandbox.advance(5)

    call = conversations.get_conversations_call(placed.id)

    assert [leg.state for leg in call.participants] == ["connected", "connected"]


def test_the_sdk_repeats_a_create_whose_answer_is_lost(ringonce_sandbox: Sandbox, conversations: Any) -> None:
    """Eleven calls for one: the person called rings all the time."""
    ringonce_sandbox.fault(method="POST", path="/api/v2/conversations/calls*", action="drop_after")

    with pytest.raises(Exception, match="Max retries"):
        conversations.post_conversations_calls_user_user_id(ADA, {"phoneNumber": "+15559870000"})

    assert len(ringonce_sandbox.calls()) == 11  # noqa: PLR2004
