"""A conversation as analytics tells it: model AnalyticsConversationWithoutAttributes of the official SDK.

Analytics has spellings of its own: `voice`, lower-case segment types, camel-case disconnect types.
"""

import re
from typing import Any

from ringonce.sandbox.conversation import Conversation, Participant, Segment
from ringonce.sandbox.shapes.flat import provider

_SEGMENT_TYPES = {
    "Alert": "alert",
    "Contacting": "contacting",
    "Dialing": "dialing",
    "Interact": "interact",
    "Hold": "hold",
    "Scheduled": "scheduled",
}
_DISCONNECT_TYPES = {
    "transport.failure": "transportFailure",
    "transfer.noanswer": "noAnswerTransfer",
    "transfer.conference": "conferenceTransfer",
    "transfer.consult": "consultTransfer",
    "transfer.forward": "forwardTransfer",
    "transfer.notavailable": "notAvailableTransfer",
    "transfer.donotdisturb": "dndTransfer",
    "endpoint.donotdisturb": "dndEndpoint",
}
_SCHEME = re.compile(r"^(tel|sip):")


def conversation(whole: Conversation) -> dict[str, Any]:
    """One conversation. A running one has no conversationEnd."""
    shape: dict[str, Any] = {
        "conversationId": whole.id,
        "conversationStart": whole.started,
        "conversationInitiator": whole.participants[0].purpose,
        "originatingDirection": "outbound",
        "divisionIds": [],
        "participants": [_party(leg, conference=whole.conference) for leg in whole.participants],
    }
    if whole.ended:
        shape["conversationEnd"] = whole.ended
    if whole.external_tag:
        shape["externalTag"] = whole.external_tag
    return shape


def media_type(leg: Participant) -> str:
    """What a leg is, in analytics' words."""
    return "voice" if leg.callback is None else "callback"


def remote(leg: Participant) -> str:
    """Whom a leg leads to."""
    return _SCHEME.sub("", leg.dnis)


def segment_type(part: Segment) -> str:
    """What a stretch of a leg's life is, in analytics' words."""
    return _SEGMENT_TYPES.get(part.type, "unknown")


def disconnect_type(part: Segment) -> str:
    """How a stretch ended its leg, in analytics' words; empty if it did not."""
    return _DISCONNECT_TYPES.get(part.disconnect_type, part.disconnect_type)


def _party(leg: Participant, *, conference: bool) -> dict[str, Any]:
    session: dict[str, Any] = {
        "mediaType": media_type(leg),
        "sessionId": leg.call_id,
        "ani": leg.ani,
        "dnis": leg.dnis,
        "direction": leg.direction,
        "provider": provider(leg),
        "remote": remote(leg),
        "recording": leg.recording,
        "segments": [_segment(each, leg, conference=conference) for each in leg.segments],
    }
    if leg.callback is not None:
        session["callbackNumbers"] = leg.callback.numbers
        session["callbackUserName"] = leg.callback.user_name
        if leg.callback.due:
            session["callbackScheduledTime"] = leg.callback.due
    if leg.acw_ended:
        session["segments"].append(_wrapup(leg))
    if leg.peer_id:
        session["peerId"] = leg.peer_id
    shape: dict[str, Any] = {"participantId": leg.id, "purpose": leg.purpose, "sessions": [session]}
    if leg.name:
        shape["participantName"] = leg.name
    if leg.user_id:
        shape["userId"] = leg.user_id
    return shape


def _wrapup(leg: Participant) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "segmentStart": leg.acw_started,
        "segmentEnd": leg.acw_ended,
        "segmentType": "wrapup",
        "conference": False,
    }
    if leg.queue_id:
        shape["queueId"] = leg.queue_id
    if leg.wrapup is not None and leg.wrapup.code:
        shape["wrapUpCode"] = leg.wrapup.code
    if leg.wrapup is not None and leg.wrapup.notes:
        shape["wrapUpNote"] = leg.wrapup.notes
    return shape


def _segment(part: Segment, leg: Participant, *, conference: bool) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "segmentStart": part.start,
        "segmentType": segment_type(part),
        "conference": conference,
    }
    if part.end:
        shape["segmentEnd"] = part.end
    if leg.queue_id:
        shape["queueId"] = leg.queue_id
    if part.disconnect_type:
        shape["disconnectType"] = disconnect_type(part)
        if leg.reason is not None:
            shape["sipResponseCodes"] = [leg.reason.code]
        if leg.fault is not None:
            shape["errorCode"] = leg.fault.code
    return shape
