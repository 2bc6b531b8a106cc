"""Placing calls, and reading them."""

from functools import partial

import msgspec

from ringonce.sandbox.conversation import Conversation
from ringonce.sandbox.desk import tutorial
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.lines import Destination, Order
from ringonce.sandbox.org import Station, User
from ringonce.sandbox.shapes import flat, history, nested
from ringonce.sandbox.shapes.problems import Problem, bad_request, no_conversation, no_station, not_a_user

LARGEST_CONFERENCE = 100
ADD_CALL = ("conversation:agentlessCall:add", "conversation:call:add")
VIEW = ("conversation:communication:view",)


class Party(msgspec.Struct, rename="camel"):
    """One of several destinations: the official SDK's model Destination."""

    address: str | None = None
    name: str | None = None
    user_id: str | None = None
    queue_id: str | None = None


class CreateCall(msgspec.Struct, rename="camel"):
    """The official SDK's model CreateCallRequest."""

    phone_number: str | None = None
    caller_id: str | None = None
    caller_id_name: str | None = None
    call_from_queue_id: str | None = None
    call_queue_id: str | None = None
    call_user_id: str | None = None
    priority: int | None = None
    attributes: dict[str, str] | None = None
    language_id: str | None = None
    routing_skills_ids: list[str] | None = None
    routing_skill_expression: str | None = None
    conversation_ids: list[str] | None = None
    participants: list[Party] | None = None
    uui_data: str | None = None
    external_contact_id: str | None = None
    label: str | None = None


def place_for(visit: Visit, user_id: str) -> Answer:
    """Place a call on behalf of a user."""
    agent = found(visit.world.org.users, user_id, "a user")
    return _place(visit, agent, visit.read(CreateCall))


def place(visit: Visit) -> Answer:
    """Place a call for the token's own user; or, in the tutorial's shape, for the agent whom the body names."""
    shape = visit.read(object)
    if isinstance(shape, dict) and tutorial.speaks(shape):
        return tutorial.place(visit)
    if not visit.token.user_id:
        raise not_a_user()
    return _place(visit, visit.world.org.users[visit.token.user_id], visit.read(CreateCall))


def _place(visit: Visit, agent: User, asked: CreateCall) -> Answer:
    org = visit.world.org
    destinations = _destinations(visit, asked)
    if asked.call_from_queue_id:
        found(org.queues, asked.call_from_queue_id, "a queue")
    order = Order(
        agent=agent,
        station=station_of(visit, agent),
        destinations=destinations,
        caller_id=asked.caller_id or "",
        caller_name=asked.caller_id_name or "",
        queue_id=asked.call_from_queue_id or "",
        attributes=asked.attributes or {},
        uui_data=asked.uui_data or "",
        external_contact_id=asked.external_contact_id or "",
    )
    placed = visit.world.exchange.place(order)
    return 202, {"id": placed.id, "selfUri": f"/api/v2/conversations/calls/{placed.id}"}


def station_of(visit: Visit, agent: User) -> Station:
    """The phone that an agent would call from, or 400."""
    station = visit.world.directory.station_of(agent.id)
    if station is None or agent.state != "active":
        raise no_station()
    return station


def _destinations(visit: Visit, asked: CreateCall) -> tuple[Destination, ...]:
    org = visit.world.org
    if asked.conversation_ids:
        words = "Merging calls into a conference (conversationIds) is not part of this sandbox; name one destination."
        raise bad_request(words, field="conversationIds")
    parties = asked.participants or []
    given = [asked.phone_number, asked.call_user_id, asked.call_queue_id, parties]
    if sum(map(bool, given)) > 1:
        raise _too_many()
    single = Party(address=asked.phone_number, user_id=asked.call_user_id, queue_id=asked.call_queue_id)
    destinations: list[Destination] = []
    for party in parties or [single]:
        if sum(map(bool, (party.address, party.user_id, party.queue_id))) > 1:
            raise _too_many()
        if party.user_id:
            user = found(org.users, party.user_id, "a user")
            destinations.append(Destination(user_id=user.id, name=user.name))
        elif party.queue_id:
            queue = found(org.queues, party.queue_id, "a queue")
            destinations.append(Destination(queue_id=queue.id, name=queue.name))
        elif party.address:
            destinations.append(Destination(dialled=party.address, name=party.name or ""))
        else:
            words = "A destination is required: phoneNumber, callUserId, callQueueId or participants."
            raise bad_request(words, field="phoneNumber", code="required.field.missing")
    return tuple(destinations)


def _too_many() -> Problem:
    words = "Only a single destination can be supplied in a create conversation request."
    return bad_request(words, code="too.many.create.conversation.parameters")


def conversation(visit: Visit, conversation_id: str) -> Conversation:
    """The conversation with this id, or 404."""
    known = visit.world.exchange.conversations.get(conversation_id)
    if known is None:
        raise no_conversation(conversation_id)
    return known


def get_flat(visit: Visit, conversation_id: str) -> Answer:
    """One call, flat."""
    return 200, flat.call(conversation(visit, conversation_id))


def get_nested(visit: Visit, conversation_id: str) -> Answer:
    """One conversation, nested."""
    return 200, nested.conversation(conversation(visit, conversation_id))


def active_calls(visit: Visit) -> Answer:
    """The calls in which the token's user has a leg now, flat."""
    return 200, visit.listing(visit.world.exchange.active(visit.token.user_id), flat.call, at_most=1_000)


def active(visit: Visit) -> Answer:
    """The conversations in which the token's user has a leg now, nested."""
    wanted = visit.request.query.get("communicationType", "call").lower()
    running = visit.world.exchange.active(visit.token.user_id) if wanted == "call" else []
    return 200, visit.listing(running, nested.conversation, at_most=1_000)


def past(visit: Visit) -> Answer:
    """The calls of the token's user, newest first."""
    user_id, org = visit.token.user_id, visit.world.org
    first, last = visit.interval(visit.request.query.get("interval", ""))
    mine = [each for each in visit.world.exchange.between(first, last) if user_id in each.user_ids()]
    return 200, visit.listing(mine, partial(history.call, org=org, user_id=user_id), at_most=50)


def conference_size(_visit: Visit) -> Answer:
    """How many parties a conference may have."""
    return 200, {"maxParticipants": LARGEST_CONFERENCE}


ROUTES = [
    Route("POST", "/conversations/calls/user/{userId}", place_for, any_of=ADD_CALL),
    Route("POST", "/conversations/calls", place, any_of=ADD_CALL),
    Route("GET", "/conversations/calls", active_calls, user_only=True),
    Route("GET", "/conversations", active, user_only=True),
    Route("GET", "/conversations/calls/history", past, user_only=True),
    Route("GET", "/conversations/calls/maximumconferenceparties", conference_size),
    Route("GET", "/conversations/calls/{conversationId}", get_flat),
    Route("GET", "/conversations/{conversationId}", get_nested, any_of=VIEW),
]
