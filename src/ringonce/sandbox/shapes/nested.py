"""The nested view: `GET /conversations/{id}` and the topic `v2.users.{id}.conversations`.

Models Conversation, Participant and Call of the official SDK, and their event twins: events have no segments,
no start times and no selfUri.
"""

import functools
from collections.abc import Mapping
from typing import Any

from ringonce.sandbox.conversation import RINGING_STATES, Callback, Conversation, Participant, Segment
from ringonce.sandbox.shapes.flat import (
    EVENT_DISCONNECT_TYPES,
    LARGEST_CONFERENCE,
    add_timeouts,
    add_wrapup,
    provider,
    wrapup,
)

# The carrier's side of the trunk, as the raw address of a telephone number shows it.
_TRUNK = "10.0.0.1"
_RECORDING = {"none": "NONE", "active": "ACTIVE", "paused": "PAUSED"}
_OTHER_MEDIA = (
    "calls",
    "callbacks",
    "chats",
    "cobrowsesessions",
    "emails",
    "messages",
    "internalMessages",
    "screenshares",
    "socialExpressions",
    "videos",
)
_NO_OTHER_MEDIA: dict[str, tuple[()]] = dict.fromkeys(_OTHER_MEDIA, ())


def conversation(whole: Conversation) -> dict[str, Any]:
    """What a read answers. A call of the tutorial's wire has the tutorial's `status` beside the platform's fields."""
    shape: dict[str, Any] = {
        "id": whole.id,
        "startTime": whole.started,
        "address": whole.address,
        "participants": [_read(leg) for leg in whole.participants],
        "recordingState": _RECORDING[whole.recording_state],
        "securePause": whole.secure_pause,
        "divisions": [],
        "selfUri": f"/api/v2/conversations/{whole.id}",
    }
    if whole.ended:
        shape["endTime"] = whole.ended
    if whole.external_tag:
        shape["externalTag"] = whole.external_tag
    if whole.conference:
        shape["maxParticipants"] = LARGEST_CONFERENCE
    if whole.wire == "tutorial":
        shape["status"] = status(whole)
    return shape


def event(whole: Conversation) -> dict[str, Any]:
    """What an event tells."""
    shape: dict[str, Any] = {
        "id": whole.id,
        "participants": [_told(leg) for leg in whole.participants],
        "recordingState": whole.recording_state,
        "address": whole.address,
        "securePause": whole.secure_pause,
    }
    if whole.external_tag:
        shape["externalTag"] = whole.external_tag
    return shape


def status(whole: Conversation) -> str:
    """The tutorial's one word for a call: queued, initiated, ringing, connected, disconnected or failed."""
    if whole.ended:
        given_up = whole.participants[0].disconnect_type == "client"
        return "disconnected" if whole.answered or given_up else "failed"
    if whole.answered:
        return "connected"
    if len(whole.participants) == 1:
        return "queued"
    return "ringing" if any(leg.state in RINGING_STATES for leg in whole.live()) else "initiated"


def _read(leg: Participant) -> dict[str, Any]:
    shape = _party(leg)
    shape["startTime"] = leg.started
    shape["participantType"] = (
        "External" if leg.purpose in {"external", "customer"} else _INTERNAL.get(leg.purpose, "Internal")
    )
    shape["ani"] = leg.ani
    shape["dnis"] = leg.dnis
    if leg.ani_name:
        shape["aniName"] = leg.ani_name
    if leg.user_id:
        shape["userUri"] = f"/api/v2/users/{leg.user_id}"
    if leg.queue_name:
        shape["queueName"] = leg.queue_name
    line = _line(leg)
    line["segments"] = [_segment(each) for each in leg.segments]
    if leg.alerted:
        line["startAlertingTime"] = leg.alerted
    if leg.disconnect_type:
        line["disconnectType"] = leg.disconnect_type
    if leg.fault is not None:
        line["errorInfo"] = {"message": leg.fault.message, "code": leg.fault.code}
    if leg.consult_object:
        shape["consultParticipantId"] = leg.consult_object
    shape["calls" if leg.callback is None else "callbacks"] = [line]
    return shape


