"""What a page begins with, and what it looks up: now, the agents, a number, a call's story, the calls of a day."""

import time
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from ringonce.service import access, feed
from ringonce.service.access import Role
from ringonce.service.store.tables import attempts, calls, intents, lines
from service_web.conftest import ADA, NUMBER, Service
from service_web.test_doors import problem

ADAS_ID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


def until(service: Service, call_id: str, *states: str) -> Any:
    """Wait until the call is in one of the states."""
    for _ in range(400):
        call = service.ask("GET", f"/v1/calls/{call_id}").json()
        if call["state"] in states:
            return call
        time.sleep(0.05)  # another thread's work, on a clock of its own
    raise AssertionError(f"it is {call['state']}: {call}")


def _taken_in_at(key: str, at: float, db: sa.Connection) -> None:
    db.execute(calls.update().where(calls.c.key == key).values(created_at=at))


def test_now_is_one_look_from_which_the_events_go_on_without_a_gap(dialling: Service) -> None:
    made = dialling.place("crm-1", to="+15551230000").json()
    until(dialling, made["id"], "live")

    now = dialling.ask("GET", "/v1/now").json()
    hidden = dialling.ask("GET", "/v1/now", dialling.token(Role.VIEWER)).json()
    dialling.ask("POST", f"/v1/calls/{made['id']}/hangup")
    until(dialling, made["id"], "ended")
    later = dialling.do(lambda db: feed.since(db, now["last_event_id"]))

    (flight,) = now["calls"]
    assert (flight["id"], flight["agent"], flight["agent_id"]) == (made["id"], ADA, ADAS_ID)
    assert (flight["to"], hidden["calls"][0]["to"]) == ("+15551230000", "+1••••••0000")
    assert flight["phase"] in {"requested", "dialing", "ringing", "connected"}
    assert flight["placed_at"] <= flight["since"] <= now["at"]
    assert now["states"]["live"] == 1
    assert now["more_calls"] == 0
    assert now["agents"] == {"free": 0, "busy": 1, "wrapping_up": 0, "unreachable": 0}
    assert sum(minute["dials"] for minute in now["dials"]) == 1
    assert len(now["dials"]) == 10
    assert len(now["workers"]) == 1
    assert now["quota"][0]["limit"] == 300
    assert now["quota"][0]["used"] + now["quota"][0]["left"] == 300
    assert now["stop"]["stopped"] is False
    assert [event.body["state"] for event in later][-1] == "ended"
    assert all(event.seq > now["last_event_id"] for event in later)


def test_agents_are_told_by_what_keeps_them_from_the_next_call(service: Service) -> None:
    now = time.time()
    service.place("crm-1")

    def happens(db: Any) -> None:
        for agent_id, call_id, free_at in (("b", "call_1", 0.0), ("c", "", now + 60), ("d", "", 0.0), ("e", "", 0.0)):
            line = {"agent_id": agent_id, "call_id": call_id, "run": "", "worker": "", "free_at": free_at}
            db.execute(lines.insert().values(**line, look_at=0.0))
        for intent, agent_id, at, outcome in (
            ("i1", "d", now - 60, "agent_unreachable"),
            ("i2", "e", now - 90, "agent_unreachable"),
            ("i3", "e", now - 60, "answered"),
        ):
            row = {"intent": intent, "platform": "p", "agent_id": agent_id, "mark": "m", "tail": "", "deadline": at}
            row |= {"incarnation": "", "armed_at": at, "state": "placed", "settled_at": at, "conversation_id": "c"}
            db.execute(intents.insert().values(**row, adopted=False, evidence="", refusal=""))
            db.execute(attempts.insert().values(intent=intent, call_id="x", mark="m", at=at, outcome=outcome))

    service.do(happens)

    states = {one["agent_id"]: one for one in service.ask("GET", "/v1/agents").json()["agents"]}

    assert {agent_id: one["state"] for agent_id, one in states.items()} == {
        ADAS_ID: "free", "b": "busy", "c": "wrapping_up", "d": "unreachable", "e": "free"
    }  # fmt: skip
    assert (states[ADAS_ID]["name"], states[ADAS_ID]["waiting"]) == (ADA, 1)
    assert states["c"]["free_at"] == pytest.approx(now + 60)
    assert states["d"]["unreached_at"] == pytest.approx(now - 60)
    counted = service.ask("GET", "/v1/now").json()["agents"]
    assert counted == {"free": 2, "busy": 1, "wrapping_up": 1, "unreachable": 1}


def test_a_number_is_looked_at_before_it_is_dialled_and_nothing_is_kept(service: Service) -> None:
    found = service.ask("GET", "/v1/number", params={"to": "12", "zone": ""})
    paris = service.ask("GET", "/v1/number", params={"to": "+33 1 42 68 53 00", "agent": ADA}).json()
    service.ask("POST", "/v1/stop", json={"reason": "wrong file"})
    stopped = service.ask("GET", "/v1/number", params={"to": "+33142685300", "zone": "Europe/Madrid"}).json()

    problem(found, "number-refused")
    assert (paris["number"], paris["international"]) == ("+33142685300", "+33 1 42 68 53 00")
    assert paris["countries"] == ["FR"]
    assert [clock["zone"] for clock in paris["clocks"]] == ["Europe/Paris"]
    assert paris["clocks"][0]["time"][-6:] in {"+01:00", "+02:00"}
    assert (paris["allowed"], paris["allowed_from"]) == (True, paris["at"])
    assert (stopped["allowed"], stopped["refusals"][0]["rule"]) == (False, "kill switch")
    assert "wrong file" in stopped["refusals"][0]["said"]
    assert stopped["clocks"][0]["zone"] == "Europe/Madrid"
    assert service.ask("GET", "/v1/calls").json()["calls"] == []
    problem(service.ask("GET", "/v1/number?to=911"), "number-refused")
    problem(service.ask("GET", "/v1/number?to=%2B33142685300&zone=Mars"), "invalid")
    other = service.token(Role.DIALER, "agent-00001@example.com")
    problem(service.ask("GET", f"/v1/number?to=%2B33142685300&agent={ADA}", other), "not-allowed")


