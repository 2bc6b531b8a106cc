"""Changing a running call with the SDK, and that both views show it afterwards."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from ringonce.sandbox import Sandbox

pytestmark = pytest.mark.official_sdk

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
Refused = Callable[[int, str], AbstractContextManager[None]]


@pytest.fixture(params=["for whoever asks", "on behalf of the agent"])
def change(request: pytest.FixtureRequest, sdk: Any, conversations: Any, sandbox: Sandbox) -> Callable[..., None]:
    """Change the agent's leg by either of the two endpoints, and let it happen."""

    def patch(conversation_id: str, participant_id: str, **fields: Any) -> None:
        body = sdk.MediaParticipantRequest()
        for name, value in fields.items():
            setattr(body, name, value)
        if request.param == "for whoever asks":
            conversations.patch_conversations_call_participant(conversation_id, participant_id, body)
        else:
            conversations.patch_conversations_call_participant_user_user_id(conversation_id, participant_id, ADA, body)
        sandbox.advance(1)

    return patch


@pytest.fixture
def legs(conversations: Any) -> Callable[[str], list[Any]]:
    """The participants of a call, flat."""

    def read(conversation_id: str) -> list[Any]:
        participants: list[Any] = conversations.get_conversations_call(conversation_id).participants
        return participants

    return read


@pytest.fixture
def calls(conversations: Any) -> Callable[[str], list[Any]]:
    """The same participants' calls, nested."""

    def read(conversation_id: str) -> list[Any]:
        return [party.calls[0] for party in conversations.get_conversation(conversation_id).participants]

    return read


def test_muting(
    talking: Callable[..., str],
    change: Callable[..., None],
    legs: Callable[[str], list[Any]],
    calls: Callable[[str], list[Any]],
) -> None:
    conversation_id = talking()
    agent = legs(conversation_id)[0].id

    change(conversation_id, agent, muted=True)
    assert [leg.muted for leg in legs(conversation_id)] == [True, False]
    assert [call.muted for call in calls(conversation_id)] == [True, False]

    change(conversation_id, agent, muted=False)
    assert [leg.muted for leg in legs(conversation_id)] == [False, False]
    assert [call.muted for call in calls(conversation_id)] == [False, False]


def test_holding_confines_the_far_end(
    talking: Callable[..., str],
    change: Callable[..., None],
    legs: Callable[[str], list[Any]],
    calls: Callable[[str], list[Any]],
) -> None:
    conversation_id = talking()
    agent = legs(conversation_id)[0].id

    change(conversation_id, agent, held=True)
    assert [(leg.held, leg.confined) for leg in legs(conversation_id)] == [(True, False), (False, True)]
    assert [(call.held, call.confined) for call in calls(conversation_id)] == [(True, False), (False, True)]
    assert legs(conversation_id)[0].start_hold_time == calls(conversation_id)[0].start_hold_time is not None

    change(conversation_id, agent, held=False)
    assert [(leg.held, leg.confined) for leg in legs(conversation_id)] == [(False, False), (False, False)]
    assert [(call.held, call.confined) for call in calls(conversation_id)] == [(False, False), (False, False)]


def test_nothing_has_changed_when_the_answer_comes(
    sdk: Any,
    conversations: Any,
    talking: Callable[..., str],
    legs: Callable[[str], list[Any]],
) -> None:
    conversation_id, body = talking(), sdk.MediaParticipantRequest()
    body.muted = True

    conversations.patch_conversations_call_participant(conversation_id, legs(conversation_id)[0].id, body)

    assert legs(conversation_id)[0].muted is False


def test_a_call_that_rings_cannot_be_held(
    place: Callable[..., str], change: Callable[..., None], legs: Callable[[str], list[Any]], refused: Refused
) -> None:
    conversation_id = place("0009")

    with refused(400, "conversation.error.hold.alerting"):
        change(conversation_id, legs(conversation_id)[0].id, held=True)


def test_a_participant_of_no_such_call(
    talking: Callable[..., str], change: Callable[..., None], refused: Refused
) -> None:
    with refused(404, "conversation.error.not.conversation.participant"):
        change(talking(), ADA, muted=True)


@pytest.mark.parametrize("way", ["the call", "the conversation", "deleting it", "the agent's leg", "the communication"])
def test_every_way_to_hang_up(
    sdk: Any,
    conversations: Any,
    sandbox: Sandbox,
    talking: Callable[..., str],
    legs: Callable[[str], list[Any]],
    calls: Callable[[str], list[Any]],
    way: str,
) -> None:
    conversation_id = talking()
    agent, line = legs(conversation_id)[0].id, calls(conversation_id)[0].id
    whole, leg = sdk.Conversation(), sdk.MediaParticipantRequest()
    whole.state = leg.state = "disconnected"

    match way:
        case "the call":
            conversations.patch_conversations_call(conversation_id, whole)
        case "the conversation":
            conversations.post_conversation_disconnect(conversation_id)
        case "deleting it":
            conversations.delete_conversation(conversation_id)
        case "the agent's leg":
            conversations.patch_conversations_call_participant(conversation_id, agent, leg)
        case _:
            conversations.patch_conversations_call_participant_communication(conversation_id, agent, line, leg)
    assert sandbox.calls()[0]["state"] == "connected"
    sandbox.advance(1)

    assert [each.state for each in legs(conversation_id)] == ["terminated", "terminated"]
    by_system = way == "the conversation"
    assert [each.disconnect_type for each in calls(conversation_id)] == ["system" if by_system else "client", "peer"]
    assert sandbox.calls()[0]["state"] == "ended"


