"""Changing a call. Everything here is checked now and happens a moment later."""

import re

import msgspec

from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.desk.conferencing import merge_into
from ringonce.sandbox.desk.legs import communication, conversation, no_participant, participant, reachable
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.desk.wrapup import CODE_REQUIRED, Filed, file_by
from ringonce.sandbox.shapes import nested
from ringonce.sandbox.shapes.problems import bad_request, invalid_value

DISCONNECT = ("conversation:communication:disconnect",)
CHANGE_PARTICIPANT = (
    "conversation:participant:wrapup",
    "conversation:call:record",
    "conversation:communication:disconnect",
)
TAG = ("conversation:externalTag:edit",)
RECORDING = ("conversation:recording:pauseOthers",)
RECORDING_STATES = ("none", "active", "paused")
_DIGITS = re.compile(r"[0-9A-Da-d*#,]{1,64}")


class Change(msgspec.Struct, rename="camel"):
    """A change of a whole call: the fields of the official SDK's model Conversation that the platform heeds."""

    state: str | None = None
    recording_state: str | None = None
    conversation_ids: list[str] | None = None


class LegChange(msgspec.Struct, rename="camel"):
    """The official SDK's model MediaParticipantRequest."""

    wrapup: Filed | None = None
    state: str | None = None
    recording: bool | None = None
    muted: bool | None = None
    confined: bool | None = None
    held: bool | None = None
    wrapup_skipped: bool | None = None


class Attributes(msgspec.Struct):
    """The official SDK's model ParticipantAttributes."""

    attributes: dict[str, str] | None = None


class UuiData(msgspec.Struct, rename="camel"):
    """The official SDK's model SetUuiDataRequest."""

    uui_data: str | None = None


class Tones(msgspec.Struct):
    """The official SDK's model Digits."""

    digits: str | None = None


class Tag(msgspec.Struct, rename="camel"):
    """The official SDK's model ConversationTagsUpdate."""

    external_tag: str | None = None


def change_call(visit: Visit, conversation_id: str) -> Answer:
    """Disconnect everybody, change the recording, or merge other calls into this one."""
    whole = reachable(visit, conversation_id, "call")
    change = visit.read(Change)
    if change.state is None and change.recording_state is None:
        if change.conversation_ids is None:
            words = "Nothing is to be changed: give state, recordingState or conversationIds."
            raise bad_request(words, field="state")
        merge_into(visit, whole, change.conversation_ids)
    if change.recording_state is not None:
        _set_recording(visit, whole, change.recording_state)
    if change.state is not None:
        if change.state != "disconnected":
            raise invalid_value("state", change.state, ["disconnected"])
        disconnect_all(visit, whole, "client")
    return 202, nested.conversation(whole)