def _told(leg: Participant) -> dict[str, Any]:
    shape = _party(leg)
    line = _line(leg)
    if leg.disconnect_type:
        line["disconnectType"] = EVENT_DISCONNECT_TYPES.get(leg.disconnect_type, leg.disconnect_type)
    if leg.fault is not None:
        line["errorInfo"] = {
            "status": 400,
            "code": leg.fault.code,
            "message": leg.fault.message,
            "messageWithParams": leg.fault.message,
            "messageParams": {},
        }
    if leg.consult_object:
        shape["consultParticipantId"] = leg.consult_object
    shape["calls" if leg.callback is None else "callbacks"] = [line]
    return shape


_INTERNAL = {"acd": "ACD", "ivr": "IVR"}


def _party(leg: Participant) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": leg.id,
        "purpose": leg.purpose,
        "address": leg.address,
        "wrapupRequired": leg.wrapup_required,
        "mediaRoles": ["full"],
        "attributes": leg.attributes,
        **_NO_OTHER_MEDIA,
    }
    if leg.name:
        shape["name"] = leg.name
    if leg.user_id:
        shape["userId"] = leg.user_id
    if leg.queue_id:
        shape["queueId"] = leg.queue_id
    if leg.external_contact_id:
        shape["externalContactId"] = leg.external_contact_id
    if leg.connected:
        shape["connectedTime"] = leg.connected
    if leg.ended:
        shape["endTime"] = leg.ended
    add_timeouts(shape, leg)
    add_wrapup(shape, leg)
    return shape


def _line(leg: Participant) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": leg.call_id,
        "state": leg.state,
        "initialState": leg.initial_state,
        "direction": leg.direction,
        "held": leg.held,
        "provider": provider(leg),
        "afterCallWork": _after_call_work(leg),
        "afterCallWorkRequired": leg.wrapup_required,
    }
    if leg.connected:
        shape["connectedTime"] = leg.connected
    if leg.ended:
        shape["disconnectedTime"] = leg.ended
    if leg.held_since:
        shape["startHoldTime"] = leg.held_since
    if leg.peer_id:
        shape["peerId"] = leg.peer_id
    if leg.wrapup is not None:
        shape["wrapup"] = wrapup(leg.wrapup)
    return shape | (_of_a_call(leg) if leg.callback is None else _of_a_callback(leg.callback))


def _of_a_call(leg: Participant) -> dict[str, Any]:
    calls_out = leg.user_id and leg.direction == "outbound"
    shape: dict[str, Any] = {
        "recording": leg.recording,
        "recordingState": leg.recording_state,
        "muted": leg.muted,
        "confined": leg.confined,
        "securePause": False,
        "disconnectReasons": [],
        "self": _address(leg.address, leg.name),
        "other": _address(leg.dnis if calls_out else leg.ani, ""),
    }
    if leg.uui_data:
        shape["uuiData"] = leg.uui_data
    if leg.reason is not None:
        shape["disconnectReasons"].append({"type": "sip", "code": leg.reason.code, "phrase": leg.reason.phrase})
    return shape


def _of_a_callback(callback: Callback) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "callbackNumbers": callback.numbers,
        "callbackUserName": callback.user_name,
        "skipEnabled": False,
        "externalCampaign": False,
        "timeoutSeconds": 0,
    }
    if callback.due:
        shape["callbackScheduledTime"] = callback.due
    if callback.script_id:
        shape["scriptId"] = callback.script_id
    if callback.caller_id:
        shape["callerId"] = callback.caller_id
    if callback.caller_name:
        shape["callerIdName"] = callback.caller_name
    return shape


def _after_call_work(leg: Participant) -> dict[str, Any]:
    if not leg.acw_started:
        return {}
    shape = {"startTime": leg.acw_started, "state": "pending"}
    if leg.acw_ended:
        shape["endTime"] = leg.acw_ended
        shape["state"] = "skipped" if leg.wrapup_skipped else "complete"
    return shape


@functools.lru_cache(maxsize=8_192)
def _address(raw: str, name: str) -> Mapping[str, str]:
    number = raw.removeprefix("tel:")
    shape = {
        "nameRaw": name,
        "addressNormalized": raw,
        "addressRaw": f"sip:{number}@{_TRUNK};user=phone" if raw.startswith("tel:") else raw,
        "addressDisplayable": number.removeprefix("sip:").partition(";")[0],
    }
    if name:
        shape["name"] = name
    return shape


def _segment(part: Segment) -> dict[str, str]:
    shape = {"startTime": part.start, "type": part.type}
    if part.end:
        shape["endTime"] = part.end
    if part.how_ended:
        shape["howEnded"] = part.how_ended
    if part.disconnect_type:
        shape["disconnectType"] = part.disconnect_type
    return shape