def test_a_call_can_be_hung_up_before_anybody_answered(
    sdk: Any, conversations: Any, sandbox: Sandbox, place: Callable[..., str], legs: Callable[[str], list[Any]]
) -> None:
    conversation_id, body = place("0009"), sdk.Conversation()
    body.state = "disconnected"

    conversations.patch_conversations_call(conversation_id, body)
    sandbox.advance(5)

    assert [(leg.state, leg.disconnect_type) for leg in legs(conversation_id)] == [("terminated", "client")]
    assert sandbox.calls()[0]["rang"] is False


def test_a_call_that_has_ended_cannot_be_changed(
    talking: Callable[..., str],
    conversations: Any,
    sandbox: Sandbox,
    change: Callable[..., None],
    legs: Callable[[str], list[Any]],
    refused: Refused,
) -> None:
    conversation_id = talking()
    conversations.delete_conversation(conversation_id)
    sandbox.advance(1)

    with refused(400, "conversation.error.call.disconnected"):
        change(conversation_id, legs(conversation_id)[0].id, muted=True)


def test_a_blind_transfer_to_a_colleague(
    sdk: Any,
    client: Any,
    conversations: Any,
    sandbox: Sandbox,
    talking: Callable[..., str],
    legs: Callable[[str], list[Any]],
) -> None:
    [grace] = [each for each in sdk.UsersApi(client).get_users().entities if each.email == "grace@example.com"]
    conversation_id, body = talking(), sdk.TransferRequest()
    body.user_id, body.transfer_type = grace.id, "Unattended"

    conversations.post_conversations_call_participant_replace(conversation_id, legs(conversation_id)[0].id, body)
    sandbox.advance(3)

    ada, customer, colleague = legs(conversation_id)
    assert (ada.state, ada.disconnect_type) == ("terminated", "transfer")
    assert (customer.state, colleague.state, colleague.user.id) == ("connected", "connected", grace.id)


def test_a_transfer_of_a_call_that_is_not_connected(
    sdk: Any, conversations: Any, place: Callable[..., str], legs: Callable[[str], list[Any]], refused: Refused
) -> None:
    conversation_id, body = place("0009"), sdk.TransferRequest()
    body.address = "+15559870000"

    with refused(400, "conversations.error.transfer.not.connected"):
        conversations.post_conversations_call_participant_replace(conversation_id, legs(conversation_id)[0].id, body)


def test_digits_reach_the_call(
    sdk: Any, conversations: Any, sandbox: Sandbox, talking: Callable[..., str], legs: Callable[[str], list[Any]]
) -> None:
    conversation_id, body = talking(), sdk.Digits()
    body.digits = "12#"

    conversations.post_conversation_participant_digits(conversation_id, legs(conversation_id)[0].id, body=body)
    sandbox.advance(1)

    assert sandbox.calls()[0]["digits"] == "12#"


def test_recording_is_paused_and_resumed(
    sdk: Any, conversations: Any, sandbox: Sandbox, talking: Callable[..., str]
) -> None:
    conversation_id, body = talking(), sdk.Conversation()
    shown = []

    for state in ("ACTIVE", "PAUSED"):
        body.recording_state = state
        conversations.patch_conversations_call(conversation_id, body)
        sandbox.advance(1)
        flat = conversations.get_conversations_call(conversation_id)
        shown.append((flat.recording_state, conversations.get_conversation(conversation_id).recording_state))

    assert shown == [("active", "ACTIVE"), ("paused", "PAUSED")]


def test_attributes_and_a_tag_can_be_added(
    sdk: Any,
    conversations: Any,
    sandbox: Sandbox,
    talking: Callable[..., str],
    legs: Callable[[str], list[Any]],
) -> None:
    conversation_id, body, tag = (
        talking(attributes={"crm": "4711"}),
        sdk.ParticipantAttributes(),
        sdk.ConversationTagsUpdate(),
    )
    body.attributes, tag.external_tag = {"result": "sold"}, "order-1"

    conversations.patch_conversations_call_participant_attributes(conversation_id, legs(conversation_id)[1].id, body)
    conversations.put_conversation_tags(conversation_id, tag)
    sandbox.advance(1)

    assert legs(conversation_id)[1].attributes == {"crm": "4711", "result": "sold"}
    assert conversations.get_conversation(conversation_id).external_tag == "order-1"


def test_after_call_work_lasts_until_a_code_is_filed(
    sdk: Any,
    client: Any,
    conversations: Any,
    sandbox: Sandbox,
    talking: Callable[..., str],
    legs: Callable[[str], list[Any]],
    calls: Callable[[str], list[Any]],
    refused: Refused,
) -> None:
    [sales] = sdk.RoutingApi(client).get_routing_queues(name="Sales").entities
    conversation_id = talking(call_from_queue_id=sales.id)
    agent, line = legs(conversation_id)[0].id, calls(conversation_id)[0].id
    conversations.delete_conversation(conversation_id)
    sandbox.advance(1)
    assert (legs(conversation_id)[0].wrapup_required, legs(conversation_id)[0].wrapup_prompt) == (True, "mandatory")

    choices = conversations.get_conversations_call_participant_wrapupcodes(conversation_id, agent)
    [sale] = [code for code in choices if code.name == "Sale"]
    with refused(400, "conversation.error.wrapup.code.required"):
        conversations.post_conversations_call_participant_communication_wrapup(
            conversation_id, agent, line, body=sdk.WrapupInput()
        )
    filed = sdk.WrapupInput()
    filed.code, filed.notes = sale.id, "two of them"
    conversations.post_conversations_call_participant_communication_wrapup(conversation_id, agent, line, body=filed)
    sandbox.advance(1)

    shown = conversations.get_conversations_call_participant_wrapup(conversation_id, agent)
    assert (shown.code, shown.notes) == (sale.id, "two of them")
    assert legs(conversation_id)[0].wrapup_required is False
    assert legs(conversation_id)[0].wrapup.code == sale.id
