"""Callbacks: asking for one, changing one, taking one, and calling back."""

import msgspec

from ringonce.sandbox.agenda import moment
from ringonce.sandbox.callbacks import Wish
from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.desk.calls import station_of
from ringonce.sandbox.desk.legs import communication, conversation, live_leg_of, participant, reachable
from ringonce.sandbox.desk.parties import dialled
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.steering import (
    CHANGE_PARTICIPANT,
    DISCONNECT,
    LegChange,
    change_attributes,
    change_leg,
    disconnect_all,
)
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.lines import Destination, Order
from ringonce.sandbox.shapes import callbacks, nested
from ringonce.sandbox.shapes.problems import Problem, bad_request, invalid_value
from ringonce.sandbox.stories import address_of, story_of

CREATE = ("conversation:callback:create",)
EDIT = ("conversation:callback:edit",)
FURTHEST = 30 * 86_400.0
DELIVERY_MODES = ("UseQueueSetting", "UseAgentReservation", "NoAgentReservation")


class Scored(msgspec.Struct):
    """The official SDK's model ScoredAgent."""

    agent: "Named | None" = None
    score: int | None = None


class Named(msgspec.Struct):
    """Something by its id."""

    id: str


class Routing(msgspec.Struct, rename="camel"):
    """The official SDK's model RoutingData."""

    queue_id: str | None = None
    language_id: str | None = None
    label: str | None = None
    priority: int | None = None
    skill_ids: list[str] | None = None
    skill_expression: str | None = None
    preferred_agent_ids: list[str] | None = None
    scored_agents: list[Scored] | None = None
    routing_flags: list[str] | None = None


class CreateCallback(msgspec.Struct, rename="camel"):
    """The official SDK's model CreateCallbackCommand."""

    script_id: str | None = None
    queue_id: str | None = None
    routing_data: Routing | None = None
    customer_first_callback_delivery_mode: str | None = None
    callback_user_name: str | None = None
    callback_numbers: list[str] | None = None
    callback_scheduled_time: str | None = None
    country_code: str | None = None
    validate_callback_numbers: bool | None = None
    data: dict[str, str] | None = None
    caller_id: str | None = None
    caller_id_name: str | None = None


class ChangeCallback(msgspec.Struct, rename="camel"):
    """The official SDK's model PatchCallbackRequest."""

    conversation_id: str | None = None
    queue_id: str | None = None
    agent_id: str | None = None
    callback_scheduled_time: str | None = None
    country_code: str | None = None
    callback_numbers: list[str] | None = None
    validate_callback_numbers: bool | None = None
    customer_first_callback_delivery_mode: str | None = None


class Disconnected(msgspec.Struct, rename="camel"):
    """The official SDK's model CallbackDisconnectIdentifier."""

    conversation_id: str
    callback_id: str | None = None


class Several(msgspec.Struct, rename="camel"):
    """The official SDK's model BulkCallbackDisconnectRequest."""

    callback_disconnect_identifiers: list[Disconnected] | None = None


class CallBack(msgspec.Struct, rename="camel"):
    """The official SDK's model CallCommand."""

    call_number: str | None = None
    phone_column: str | None = None


class Change(msgspec.Struct):
    """What the official SDK's model Conversation says of a callback's end."""

    state: str | None = None


def create(visit: Visit) -> Answer:
    """Ask for a callback."""
    asked = visit.read(CreateCallback)
    routing = asked.routing_data or Routing()
    if not asked.callback_numbers:
        words = "At least one callback number is required: callbackNumbers."
        raise bad_request(words, field="callbackNumbers", code="callback.error.missing.callback.numbers")
    queue_id = asked.queue_id or routing.queue_id
    if not queue_id:
        words = "A queue is required: queueId, or queueId in routingData."
        raise bad_request(words, field="queueId", code="callback.error.missing.queue.id")
    found(visit.world.org.queues, queue_id, "a queue")
    _check_delivery(asked.customer_first_callback_delivery_mode)
    scored = sorted(routing.scored_agents or [], key=lambda each: -(each.score or 0))
    wish = Wish(
        queue_id=queue_id,
        numbers=_numbers(asked.callback_numbers, strictly=bool(asked.validate_callback_numbers)),
        user_name=asked.callback_user_name or "",
        due=_due(visit, asked.callback_scheduled_time),
        caller_id=asked.caller_id or "",
        caller_name=asked.caller_id_name or "",
        script_id=asked.script_id or "",
        data=asked.data or {},
        preferred_agent_ids=[
            *(each.agent.id for each in scored if each.agent),
            *(routing.preferred_agent_ids or []),
        ],
    )
    return 200, _created(visit.world.callbacks.create(wish))


