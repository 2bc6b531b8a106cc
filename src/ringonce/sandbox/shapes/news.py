"""What topics tell of a user or a queue: the official SDK's models of presence, routing, station and summary events."""

from typing import Any

from ringonce.sandbox.directory import Seat, Work
from ringonce.sandbox.org import Org, User
from ringonce.sandbox.presences import SYSTEM_PRESENCES


def presence(seat: Seat) -> dict[str, Any]:
    """Model PresenceEventUserPresence. Events spell a system presence in capitals, as reads do not."""
    return {
        "source": "PURECLOUD",
        "presenceDefinition": _definition(seat),
        "primary": True,
        "message": seat.message,
        "modifiedDate": seat.present_since,
    }


def routing_status(user_id: str, seat: Seat) -> dict[str, Any]:
    """Model UserRoutingStatusUserRoutingStatus."""
    return {"id": user_id, "routingStatus": _status(seat)}


def activity(user_id: str, seat: Seat, active_queue_ids: list[str]) -> dict[str, Any]:
    """Model AgentActivityChangedTopicAgentActivity."""
    return {
        "id": user_id,
        "routingStatus": _status(seat),
        "presence": {
            "presenceDefinition": _definition(seat),
            "presenceMessage": seat.message,
            "modifiedDate": seat.present_since,
        },
        "activeQueueIds": active_queue_ids,
    }


def station(user: User, seat: Seat, org: Org) -> dict[str, Any]:
    """Model UserStationChangeTopicUserStations; without a station there is nothing in it."""
    phone = org.stations.get(seat.station_id)
    if phone is None:
        return {}
    return {"associatedStation": {"id": phone.id, "name": phone.name, "associatedUser": {"id": user.id}}}


def summary(user_id: str, work: dict[tuple[str, str], Work]) -> dict[str, Any]:
    """Model UserConversationsEventUserConversationSummary, and its twin for reads."""

    def count(medium: str) -> dict[str, Any]:
        kinds = [kind for (_, each), kind in work.items() if each == medium]
        return {
            "contactCenter": {"active": kinds.count("queue"), "acw": kinds.count("acw")},
            "enterprise": {"active": kinds.count("own"), "acw": 0},
        }

    nothing = {"contactCenter": {"active": 0, "acw": 0}, "enterprise": {"active": 0, "acw": 0}}
    others = dict.fromkeys(("email", "message", "chat", "socialExpression", "video"), nothing)
    return {
        "userId": user_id,
        "call": count("call"),
        "callback": count("callback"),
        **others,
    }


def call_forwarding(user_id: str, seat: Seat) -> dict[str, Any]:
    """Model CallForwardingEventCallForwarding."""
    kept = seat.forwarding
    if kept is None:
        return {"user": {"id": user_id}, "enabled": False, "calls": []}
    return {
        "user": {"id": user_id},
        "enabled": kept.enabled,
        "calls": [{"targets": [{"type": kind, "value": value} for kind, value in route]} for route in kept.routes],
        "voicemail": kept.voicemail,
        "modifiedDate": kept.modified,
    }


def queue_member(queue_id: str, user_id: str, *, joined: bool) -> dict[str, Any]:
    """Model QueueUserEventTopicQueueMember."""
    return {"id": user_id, "user": {"id": user_id}, "queueId": queue_id, "joined": joined}


def _definition(seat: Seat) -> dict[str, str]:
    name = SYSTEM_PRESENCES[seat.presence_id]
    return {"id": seat.presence_id, "systemPresence": name.upper().replace(" ", "_")}


def _status(seat: Seat) -> dict[str, str]:
    return {"status": seat.status, "startTime": seat.status_since}
