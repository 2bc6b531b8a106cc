"""Finding a call afterwards: by its agent, its number and the time, and not before analytics knows of it."""

from typing import Any

import pytest

from ringonce.sandbox.agenda import iso
from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.world import World

GRACE, SALES = named("user/grace"), named("queue/sales")
QUERY = "/analytics/conversations/details/query"


@pytest.fixture
def calls(world: World, ask: Any) -> dict[str, str]:
    """Three calls, a minute apart: two of Ada's and one of Grace's."""
    placed = {}
    for name, digits, agent in (("answered", "6543", ADA), ("busy", "0002", ADA), ("hers", "6543", GRACE)):
        placed[name] = ask.place(digits, agent=agent, callFromQueueId=SALES)
        world.advance(world.now + 60)
    return placed


def predicate(dimension: str, value: str = "", operator: str = "matches") -> dict[str, str]:
    return {"type": "dimension", "dimension": dimension, "operator": operator, "value": value}


def fitting(*predicates: dict[str, str], type: str = "and") -> dict[str, Any]:  # noqa: A002 - the field's name
    return {"type": type, "predicates": list(predicates)}


def found(world: World, ask: Any, calls: dict[str, str], **query: Any) -> list[str]:
    whole = {"interval": f"{iso(world.now - 3600)}/{iso(world.now + 60)}"} | query
    status, answer = ask("POST", QUERY, whole)
    assert status == 200, answer
    names = {call: name for name, call in calls.items()}
    return [names[each["conversationId"]] for each in answer["conversations"]]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([fitting(predicate("userId", ADA))], ["answered", "busy"]),
        ([fitting(predicate("dnis", "tel:+15559870002"))], ["busy"]),
        ([fitting(predicate("remote", "+15559870002"))], ["busy"]),
        ([fitting(predicate("userId", ADA)), fitting(predicate("sipResponseCode", "486"))], ["busy"]),
        ([fitting(predicate("userId", ADA), predicate("purpose", "agent"))], ["answered", "busy"]),
        ([fitting(predicate("userId", ADA), predicate("purpose", "customer"))], []),
        ([fitting(predicate("userId", GRACE), predicate("remote", "+15559870002"), type="or")], ["busy", "hers"]),
        ([fitting(predicate("mediaType", "callback"))], []),
        (
            [fitting(predicate("queueId", SALES)), fitting(predicate("segmentType", "interact"))],
            ["answered", "hers"],
        ),
        ([fitting(predicate("wrapUpCode", operator="exists"))], []),
    ],
)
def test_segments_are_looked_through(
    world: World, ask: Any, calls: dict[str, str], filters: list[Any], names: list[str]
) -> None:
    assert found(world, ask, calls, segmentFilters=filters) == names


def test_whole_conversations_are_looked_through(world: World, ask: Any, calls: dict[str, str]) -> None:
    ask("PUT", f"/conversations/{calls['busy']}/tags", {"externalTag": "order-1"})
    world.advance(world.now + 1)

    tagged = fitting(predicate("externalTag", "order-1"))
    untagged = fitting(predicate("externalTag", operator="notExists"))

    assert found(world, ask, calls, conversationFilters=[tagged]) == ["busy"]
    assert found(world, ask, calls, conversationFilters=[untagged]) == ["answered", "hers"]


def test_the_order_and_the_page_are_as_asked_for(world: World, ask: Any, calls: dict[str, str]) -> None:
    def page(size: int, number: int, **query: Any) -> list[str]:
        return found(world, ask, calls, paging={"pageSize": size, "pageNumber": number}, **query)

    assert page(2, 1) + page(2, 2) == ["answered", "busy", "hers"]
    assert page(2, 1, order="desc") == ["hers", "busy"]
    assert page(3, 1, orderBy="conversationEnd", order="desc") == ["hers", "busy", "answered"]
    assert page(2, 3) == []


