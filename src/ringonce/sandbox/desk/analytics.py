"""Finding conversations afterwards: the part of the details query that looks for somebody's calls in a span of time."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ringonce.sandbox.conversation import Conversation, Participant, Segment
from ringonce.sandbox.desk.legs import conversation
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit
from ringonce.sandbox.shapes import detail
from ringonce.sandbox.shapes.flat import provider
from ringonce.sandbox.shapes.problems import bad_request, invalid_value, no_conversation, not_simulated

LARGEST_PAGE = 100
MOST_PAGES = 1_000_000
MOST_IDS = 100
ORDERS = ("asc", "desc", "unordered")
ORDERED_BY = ("conversationStart", "conversationEnd", "segmentStart", "segmentEnd")
Values = dict[str, Callable[[Conversation, Participant, Segment], str]]
CONVERSATION_DIMENSIONS: Values = {
    "conversationId": lambda whole, _leg, _part: whole.id,
    "conversationStart": lambda whole, _leg, _part: whole.started,
    "conversationEnd": lambda whole, _leg, _part: whole.ended,
    "conversationInitiator": lambda whole, _leg, _part: whole.participants[0].purpose,
    "originatingDirection": lambda _whole, _leg, _part: "outbound",
    "externalTag": lambda whole, _leg, _part: whole.external_tag,
}
SEGMENT_DIMENSIONS: Values = {
    "userId": lambda _whole, leg, _part: leg.user_id,
    "queueId": lambda _whole, leg, _part: leg.queue_id,
    "direction": lambda _whole, leg, _part: leg.direction,
    "mediaType": lambda _whole, leg, _part: detail.media_type(leg),
    "purpose": lambda _whole, leg, _part: leg.purpose,
    "participantName": lambda _whole, leg, _part: leg.name,
    "ani": lambda _whole, leg, _part: leg.ani,
    "dnis": lambda _whole, leg, _part: leg.dnis,
    "remote": lambda _whole, leg, _part: detail.remote(leg),
    "provider": lambda _whole, leg, _part: provider(leg),
    "externalContactId": lambda _whole, leg, _part: leg.external_contact_id,
    "callbackNumber": lambda _whole, leg, _part: leg.callback.numbers[0] if leg.callback else "",
    "wrapUpCode": lambda _whole, leg, _part: (leg.wrapup.code or "") if leg.wrapup else "",
    "errorCode": lambda _whole, leg, _part: leg.fault.code if leg.fault else "",
    "sipResponseCode": lambda _whole, leg, _part: str(leg.reason.code) if leg.reason else "",
    "segmentType": lambda _whole, _leg, part: detail.segment_type(part),
    "segmentEnd": lambda _whole, _leg, part: part.end,
    "disconnectType": lambda _whole, _leg, part: detail.disconnect_type(part),
}


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
    """The official SDK's model ConversationQuery."""

    interval: str | None = None
    order: str = "asc"
    order_by: str = "conversationStart"
    paging: Paging | None = None
    segment_filters: list[Filter] | None = None
    conversation_filters: list[Filter] | None = None
    evaluation_filters: list[Any] | None = None
    survey_filters: list[Any] | None = None
    resolution_filters: list[Any] | None = None
    aggregations: list[Any] | None = None


def details(visit: Visit) -> Answer:
    """Conversations that began in the interval and fit all filters, the running ones included."""
    asked = visit.read(Query)
    if not asked.interval:
        raise bad_request("interval is required.", field="interval", code="required.field.missing")
    if asked.order not in ORDERS:
        raise invalid_value("order", asked.order, ORDERS)
    if asked.order_by not in ORDERED_BY:
        raise invalid_value("orderBy", asked.order_by, ORDERED_BY)
    _refuse_what_is_not_here(asked)
    first, last = visit.interval(asked.interval)
    segment_filters, whole_filters = asked.segment_filters or (), asked.conversation_filters or ()
    for filters, known in ((segment_filters, SEGMENT_DIMENSIONS), (whole_filters, CONVERSATION_DIMENSIONS)):
        for each in filters:
            _check(each, known)
    hits = [
        whole
        for whole in visit.world.exchange.between(first, last)
        if _known(visit, whole)
        and all(_some_segment_fits(whole, each) for each in segment_filters)
        and all(_fits(each, CONVERSATION_DIMENSIONS, *next(_segments(whole))) for each in whole_filters)
    ]
    if asked.order_by.endswith("End"):
        hits.sort(key=lambda whole: whole.ended or "~", reverse=True)
    if asked.order != "desc":
        hits.reverse()
    paging = asked.paging or Paging()
    for field, number, most in (
        ("pageSize", paging.page_size, LARGEST_PAGE),
        ("pageNumber", paging.page_number, MOST_PAGES),
    ):
        if not 1 <= number <= most:
            raise invalid_value(f"paging.{field}", number, [f"1 to {most}"])
    page = hits[(paging.page_number - 1) * paging.page_size : paging.page_number * paging.page_size]
    return 200, {"conversations": [detail.conversation(each) for each in page], "totalHits": len(hits)}


