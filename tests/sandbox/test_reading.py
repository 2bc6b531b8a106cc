"""Finding and reading: calls, users, stations, queues and numbers."""

from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.world import World

GRACE, JOAN, SALES = named("user/grace"), named("user/joan"), named("queue/sales")


def test_how_the_nested_view_writes_addresses_and_segments(ask: Any, world: World) -> None:
    call = ask.place("6543", callFromQueueId=SALES)
    world.advance(world.now + 15)

    agent, customer = ask("GET", f"/conversations/{call}")[1]["participants"]

    assert customer["calls"][0]["self"] == {
        "nameRaw": "",
        "addressNormalized": "tel:+15559876543",
        "addressRaw": "sip:+15559876543@10.0.0.1;user=phone",
        "addressDisplayable": "+15559876543",
    }
    assert (agent["queueName"], agent["userUri"]) == ("Sales", f"/api/v2/users/{ADA}")
    ends = [(part["type"], part.get("howEnded"), part.get("disconnectType")) for part in agent["calls"][0]["segments"]]
    assert ends == [("Contacting", None, None), ("Dialing", "Interact", None), ("Interact", "Disconnect", "peer")]
    assert agent["calls"][0]["afterCallWork"]["state"] == "pending"
    assert customer["calls"][0]["afterCallWork"] == {}


def test_active_calls_and_history_are_the_users_own(ask: Any, ask_as: Callable[[str], Any], world: World) -> None:
    ask.place("0000")
    ask.place("0002")
    ask.place("0000", agent=GRACE)
    world.advance(world.now + 10)
    ada = ask_as(ADA)

    active, past = ada("GET", "/conversations/calls")[1], ada("GET", "/conversations/calls/history")[1]

    assert active["total"] == 1
    assert [entry["participants"][1]["sipResponseCodes"] for entry in past["entities"]] == [[486], []]
    assert ada("GET", "/conversations?communicationType=Chat")[1]["total"] == 0
    assert (
        ada("GET", "/conversations/calls/history?interval=2020-01-01T00:00:00Z/2021-01-01T00:00:00Z")[1]["total"] == 0
    )
    assert ada("GET", "/conversations/calls/history?interval=yesterday")[1]["code"] == "invalid.date"
    assert ada("GET", "/conversations/calls/history?pageSize=51")[1]["code"] == "invalid.value"


@pytest.mark.parametrize(
    ("interval", "calls"),
    [
        ("2026-01-01T12:00:00Z/2026-01-01T12:00:01Z", 1),
        ("2026-01-01T11:00:00.000Z/PT1H", 0),
        ("2026-01-01T11:00:00.000Z/PT1H1S", 1),
        ("P1D/2026-01-02", 1),
        ("P1W/2026-01-01", 0),
        ("2026-01-01T14:00:00+02:00/P1D", 1),
    ],
)
def test_spans_of_time(ask: Any, ask_as: Callable[[str], Any], interval: str, calls: int) -> None:
    ask.place()

    assert ask_as(ADA)("GET", "/conversations/calls/history", interval=interval)[1]["total"] == calls


def test_a_call_is_found_from_the_very_moment_it_says_it_began(
    ask: Any, ask_as: Callable[[str], Any], world: World
) -> None:
    world.advance(world.now + 0.4567)
    began = ask("GET", f"/conversations/{ask.place()}")[1]["startTime"]

    assert ask_as(ADA)("GET", "/conversations/calls/history", interval=f"{began}/PT1S")[1]["total"] == 1


@pytest.mark.parametrize(
    "interval", ["2026-01-01", "2026-01-01/P", "P1D/P1D", "2026-01-01/PT", "x/y", "/", "P1Y/2026-01-01"]
)
def test_a_span_of_time_that_is_none(ask_as: Callable[[str], Any], interval: str) -> None:
    status, answer = ask_as(ADA)("GET", "/conversations/calls/history", interval=interval)

    assert (status, answer["code"]) == (400, "invalid.date")


@pytest.mark.parametrize(
    ("criterion", "names"),
    [
        ({"fields": ["email"], "type": "EXACT", "value": "ADA@example.com"}, {"Ada Lovelace"}),
        ({"fields": ["email"], "type": "EXACT", "value": "ada@example"}, set()),
        ({"fields": ["email"], "type": "STARTS_WITH", "value": "grace"}, {"Grace Hopper", "Grace Murray"}),
        ({"fields": ["name"], "type": "CONTAINS", "value": "grace"}, {"Grace Hopper", "Grace Murray"}),
        ({"fields": ["name"], "type": "STARTS_WITH", "value": "hopp"}, {"Grace Hopper"}),
        ({"fields": ["name"], "type": "TERM", "value": "linus"}, {"Linus Park"}),
        ({"fields": ["state"], "type": "EXACT", "value": "inactive"}, {"Alan Retired"}),
    ],
)
def test_finding_a_user(ask: Any, criterion: dict[str, Any], names: set[str]) -> None:
    answer = ask("POST", "/users/search", {"query": [criterion]})[1]

    assert {each["name"] for each in answer["results"]} == names
    assert answer["total"] == len(names)