def test_only_what_began_in_the_interval_is_found(world: World, ask: Any, calls: dict[str, str]) -> None:
    began = world.exchange.conversations[calls["busy"]].started_at

    assert found(world, ask, calls, interval=f"{iso(began)}/{iso(began + 1)}") == ["busy"]
    assert found(world, ask, calls, interval=f"{iso(began + 0.001)}/PT30S") == []


def test_analytics_lags_behind_as_long_as_it_is_told_to(world: World, ask: Any, calls: dict[str, str]) -> None:
    world.analytics_lag = 100

    assert found(world, ask, calls) == ["answered", "busy"]
    assert ask("GET", f"/analytics/conversations/{calls['busy']}/details")[1]["conversationId"] == calls["busy"]
    assert ask("GET", f"/analytics/conversations/{calls['hers']}/details")[0] == 404
    some = ask("GET", "/analytics/conversations/details", id=",".join([*calls.values(), "unknown"]))[1]
    assert len(some["conversations"]) == 2
    world.advance(world.now + 100)
    assert len(found(world, ask, calls)) == 3


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"interval": ""}, "required.field.missing"),
        ({"interval": "yesterday"}, "invalid.date"),
        ({"order": "random"}, "invalid.value"),
        ({"orderBy": "beauty"}, "invalid.value"),
        ({"paging": {"pageSize": 101}}, "invalid.value"),
        ({"segmentFilters": [fitting(predicate("colour", "red"))]}, "invalid.value"),
        ({"conversationFilters": [fitting(predicate("userId", ADA))]}, "invalid.value"),
        ({"segmentFilters": [fitting(predicate("userId", ADA, "resembles"))]}, "invalid.value"),
        ({"segmentFilters": [fitting(type="nor")]}, "invalid.value"),
    ],
)
def test_a_question_that_makes_no_sense(ask: Any, query: dict[str, Any], code: str) -> None:
    status, answer = ask("POST", QUERY, {"interval": "2026-01-01T00:00:00Z/P1D"} | query)

    assert (status, answer["code"]) == (400, code)


def test_at_most_a_hundred_by_their_ids(ask: Any) -> None:
    assert ask("GET", "/analytics/conversations/details", id=",".join(map(str, range(101))))[0] == 400


@pytest.mark.parametrize(
    ("interval", "code"),
    [
        ("2026-01-02T00:00:00Z/2026-01-01T00:00:00Z", "bad.request"),
        ("0001-01-01T00:00:00+14:00/2026-01-01T00:00:00Z", "invalid.date"),
        ("2026-01-01T00:00:00Z/9999-12-31T23:59:59-14:00", "invalid.date"),
    ],
)
def test_an_interval_that_no_calendar_has_is_refused(ask: Any, interval: str, code: str) -> None:
    status, answer = ask("POST", QUERY, {"interval": interval})

    assert (status, answer["code"]) == (400, code)
    assert interval.partition("/")[0] in answer["message"]


@pytest.mark.parametrize("field", ["aggregations", "evaluationFilters", "surveyFilters", "resolutionFilters"])
def test_what_the_platform_finds_by_and_the_sandbox_does_not_is_refused(world: World, ask: Any, field: str) -> None:
    asked = {"interval": f"{iso(world.now - 3600)}/{iso(world.now)}", field: [{"type": "termFrequency"}]}

    status, refused = ask("POST", QUERY, asked)

    assert (status, refused["details"][0]["fieldName"]) == (400, field)
    assert "the platform has that and this sandbox has not" in refused["message"]
    assert ask("POST", QUERY, {**asked, field: []})[0] == 200


def test_the_part_of_the_paging_that_is_wrong_is_named(world: World, ask: Any) -> None:
    asked = {"interval": f"{iso(world.now - 3600)}/{iso(world.now)}", "paging": {"pageNumber": 0}}

    assert ask("POST", QUERY, asked)[1]["details"][0]["fieldName"] == "paging.pageNumber"
