"""Searching users, by body or by the page of an earlier search."""

import base64
import binascii
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import msgspec

from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit
from ringonce.sandbox.org import Org, User
from ringonce.sandbox.shapes import people
from ringonce.sandbox.shapes.problems import bad_request, invalid_value, not_simulated

VIEW = ("directory:user:view",)
FIELDS: dict[str, Callable[[User], str]] = {
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
NOT_HERE = (
    "REGEX",
    "REQUIRED_FIELDS",
    "QUERY_STRING",
    "RANGE",
    "LESS_THAN",
    "LESS_THAN_EQUAL_TO",
    "GREATER_THAN",
    "GREATER_THAN_EQUAL_TO",
)
"""What else the official SDK's model has."""
OPERATORS = ("AND", "OR", "NOT")
ORDERS = ("ASC", "DESC", "SCORE")


class Criterion(msgspec.Struct):
    """One condition of a search: the official SDK's model UserSearchCriteria."""

    type: str
    fields: list[str] | None = None
    value: str | None = None
    values: list[str] | None = None
    operator: str = "AND"
    group: list[Any] | None = None


class Search(msgspec.Struct, rename="camel"):
    """The official SDK's model UserSearchRequest."""

    query: list[Criterion] | None = None
    page_size: int = 25
    page_number: int = 1
    expand: list[str] | None = None
    sort_by: str | None = None
    sort_order: str = "ASC"
    sort: list[Any] | None = None


def search(visit: Visit) -> Answer:
    """Users who fit all conditions. The answer has `results`, where other listings have `entities`."""
    return 200, _results(visit, visit.read(Search))


def page(visit: Visit) -> Answer:
    """A page of an earlier search, by the words that its answer has for it."""
    words = visit.request.query.get("q64", "")
    if not words:
        raise bad_request("The query parameter q64 is required.", field="q64", code="required.field.missing")
    try:
        raw = base64.b64decode(words, validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise bad_request(f"q64 is no base64: {wrong}.", field="q64", code="invalid.value") from wrong
    return 200, _results(visit, visit.read(Search, raw, "parameter q64"))


def _results(visit: Visit, asked: Search) -> dict[str, Any]:
    query = _checked(asked)
    org, directory = visit.world.org, visit.world.directory
    fits = _condition(query)
    hits = [each for each in _candidates(org, query) if fits(each)]
    if asked.sort_by is not None:
        hits.sort(key=FIELDS[asked.sort_by], reverse=asked.sort_order == "DESC")
    size, number = asked.page_size, asked.page_number
    shown = hits[(number - 1) * size : number * size]
    pages = -(-len(hits) // size)
    results = {
        "total": len(hits),
        "pageCount": pages,
        "pageSize": size,
        "pageNumber": number,
        "types": ["users"],
        "currentPage": _q64(asked, number),
        "results": [people.user(each, org, directory, asked.expand or []) for each in shown],
    }
    if number > 1:
        results["previousPage"] = _q64(asked, number - 1)
    if number < pages:
        results["nextPage"] = _q64(asked, number + 1)
    return results


def _q64(asked: Search, number: int) -> str:
    return base64.b64encode(msgspec.json.encode(msgspec.structs.replace(asked, page_number=number))).decode()


def _checked(asked: Search) -> list[Criterion]:
    """The conditions of a search that can be done."""
    if not asked.query:
        raise bad_request("query is required: a list of conditions.", field="query", code="required.field.missing")
    for name, value, most in (("pageSize", asked.page_size, 500), ("pageNumber", asked.page_number, 1_000_000)):
        if not 1 <= value <= most:
            raise invalid_value(name, value, [f"1 to {most}"])
    if asked.sort_by is not None and asked.sort_by not in FIELDS:
        raise invalid_value("sortBy", asked.sort_by, FIELDS)
    if asked.sort_order not in ORDERS:
        raise invalid_value("sortOrder", asked.sort_order, ORDERS)
    if asked.sort:
        raise not_simulated("sort", "Sorting by several fields", "it sorts by one, with sortBy and sortOrder")
    for criterion in asked.query:
        _check(criterion)
    return asked.query


def _check(criterion: Criterion) -> None:
    if criterion.type in NOT_HERE:
        raise not_simulated("query.type", f"Searching by {criterion.type}", f"it has {', '.join(TYPES)}")
    if criterion.group:
        raise not_simulated("query.group", "A group of conditions", "give each condition by itself")
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
            raise invalid_value("query.fields", field, FIELDS)
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


ROUTES = [
    Route("POST", "/users/search", search, any_of=VIEW),
    Route("GET", "/users/search", page, any_of=VIEW),
]
