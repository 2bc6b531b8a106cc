"""Users: who they are, how to find them, what they can call from."""

from collections.abc import Callable, Iterable
from functools import partial
from operator import attrgetter

import msgspec

from ringonce.sandbox.agenda import iso
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit
from ringonce.sandbox.org import Org, User
from ringonce.sandbox.shapes import people
from ringonce.sandbox.shapes import queues as queue_shapes
from ringonce.sandbox.shapes.problems import bad_request, invalid_value, missing_permission, not_found

VIEW = ("directory:user:view",)
OTHER_STATIONS = "telephony:otherStationAssociation:view"
MOST_IDS = 100
FIELDS: dict[str | None, Callable[[User], str]] = {
    "email": attrgetter("email"),
    "username": attrgetter("email"),
    "name": attrgetter("name"),
    "title": attrgetter("title"),
    "department": attrgetter("department"),
    "state": attrgetter("state"),
    "id": attrgetter("id"),
}
TYPES: dict[str, Callable[[str, str], bool]] = {
    "EXACT": lambda text, value: text == value,
    "STARTS_WITH": lambda text, value: text.startswith(value) or any(word.startswith(value) for word in text.split()),
    "CONTAINS": lambda text, value: value in text,
    "TERM": lambda text, value: text == value or value in text.split(),
    "TERMS": lambda text, value: text == value or value in text.split(),
    "MATCH_ALL": lambda _text, _value: True,
}
OPERATORS = ("AND", "OR", "NOT")
# A user's presence and routing status do not change here; they began before anything else did.
SINCE = iso(0)


class Criterion(msgspec.Struct):
    """One condition of a search: the official SDK's model UserSearchCriteria."""

    type: str
    fields: list[str] | None = None
    value: str | None = None
    values: list[str] | None = None
    operator: str = "AND"


class Search(msgspec.Struct, rename="camel"):
    """The official SDK's model UserSearchRequest."""

    query: list[Criterion] | None = None
    page_size: int = 25
    page_number: int = 1
    expand: list[str] | None = None
    sort_by: str | None = None
    sort_order: str = "ASC"


def me(visit: Visit) -> Answer:
    """The token's own user."""
    person = visit.world.org.users[visit.token.user_id]
    return 200, people.user(person, visit.world.org, SINCE, visit.words("expand"))


def get(visit: Visit, user_id: str) -> Answer:
    """One user."""
    return 200, people.user(_user(visit, user_id), visit.world.org, SINCE, visit.words("expand"))


def some(visit: Visit) -> Answer:
    """Users by their ids, or all of them, page by page."""
    ids = visit.words("id")
    if len(ids) > MOST_IDS:
        raise bad_request("Only 100 users can be requested at a time.", field="id", code="max.user.ids")
    org, state = visit.world.org, visit.request.query.get("state", "active")
    wanted = [org.users[each] for each in ids if each in org.users] if ids else list(org.users.values())
    kept = [each for each in wanted if state in {"any", each.state}]
    shape = partial(people.user, org=org, since=SINCE, expand=visit.words("expand"))
    return 200, visit.listing(kept, shape, at_most=500)


