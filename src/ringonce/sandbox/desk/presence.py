"""Presence and routing status: whether somebody is there, and whether queues send them work."""

import msgspec

from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.users import MOST_IDS, user_of
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.directory import OFF_QUEUE, ROUTING_STATUSES, IllegalTransitionError
from ringonce.sandbox.presences import SYSTEM_PRESENCES
from ringonce.sandbox.shapes import organization, people
from ringonce.sandbox.shapes.problems import bad_request, invalid_value, not_found

PURECLOUD = "PURECLOUD"
VIEW_DEFINITIONS = ("presence:presenceDefinition:view",)


class Definition(msgspec.Struct):
    """Which presence: the official SDK's model PresenceDefinition."""

    id: str | None = None


class Change(msgspec.Struct, rename="camel"):
    """The official SDK's model UserPresence."""

    presence_definition: Definition | None = None
    message: str | None = None


class Status(msgspec.Struct):
    """The official SDK's model RoutingStatus."""

    status: str | None = None


def get(visit: Visit, user_id: str, source_id: str = PURECLOUD) -> Answer:
    """Whether a user is there."""
    person = user_of(visit, user_id)
    _source(source_id)
    return 200, people.presence(person, visit.world.directory)


def change(visit: Visit, user_id: str, source_id: str = PURECLOUD) -> Answer:
    """Be there, be away, or be on queue."""
    person = user_of(visit, user_id)
    _source(source_id)
    asked, directory = visit.read(Change), visit.world.directory
    presence_id = directory.seat(user_id).presence_id
    if asked.presence_definition is not None:
        presence_id = asked.presence_definition.id or ""
        if not presence_id:
            words = "presenceDefinition.id is required."
            raise bad_request(words, field="presenceDefinition.id", code="required.field.missing")
        found(SYSTEM_PRESENCES, presence_id, "a presence definition")
    directory.be(user_id, presence_id, asked.message)
    return 200, people.presence(person, directory)


def many(visit: Visit, source_id: str = PURECLOUD) -> Answer:
    """The presences of several users, by their ids; whoever does not exist is left out."""
    _source(source_id)
    ids = visit.words("id")
    if len(ids) > MOST_IDS:
        raise bad_request("Only 100 users can be requested at a time.", field="id", code="max.user.ids")
    world = visit.world
    shapes = []
    for person in (world.org.users[each] for each in ids if each in world.org.users):
        shape = people.presence(person, world.directory) | {"userId": person.id}
        del shape["primary"]
        shapes.append(shape)
    return 200, shapes


def _source(source_id: str) -> None:
    if source_id.upper() != PURECLOUD:
        raise not_found(f"No presence source has the id {source_id}; this sandbox has {PURECLOUD}.")


def definitions(visit: Visit) -> Answer:
    """What a presence can be: all of the system's."""
    shown = [] if visit.request.query.get("deactivated", "").lower() == "true" else organization.presence_definitions()
    return 200, {"entities": shown, "total": len(shown), "selfUri": "/api/v2/presence/definitions"}


def definition(_visit: Visit, definition_id: str) -> Answer:
    """One thing that a presence can be."""
    found(SYSTEM_PRESENCES, definition_id, "a presence definition")
    return 200, organization.presence_definition(definition_id)


def older_definitions(visit: Visit) -> Answer:
    """What a presence can be, in the older words."""
    return 200, visit.listing(organization.presences(), dict)


def older_definition(_visit: Visit, presence_id: str) -> Answer:
    """One thing that a presence can be, in the older words."""
    found(SYSTEM_PRESENCES, presence_id, "a presence definition")
    return 200, organization.presence(presence_id)


def system(_visit: Visit) -> Answer:
    """The system's presences by name."""
    return 200, [
        {"id": presence_id, "name": name, "selfUri": f"/api/v2/presencedefinitions/{presence_id}"}
        for presence_id, name in SYSTEM_PRESENCES.items()
    ]


def routing_status(visit: Visit, user_id: str) -> Answer:
    """Whether queues send a user work. An unknown user reads as off queue, as on the platform."""
    person = visit.world.org.users.get(user_id)
    if person is None:
        return 200, {"userId": user_id, "status": OFF_QUEUE, "startTime": visit.world.directory.begun}
    return 200, people.routing_status(person, visit.world.directory)


def change_routing_status(visit: Visit, user_id: str) -> Answer:
    """Be back after not having responded."""
    person, asked = user_of(visit, user_id), visit.read(Status)
    if asked.status not in ROUTING_STATUSES:
        raise invalid_value("status", asked.status, ROUTING_STATUSES)
    try:
        visit.world.directory.route(user_id, asked.status)
    except IllegalTransitionError:
        words = "An invalid routing status transition was attempted."
        raise bad_request(words, code="general.bad.request") from None
    return 200, people.routing_status(person, visit.world.directory)


ROUTES = [
    Route("GET", "/users/{userId}/presences/{sourceId}", get),
    Route("PATCH", "/users/{userId}/presences/{sourceId}", change),
    Route("GET", "/users/{userId}/presences/purecloud", get),
    Route("PATCH", "/users/{userId}/presences/purecloud", change),
    Route("GET", "/users/presences/{sourceId}/bulk", many),
    Route("GET", "/users/presences/purecloud/bulk", many),
    Route("GET", "/presence/definitions", definitions, any_of=VIEW_DEFINITIONS),
    Route("GET", "/presence/definitions/{definitionId}", definition, any_of=VIEW_DEFINITIONS),
    Route("GET", "/presencedefinitions", older_definitions),
    Route("GET", "/presencedefinitions/{presenceId}", older_definition),
    Route("GET", "/systempresences", system),
    Route("GET", "/users/{userId}/routingstatus", routing_status),
    Route("PUT", "/users/{userId}/routingstatus", change_routing_status),
]
