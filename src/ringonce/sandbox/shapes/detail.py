"""A conversation as analytics tells it: model AnalyticsConversationWithoutAttributes of the official SDK.

Analytics has spellings of its own: `voice`, lower-case segment types, camel-case disconnect types.
"""

import re
from typing import Any

from ringonce.sandbox.conversation import Conversation, Participant, Segment

_SEGMENT_TYPES = {"Contacting": "contacting", "Dialing": "dialing", "Interact": "interact", "Hold": "hold"}
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
        "conversationInitiator": whole.agent.purpose,
        "originatingDirection": "outbound",
        "divisionIds": [],
        "participants": [_party(leg) for leg in whole.participants],
    }
    if whole.ended:
        shape["conversationEnd"] = whole.ended
    if whole.external_tag:
        shape["externalTag"] = whole.external_tag
    return shape


def _party(leg: Participant) -> dict[str, Any]:
    session: dict[str, Any] = {
        "mediaType": "voice",
        "sessionId": leg.call_id,
        "ani": leg.ani,
        "dnis": leg.dnis,
        "direction": leg.direction,
        "provider": "Edge",
        "remote": _SCHEME.sub("", leg.dnis),
        "recording": leg.recording,
        "segments": [_segment(each, leg) for each in leg.segments],
    }
    if leg.peer_id:
        session["peerId"] = leg.peer_id
    shape: dict[str, Any] = {"participantId": leg.id, "purpose": leg.purpose, "sessions": [session]}
    if leg.name:
        shape["participantName"] = leg.name
    if leg.user_id:
        shape["userId"] = leg.user_id
    return shape


def _segment(part: Segment, leg: Participant) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "segmentStart": part.start,
        "segmentType": _SEGMENT_TYPES.get(part.type, "unknown"),
        "conference": False,
    }
    if part.end:
        shape["segmentEnd"] = part.end
    if leg.queue_id:
        shape["queueId"] = leg.queue_id
    if part.disconnect_type:
        shape["disconnectType"] = _DISCONNECT_TYPES.get(part.disconnect_type, part.disconnect_type)
        if leg.reason is not None:
            shape["sipResponseCodes"] = [leg.reason.code]
        if leg.fault is not None:
            shape["errorCode"] = leg.fault.code
    return shape
