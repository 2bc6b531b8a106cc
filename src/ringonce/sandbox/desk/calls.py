"""Placing calls, and reading them."""

from functools import partial

import msgspec

from ringonce.sandbox.conversation import Conversation
from ringonce.sandbox.desk import conferencing, parties, tutorial
from ringonce.sandbox.desk.legs import conversation
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.lines import Destination, Order
from ringonce.sandbox.org import Station, User
from ringonce.sandbox.shapes import flat, history, nested
from ringonce.sandbox.shapes.problems import bad_request, invalid_value, no_station, not_a_user

MEDIA = (
    "",
    "call",
    "callback",
    "chat",
    "cobrowse",
    "email",
    "message",
    "screenshare",
    "socialexpression",
    "video",
)
HISTORY_EXPANDS = ("externalContact", "externalOrganization", "user", "queue", "group")
ADD_CALL = ("conversation:agentlessCall:add", "conversation:call:add")
VIEW = ("conversation:communication:view",)


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
    participants: list[parties.Party] | None = None
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
    if asked.conversation_ids and not (asked.phone_number or asked.call_user_id or asked.call_queue_id):
        return _accepted(conferencing.create(visit, agent.id, asked.conversation_ids))
    destinations = _destinations(visit, asked)
    if asked.call_user_id == agent.id:
        raise bad_request("An agent cannot call themselves.", field="callUserId")
    parties.each_once(destinations, [agent.id])
    if asked.call_from_queue_id:
        found(visit.world.org.queues, asked.call_from_queue_id, "a queue")
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
    return _accepted(visit.world.exchange.place(order))


def _accepted(placed: Conversation) -> Answer:
    return 202, {"id": placed.id, "selfUri": f"/api/v2/conversations/calls/{placed.id}"}


def station_of(visit: Visit, agent: User) -> Station:
    """The phone that an agent would call from, or 400."""
    station = visit.world.directory.station_of(agent.id)
    if station is None or agent.state != "active":
        raise no_station()
    return station


def _destinations(visit: Visit, asked: CreateCall) -> tuple[Destination, ...]:
    several = asked.participants or []
    others = asked.call_user_id or asked.call_queue_id or several or asked.conversation_ids
    if asked.phone_number and not others:
        return (Destination(dialled=parties.dialled("phoneNumber", asked.phone_number)),)
    given = [asked.phone_number, asked.call_user_id, asked.call_queue_id, several, asked.conversation_ids]
    if sum(map(bool, given)) > 1:
        raise parties.too_many_destinations()
    single = parties.Party(address=asked.phone_number, user_id=asked.call_user_id, queue_id=asked.call_queue_id)
    if several:
        return parties.destinations(visit, several, "participants")
    return parties.destinations(visit, [single], "phoneNumber")


def get_flat(visit: Visit, conversation_id: str) -> Answer:
    """One call, flat."""
    return 200, flat.call(conversation(visit, conversation_id, "call"))


def get_nested(visit: Visit, conversation_id: str) -> Answer:
    """One conversation, nested."""
    return 200, nested.conversation(conversation(visit, conversation_id))


def active_calls(visit: Visit) -> Answer:
    """The calls in which the token's user has a leg now, flat."""
    return 200, visit.listing(_active(visit, "call"), flat.call, at_most=1_000)


def active(visit: Visit) -> Answer:
    """The conversations in which the token's user has a leg now, nested; of one medium, if one is named."""
    wanted = visit.request.query.get("communicationType", "").lower()
    if wanted not in MEDIA:
        raise invalid_value("communicationType", wanted, filter(None, MEDIA))
    return 200, visit.listing(_active(visit, wanted), nested.conversation, at_most=1_000)


def _active(visit: Visit, media: str) -> list[Conversation]:
    user_id = visit.token.user_id
    return [
        whole
        for whole in visit.world.exchange.active(user_id)
        if not media or any(leg.live and leg.user_id == user_id for leg in whole.of_media(media))
    ]


def past(visit: Visit) -> Answer:
    """The calls of the token's user, newest first."""
    user_id, org = visit.token.user_id, visit.world.org
    first, last = visit.interval(visit.request.query.get("interval", ""))
    unknown = [each for each in visit.words("expand") if each not in HISTORY_EXPANDS]
    if unknown:
        raise invalid_value("expand", unknown[0], HISTORY_EXPANDS)
    mine = [
        each
        for each in visit.world.exchange.between(first, last)
        if any(leg.user_id == user_id for leg in each.of_media("call"))
    ]
    return 200, visit.listing(mine, partial(history.call, org=org, user_id=user_id), at_most=50)


ROUTES = [
    Route("POST", "/conversations/calls/user/{userId}", place_for, any_of=ADD_CALL),
    Route("POST", "/conversations/calls", place, any_of=ADD_CALL),
    Route("GET", "/conversations/calls", active_calls, user_only=True),
    Route("GET", "/conversations", active, user_only=True),
    Route("GET", "/conversations/calls/history", past, user_only=True),
    Route("GET", "/conversations/calls/{conversationId}", get_flat),
    Route("GET", "/conversations/{conversationId}", get_nested, any_of=VIEW),
]
