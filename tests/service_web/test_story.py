"""The story of a call: asked for by HTTP, dialled once, followed as it happens, asked for again by its key."""

import sqlite3
import threading
import time
from collections.abc import Callable

import pytest
import requests
import sqlalchemy as sa

from ringonce.sandbox import Sandbox
from ringonce.service import feed
from ringonce.service.access import Role
from ringonce.service.web import events
from ringonce.service.web.health import PROBED
from service_web.conftest import CALL, Service, frames


def comes_true(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def follow(service: Service, call_id: str, token: str | None = None, **headers: str) -> requests.Response:
    answer = service.ask("GET", f"/v1/events?call={call_id}", token, stream=True, headers=headers)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    return answer


def test_a_call_is_taken_in_dialled_once_followed_to_its_end_and_replayed_by_its_key(
    dialling: Service, sandbox: Sandbox
) -> None:
    first = dialling.place("crm-4711")
    assert first.status_code == 202
    assert first.headers["location"] == f"/v1/calls/{first.json()['id']}"

    states = []
    with follow(dialling, first.json()["id"]) as answer:
        for event in frames(answer):
            states.append(event["body"]["state"])
            if states[-1] == "ended":
                break
    again = dialling.place("crm-4711", to="+1 (555) 987-6543")
    now = dialling.ask("GET", first.headers["location"]).json()

    assert states[:3] == ["waiting", "dialing", "live"]
    assert again.status_code == 202
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert now["outcome"] == "answered"
    assert now["evidence"]["because"]
    assert len(sandbox.calls()) == 1


def test_whoever_lost_the_stream_goes_on_where_it_broke_off(dialling: Service) -> None:
    call_id = dialling.place("crm-1").json()["id"]
    with follow(dialling, call_id) as answer:
        seen = next(frames(answer))

    rest = []
    with follow(dialling, call_id, **{"Last-Event-ID": str(seen["seq"])}) as answer:
        for event in frames(answer):
            rest.append(event)
            if event["body"]["state"] == "ended":
                break

    assert seen["kind"] == "call.accepted"
    assert rest[0]["body"]["state"] == "dialing"
    assert {event["subject"] for event in rest} == {call_id}
    assert [event["seq"] for event in rest] == sorted(event["seq"] for event in rest)


@pytest.mark.parametrize("where", ["the header", "the query"])
def test_an_event_that_is_not_there_yet_is_nothing_to_go_on_from(service: Service, where: str) -> None:
    call_id = service.place("crm-1").json()["id"]
    newest = service.ask("GET", "/v1/now").json()["last_event_id"]
    headers, query = ({"Last-Event-ID": str(newest + 1)}, "") if where == "the header" else ({}, f"?after={newest + 1}")

    refused = service.ask("GET", f"/v1/events{query}", headers=headers)
    with follow(service, call_id, **{"Last-Event-ID": str(newest)}) as newest_itself:
        status = newest_itself.status_code

    assert (refused.status_code, status) == (409, 200)
    assert refused.json()["type"].endswith(":unknown-event")
    assert f"the newest is {newest}" in refused.json()["detail"]
    assert "/v1/now" in refused.json()["fix"]


def test_a_stream_shows_what_its_role_sees_everywhere_else(service: Service) -> None:
    made = service.place("crm-1").json()
    shown = {}
    for role in Role:
        token = service.token(role)
        with follow(service, made["id"], token) as answer:
            shown[role] = next(frames(answer))["body"]["to"]
        assert shown[role] == service.ask("GET", f"/v1/calls/{made['id']}", token).json()["to"]

    assert shown == {
        Role.VIEWER: "+1••••••6543", Role.DIALER: "+1••••••6543", Role.ADMIN: "+15559876543"
    }  # fmt: skip


def test_a_busy_stream_ends_too_once_its_token_is_revoked(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.05)
    made = service.ask("POST", "/v1/tokens", json={"name": "a screen", "role": "viewer"}).json()
    busy = threading.Event()

    def go_on() -> None:
        while not busy.wait(0.01):
            service.do(lambda db: feed.tell(db, "tick", "", {}))

    with service.ask("GET", "/v1/events", made["secret"], stream=True) as answer:
        noise = threading.Thread(target=go_on)
        noise.start()
        try:
            told = frames(answer)
            next(told)
            service.ask("DELETE", f"/v1/tokens/{made['id']}")
            assert all(event["kind"] == "tick" for event in told)  # to its end, which comes
        finally:
            busy.set()
            noise.join()


def test_a_stream_without_a_filter_tells_only_what_comes(service: Service) -> None:
    service.place("before")
    with service.ask("GET", "/v1/events", stream=True) as answer:
        lines = answer.iter_lines(chunk_size=1)
        assert next(lines) == b"retry: 2000"
        service.place("after")

        assert next(frames(answer))["body"]["key"] == "after"


def test_a_live_call_is_held_muted_and_hung_up(dialling: Service) -> None:
    call_id = dialling.place("crm-1", to="+15559870000").json()["id"]
    where = f"/v1/calls/{call_id}"
    comes_true(lambda: bool(dialling.ask("GET", where).json()["progress"] == "connected"))

    held = dialling.ask("POST", f"{where}/hold").json()
    muted = dialling.ask("POST", f"{where}/mute").json()
    waits = dialling.ask("POST", f"{where}/cancel")
    dialling.ask("POST", f"{where}/unmute")
    resumed = dialling.ask("POST", f"{where}/resume").json()
    gone = dialling.ask("POST", f"{where}/hangup")

    assert (held["held"], muted["muted"], resumed["held"]) == (True, True, False)
    assert waits.status_code == 409
    assert waits.json()["fix"] == "hang up instead"
    assert gone.json()["progress"] == "ended"
    comes_true(lambda: bool(dialling.ask("GET", where).json()["state"] == "ended"))
    assert dialling.ask("POST", f"{where}/hangup").status_code == 200


def test_what_a_ringing_call_can_not_do_is_a_conflict_with_a_way_out(dialling: Service) -> None:
    call_id = dialling.place("crm-1", to="+15559870009").json()["id"]
    where = f"/v1/calls/{call_id}"
    comes_true(lambda: bool(dialling.ask("GET", where).json()["progress"] == "ringing"))

    held = dialling.ask("POST", f"{where}/hold")

    assert (held.status_code, held.json()["fix"]) == (409, "wait until it is answered")
    assert "hold" in held.json()["detail"]


def test_while_everything_is_stopped_nothing_rings(dialling: Service, sandbox: Sandbox) -> None:
    assert dialling.ask("POST", "/v1/stop", json={"reason": "wrong file"}).json()["stopped"]
    call_id = dialling.place("crm-1").json()["id"]
    comes_true(lambda: dialling.ask("GET", f"/v1/calls/{call_id}").json()["why"].get("for") == "stop")
    assert sandbox.calls() == []

    assert dialling.ask("DELETE", "/v1/stop").json() == {"stopped": False, "by": "", "reason": "", "since": None}
    whats = [entry["what"] for entry in dialling.ask("GET", "/v1/audit").json()["entries"]]
    assert whats[-2:] == ["stop", "stop.lifted"]


def test_a_call_that_was_lost_is_settled_by_a_person_and_dialled_again_only_when_asked(
    dialling: Service, sandbox: Sandbox
) -> None:
    sandbox.fault(method="POST", path="/api/v2/conversations/calls*", action="drop_before", times=1)
    call_id = dialling.place("crm-1").json()["id"]
    where = f"/v1/calls/{call_id}"
    comes_true(lambda: bool(dialling.ask("GET", where).json()["state"] == "unknown"))
    neither = dialling.ask("POST", f"{where}/resolve", json={"reason": "I looked"})
    strange = dialling.ask(
        "POST", f"{where}/resolve", json={"reason": "x", "placed": "1b4e28ba-2fa1-11d2-883f-0016d3cca427"}
    )

    settled = dialling.ask(
        "POST", f"{where}/resolve", json={"not_placed": True, "dial_again": True, "reason": "no call in the history"}
    )

    assert (neither.status_code, strange.status_code) == (422, 422)
    assert settled.json()["state"] == "waiting"
    comes_true(lambda: bool(dialling.ask("GET", where).json()["state"] == "ended"))
    assert len(sandbox.calls()) == 1
    noted = dialling.ask("GET", "/v1/audit").json()["entries"][-1]
    assert noted["what"] == "call.resolved"
    assert "no call in the history" in noted["details"]


def test_the_service_says_when_it_is_ready_and_what_it_does(dialling: Service) -> None:
    dialling.place("crm-1")

    ready = dialling.ask("GET", "/readyz")
    metrics = dialling.ask("GET", "/metrics").text
    (agent,) = dialling.ask("GET", "/v1/agents").json()["agents"]
    found = dialling.ask("GET", "/v1/check", params=CALL).json()["findings"]

    assert ready.status_code == 200
    assert ready.json()["worker"] == {"ok": True, "said": ""}
    assert "ringonce_workers 1.0" in metrics
    assert 'ringonce_http_request_seconds_count{door="/v1/calls",method="POST",status="202"} 1.0' in metrics
    assert agent["names"] == ["ada@example.com"]
    assert {finding["verdict"] for finding in found} <= {"pass", "warn"}


def test_without_anybody_who_dials_it_is_not_ready(service: Service) -> None:
    answer = service.ask("GET", "/readyz")

    assert answer.status_code == 503
    assert "ringonce worker" in answer.json()["worker"]["said"]
    assert answer.json()["database"]["ok"]


def test_with_a_disk_that_takes_nothing_more_it_is_not_ready_though_it_can_read(dialling: Service) -> None:
    assert dialling.ask("GET", "/readyz").json()["database"]["ok"]

    def refuse(_: sa.Connection) -> None:
        raise sa.exc.OperationalError("COMMIT", {}, sqlite3.OperationalError("database or disk is full"))

    dialling.desk.health.clock = lambda: time.monotonic() + PROBED  # what was found out is old now
    sa.event.listen(dialling.store.engine, "commit", refuse)
    try:
        answer = dialling.ask("GET", "/readyz")
    finally:
        sa.event.remove(dialling.store.engine, "commit", refuse)

    assert answer.status_code == 503
    assert "disk is full" in answer.json()["database"]["said"]
    assert not answer.json()["worker"]["ok"]