def one(visit: Visit, conversation_id: str) -> Answer:
    """One conversation, as analytics tells it."""
    whole = conversation(visit, conversation_id)
    if not _known(visit, whole):
        raise no_conversation(conversation_id)
    return 200, detail.conversation(whole)


def several(visit: Visit) -> Answer:
    """Those of some conversations that analytics knows."""
    wanted = visit.words("id")
    if len(wanted) > MOST_IDS:
        raise bad_request(f"Only {MOST_IDS} conversations can be requested at a time.", field="id")
    there = [visit.world.exchange.conversations.get(each) for each in dict.fromkeys(wanted)]
    known = [each for each in there if each is not None and _known(visit, each)]
    return 200, {"conversations": [detail.conversation(each) for each in known]}


def _known(visit: Visit, whole: Conversation) -> bool:
    """Whether analytics has heard of a conversation yet."""
    return visit.world.now - whole.started_at >= visit.world.analytics_lag


def _refuse_what_is_not_here(asked: Query) -> None:
    not_here = {
        "aggregations": asked.aggregations,
        "evaluationFilters": asked.evaluation_filters,
        "resolutionFilters": asked.resolution_filters,
        "surveyFilters": asked.survey_filters,
    }
    for field, given in not_here.items():
        if given:
            instead = "it finds by segmentFilters and conversationFilters"
            raise not_simulated(field, f"A details query with {field}", instead)


def _check(each: Filter, known: Values) -> None:
    clauses = [*(each.clauses or ()), each]
    for clause in clauses:
        if clause.type not in {"and", "or"}:
            raise invalid_value("type", clause.type, ["and", "or"])
        for predicate in clause.predicates or ():
            if predicate.dimension not in known:
                raise invalid_value("dimension", predicate.dimension, known)
            if predicate.operator not in {"matches", "exists", "notExists"}:
                raise invalid_value("operator", predicate.operator, ["matches", "exists", "notExists"])


def _segments(whole: Conversation) -> Iterator[tuple[Conversation, Participant, Segment]]:
    return ((whole, leg, part) for leg in whole.participants for part in leg.segments)


def _some_segment_fits(whole: Conversation, each: Filter) -> bool:
    """Whether one and the same segment fits a filter."""
    return any(_fits(each, SEGMENT_DIMENSIONS, *at) for at in _segments(whole))


def _fits(each: Filter, values: Values, whole: Conversation, leg: Participant, part: Segment) -> bool:
    def holds(predicate: Predicate) -> bool:
        value = values[predicate.dimension](whole, leg, part)
        if predicate.operator == "matches":
            return predicate.value == value
        return bool(value) == (predicate.operator == "exists")

    results = [holds(predicate) for predicate in each.predicates or ()]
    for clause in each.clauses or ():
        inner = [holds(predicate) for predicate in clause.predicates or ()]
        results.append(all(inner) if clause.type == "and" else any(inner))
    return all(results) if each.type == "and" else any(results)


VIEW = ("analytics:conversationDetail:view",)
ROUTES = [
    Route("POST", "/analytics/conversations/details/query", details, any_of=VIEW),
    Route("GET", "/analytics/conversations/details", several, any_of=VIEW),
    Route("GET", "/analytics/conversations/{conversationId}/details", one, any_of=VIEW),
]
