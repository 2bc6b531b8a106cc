"""The flat view of a callback: `GET /conversations/callbacks/{id}` and the topic `….conversations.callbacks`.

Models CallbackConversation and CallbackMediaParticipant of the official SDK, and their event twins: only events know
that a callback is scheduled.
"""

from typing import Any

from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.shapes import flat


def callback(conversation: Conversation) -> dict[str, Any]:
    """What a read answers."""
    return {
        "id": conversation.id,
        "participants": [_read(leg) for leg in conversation.of_media("callback")],
        "otherMediaUris": _calls(conversation),
        "selfUri": f"/api/v2/conversations/callbacks/{conversation.id}",
    }


def event(conversation: Conversation) -> dict[str, Any]:
    """What an event tells."""
    return {
        "id": conversation.id,
        "participants": [flat.as_told(flat.both(leg), leg) | _wish(leg) for leg in conversation.of_media("callback")],
        "otherMediaUris": _calls(conversation),
        "address": conversation.address,
    }


def _calls(conversation: Conversation) -> list[str]:
    return [f"/api/v2/conversations/calls/{conversation.id}"] if conversation.has("call") else []


def _read(leg: Participant) -> dict[str, Any]:
    shape = flat.with_references(flat.both(leg), leg) | _wish(leg)
    if leg.state == "scheduled":
        shape["state"] = "none"
    return shape


def _wish(leg: Participant) -> dict[str, Any]:
    wanted = leg.callback
    if wanted is None:
        return {}
    shape: dict[str, Any] = {
        "callbackNumbers": wanted.numbers,
        "callbackUserName": wanted.user_name,
        "skipEnabled": False,
        "externalCampaign": False,
        "timeoutSeconds": 0,
    }
    if wanted.due:
        shape["callbackScheduledTime"] = wanted.due
    return shape
