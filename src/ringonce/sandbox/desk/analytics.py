"""Finding conversations afterwards: the part of the details query that looks for somebody's calls in a span of time."""

from collections.abc import Callable, Iterable

import msgspec

from ringonce.sandbox.conversation import Conversation
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit
from ringonce.sandbox.shapes import detail
from ringonce.sandbox.shapes.problems import bad_request, invalid_value

SEGMENT_DIMENSIONS = ("userId", "queueId", "direction", "mediaType", "purpose", "ani", "dnis")
CONVERSATION_DIMENSIONS = ("conversationId", "originatingDirection", "externalTag", "conversationEnd")
_VALUES: dict[str, Callable[[Conversation], Iterable[str]]] = {
    "userId": lambda whole: [leg.user_id for leg in whole.participants],
    "queueId": lambda whole: [leg.queue_id for leg in whole.participants],
    "direction": lambda whole: [leg.direction for leg in whole.participants],
    "mediaType": lambda _: ("voice",),
    "purpose": lambda whole: [leg.purpose for leg in whole.participants],
    "ani": lambda whole: [leg.ani for leg in whole.participants],
    "dnis": lambda whole: [leg.dnis for leg in whole.participants],
    "conversationId": lambda whole: (whole.id,),
    "originatingDirection": lambda _: ("outbound",),
    "externalTag": lambda whole: (whole.external_tag,),
    "conversationEnd": lambda whole: (whole.ended,),
}
LARGEST_PAGE = 100


class Predicate(msgspec.Struct):
    """One condition on a dimension."""

    dimension: str
    value: str | None = None
    operator: str = "matches"


class Clause(msgspec.Struct):
    """Conditions joined by and, or or."""

    predicates: list[Predicate] | None = None
    type: str = "and"


class Filter(msgspec.Struct):
    """Conditions, and clauses of conditions."""

    predicates: list[Predicate] | None = None
    clauses: list[Clause] | None = None
    type: str = "and"


class Paging(msgspec.Struct, rename="camel"):
    """Which page."""

    page_size: int = 25
    page_number: int = 1


class Query(msgspec.Struct, rename="camel"):
    """The fields of the official SDK's model ConversationQuery that find calls."""

    interval: str | None = None
    order: str = "asc"
    paging: Paging | None = None
    segment_filters: list[Filter] | None = None
    conversation_filters: list[Filter] | None = None


def details(visit: Visit) -> Answer:
    """Conversations that began in the interval and fit all filters, the running ones included."""
    asked = visit.read(Query)
    if not asked.interval:
        raise bad_request("interval is required.", field="interval", code="required.field.missing")
    if asked.order not in {"asc", "desc", "unordered"}:
        raise invalid_value("order", asked.order, ["asc", "desc", "unordered"])
    first, last = visit.interval(asked.interval)
    filters = [
        *((each, SEGMENT_DIMENSIONS) for each in asked.segment_filters or ()),
        *((each, CONVERSATION_DIMENSIONS) for each in asked.conversation_filters or ()),
    ]
    for each, known in filters:
        _check(each, known)
    began = visit.world.exchange.between(first, last)
    hits = [whole for whole in began if all(_fits(whole, each) for each, _ in filters)]
    if asked.order != "desc":
        hits.reverse()
    paging = asked.paging or Paging()
    if not 1 <= paging.page_size <= LARGEST_PAGE or paging.page_number < 1:
        raise invalid_value("paging", f"{paging.page_size}, {paging.page_number}", [f"pageSize 1 to {LARGEST_PAGE}"])
    page = hits[(paging.page_number - 1) * paging.page_size : paging.page_number * paging.page_size]
    return 200, {"conversations": [detail.conversation(each) for each in page], "totalHits": len(hits)}


def _check(each: Filter, known: tuple[str, ...]) -> None:
    clauses = [*(each.clauses or ()), each]
    for clause in clauses:
        if clause.type not in {"and", "or"}:
            raise invalid_value("type", clause.type, ["and", "or"])
        for predicate in clause.predicates or ():
            if predicate.dimension not in known:
                raise invalid_value("dimension", predicate.dimension, known)
            if predicate.operator not in {"matches", "exists", "notExists"}:
                raise invalid_value("operator", predicate.operator, ["matches", "exists", "notExists"])


def _fits(whole: Conversation, each: Filter) -> bool:
    results = [_holds(whole, predicate) for predicate in each.predicates or ()]
    for clause in each.clauses or ():
        inner = [_holds(whole, predicate) for predicate in clause.predicates or ()]
        results.append(all(inner) if clause.type == "and" else any(inner))
    return all(results) if each.type == "and" else any(results)


def _holds(whole: Conversation, predicate: Predicate) -> bool:
    values = {value for value in _VALUES[predicate.dimension](whole) if value}
    if predicate.operator == "exists":
        return bool(values)
    if predicate.operator == "notExists":
        return not values
    return predicate.value in values


ROUTES = [
    Route(
        "POST",
        "/analytics/conversations/details/query",
        details,
        any_of=("analytics:conversationDetail:view",),
    ),
]