def change(visit: Visit) -> Answer:
    """Change a callback that waits for its time."""
    asked = visit.read(ChangeCallback)
    if not asked.conversation_id:
        raise bad_request("conversationId is required.", field="conversationId", code="required.field.missing")
    whole = conversation(visit, asked.conversation_id, "callback")
    if asked.queue_id:
        found(visit.world.org.queues, asked.queue_id, "a queue")
    if asked.agent_id:
        found(visit.world.org.users, asked.agent_id, "a user")
    if not next(whole.live(), None):
        raise bad_request("The callback is already disconnected.", code="conversation.error.call.disconnected")
    _check_delivery(asked.customer_first_callback_delivery_mode)
    visit.world.callbacks.reschedule(
        whole,
        due=_due(visit, asked.callback_scheduled_time),
        numbers=_numbers(asked.callback_numbers or [], strictly=bool(asked.validate_callback_numbers)),
        queue_id=asked.queue_id or "",
        agent_id=asked.agent_id or "",
    )
    return 200, _created(whole)


def active(visit: Visit) -> Answer:
    """The callbacks in which the token's user has a leg now."""
    user_id = visit.token.user_id
    mine = [
        whole
        for whole in visit.world.exchange.active(user_id)
        if any(leg.live and leg.user_id == user_id for leg in whole.of_media("callback"))
    ]
    return 200, visit.listing(mine, callbacks.callback, at_most=1_000)


def get(visit: Visit, conversation_id: str) -> Answer:
    """One callback, flat."""
    return 200, callbacks.callback(conversation(visit, conversation_id, "callback"))


def end(visit: Visit, conversation_id: str) -> Answer:
    """Disconnect everybody."""
    whole = conversation(visit, conversation_id, "callback")
    state = visit.read(Change).state
    if state != "disconnected":
        raise invalid_value("state", state, ["disconnected"])
    disconnect_all(visit, whole, "client")
    return 200, nested.conversation(whole)


def end_several(visit: Visit) -> Answer:
    """Disconnect several callbacks; all must exist."""
    named = visit.read(Several).callback_disconnect_identifiers
    if not named:
        words = "callbackDisconnectIdentifiers is required."
        raise bad_request(words, field="callbackDisconnectIdentifiers", code="required.field.missing")
    for whole in [conversation(visit, each.conversation_id, "callback") for each in named]:
        disconnect_all(visit, whole, "client")
    return 202, None


