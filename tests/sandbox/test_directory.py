"""What agents change about themselves: where they sit, whether they are there, and what is known of them."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.agenda import iso
from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.presences import AVAILABLE, ON_QUEUE
from ringonce.sandbox.world import World

GRACE, JOAN, HOT_DESK = named("user/grace"), named("user/joan"), named("station/hot-desk")
SALES = named("queue/sales")


def go(ask: Any, presence_id: str, user_id: str = ADA) -> Any:
    return ask("PATCH", f"/users/{user_id}/presences/PURECLOUD", {"presenceDefinition": {"id": presence_id}})


def status(ask: Any, user_id: str = ADA) -> str:
    told: str = ask("GET", f"/users/{user_id}/routingstatus")[1]["status"]
    return told


def test_whoever_sits_down_at_a_station_can_call(ask: Any) -> None:
    call = f"/conversations/calls/user/{JOAN}"
    assert ask("POST", call, {"phoneNumber": "+15559876543"})[0] == 400

    assert ask("PUT", f"/users/{JOAN}/station/associatedstation/{HOT_DESK}", b"null") == (202, None)

    assert ask("POST", call, {"phoneNumber": "+15559876543"})[0] == 202
    stations = ask("GET", f"/users/{JOAN}/station")[1]
    assert stations["associatedStation"]["associatedUser"]["id"] == JOAN
    assert stations["effectiveStation"]["id"] == stations["lastAssociatedStation"]["id"] == HOT_DESK
    assert "defaultStation" not in stations
    assert ask("GET", f"/stations/{HOT_DESK}")[1]["userId"] == JOAN


def test_a_station_takes_one_user_at_a_time(ask: Any) -> None:
    ask("PUT", f"/users/{JOAN}/station/associatedstation/{HOT_DESK}")

    refused, problem = ask("PUT", f"/users/{GRACE}/station/associatedstation/{HOT_DESK}")
    assert (refused, problem["code"]) == (409, "userservice.stationalreadyassociated")

    assert ask("DELETE", f"/stations/{HOT_DESK}/associateduser") == (200, None)
    assert ask("PUT", f"/users/{GRACE}/station/associatedstation/{HOT_DESK}")[0] == 202
    assert ask("GET", f"/stations/{named('station/grace')}")[1]["status"] == "AVAILABLE"


def test_without_a_station_the_default_one_is_called_unless_somebody_else_sits_there(ask: Any) -> None:
    ask("DELETE", f"/users/{GRACE}/station/associatedstation")
    stations = ask("GET", f"/users/{GRACE}/station")[1]
    assert stations["effectiveStation"]["id"] == stations["defaultStation"]["id"] == named("station/grace")
    assert "associatedStation" not in stations

    ask("PUT", f"/users/{JOAN}/station/associatedstation/{named('station/grace')}")
    assert "effectiveStation" not in ask("GET", f"/users/{GRACE}/station")[1]

    ask("PUT", f"/users/{GRACE}/station/defaultstation/{HOT_DESK}")
    assert ask("GET", f"/users/{GRACE}/station")[1]["effectiveStation"]["id"] == HOT_DESK
    ask("DELETE", f"/users/{GRACE}/station/defaultstation")
    assert ask("GET", f"/users/{GRACE}/station")[1].keys() == {"lastAssociatedStation"}


def test_agents_choose_their_own_station_and_nobody_elses(ask_as: Callable[[str], Any]) -> None:
    ada = ask_as(ADA)

    assert ada("PUT", f"/users/stations/me/associatedstation/{HOT_DESK}") == (202, None)
    assert ada("GET", "/users/stations/me")[1]["associatedStation"]["id"] == HOT_DESK
    assert ada("PUT", f"/users/{GRACE}/station/associatedstation/{HOT_DESK}")[1]["code"] == "missing.permissions"
    assert ada("DELETE", f"/users/{GRACE}/station/associatedstation")[0] == 403


def test_stations_that_a_user_can_choose(ask_as: Callable[[str], Any]) -> None:
    ada = ask_as(ADA)

    chosen = {each["name"] for each in ada("GET", "/stations?userSelectable=true")[1]["entities"]}

    assert {"Hot desk", "Ada's browser"} <= chosen
    assert "Katherine's browser" not in chosen
    assert ada("GET", "/stations?userSelectable=perhaps")[0] == 400


def test_on_queue_is_a_presence_and_makes_an_agent_idle(ask: Any, world: World) -> None:
    world.advance(world.now + 60)
    assert status(ask) == "OFF_QUEUE"

    answer = go(ask, ON_QUEUE)[1]

    assert answer["presenceDefinition"]["systemPresence"] == "On Queue"
    assert answer["modifiedDate"] == world.agenda.stamp
    assert status(ask) == "IDLE"
    go(ask, AVAILABLE)
    assert status(ask) == "OFF_QUEUE"
    assert go(ask, named("no presence"))[0] == 404


@pytest.mark.parametrize(("queue", "busy"), [(SALES, "INTERACTING"), ("", "COMMUNICATING")])
def test_a_call_is_what_an_agent_is_busy_with(ask: Any, world: World, queue: str, busy: str) -> None:
    go(ask, ON_QUEUE)

    call = ask.place("0006", **({"callFromQueueId": queue} if queue else {}))

    assert status(ask) == busy
    world.advance(world.now + 20)
    # The after-call work of Sales needs a code.
    assert status(ask) == ("INTERACTING" if queue else "IDLE")
    if queue:
        leg = ask.call(call)["participants"][0]["id"]
        wrapup = {"wrapup": {"code": named("wrapup-code/Sale")}}
        assert ask("PATCH", f"/conversations/calls/{call}/participants/{leg}", wrapup)[0] == 202
        world.advance(world.now + 1)
    assert status(ask) == "IDLE"


def test_not_responding_ends_by_request_and_not_by_presence(ask: Any, world: World) -> None:
    go(ask, ON_QUEUE)
    world.directory.did_not_respond(ADA)
    go(ask, AVAILABLE)
    go(ask, ON_QUEUE)
    assert status(ask) == "NOT_RESPONDING"

    assert ask("PUT", f"/users/{ADA}/routingstatus", {"status": "IDLE"})[1]["status"] == "IDLE"


@pytest.mark.parametrize("wanted", ["OFF_QUEUE", "INTERACTING", "COMMUNICATING", "NOT_RESPONDING"])
def test_a_routing_status_that_no_request_can_bring_about(ask: Any, wanted: str) -> None:
    go(ask, ON_QUEUE)

    refused, problem = ask("PUT", f"/users/{ADA}/routingstatus", {"status": wanted})

    assert (refused, problem["code"]) == (400, "general.bad.request")
    assert problem["message"] == "An invalid routing status transition was attempted."
    assert ask("PUT", f"/users/{ADA}/routingstatus", {"status": "ASLEEP"})[1]["code"] == "invalid.value"


def test_a_member_who_leaves_a_queue_is_still_a_member(ask: Any) -> None:
    assert ask("PATCH", f"/users/{ADA}/queues/{SALES}", {"joined": False})[1]["joined"] is False

    members = ask("GET", f"/routing/queues/{SALES}/members?joined=false")[1]["entities"]
    assert [each["id"] for each in members] == [ADA]
    assert ask("GET", f"/routing/queues/{SALES}")[1]["joinedMemberCount"] == 2
    assert ask("PATCH", f"/routing/queues/{SALES}/members/{ADA}", {"joined": True}) == (202, None)
    assert ask("GET", f"/users/{ADA}/queues?joined=false")[1]["total"] == 0
    assert ask("PATCH", f"/users/{JOAN}/queues/{SALES}", {"joined": True})[0] == 404


def test_ones_own_queues(ask: Any, ask_as: Callable[[str], Any]) -> None:
    mine = ask_as(ADA)("GET", "/routing/queues/me?sortOrder=desc")[1]

    assert [(each["name"], each["joined"]) for each in mine["entities"]] == [("Support", True), ("Sales", True)]
    assert ask("GET", "/routing/queues/me")[1]["code"] == "not.a.user"


def test_a_user_is_changed_by_whoever_read_them_last(ask: Any) -> None:
    version = ask("GET", f"/users/{ADA}")[1]["version"]
    changes = {"version": version, "email": "countess@example.com", "title": "Countess", "acdAutoAnswer": True}

    assert ask("PATCH", f"/users/{ADA}", changes)[1]["version"] == version + 1

    refused, problem = ask("PATCH", f"/users/{ADA}", changes)
    assert (refused, problem["code"]) == (409, "general.conflict")
    assert ask("PATCH", f"/users/{ADA}", {"title": "Countess"})[0] == 400
    found = {"query": [{"type": "EXACT", "fields": ["email"], "value": "countess@example.com"}]}
    assert [each["id"] for each in ask("POST", "/users/search", found)[1]["results"]] == [ADA]


def test_a_users_work_number_is_their_caller_id(ask: Any, world: World) -> None:
    number = {"address": "+15551230000", "mediaType": "PHONE", "type": "WORK"}

    ask("PATCH", f"/users/{ADA}", {"version": 1, "addresses": [number]})
    ask.place()

    assert world.calls()[0]["callerId"] == "+15551230000"
    assert ask("GET", f"/users/{ADA}")[1]["addresses"] == [number]


def test_an_inactive_user_places_no_calls_and_is_not_listed(ask: Any) -> None:
    ask("PATCH", f"/users/{ADA}", {"version": 1, "state": "inactive"})

    refused, problem = ask("POST", f"/conversations/calls/user/{ADA}", {"phoneNumber": "+15559876543"})

    assert (refused, problem["code"]) == (400, "conversation.error.no.user.station")
    assert ADA not in {each["id"] for each in ask("GET", "/users?pageSize=100")[1]["entities"]}
    assert ask("GET", f"/users/{ADA}/state")[1] == {"state": "inactive", "version": 2}


def test_a_reset_takes_every_change_back(ask: Any, world: World) -> None:
    ask("PATCH", f"/users/{ADA}", {"version": 1, "name": "Countess"})
    ask("DELETE", f"/users/{ADA}/station/associatedstation")

    world.reset()

    assert world.org.users[ADA].name == "Ada Lovelace"
    assert world.directory.seat(ADA).station_id == named("station/ada")


def test_a_search_is_read_page_by_page(ask: Any) -> None:
    first = ask("POST", "/users/search", {"query": [{"type": "MATCH_ALL"}], "pageSize": 5})[1]

    second = ask("GET", "/users/search", q64=first["nextPage"])[1]

    assert (len(first["results"]), len(second["results"]), second["pageNumber"]) == (5, 4, 2)
    assert second["previousPage"] == first["currentPage"]
    assert "nextPage" not in second
    for wrong in ("", "é", "e30=="):
        assert ask("GET", "/users/search", q64=wrong)[0] == 400


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ({"query": [{"type": "REGEX", "fields": ["name"], "value": "A.*"}]}, "query.type", "this sandbox has not"),
        ({"query": [{"type": "RANGE", "fields": ["name"]}]}, "query.type", "it has EXACT, STARTS_WITH"),
        ({"query": [{"type": "FOO", "fields": ["name"], "value": "A"}]}, "query.type", "Value [FOO] is not valid"),
        ({"query": [{"type": "TERM", "group": [{"type": "TERM"}]}]}, "query.group", "this sandbox has not"),
        ({"query": [{"type": "MATCH_ALL"}], "sort": [{"sortBy": "name"}]}, "sort", "this sandbox has not"),
        ({"query": [{"type": "MATCH_ALL"}], "sortBy": "shoes"}, "sortBy", "Value [shoes] is not valid"),
        ({"query": [{"type": "MATCH_ALL"}], "sortOrder": "UP"}, "sortOrder", "Value [UP] is not valid"),
    ],
)
def test_a_search_that_the_sandbox_cannot_do_is_refused(ask: Any, asked: Any, field: str, words: str) -> None:
    status, refused = ask("POST", "/users/search", asked)

    assert (status, refused["details"][0]["fieldName"]) == (400, field)
    assert words in refused["message"]


def test_a_page_that_no_search_gave_is_told_by_its_own_name(ask: Any) -> None:
    refused = ask("GET", "/users/search", q64=base64.b64encode(b'{"query":5}').decode())[1]

    assert "The request parameter q64 does not fit" in refused["message"]


def test_forwarding_is_kept_whole_or_changed_in_part(ask: Any) -> None:
    path = f"/users/{ADA}/callforwarding"
    assert ask("GET", path)[1]["enabled"] is False
    calls = [{"targets": [{"type": "PHONENUMBER", "value": "+15551239999"}]}]

    ask("PUT", path, {"enabled": True, "calls": calls, "voicemail": "NONE"})
    kept = ask("PATCH", path, {"enabled": False})[1]

    assert (kept["enabled"], kept["calls"], kept["voicemail"]) == (False, calls, "NONE")
    assert ask("PUT", path, {"calls": [{"targets": [{"type": "PIGEON", "value": "x"}]}]})[0] == 400
    assert ask("PUT", path, {"enabled": True})[1]["calls"] == []


def test_more_than_a_hundred_at_once_are_too_many(ask: Any) -> None:
    ids = ",".join([ADA] * 101)

    for path in ("/users", "/users/presences/PURECLOUD/bulk"):
        assert ask("GET", path, id=ids)[1]["code"] == "max.user.ids"


def test_phones_are_found_by_who_sits_there(ask: Any) -> None:
    ask("PUT", f"/users/{JOAN}/station/associatedstation/{HOT_DESK}")

    found = ask("GET", "/telephony/providers/edges/phones", **{"lines.loggedInUser.id": JOAN})[1]["entities"]

    assert [each["name"] for each in found] == ["Hot desk"]
    assert found[0]["lines"][0]["loggedInUser"]["id"] == JOAN


def test_an_agent_talks_in_one_call_at_a_time(ask: Any, world: World) -> None:
    first = ask.place("0000")
    world.advance(world.now + 5)
    second = ask.place("0000")
    world.advance(world.now + 5)

    (agent, customer), (again, _) = (ask.call(each)["participants"] for each in (first, second))
    assert (agent["held"], customer["confined"], again["held"]) == (True, True, False)

    ask("PATCH", f"/conversations/calls/{first}/participants/{agent['id']}", {"held": False})
    world.advance(world.now + 1)
    assert ask.call(first)["participants"][0]["held"] is False
    assert ask.call(second)["participants"][0]["held"] is True


def test_everybody_has_been_as_they_are_since_the_world_began(world: World, ask: Any) -> None:
    began = iso(world.now)
    world.advance(world.now + 600)

    _, status = ask("GET", f"/users/{ADA}/routingstatus")
    _, presence = ask("GET", f"/users/{ADA}/presences/purecloud")

    assert (status["startTime"], presence["modifiedDate"]) == (began, began)