def test_a_premium_number_is_told_by_its_rule(service: Service) -> None:
    said = service.ask("GET", "/v1/number", params={"to": "+1 900 555 1234"}).json()

    assert said["allowed"] is False
    assert said["allowed_from"] is None
    assert [one["rule"] for one in said["refusals"]] == ["premium rate"]


def test_a_story_goes_from_the_intent_to_the_evidence(dialling: Service) -> None:
    made = dialling.place("crm-1", to="+15551230002").json()
    until(dialling, made["id"], "ended")

    told = dialling.ask("GET", f"/v1/calls/{made['id']}/story").json()

    entries = [(entry["source"], entry["what"]) for entry in told["story"]]
    assert entries[0] == ("feed", "call.accepted")
    order = [entries.index(one) for one in (("guard", "allowed"), ("ledger", "armed"), ("ledger", "placed"))]
    assert order == sorted(order)
    last = told["story"][-1]["body"]
    assert (last["state"], last["outcome"]) == ("ended", "busy")
    assert last["evidence"]
    assert told["call"]["outcome"] == "busy"
    assert [entry["at"] for entry in told["story"]] == sorted(entry["at"] for entry in told["story"])


def test_what_people_did_to_a_call_is_in_its_story_for_admins(service: Service) -> None:
    dialer = service.token(Role.DIALER)
    made = service.place("crm-1", dialer).json()
    service.ask("POST", f"/v1/calls/{made['id']}/cancel", dialer)

    admins = service.ask("GET", f"/v1/calls/{made['id']}/story").json()
    viewers = service.ask("GET", f"/v1/calls/{made['id']}/story", service.token(Role.VIEWER)).json()

    (act,) = [entry for entry in admins["story"] if entry["source"] == "audit"]
    assert act["what"] == "call.cancelled"
    assert admins["who"][act["body"]["who"]] == "dialer of the tests"
    assert not [entry for entry in viewers["story"] if entry["source"] == "audit"]
    assert "5559876543" not in str(viewers)
    problem(service.ask("GET", "/v1/calls/call_0019aac1f2c03b1c7d9e0f24/story"), "not-found")


def test_calls_are_found_by_intent_and_last_digits_and_day(service: Service) -> None:
    for key, number, at in (("a", NUMBER, 1795305600.0), ("b", "+15559870000", 1795309199.0)):
        service.place(key, to=number)
        service.do(partial(_taken_in_at, key, at))
    viewer = service.token(Role.VIEWER)

    def keys(token: str | None = None, **params: str) -> list[str]:
        answer = service.ask("GET", "/v1/calls", token, params=params)
        assert answer.status_code == 200, answer.text
        return sorted(call["key"] for call in answer.json()["calls"])

    assert keys(intent="a") == ["a"]
    assert keys(intent="a~2") == ["a"]
    assert keys(ends="6543") == ["a"]
    assert keys(ends="9876543") == ["a"]
    assert keys(viewer, ends="0000") == ["b"]
    # 1795305600 is 2026-11-22 00:00 in UTC, and an hour later in Paris.
    assert keys(from_day="2026-11-22", to_day="2026-11-22") == ["a", "b"]
    assert keys(to_day="2026-11-21") == []
    assert keys(to_day="2026-11-21", zone="America/New_York") == ["a", "b"]
    refused = service.ask("GET", "/v1/calls?ends=76543", viewer)
    assert "whole number" in problem(refused, "not-allowed")
    problem(service.ask("GET", "/v1/calls?ends=x"), "invalid")
    problem(service.ask("GET", "/v1/calls?from_day=2026-02-30"), "invalid")
    problem(service.ask("GET", "/v1/calls?from_day=2026-02-03&zone=Mars"), "invalid")


def test_a_short_number_is_not_found_by_more_digits_than_are_shown_of_it(service: Service) -> None:
    service.place("short", to="+37061234567")
    service.do(lambda db: db.execute(calls.update().values(number="+370612345")))
    viewer = service.token(Role.VIEWER)

    assert len(service.ask("GET", "/v1/calls?ends=45", viewer).json()["calls"]) == 1
    assert service.ask("GET", "/v1/calls?ends=2345", viewer).json()["calls"] == []
    assert len(service.ask("GET", "/v1/calls?ends=2345").json()["calls"]) == 1


def test_a_revoked_token_is_still_named_in_stories(service: Service) -> None:
    dialer = service.token(Role.DIALER)
    made = service.place("crm-1", dialer).json()
    service.do(lambda db: [access.revoke(db, one.id) for one in access.every(db) if one.role is Role.DIALER])

    told = service.ask("GET", f"/v1/calls/{made['id']}/story").json()

    assert "dialer of the tests" in told["who"].values()
