"""Users: who they are, which queues they are in, and where their calls go."""

from functools import partial
from typing import Any

import msgspec

from ringonce.sandbox.agenda import iso
from ringonce.sandbox.desk.authority import token_info
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.directory import WrongVersionError
from ringonce.sandbox.org import User
from ringonce.sandbox.shapes import grants, organization, people
from ringonce.sandbox.shapes import queues as queue_shapes
from ringonce.sandbox.shapes.problems import Problem, bad_request, invalid_value, missing_permission, not_found

EDIT = ("directory:user:edit",)
QUEUE_VIEW = ("routing:queue:view",)
MANAGE_MEMBERS = "routing:queueMember:manage"
MOST_IDS = 100
STATES = ("active", "inactive")
MEDIA = ("PHONE", "EMAIL", "SMS")
CONTACT_TYPES = ("PRIMARY", "WORK", "WORK2", "WORK3", "WORK4", "HOME", "MOBILE", "MAIN", "OTHER")
VOICEMAIL = ("PURECLOUD", "LASTCALL", "NONE")
TARGETS = ("STATION", "PHONENUMBER")


class Contact(msgspec.Struct, rename="camel", omit_defaults=True):
    """An address of a user: the official SDK's model Contact."""

    address: str | None = None
    display: str | None = None
    media_type: str | None = None
    type: str | None = None
    extension: str | None = None
    country_code: str | None = None


class Update(msgspec.Struct, rename="camel"):
    """What of the official SDK's model UpdateUser can be changed here."""

    version: int | None = None
    name: str | None = None
    title: str | None = None
    department: str | None = None
    email: str | None = None
    state: str | None = None
    acd_auto_answer: bool | None = None
    addresses: list[Contact] | None = None


class Target(msgspec.Struct):
    """One phone that a forwarded call goes to."""

    type: str
    value: str


class Ring(msgspec.Struct):
    """Phones that ring together."""

    targets: list[Target] = []


class Forwarding(msgspec.Struct, rename="camel"):
    """The official SDK's model CallForwarding."""

    enabled: bool | None = None
    calls: list[Ring] | None = None
    phone_number: str | None = None
    voicemail: str | None = None


class Membership(msgspec.Struct):
    """What of the official SDK's model UserQueue can be changed: whether its work is taken."""

    joined: bool | None = None


def me(visit: Visit) -> Answer:
    """The token's own user, who may be told more than another."""
    world, expand = visit.world, visit.words("expand")
    shape = people.user(world.org.users[visit.token.user_id], world.org, world.directory, expand)
    for word in expand:
        match word:
            case "organization":
                shape["organization"] = organization.whole(world.org)
            case "presenceDefinitions":
                shape["presenceDefinitions"] = organization.presences()
            case "divisionedPresenceDefinitions":
                shape["divisionedPresenceDefinitions"] = organization.presence_definitions()
            case "token":
                shape["token"] = token_info(visit)
            case "date":
                shape["date"] = {"currentDate": iso(world.now)}
    return 200, shape


def get(visit: Visit, user_id: str) -> Answer:
    """One user; only active ones, unless another state is asked for."""
    person = user_of(visit, user_id)
    return 200, people.user(person, visit.world.org, visit.world.directory, visit.words("expand"))


def some(visit: Visit) -> Answer:
    """Users by their ids or chat addresses, or all of them, by name and page by page."""
    ids, chats = visit.words("id"), set(visit.words("jabberId"))
    if len(ids) > MOST_IDS:
        raise bad_request("Only 100 users can be requested at a time.", field="id", code="max.user.ids")
    if ids and chats:
        words = "The query parameters id and jabberId cannot be used together."
        raise bad_request(words, field="jabberId")
    org, state = visit.world.org, visit.request.query.get("state", "active")
    if state not in {"any", "deleted", *STATES}:
        raise invalid_value("state", state, ("active", "inactive", "deleted", "any"))
    wanted = [org.users[each] for each in ids if each in org.users] if ids else list(org.users.values())
    kept = [each for each in wanted if state in {"any", each.state}]
    if chats:
        kept = [each for each in kept if people.jabber_id(each, org) in chats]
    if order := visit.request.query.get("sortOrder", ""):
        kept.sort(key=lambda each: each.name.lower(), reverse=_descending(order))
    shape = partial(people.user, org=org, directory=visit.world.directory, expand=visit.words("expand"))
    return 200, visit.listing(kept, shape, at_most=500)


def _descending(order: str) -> bool:
    if order.upper() not in {"ASC", "DESC", "ASCENDING", "DESCENDING"}:
        raise invalid_value("sortOrder", order, ("ASC", "DESC"))
    return order.upper().startswith("DESC")


def update(visit: Visit, user_id: str) -> Answer:
    """Change a user. The version that was read must come back, or somebody else's change would be undone."""
    person, asked = user_of(visit, user_id), visit.read(Update)
    if asked.version is None:
        words = "version is required: the version of the user as it was read."
        raise bad_request(words, field="version", code="required.field.missing")
    if asked.state is not None and asked.state not in STATES:
        raise invalid_value("state", asked.state, STATES)
    named = ("name", "title", "department", "email", "state", "acd_auto_answer")
    changes: dict[str, Any] = {field: value for field in named if (value := getattr(asked, field)) is not None}
    for field in ("name", "email"):
        if not changes.get(field, "set"):
            raise bad_request(f"{field} cannot be empty.", field=field, code="invalid.value")
    addresses = None
    if asked.addresses is not None:
        addresses = [_address(each) for each in asked.addresses]
        phones = [each.get("address", "") for each in addresses if each.get("mediaType") == "PHONE"]
        changes["caller_id"] = next((each for each in phones if each), None)
    try:
        person = visit.world.directory.change(user_id, asked.version, addresses=addresses, **changes)
    except WrongVersionError:
        words = "The version supplied does not match the current version of the user"
        raise Problem(409, "general.conflict", words) from None
    return 200, people.user(person, visit.world.org, visit.world.directory)


