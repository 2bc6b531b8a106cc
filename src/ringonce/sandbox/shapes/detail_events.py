"""Detail events: one for each beginning and end in a conversation. Models *DetailEventTopic* of the official SDK."""

import datetime as dt
from typing import Any, Final

from ringonce.sandbox.conversation import Conversation, Participant, Segment
from ringonce.sandbox.shapes.people import HOME_DIVISION

KIND_OF_PURPOSE: Final = {
    "agent": "user",
    "user": "user",
    "customer": "customer",
    "external": "customer",
    "acd": "acd",
    "voicemail": "voicemail",
}
"""What the topics call a participant; any other purpose has none here."""

_DURATIONS: Final = {
    "interactingDurationMs": "Interact",
    "heldDurationMs": "Hold",
    "alertingDurationMs": "Alert",
    "contactingDurationMs": "Contacting",
    "dialingDurationMs": "Dialing",
}
# Ends that are not the read's word in capitals.
_ENDS: Final = {
    "endpoint.donotdisturb": "DND_ENDPOINT",
    "transfer.donotdisturb": "DND_TRANSFER",
    "transfer.conference": "CONFERENCE_TRANSFER",
    "transfer.consult": "CONSULT_TRANSFER",
    "transfer.forward": "FORWARD_TRANSFER",
    "transfer.noanswer": "NO_ANSWER_TRANSFER",
    "transfer.notavailable": "NOT_AVAILABLE_TRANSFER",
}


def milliseconds(moment: str) -> int:
    """An ISO-8601 moment as epoch milliseconds, which detail events count in."""
    return round(dt.datetime.fromisoformat(moment).timestamp() * 1000)


def start(whole: Conversation, leg: Participant) -> dict[str, Any]:
    """A participant begins."""
    shape = _leg(whole, leg, leg.started)
    kind = KIND_OF_PURPOSE[leg.purpose]
    if kind in {"acd", "user", "voicemail"}:
        shape["divisionId"] = HOME_DIVISION["id"]
    return shape


def end(whole: Conversation, leg: Participant) -> dict[str, Any]:
    """A participant ends, with how long each part of it took."""
    shape = start(whole, leg) | {
        "eventTime": milliseconds(leg.ended),
        "disconnectType": _ENDS.get(leg.disconnect_type, leg.disconnect_type.upper().replace(".", "_")),
    }
    lasted = {field: _lasted(leg.segments, type_) for field, type_ in _DURATIONS.items()}
    match KIND_OF_PURPOSE[leg.purpose]:
        case "user":
            shape |= lasted
        case "customer":
            shape["interactingDurationMs"] = lasted["interactingDurationMs"]
        case "acd":
            shape |= {"connectedDurationMs": lasted["interactingDurationMs"], "acdOutcome": _acd_outcome(whole, leg)}
        case _:
            shape["voicemailDurationMs"] = lasted["interactingDurationMs"]
    return shape


def wrapup(whole: Conversation, leg: Participant) -> dict[str, Any]:
    """A wrap-up is filed."""
    shape = _leg(whole, leg, leg.wrapup.at if leg.wrapup else leg.ended)
    shape.pop("userId", None)
    return shape | _filed(leg)


def after_call_work(whole: Conversation, leg: Participant) -> dict[str, Any]:
    """After-call work is done."""
    return _leg(whole, leg, leg.acw_ended) | _filed(leg)


def contact(whole: Conversation, leg: Participant) -> dict[str, Any]:
    """A far end is linked to an external contact."""
    return _leg(whole, leg, leg.started)


def attributes(whole: Conversation, leg: Participant, now: str) -> dict[str, Any]:
    """A participant has other attributes than before."""
    return {
        "eventTime": milliseconds(now),
        "conversationId": whole.id,
        "participantId": leg.id,
        "attributes": dict(leg.attributes),
        "communications": [{"id": leg.call_id, "mediaType": "CALLBACK" if leg.callback else "VOICE"}],
        "participantStartTime": milliseconds(leg.started),
    }


def _leg(whole: Conversation, leg: Participant, at: str) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "eventTime": milliseconds(at),
        "conversationId": whole.id,
        "participantId": leg.id,
        "sessionId": leg.call_id,
        "mediaType": "CALLBACK" if leg.callback else "VOICE",
        "provider": "PureCloud Callback" if leg.callback else "Edge",
        "direction": leg.direction.upper(),
        "ani": leg.ani,
        "dnis": leg.dnis,
    }
    kind = KIND_OF_PURPOSE[leg.purpose]
    if kind in {"user", "voicemail"} and leg.user_id:
        shape["userId"] = leg.user_id
    if kind != "customer" and leg.queue_id:
        shape["queueId"] = leg.queue_id
    if kind == "customer" and leg.external_contact_id:
        shape["externalContactId"] = leg.external_contact_id
    return shape


def _filed(leg: Participant) -> dict[str, Any]:
    filed = leg.wrapup
    if filed is None:
        return {}
    shape: dict[str, Any] = {"wrapupDurationMs": filed.seconds * 1000}
    if filed.code is not None:
        shape["wrapupCode"] = filed.code
    if filed.notes is not None:
        shape["wrapupNotes"] = filed.notes
    return shape


def _lasted(segments: list[Segment], type_: str) -> int:
    return sum(
        milliseconds(part.end) - milliseconds(part.start) for part in segments if part.type == type_ and part.end
    )


def _acd_outcome(whole: Conversation, leg: Participant) -> str:
    answered = any(
        each.queue_id == leg.queue_id and each.purpose == "agent" and each.connected and each.started >= leg.started
        for each in whole.participants
    )
    return "ANSWERED" if answered else "ABANDON"