def search(visit: Visit) -> Answer:
    """Users who fit all conditions. The answer has `results`, where other listings have `entities`."""
    asked = visit.read(Search)
    if not asked.query:
        raise bad_request("query is required: a list of conditions.", field="query", code="required.field.missing")
    for name, value, most in (("pageSize", asked.page_size, 500), ("pageNumber", asked.page_number, 1_000_000)):
        if not 1 <= value <= most:
            raise invalid_value(name, value, [f"1 to {most}"])
    for criterion in asked.query:
        _check(criterion)
    org = visit.world.org
    fits = _condition(asked.query)
    hits = [each for each in _candidates(org, asked.query) if fits(each)]
    if asked.sort_by in FIELDS:
        hits.sort(key=FIELDS[asked.sort_by], reverse=asked.sort_order == "DESC")
    size, number = asked.page_size, asked.page_number
    page = hits[(number - 1) * size : number * size]
    return 200, {
        "total": len(hits),
        "pageCount": -(-len(hits) // size),
        "pageSize": size,
        "pageNumber": number,
        "types": ["users"],
        "results": [people.user(each, org, SINCE, asked.expand or []) for each in page],
    }


def _check(criterion: Criterion) -> None:
    if criterion.type not in TYPES:
        raise invalid_value("query.type", criterion.type, TYPES)
    if criterion.operator not in OPERATORS:
        raise invalid_value("query.operator", criterion.operator, OPERATORS)
    if criterion.type == "MATCH_ALL":
        return
    if not criterion.fields:
        words = "query.fields is required: the fields to look in."
        raise bad_request(words, field="query.fields", code="required.field.missing")
    for field in criterion.fields:
        if field not in FIELDS:
            raise invalid_value("query.fields", field, map(str, FIELDS))
    if not criterion.value and not criterion.values:
        raise bad_request("query.value is required.", field="query.value", code="required.field.missing")


def _candidates(org: Org, query: list[Criterion]) -> Iterable[User]:
    """Whom to hold against the conditions: all, unless one asks for exactly one e-mail address."""
    for each in query:
        asked = each.values or [each.value or ""]
        if (each.operator, each.type, len(asked)) == ("AND", "EXACT", 1) and set(each.fields or ()) <= {
            "email",
            "username",
        }:
            return org.users_of(asked[0])
    return org.users.values()


def _condition(query: list[Criterion]) -> Callable[[User], bool]:
    """AND is the rule; conditions marked OR are alternatives to each other, those marked NOT must not fit."""
    needed = [_criterion(each) for each in query if each.operator == "AND"]
    refused = [_criterion(each) for each in query if each.operator == "NOT"]
    alternatives = [_criterion(each) for each in query if each.operator == "OR"]

    def fits(person: User) -> bool:
        return (
            all(each(person) for each in needed)
            and not any(each(person) for each in refused)
            and (not alternatives or any(each(person) for each in alternatives))
        )

    return fits


def _criterion(criterion: Criterion) -> Callable[[User], bool]:
    """One condition, its words prepared once: there may be ten thousand users to hold against it."""
    match = TYPES[criterion.type]
    values = [each.lower() for each in criterion.values or [criterion.value or ""]]
    fields = [FIELDS[each] for each in criterion.fields or ["id"]]
    return lambda person: any(match(field(person).lower(), value) for field in fields for value in values)


def station(visit: Visit, user_id: str) -> Answer:
    """The phones of a user. One's own need no permission."""
    if visit.token.user_id != user_id and not visit.token.allows((OTHER_STATIONS,)):
        raise missing_permission(OTHER_STATIONS)
    return 200, people.user_stations(_user(visit, user_id), visit.world.org, SINCE)


def routing_status(visit: Visit, user_id: str) -> Answer:
    """Whether queues send a user work. An unknown user reads as off queue, as on the platform."""
    person = visit.world.org.users.get(user_id)
    if person is None:
        return 200, {"userId": user_id, "status": "OFF_QUEUE", "startTime": SINCE}
    return 200, people.routing_status(person, SINCE)


def presence(visit: Visit, user_id: str, source_id: str) -> Answer:
    """Whether a user is there."""
    person = _user(visit, user_id)
    if source_id.upper() != "PURECLOUD":
        raise not_found(f"No presence source has the id {source_id}; this sandbox has PURECLOUD.")
    return 200, people.presence(person, SINCE)


def queues(visit: Visit, user_id: str) -> Answer:
    """The queues of a user."""
    person, org = _user(visit, user_id), visit.world.org
    mine = [each for each in org.queues.values() if person.id in each.member_ids]
    return 200, visit.listing(mine, lambda each: queue_shapes.queue(each) | {"joined": True})


def _user(visit: Visit, user_id: str) -> User:
    person = visit.world.org.users.get(user_id)
    if person is None:
        raise not_found("Unable to find a user with that userId", code="general.resource.not.found")
    return person


ROUTES = [
    Route("GET", "/users/me", me, user_only=True),
    Route("GET", "/users", some),
    Route("POST", "/users/search", search, any_of=VIEW),
    Route("GET", "/users/{userId}", get),
    Route("GET", "/users/{userId}/station", station),
    Route("GET", "/users/{userId}/queues", queues, any_of=("routing:queue:view",)),
    Route("GET", "/users/{userId}/routingstatus", routing_status),
    Route("GET", "/users/{userId}/presences/{sourceId}", presence),
]