def test_conditions_are_joined_by_and_or_and_not(ask: Any) -> None:
    def found(*query: dict[str, Any]) -> set[str]:
        return {each["email"] for each in ask("POST", "/users/search", {"query": query})[1]["results"]}

    grace = {"fields": ["name"], "type": "CONTAINS", "value": "grace"}
    hopper = {"fields": ["name"], "type": "CONTAINS", "value": "hopper"}

    assert found(grace, hopper) == {"grace@example.com"}
    assert found(grace, hopper | {"operator": "NOT"}) == {"grace.murray@example.com"}
    either = [each | {"operator": "OR"} for each in (hopper, {**hopper, "value": "ada"})]
    assert found(*either) == {"grace@example.com", "ada@example.com"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": []},
        {"query": [{"type": "EXACT", "fields": ["shoe size"], "value": "9"}]},
        {"query": [{"type": "EXACT", "value": "9"}]},
        {"query": [{"type": "EXACT", "fields": ["name"]}]},
        {"query": [{"type": "MATCH_ALL"}], "pageSize": 0},
        {"query": [{"type": "MATCH_ALL", "operator": "XOR"}]},
    ],
)
def test_a_search_that_makes_no_sense(ask: Any, body: dict[str, Any]) -> None:
    assert ask("POST", "/users/search", body)[0] == 400


def test_more_agents_on_request_each_with_a_phone() -> None:
    world = World(now=0.0, agents=3)
    again = World(now=9.0, seed=5, agents=3)

    third = next(user for user in world.org.users.values() if user.email == "agent-00003@example.com")
    assert third.id in again.org.users
    assert world.org.stations[third.station_id or ""].auto_answer


def test_users_by_their_ids(ask: Any) -> None:
    assert [each["id"] for each in ask("GET", "/users", id=f"{ADA},{GRACE},nobody")[1]["entities"]] == [ADA, GRACE]
    assert ask("GET", "/users", id=",".join(str(n) for n in range(101)))[1]["code"] == "max.user.ids"
    assert ask("GET", "/users/nobody")[1]["code"] == "general.resource.not.found"


def test_who_can_dial(ask: Any) -> None:
    assert ask("GET", f"/users/{ADA}/station")[1]["effectiveStation"]["type"] == "inin_webrtc_softphone"
    assert ask("GET", f"/users/{JOAN}/station")[1] == {}
    assert ask("GET", f"/users/{ADA}?expand=station")[1]["station"]["effectiveStation"]["name"] == "Ada's browser"


@pytest.mark.parametrize(("name", "found"), [("sales", 1), ("S*", 2), ("*port", 1), ("s?les", 0), ("[sS]ales", 0)])
def test_queues_by_name(ask: Any, name: str, found: int) -> None:
    assert ask("GET", "/routing/queues", name=name)[1]["total"] == found


def test_the_numbers_of_the_organization(ask: Any) -> None:
    path = "/telephony/providers/edges"
    everything = ask("GET", f"{path}/didpools/dids?type=ASSIGNED_AND_UNASSIGNED")[1]["entities"]
    free = ask("GET", f"{path}/didpools/dids?type=UNASSIGNED")[1]["entities"]
    mine = ask("GET", f"{path}/dids", phoneNumber="+15551234567")[1]["entities"]

    assert {each["assigned"] for each in everything} == {True, False}
    assert {each["assigned"] for each in free} == {False}
    assert mine[0]["owner"]["id"] == ADA
    assert ask("GET", f"{path}/didpools/dids")[0] == ask("GET", f"{path}/didpools/dids?type=X")[0] == 400


def test_analytics_finds_an_agents_calls_while_they_run(ask: Any, world: World) -> None:
    running, ended = ask.place("0000"), ask.place("0002")
    ask.place("0000", agent=GRACE)
    world.advance(world.now + 5)

    def query(**changes: Any) -> Any:
        predicates = [{"dimension": "userId", "value": ADA}, {"dimension": "mediaType", "value": "voice"}]
        body = {
            "interval": "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z",
            "segmentFilters": [{"type": "and", "predicates": predicates}],
        }
        return ask("POST", "/analytics/conversations/details/query", body | changes)

    found = query()[1]["conversations"]
    assert [(each["conversationId"], "conversationEnd" in each) for each in found] == [(running, False), (ended, True)]
    assert [each["conversationId"] for each in query(order="desc")[1]["conversations"]] == [ended, running]
    open_ones = [{"type": "and", "predicates": [{"dimension": "conversationEnd", "operator": "notExists"}]}]
    assert query(conversationFilters=open_ones)[1]["totalHits"] == 1
    assert query(paging={"pageSize": 1, "pageNumber": 2})[1]["conversations"][0]["conversationId"] == ended
    for wrong in ({"interval": None}, {"interval": "x"}, {"order": "up"}, {"paging": {"pageSize": 101}}):
        assert query(**wrong)[0] == 400
    assert (
        query(segmentFilters=[{"predicates": [{"dimension": "mood", "value": "good"}]}])[1]["code"] == "invalid.value"
    )
