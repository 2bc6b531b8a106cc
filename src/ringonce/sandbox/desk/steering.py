"""Changing a call. Everything here is checked now and happens a moment later."""

import re

import msgspec

from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.desk.calls import conversation
from ringonce.sandbox.desk.legs import communication, no_participant, participant
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.desk.wrapup import Filed, file_for
from ringonce.sandbox.lines import Destination
from ringonce.sandbox.shapes import nested
from ringonce.sandbox.shapes.problems import Problem, bad_request, invalid_value, not_found

DISCONNECT = ("conversation:communication:disconnect",)
CHANGE_PARTICIPANT = (
    "conversation:participant:wrapup",
    "conversation:call:record",
    "conversation:communication:disconnect",
)
TRANSFER = ("conversation:communication:blindTransfer",)
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


class Transfer(msgspec.Struct, rename="camel"):
    """The official SDK's model TransferRequest."""

    transfer_type: str | None = None
    user_id: str | None = None
    address: str | None = None
    user_name: str | None = None
    queue_id: str | None = None
    voicemail: bool | None = None


class Tones(msgspec.Struct):
    """The official SDK's model Digits."""

    digits: str | None = None


class Tag(msgspec.Struct, rename="camel"):
    """The official SDK's model ConversationTagsUpdate."""

    external_tag: str | None = None


def change_call(visit: Visit, conversation_id: str) -> Answer:
    """Disconnect everybody, or change the recording."""
    whole = _reachable(visit, conversation_id)
    change = visit.read(Change)
    if change.state is None and change.recording_state is None:
        if change.conversation_ids is not None:
            words = "Merging calls into a conference (conversationIds) is not part of this sandbox."
            raise bad_request(words, field="conversationIds", code="conversation.error.empty.conversation.list")
        raise bad_request("Nothing is to be changed: give state or recordingState.", field="state")
    if change.recording_state is not None:
        _set_recording(visit, whole, change.recording_state)
    if change.state is not None:
        if change.state != "disconnected":
            raise invalid_value("state", change.state, ["disconnected"])
        _disconnect_all(visit, whole, "client")
    return 202, nested.conversation(whole)