def _address(contact: Contact) -> dict[str, Any]:
    for field, value, allowed in (("mediaType", contact.media_type, MEDIA), ("type", contact.type, CONTACT_TYPES)):
        if value is not None and value not in allowed:
            raise invalid_value(f"addresses.{field}", value, allowed)
    shape: dict[str, Any] = msgspec.to_builtins(contact)
    return shape


def queues(visit: Visit, user_id: str) -> Answer:
    """The queues of a user, joined or not."""
    return _queues(visit, user_of(visit, user_id).id)


def my_queues(visit: Visit) -> Answer:
    """The queues of the token's user, by name."""
    return _queues(visit, visit.token.user_id)


def _queues(visit: Visit, user_id: str) -> Answer:
    directory, joined = visit.world.directory, visit.flag("joined")
    mine = [each for each in directory.queues_of(user_id) if joined in {None, directory.joined(each.id, user_id)}]
    order = visit.request.query.get("sortOrder", "")
    mine.sort(key=lambda each: each.name.lower(), reverse=bool(order) and _descending(order))
    return 200, visit.listing(mine, lambda each: queue_shapes.user_queue(each, user_id, directory))


def join_queue(visit: Visit, user_id: str, queue_id: str) -> Answer:
    """Take a queue's work, or no longer."""
    person = user_of(visit, user_id)
    if visit.token.user_id != user_id and not visit.token.allows((MANAGE_MEMBERS,)):
        raise missing_permission(MANAGE_MEMBERS)
    queue = found(visit.world.org.queues, queue_id, "a queue")
    if person.id not in queue.member_ids:
        raise not_found(f"User {user_id} is no member of the queue {queue_id}.")
    asked = visit.read(Membership)
    if asked.joined is not None:
        visit.world.directory.join(queue_id, user_id, joined=asked.joined)
    return 200, queue_shapes.user_queue(queue, user_id, visit.world.directory)


def forwarding(visit: Visit, user_id: str) -> Answer:
    """Where a user's calls go."""
    person = user_of(visit, user_id)
    return 200, people.call_forwarding(person, visit.world.directory.seat(user_id).forwarding)


def forward(visit: Visit, user_id: str) -> Answer:
    """Say where a user's calls go."""
    return _forward(visit, user_id, keep=False)


def change_forwarding(visit: Visit, user_id: str) -> Answer:
    """Say some of where a user's calls go; the rest stays."""
    return _forward(visit, user_id, keep=True)


def _forward(visit: Visit, user_id: str, *, keep: bool) -> Answer:
    person, asked = user_of(visit, user_id), visit.read(Forwarding)
    directory = visit.world.directory
    kept = directory.seat(user_id).forwarding if keep else None
    if asked.voicemail is not None and asked.voicemail not in VOICEMAIL:
        raise invalid_value("voicemail", asked.voicemail, VOICEMAIL)
    for each in (target for route in asked.calls or () for target in route.targets):
        if each.type not in TARGETS:
            raise invalid_value("calls.targets.type", each.type, TARGETS)
    routes = kept.routes if kept else ()
    if asked.phone_number:
        routes = ((("PHONENUMBER", asked.phone_number),),)
    if asked.calls is not None:
        routes = tuple(tuple((each.type, each.value) for each in route.targets) for route in asked.calls)
    enabled = asked.enabled if asked.enabled is not None else bool(kept and kept.enabled)
    voicemail = asked.voicemail or (kept.voicemail if kept else "PURECLOUD")
    directory.forward(user_id, enabled=enabled, routes=routes, voicemail=voicemail)
    return 200, people.call_forwarding(person, directory.seat(user_id).forwarding)


def roles(visit: Visit, user_id: str) -> Answer:
    """What a user may do."""
    return 200, grants.authorization(user_of(visit, user_id))


def state(visit: Visit, user_id: str) -> Answer:
    """Whether a user is active."""
    person = user_of(visit, user_id)
    return 200, {"state": person.state, "version": visit.world.directory.seat(user_id).version}


def user_of(visit: Visit, user_id: str) -> User:
    """The user, or 404 in the platform's words."""
    person = visit.world.org.users.get(user_id)
    if person is None:
        raise not_found("Unable to find a user with that userId", code="general.resource.not.found")
    return person


ROUTES = [
    Route("GET", "/users/me", me, user_only=True),
    Route("GET", "/users", some),
    Route("GET", "/users/{userId}", get),
    Route("PATCH", "/users/{userId}", update, any_of=EDIT),
    Route("GET", "/users/{userId}/state", state),
    Route("GET", "/users/{subjectId}/roles", roles, any_of=("authorization:grant:view",)),
    Route("GET", "/users/{userId}/queues", queues, any_of=QUEUE_VIEW),
    Route("PATCH", "/users/{userId}/queues/{queueId}", join_queue),
    Route("GET", "/routing/queues/me", my_queues, user_only=True),
    Route("GET", "/users/{userId}/callforwarding", forwarding),
    Route("PUT", "/users/{userId}/callforwarding", forward),
    Route("PATCH", "/users/{userId}/callforwarding", change_forwarding),
]
