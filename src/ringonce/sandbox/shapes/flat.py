"""The flat view of a call: `GET /conversations/calls/{id}` and the topic `v2.users.{id}.conversations.calls`.

Models CallConversation and CallMediaParticipant of the official SDK, and their event twins, which differ:
events know the initial state and write references without a selfUri, reads know alerting and UUI.
"""

from typing import Any

from ringonce.sandbox.conversation import Conversation, Participant, WrapUp

# Words that events spell differently, as the official SDK's event models list them.
EVENT_DISCONNECT_TYPES = {
    "endpoint.donotdisturb": "endpoint.dnd",
    "transfer.donotdisturb": "transfer.dnd",
}


def call(conversation: Conversation) -> dict[str, Any]:
    """What a read answers."""
    return {
        "id": conversation.id,
        "participants": [_read(leg) for leg in conversation.participants],
        "otherMediaUris": [],
        "recordingState": conversation.recording_state,
        "securePause": conversation.secure_pause,
        "selfUri": f"/api/v2/conversations/calls/{conversation.id}",
    }


def event(conversation: Conversation) -> dict[str, Any]:
    """What an event tells."""
    return {
        "id": conversation.id,
        "participants": [_told(leg) for leg in conversation.participants],
        "otherMediaUris": [],
        "address": conversation.address,
        "recordingState": conversation.recording_state,
        "securePause": conversation.secure_pause,
    }


def wrapup(filed: WrapUp) -> dict[str, Any]:
    """What an agent filed, leaving out what they did not say."""
    shape: dict[str, Any] = {"durationSeconds": filed.seconds, "endTime": filed.at}
    if filed.code is not None:
        shape["code"] = filed.code
    if filed.notes is not None:
        shape["notes"] = filed.notes
    if filed.tags is not None:
        shape["tags"] = filed.tags
    return shape


def add_wrapup(shape: dict[str, Any], leg: Participant) -> None:
    """Add what came after a leg: how long its agent worked on it, and what they filed."""
    if leg.acw_started:
        shape["startAcwTime"] = leg.acw_started
    if leg.acw_ended:
        shape["endAcwTime"] = leg.acw_ended
    if leg.wrapup is not None:
        shape["wrapup"] = wrapup(leg.wrapup)


def _read(leg: Participant) -> dict[str, Any]:
    shape = _both(leg)
    if leg.alerted:
        shape["startAlertingTime"] = leg.alerted
    if leg.user_id:
        shape["user"] = {"id": leg.user_id, "selfUri": f"/api/v2/users/{leg.user_id}"}
    if leg.queue_id:
        shape["queue"] = {"id": leg.queue_id, "selfUri": f"/api/v2/routing/queues/{leg.queue_id}"}
    if leg.external_contact_id:
        contact = leg.external_contact_id
        shape["externalContact"] = {"id": contact, "selfUri": f"/api/v2/externalcontacts/contacts/{contact}"}
    if leg.disconnect_type:
        shape["disconnectType"] = leg.disconnect_type
    if leg.fault is not None:
        shape["errorInfo"] = {"message": leg.fault.message, "code": leg.fault.code}
    if leg.uui_data:
        shape["uuiData"] = leg.uui_data
    return shape


def _told(leg: Participant) -> dict[str, Any]:
    shape = _both(leg)
    shape["initialState"] = leg.initial_state
    if leg.user_id:
        shape["user"] = {"id": leg.user_id, "name": leg.name}
    if leg.queue_id:
        shape["queue"] = {"id": leg.queue_id}
    if leg.external_contact_id:
        shape["externalContact"] = {"id": leg.external_contact_id}
    if leg.disconnect_type:
        shape["disconnectType"] = EVENT_DISCONNECT_TYPES.get(leg.disconnect_type, leg.disconnect_type)
    if leg.fault is not None:
        shape["errorInfo"] = {
            "message": leg.fault.message,
            "code": leg.fault.code,
            "messageWithParams": leg.fault.message,
            "messageParams": {},
            "details": [],
            "errors": [],
        }
    return shape


def _both(leg: Participant) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": leg.id,
        "address": leg.address,
        "startTime": leg.started,
        "purpose": leg.purpose,
        "state": leg.state,
        "direction": leg.direction,
        "held": leg.held,
        "muted": leg.muted,
        "confined": leg.confined,
        "recording": leg.recording,
        "recordingState": "active" if leg.recording else "none",
        "securePause": False,
        "wrapupRequired": leg.wrapup_required,
        "mediaRoles": ["full"],
        "attributes": leg.attributes,
        "provider": "Edge",
        "ani": leg.ani,
        "dnis": leg.dnis,
    }
    if leg.name:
        shape["name"] = leg.name
    if leg.connected:
        shape["connectedTime"] = leg.connected
    if leg.ended:
        shape["endTime"] = leg.ended
    if leg.held_since:
        shape["startHoldTime"] = leg.held_since
    if leg.wrapup_prompt:
        shape["wrapupPrompt"] = leg.wrapup_prompt
    if leg.peer_id:
        shape["peer"] = leg.peer_id
    if leg.wrapup_skipped:
        shape["wrapupSkipped"] = True
    add_wrapup(shape, leg)
    return shape