def change_participant(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Hold, mute, record, wrap up or end one leg."""
    whole = _reachable(visit, conversation_id)
    return _change(visit, whole, participant(whole, participant_id))


def change_participant_for(visit: Visit, conversation_id: str, participant_id: str, user_id: str) -> Answer:
    """The same on behalf of a user in the call."""
    whole = conversation(visit, conversation_id)
    found(visit.world.org.users, user_id, "a user")
    if user_id not in whole.user_ids():
        raise no_participant()
    return _change(visit, whole, participant(whole, participant_id))


def _change(visit: Visit, whole: Conversation, leg: Participant) -> Answer:
    change = visit.read(LegChange)
    control = visit.world.control
    _check(change, leg)
    if change.wrapup is not None:
        file_for(visit, whole, leg, change.wrapup)
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
    if change.state == "disconnected":
        control.hang_up(whole, leg)
    return 202, None


def _check(change: LegChange, leg: Participant) -> None:
    """Refuse what a leg cannot do now. `connected` is accepted and does nothing: no phone here waits for it."""
    if change.state not in {None, "connected", "disconnected"}:
        raise invalid_value("state", change.state, ["connected", "disconnected"])
    asked_of_a_live_leg = (change.state, change.held, change.muted, change.confined, change.recording)
    if not leg.live and any(each is not None for each in asked_of_a_live_leg):
        raise bad_request("The call is already disconnected.", code="conversation.error.call.disconnected")
    if change.held and leg.state != "connected":
        raise bad_request("An alerting call cannot be placed on hold.", code="conversation.error.hold.alerting")
    if change.wrapup_skipped and leg.wrapup_prompt == "mandatory":
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
    whole = _reachable(visit, conversation_id)
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


def replace(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Transfer blind."""
    whole = _reachable(visit, conversation_id)
    leg = participant(whole, participant_id)
    asked = visit.read(Transfer)
    if asked.transfer_type not in {None, "Unattended"}:
        raise invalid_value("transferType", asked.transfer_type, ["Unattended (this sandbox transfers blind only)"])
    destination = _target(visit, asked)
    if leg.state != "connected":
        words = "Only a connected participant can be transferred."
        raise bad_request(words, code="conversations.error.transfer.not.connected")
    if destination.user_id and destination.user_id in {each.user_id for each in whole.live()}:
        words = "A call cannot be transferred to somebody who is in it."
        raise bad_request(words, code="conversations.error.transfer.same.party")
    visit.world.control.replace(whole, leg, destination)
    return 202, None


def _target(visit: Visit, asked: Transfer) -> Destination:
    org = visit.world.org
    given = [asked.user_id, asked.user_name, asked.address, asked.queue_id]
    if sum(map(bool, given)) != 1:
        raise bad_request("Give exactly one of userId, userName, address and queueId.", field="userId")
    if asked.queue_id:
        queue = org.queues.get(asked.queue_id)
        if queue is None:
            words = f"No queue has the id {asked.queue_id}."
            raise bad_request(words, field="queueId", code="conversations.error.queue.not.found")
        return Destination(queue_id=queue.id, name=queue.name)
    if asked.address:
        return Destination(dialled=asked.address)
    if asked.user_name:
        user = next((each for each in org.users.values() if asked.user_name in {each.email, each.name}), None)
        if user is None:
            raise not_found(f"Unable to find a user with the name {asked.user_name}.")
    else:
        user = found(org.users, asked.user_id or "", "a user")
    return Destination(user_id=user.id, name=user.name)


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
    _disconnect_all(visit, conversation(visit, conversation_id), "client")
    return 204, None


def tear_down(visit: Visit, conversation_id: str) -> Answer:
    """Disconnect everybody, the platform's last resort for a conversation that is stuck."""
    _disconnect_all(visit, conversation(visit, conversation_id), "system")
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


def _set_recording(visit: Visit, whole: Conversation, state: str) -> None:
    if state.lower() not in RECORDING_STATES:
        raise invalid_value("recordingState", state, [each.upper() for each in RECORDING_STATES])
    visit.world.control.recording_state(whole, state.lower())


def _disconnect_all(visit: Visit, whole: Conversation, disconnect_type: str) -> None:
    leg = next(whole.live(), None)
    if leg is not None:
        visit.world.control.hang_up(whole, leg, disconnect_type, everyone=True)


def _reachable(visit: Visit, conversation_id: str) -> Conversation:
    """The conversation, unless the token acts for a user who has nothing to do with it."""
    whole = conversation(visit, conversation_id)
    if visit.token.user_id and visit.token.user_id not in whole.user_ids():
        words = "Only an active participant of the conversation may do this."
        raise Problem(403, "conversation.error.forbidden.not.active.participant", words)
    return whole


_CALL = "/conversations/calls/{conversationId}"
_LEG = f"{_CALL}/participants/{{participantId}}"
_PARTY = "/conversations/{conversationId}/participants/{participantId}"
ROUTES = [
    Route("PATCH", _CALL, change_call, any_of=DISCONNECT),
    Route("PUT", f"{_CALL}/recordingstate", recording_state, any_of=RECORDING),
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
    Route("POST", f"{_LEG}/replace", replace, any_of=TRANSFER),
    Route("POST", f"{_PARTY}/replace", replace, any_of=TRANSFER),
    Route("POST", f"{_PARTY}/digits", send_digits),
    Route("DELETE", "/conversations/{conversationId}", delete, any_of=DISCONNECT),
    Route("POST", "/conversations/{conversationId}/disconnect", tear_down, any_of=DISCONNECT),
    Route("PUT", "/conversations/{conversationId}/tags", tag, any_of=TAG),
]
