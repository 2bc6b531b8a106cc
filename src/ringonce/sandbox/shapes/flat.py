"""The flat view of a call: `GET /conversations/calls/{id}` and the topic `v2.users.{id}.conversations.calls`.

Models CallConversation and CallMediaParticipant of the official SDK, and their event twins, which differ:
events know the initial state and write references without a selfUri, reads know alerting and UUI.
"""

from typing import Any

from ringonce.sandbox.conversation import Conversation, Participant, WrapUp

LARGEST_CONFERENCE = 100
# Words that events spell differently, as the official SDK's event models list them.
EVENT_DISCONNECT_TYPES = {
    "endpoint.donotdisturb": "endpoint.dnd",
    "transfer.donotdisturb": "transfer.dnd",
}


def call(conversation: Conversation) -> dict[str, Any]:
    """What a read answers."""
    return {
        "id": conversation.id,
        "participants": [_read(leg) for leg in conversation.of_media("call")],
        "otherMediaUris": _other_media(conversation, "callback"),
        "recordingState": conversation.recording_state,
        "securePause": conversation.secure_pause,
        "selfUri": f"/api/v2/conversations/calls/{conversation.id}",
        **_conference(conversation),
    }


def event(conversation: Conversation) -> dict[str, Any]:
    """What an event tells."""
    return {
        "id": conversation.id,
        "participants": [_told(leg) for leg in conversation.of_media("call")],
        "otherMediaUris": _other_media(conversation, "callback"),
        "address": conversation.address,
        "recordingState": conversation.recording_state,
        "securePause": conversation.secure_pause,
        **_conference(conversation),
    }


def _other_media(conversation: Conversation, media: str) -> list[str]:
    return [f"/api/v2/conversations/{media}s/{conversation.id}"] if conversation.has(media) else []


def _conference(conversation: Conversation) -> dict[str, int]:
    return {"maxParticipants": LARGEST_CONFERENCE} if conversation.conference else {}


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


def provider(leg: Participant) -> str:
    """Who carries a leg."""
    return "Edge" if leg.callback is None else "PureCloud Callback"


def add_timeouts(shape: dict[str, Any], leg: Participant) -> None:
    """Add how long a leg may ring, what is expected after it, and whether somebody has complained of it."""
    if leg.flagged:
        shape["flaggedReason"] = leg.flagged
    if leg.alerting_timeout:
        shape["alertingTimeoutMs"] = round(leg.alerting_timeout * 1000)
    if leg.wrapup_prompt:
        shape["wrapupPrompt"] = leg.wrapup_prompt
    if leg.wrapup_timeout:
        shape["wrapupTimeoutMs"] = round(leg.wrapup_timeout * 1000)


def add_wrapup(shape: dict[str, Any], leg: Participant) -> None:
    """Add what came after a leg: how long its agent worked on it, and what they filed."""
    if leg.acw_started:
        shape["startAcwTime"] = leg.acw_started
    if leg.acw_ended:
        shape["endAcwTime"] = leg.acw_ended
    if leg.wrapup is not None:
        shape["wrapup"] = wrapup(leg.wrapup)


def _read(leg: Participant) -> dict[str, Any]:
    shape = with_references(both(leg), leg)
    shape |= _of_a_call(leg)
    if leg.uui_data:
        shape["uuiData"] = leg.uui_data
    return shape


def with_references(shape: dict[str, Any], leg: Participant) -> dict[str, Any]:
    """Add what only a read tells: references with their addresses, and how a leg ended in a read's words."""
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
    return shape


def _told(leg: Participant) -> dict[str, Any]:
    return as_told(both(leg), leg) | _of_a_call(leg)


def as_told(shape: dict[str, Any], leg: Participant) -> dict[str, Any]:
    """Add what only an event tells: the initial state, bare references, and how a leg ended in an event's words."""
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


def _of_a_call(leg: Participant) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "muted": leg.muted,
        "confined": leg.confined,
        "recording": leg.recording,
        "recordingState": leg.recording_state,
        "securePause": False,
        "ani": leg.ani,
        "dnis": leg.dnis,
    }
    if leg.consult_object:
        shape["consultParticipantId"] = leg.consult_object
    return shape


def both(leg: Participant) -> dict[str, Any]:
    """What reads and events tell of a leg of any medium."""
    shape: dict[str, Any] = {
        "id": leg.id,
        "address": leg.address,
        "startTime": leg.started,
        "purpose": leg.purpose,
        "state": leg.state,
        "direction": leg.direction,
        "held": leg.held,
        "wrapupRequired": leg.wrapup_required,
        "mediaRoles": ["full"],
        "attributes": leg.attributes,
        "provider": provider(leg),
    }
    if leg.name:
        shape["name"] = leg.name
    if leg.connected:
        shape["connectedTime"] = leg.connected
    if leg.ended:
        shape["endTime"] = leg.ended
    if leg.held_since:
        shape["startHoldTime"] = leg.held_since
    if leg.peer_id:
        shape["peer"] = leg.peer_id
    if leg.wrapup_skipped:
        shape["wrapupSkipped"] = True
    add_timeouts(shape, leg)
    add_wrapup(shape, leg)
    return shape
