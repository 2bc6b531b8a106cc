"""A call in its user's history: model CallHistoryConversation of the official SDK."""

from typing import Any

from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.org import Org


def call(whole: Conversation, org: Org, user_id: str) -> dict[str, Any]:
    """One entry, as the user sees it: who called whom, and whether they missed it."""
    mine = [leg for leg in whole.participants if leg.user_id == user_id]
    direction = mine[0].direction
    return {
        "id": whole.id,
        "participants": [_party(leg, org) for leg in whole.participants],
        "direction": direction,
        "wentToVoicemail": any(leg.purpose == "voicemail" for leg in whole.participants),
        "missedCall": direction == "inbound" and not any(leg.connected for leg in mine),
        "startTime": whole.started,
        "wasConference": whole.conference,
        "wasCallback": whole.has("callback"),
        "hadScreenShare": False,
        "hadCobrowse": False,
        "wasOutboundCampaign": False,
        "selfUri": f"/api/v2/conversations/calls/{whole.id}",
    }


def _party(leg: Participant, org: Org) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": leg.id,
        "address": leg.address,
        "startTime": leg.started,
        "purpose": leg.purpose,
        "direction": leg.direction,
        "ani": leg.ani,
        "dnis": leg.dnis,
        "didInteract": bool(leg.connected),
        "sipResponseCodes": [leg.reason.code] if leg.reason else [],
    }
    if leg.name:
        shape["name"] = leg.name
    if leg.ended:
        shape["endTime"] = leg.ended
        shape["disconnectType"] = leg.disconnect_type
    if leg.user_id:
        shape["user"] = {"id": leg.user_id, "name": leg.name, "selfUri": f"/api/v2/users/{leg.user_id}"}
    if leg.queue_id:
        queue = org.queues[leg.queue_id]
        shape["queue"] = {"id": queue.id, "name": queue.name, "selfUri": f"/api/v2/routing/queues/{queue.id}"}
    return shape