def change_participant(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Hold, mute, record, wrap up or end one leg."""
    whole = reachable(visit, conversation_id)
    return change_leg(visit, visit.token.user_id, whole, participant(whole, participant_id))


def change_participant_for(visit: Visit, conversation_id: str, participant_id: str, user_id: str) -> Answer:
    """The same on behalf of a user in the call."""
    whole = conversation(visit, conversation_id)
    found(visit.world.org.users, user_id, "a user")
    if user_id not in whole.user_ids():
        raise no_participant()
    return change_leg(visit, user_id, whole, participant(whole, participant_id))


def change_leg(visit: Visit, user_id: str, whole: Conversation, leg: Participant) -> Answer:
    """Do to a leg what the body says, for a user or, without one, for a service."""
    change = visit.read(LegChange)
    control = visit.world.control
    _check(change, leg)
    if change.wrapup is not None:
        file_by(visit, user_id, whole, leg, change.wrapup)
    if change.wrapup_skipped:
        control.skip_wrap_up(whole, leg)
    for on, act in (
        (change.held, control.hold),
        (change.muted, control.mute),
        (change.confined, control.confine),
        (change.recording, control.record),
    ):
        if on is not None:
            act(whole, leg, on)
    if change.state == "connected":
        control.pick_up(whole, leg)
    if change.state == "disconnected":
        control.hang_up(whole, leg)
    return 202, None


def _check(change: LegChange, leg: Participant) -> None:
    """Refuse what a leg cannot do now. `connected` is always accepted, but only a ringing phone can obey it."""
    if change.state not in {None, "connected", "disconnected"}:
        raise invalid_value("state", change.state, ["connected", "disconnected"])
    asked_of_a_live_leg = (change.state, change.held, change.muted, change.confined, change.recording)
    if not leg.live and any(each is not None for each in asked_of_a_live_leg):
        raise bad_request("The call is already disconnected.", code="conversation.error.call.disconnected")
    if change.held and leg.state != "connected":
        raise bad_request("An alerting call cannot be placed on hold.", code="conversation.error.hold.alerting")
    if change.wrapup_skipped and leg.wrapup_prompt in CODE_REQUIRED:
        words = "The wrap-up of this call is mandatory and cannot be skipped."
        raise bad_request(words, code="conversation.error.wrapup.cannot.skip", field="wrapupSkipped")


def change_attributes(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Set attributes of a participant, and answer what they will be."""
    whole = conversation(visit, conversation_id)
    leg = participant(whole, participant_id)
    changes = visit.read(Attributes).attributes
    if changes is None:
        raise bad_request("attributes is required.", field="attributes", code="required.field.missing")
    after = {**leg.attributes, **changes}
    visit.world.control.attributes(whole, leg, changes)
    return 202, {"attributes": after}


def change_attributes_silently(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """The same below `/conversations`, which answers nothing."""
    return change_attributes(visit, conversation_id, participant_id)[0], None


def change_communication(visit: Visit, conversation_id: str, participant_id: str, communication_id: str) -> Answer:
    """End one leg by its communication."""
    whole = reachable(visit, conversation_id)
    leg = communication(whole, participant_id, communication_id)
    change = visit.read(LegChange)
    if change.state is None:
        raise bad_request("state is required.", field="state", code="communication.state.required")
    if change.state != "disconnected":
        raise invalid_value("state", change.state, ["disconnected"])
    if not leg.live:
        raise bad_request("The call is already disconnected.", code="conversation.error.call.disconnected")
    visit.world.control.hang_up(whole, leg)
    return 200, {}


def send_digits(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Send tones to a participant."""
    whole = conversation(visit, conversation_id)
    leg = participant(whole, participant_id)
    digits = visit.read(Tones).digits or ""
    if _DIGITS.fullmatch(digits) is None:
        words = f"digits {digits!r} must be 1 to 64 of 0-9, A-D, *, # and the pause ','."
        raise bad_request(words, field="digits", code="invalid.value")
    if leg.state != "connected":
        raise bad_request("Digits can only be sent to a connected participant.", field="digits")
    visit.world.control.dial_digits(whole, leg, digits)
    return 202, None


def delete(visit: Visit, conversation_id: str) -> Answer:
    """Disconnect everybody."""
    disconnect_all(visit, conversation(visit, conversation_id), "client")
    return 204, None


def tear_down(visit: Visit, conversation_id: str) -> Answer:
    """Disconnect everybody, the platform's last resort for a conversation that is stuck."""
    disconnect_all(visit, conversation(visit, conversation_id), "system")
    return 202, ""


def tag(visit: Visit, conversation_id: str) -> Answer:
    """Attach an external tag."""
    whole = conversation(visit, conversation_id)
    text = visit.read(Tag).external_tag
    if text is None:
        raise bad_request("externalTag is required.", field="externalTag", code="required.field.missing")
    visit.world.control.tag(whole, text)
    return 202, ""


def recording_state(visit: Visit, conversation_id: str) -> Answer:
    """Start, pause or end the recording."""
    state = visit.read(Change).recording_state
    if state is None:
        raise bad_request("recordingState is required.", field="recordingState", code="required.field.missing")
    _set_recording(visit, conversation(visit, conversation_id), state)
    return 202, ""


def recording_state_silently(visit: Visit, conversation_id: str) -> Answer:
    """The same below `/conversations`, which answers nothing."""
    return recording_state(visit, conversation_id)[0], None


def uui(visit: Visit, conversation_id: str, participant_id: str, communication_id: str) -> Answer:
    """Set the SIP User-to-User data that goes out with what comes next."""
    whole = reachable(visit, conversation_id, "call")
    leg = communication(whole, participant_id, communication_id)
    data = visit.read(UuiData).uui_data
    if data is None:
        raise bad_request("uuiData is required.", field="uuiData", code="required.field.missing")
    if not leg.live:
        raise bad_request("The call is already disconnected.", code="conversation.error.call.disconnected")
    visit.world.control.uui(whole, leg, data)
    return 200, {}


def flag(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Mark a participant's call as bad."""
    return _flag(visit, conversation_id, participant_id, "general")


def unflag(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Take the mark away."""
    return _flag(visit, conversation_id, participant_id, "")


def _flag(visit: Visit, conversation_id: str, participant_id: str, reason: str) -> Answer:
    whole = reachable(visit, conversation_id)
    visit.world.control.flag(whole, participant(whole, participant_id), reason)
    return 204, None


def _set_recording(visit: Visit, whole: Conversation, state: str) -> None:
    if state.lower() not in RECORDING_STATES:
        raise invalid_value("recordingState", state, [each.upper() for each in RECORDING_STATES])
    visit.world.control.recording_state(whole, state.lower())


def disconnect_all(visit: Visit, whole: Conversation, disconnect_type: str) -> None:
    """End every leg."""
    leg = next(whole.live(), None)
    if leg is not None:
        visit.world.control.hang_up(whole, leg, disconnect_type, everyone=True)


_CALL = "/conversations/calls/{conversationId}"
_LEG = f"{_CALL}/participants/{{participantId}}"
_PARTY = "/conversations/{conversationId}/participants/{participantId}"
ROUTES = [
    Route("PATCH", _CALL, change_call, any_of=DISCONNECT),
    Route("PUT", f"{_CALL}/recordingstate", recording_state, any_of=RECORDING),
    Route("PATCH", "/conversations/{conversationId}/recordingstate", recording_state_silently, any_of=RECORDING),
    Route("PATCH", _PARTY, change_participant, any_of=CHANGE_PARTICIPANT),
    Route("PUT", f"{_PARTY}/flaggedreason", flag),
    Route("DELETE", f"{_PARTY}/flaggedreason", unflag),
    Route("PUT", f"{_LEG}/communications/{{communicationId}}/uuidata", uui),
    Route("PATCH", _LEG, change_participant, any_of=CHANGE_PARTICIPANT),
    Route(
        "PATCH",
        f"{_LEG}/user/{{userId}}",
        change_participant_for,
        any_of=(*CHANGE_PARTICIPANT, "conversation:agentlessCall:add"),
    ),
    Route("PATCH", f"{_LEG}/attributes", change_attributes),
    Route("PATCH", f"{_PARTY}/attributes", change_attributes_silently),
    Route("PATCH", f"{_LEG}/communications/{{communicationId}}", change_communication),
    Route("POST", f"{_PARTY}/digits", send_digits),
    Route("DELETE", "/conversations/{conversationId}", delete, any_of=DISCONNECT),
    Route("POST", "/conversations/{conversationId}/disconnect", tear_down, any_of=DISCONNECT),
    Route("PUT", "/conversations/{conversationId}/tags", tag, any_of=TAG),
]