def change_participant(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Take a callback, end a leg of it, or wrap it up."""
    whole = reachable(visit, conversation_id, "callback")
    return change_leg(visit, visit.token.user_id, whole, _leg(whole, participant_id))


def change_communication(visit: Visit, conversation_id: str, participant_id: str, communication_id: str) -> Answer:
    """End one leg by its communication."""
    whole = reachable(visit, conversation_id, "callback")
    leg = communication(whole, participant_id, communication_id)
    state = visit.read(LegChange).state
    if state is None:
        raise bad_request("state is required.", field="state", code="communication.state.required")
    if state != "disconnected":
        raise invalid_value("state", state, ["disconnected"])
    visit.world.control.hang_up(whole, leg)
    return 200, {}


def call(visit: Visit, conversation_id: str) -> Answer:
    """Call whoever asked for it: from the phone of the token's user, who has taken the callback."""
    whole = conversation(visit, conversation_id)
    asked = visit.read(CallBack)
    mine = [leg for leg in whole.of_media("callback") if leg.live and leg.user_id == visit.token.user_id]
    if not mine:
        words = "The user has no active callback in this conversation."
        raise bad_request(words, code="conversation.error.participant.no.active.conversations")
    leg = mine[0]
    if leg.callback is None or leg.state != "connected" or live_leg_of(whole, visit.token.user_id) is not None:
        words = "A call can be placed once the callback has been taken, and one at a time."
        raise bad_request(words, code="conversation.error.callback.call.cannot.be.placed")
    agent = visit.world.org.users[visit.token.user_id]
    order = Order(
        agent=agent,
        station=station_of(visit, agent),
        destinations=(Destination(dialled=dialled("callNumber", asked.call_number or leg.callback.numbers[0])),),
        caller_id=leg.callback.caller_id,
        caller_name=leg.callback.caller_name,
        queue_id=leg.queue_id,
        attributes=dict(whole.attributes),
    )
    visit.world.callbacks.call(whole, leg, order)
    return 200, nested.conversation(whole)


def assign(visit: Visit, conversation_id: str) -> Answer:
    """Send what waits in a queue to a user, whoever is free."""
    whole = conversation(visit, conversation_id)
    user = found(visit.world.org.users, visit.read(Named).id, "a user")
    if any(leg.user_id == user.id for leg in whole.live()):
        raise bad_request("The user is in the conversation already.", field="id")
    if not visit.world.floor.assign(whole, user.id):
        raise bad_request("The conversation does not wait in a queue.")
    return 202, ""


def _leg(whole: Conversation, participant_id: str) -> Participant:
    leg = participant(whole, participant_id)
    if leg.callback is None:
        raise bad_request("The participant has no callback; it has a call.")
    return leg


def _created(whole: Conversation) -> dict[str, object]:
    [customer] = [leg for leg in whole.of_media("callback") if leg.purpose == "customer"]
    return {
        "conversation": {"id": whole.id, "selfUri": f"/api/v2/conversations/{whole.id}"},
        "callbackIdentifiers": [{"type": "ACD", "id": customer.call_id}],
    }


def _due(visit: Visit, text: str | None) -> float | None:
    if not text:
        return None
    try:
        due = moment(text)
    except (ValueError, OverflowError) as wrong:
        raise _invalid_date(text) from wrong
    if due > visit.world.now + FURTHEST:
        words = f"callbackScheduledTime {text} is more than {FURTHEST / 86_400:.0f} days away."
        code = "callback.error.scheduled.time.too.far.in.future"
        raise bad_request(words, field="callbackScheduledTime", code=code)
    return due


def _invalid_date(text: str) -> Problem:
    words = "Dates must be specified as ISO-8601 strings. For example: yyyy-MM-ddTHH:mm:ss.SSSZ"
    return bad_request(f"{words} ({text!r})", field="callbackScheduledTime", code="invalid.date")


def _numbers(numbers: list[str], *, strictly: bool) -> list[str]:
    for number in numbers:
        dialled("callbackNumbers", number)
        if not number.strip() or (strictly and not story_of(address_of(number)).routable):
            raise invalid_value("callbackNumbers", number, ["a telephone number"])
    return numbers


def _check_delivery(mode: str | None) -> None:
    if mode is not None and mode not in DELIVERY_MODES:
        raise invalid_value("customerFirstCallbackDeliveryMode", mode, DELIVERY_MODES)


_CALLBACK = "/conversations/callbacks/{conversationId}"
_LEG = f"{_CALLBACK}/participants/{{participantId}}"
ROUTES = [
    Route("POST", "/conversations/callbacks", create, any_of=CREATE),
    Route("PATCH", "/conversations/callbacks", change, any_of=EDIT),
    Route("GET", "/conversations/callbacks", active, user_only=True),
    Route("POST", "/conversations/callbacks/bulk/disconnect", end_several, any_of=DISCONNECT),
    Route("GET", _CALLBACK, get),
    Route("PATCH", _CALLBACK, end, any_of=DISCONNECT),
    Route("PATCH", _LEG, change_participant, any_of=CHANGE_PARTICIPANT),
    Route("PATCH", f"{_LEG}/attributes", change_attributes),
    Route("PATCH", f"{_LEG}/communications/{{communicationId}}", change_communication),
    Route("POST", "/conversations/calls/{conversationId}", call, user_only=True),
    Route("POST", "/conversations/{conversationId}/assign", assign, any_of=("conversation:communication:assign",)),
]
