"""What the platform shows of a call, in each of its shapes, brought to one: a `Snapshot`.

The flat view (`GET /conversations/calls/{id}`, topic `…conversations.calls`; official SDK model CallConversation)
has the call's fields on the participant. The nested view (`GET /conversations/{id}`, topic `…conversations`; model
Conversation) has them in each participant's `calls`. Words are kept as they come: the platform adds new ones.
"""

from datetime import datetime
from typing import Any

import msgspec

UNDO_EVENT_SPELLING = {"endpoint.dnd": "endpoint.donotdisturb", "transfer.dnd": "transfer.donotdisturb"}
"""Events spell two disconnectTypes otherwise than REST does (official SDK, event models)."""


class _Wire(msgspec.Struct, rename="camel", gc=False):
    """A platform shape: unknown fields are passed over. None refers back to another, so none is the collector's."""


class _Ref(_Wire):
    id: str | None = None


class _ErrorInfo(_Wire):
    code: str | None = None
    message: str | None = None


class _Reason(_Wire):
    type: str | None = None
    code: int | None = None
    phrase: str | None = None


class _Wrapup(_Wire):
    code: str | None = None


class _Address(_Wire):
    address_normalized: str | None = None
    address_raw: str | None = None


class _Leg(_Wire):
    id: str | None = None
    state: str | None = None
    held: bool | None = None
    muted: bool | None = None
    confined: bool | None = None
    recording: bool | None = None
    recording_state: str | None = None
    disconnect_type: str | None = None
    disconnect_reasons: list[_Reason] | None = None
    error_info: _ErrorInfo | None = None
    connected_time: datetime | None = None
    disconnected_time: datetime | None = None
    self_: _Address | None = msgspec.field(default=None, name="self")


class _Participant(_Leg):
    purpose: str | None = None
    address: str | None = None
    user_id: str | None = None
    user: _Ref | None = None
    queue_id: str | None = None
    queue: _Ref | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    attributes: dict[str, Any] | None = None
    wrapup_required: bool | None = None
    wrapup: _Wrapup | None = None
    calls: list[_Leg] | None = None


class _Conversation(_Wire):
    id: str
    participants: list[_Participant] = []
    status: str | None = None
    recording_state: str | None = None


class Leg(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One participant's leg as one snapshot shows it. Absent words are empty."""

    key: str
    """Names the leg in all snapshots: the participant's id, and a number from his second leg on."""
    participant_id: str
    index: int
    """The place in the snapshot's list: the platform puts the agent's leg first."""
    purpose: str = ""
    state: str = ""
    user_id: str = ""
    queue_id: str = ""
    address: str = ""
    held: bool = False
    muted: bool = False
    confined: bool = False
    recording: bool = False
    disconnect_type: str = ""
    error_code: str = ""
    error_message: str = ""
    reasons: tuple[tuple[str, int], ...] = ()
    """disconnectReasons as (type, code), e.g. ("sip", 486)."""
    started_at: datetime | None = None
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    attributes: dict[str, str] = {}
    wrapup_required: bool = False
    wrapup_code: str = ""


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """The whole call as seen at one moment."""

    conversation_id: str
    legs: tuple[Leg, ...]
    status: str = ""
    """The tutorial wire's own word for the call's state."""


_decoder = msgspec.json.Decoder(_Conversation, strict=False)


_NO_ERROR, _NOWHERE = _ErrorInfo(), _Address()


def read(body: bytes | msgspec.Raw) -> Snapshot:
    """Decode the answer of either GET, or an event's `eventBody`; raise `msgspec.MsgspecError` if it is neither."""
    return _snapshot(_decoder.decode(body))


def listing(body: bytes) -> tuple[Snapshot, ...]:
    """Decode a listing of conversations, flat or nested (`entities`)."""
    return tuple(_snapshot(one) for one in _listing_decoder.decode(body).entities)


class _Listing(_Wire):
    entities: list[_Conversation] = []


_listing_decoder = msgspec.json.Decoder(_Listing, strict=False)


def _snapshot(shown: _Conversation) -> Snapshot:
    whole = shown.recording_state == "ACTIVE"
    legs: list[Leg] = []
    for index, one in enumerate(shown.participants):
        calls = [one] if one.calls is None else one.calls
        legs += [_leg(one, call, index, nth, whole) for nth, call in enumerate(calls)]
    return Snapshot(shown.id, tuple(legs), shown.status or "")


def _reasons(told: list[_Reason]) -> tuple[tuple[str, int], ...]:
    return tuple((one.type or "", one.code) for one in told if one.code is not None)


def _leg(who: _Participant, call: _Leg, index: int, nth: int, recording: bool) -> Leg:
    participant = who.id or f"#{index}"
    error, own, kind = call.error_info or _NO_ERROR, call.self_ or _NOWHERE, call.disconnect_type or ""
    return Leg(
        key=f"{participant}/{nth}" if nth else participant,
        participant_id=participant,
        index=index,
        purpose=who.purpose or "",
        state=call.state or "",
        user_id=who.user_id or (who.user.id if who.user and who.user.id else ""),
        queue_id=who.queue_id or (who.queue.id if who.queue and who.queue.id else ""),
        address=who.address or own.address_normalized or own.address_raw or "",
        held=bool(call.held),
        muted=bool(call.muted),
        confined=bool(call.confined),
        recording=recording or call.recording_state == "active" or bool(call.recording),
        disconnect_type=UNDO_EVENT_SPELLING.get(kind, kind),
        error_code=error.code or "",
        error_message=error.message or "",
        reasons=_reasons(call.disconnect_reasons) if call.disconnect_reasons else (),
        started_at=who.start_time,
        connected_at=call.connected_time,
        ended_at=call.disconnected_time or who.end_time,
        attributes={key: str(value) for key, value in who.attributes.items()} if who.attributes else {},
        wrapup_required=bool(who.wrapup_required),
        wrapup_code=(who.wrapup.code or "") if who.wrapup else "",
    )
