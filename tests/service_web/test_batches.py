"""Files of calls by HTTP: taken in as they stream, steered, and told row by row."""

import csv
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ringonce.sandbox import Sandbox
from ringonce.service.access import Role
from service_web.conftest import ADA, Service

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
GOOD = f"key,agent,to\na,{ADA},+12125550006\nb,{ADA},+12125560006\n"
pytestmark = SQLITE


def send(service: Service, content: str | Iterator[bytes] = GOOD, key: str = "k", **options: Any) -> Any:
    headers = {"Idempotency-Key": key, "Content-Type": "text/csv"}
    token = options.pop("token", None)
    data = content.encode() if isinstance(content, str) else content
    return service.ask("POST", "/v1/batches", token, params=options, data=data, headers=headers)


def until(service: Service, batch: str, state: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        stands: dict[str, Any] = service.ask("GET", f"/v1/batches/{batch}").json()
        if stands["state"] == state:
            return stands
        time.sleep(0.05)
    raise AssertionError(stands)


def test_a_file_is_taken_started_dialled_and_told(dialling: Service, sandbox: Sandbox) -> None:
    answer = send(dialling, name="Monday", start="true")

    batch = answer.json()["batch"]
    assert (answer.status_code, batch["name"], batch["rows"]) == (201, "Monday", 2)
    assert answer.headers["Location"] == f"/v1/batches/{batch['id']}"
    stands = until(dialling, batch["id"], "done")
    assert stands["progress"]["outcomes"] == {"answered": 2}
    rows = list(csv.DictReader(dialling.ask("GET", f"/v1/batches/{batch['id']}/results.csv").text.splitlines()))
    assert [(row["key"], row["to"], row["outcome"]) for row in rows] == [
        ("a", "+12125550006", "answered"),
        ("b", "+12125560006", "answered"),
    ]
    assert {row["conversation_id"] for row in rows} == {call["conversationId"] for call in sandbox.calls()}


def test_the_same_file_is_replayed_and_another_one_is_a_conflict(service: Service) -> None:
    first, again = send(service), send(service)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.json()["batch"]["id"] == first.json()["batch"]["id"]
    assert send(service, GOOD + "\n").status_code == 409


def test_a_faulty_file_is_a_problem_with_its_report(service: Service) -> None:
    answer = send(service, GOOD + f"a,{ADA},+12125550006\nc,{ADA},call me\n")

    said = answer.json()
    assert answer.status_code == 422
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert said["type"].endswith(":faulty-file")
    assert [(fault["row"], fault["column"]) for fault in said["report"]["faults"]] == [(4, "key"), (5, "to")]
    assert "row 4" in said["detail"]
    assert service.ask("GET", "/v1/calls").json()["calls"] == []


def test_a_dry_run_says_what_would_happen_and_keeps_nothing(service: Service) -> None:
    answer = send(service, GOOD + f"c,{ADA},+19005550006\n", dry_run="true")

    said = answer.json()
    assert (answer.status_code, said["preview"]["rows"], said["preview"]["now"]) == (200, 3, 2)
    assert [group["rule"] for group in said["preview"]["refused"]] == ["premium rate"]
    assert service.ask("GET", "/v1/batches").json()["batches"] == []
    assert send(service).status_code == 201
    again = send(service, dry_run="true")
    assert again.json()["preview"]["rows"] == 2
    assert len(service.ask("GET", "/v1/batches").json()["batches"]) == 1


def test_rows_that_are_not_started_are_no_calls_unless_asked_for(service: Service) -> None:
    batch = send(service).json()["batch"]["id"]

    assert service.ask("GET", "/v1/calls").json()["calls"] == []
    assert len(service.ask("GET", f"/v1/calls?batch={batch}").json()["calls"]) == 2
    assert len(service.ask("GET", "/v1/calls?state=draft&waits_for=batch").json()["calls"]) == 2
    assert service.ask("GET", "/v1/calls?state=draft&waits_for=guard").json()["calls"] == []


@pytest.mark.parametrize("agent", ["a" * 201, "ada\u200b"])
def test_an_agent_whom_the_platform_could_not_be_asked_for_is_a_fault_of_the_row_or_call(
    service: Service, agent: str
) -> None:
    report = send(service, f"key,agent,to\na,{agent},+12125550006\n").json()["report"]

    assert [fault["row"] for fault in report["faults"]] == [2]
    assert report["faults"][0]["column"] == "agent"
    assert service.place("crm-1", agent=agent).status_code == 422


def test_a_batch_is_steered_and_says_what_can_not_be_done(service: Service) -> None:
    batch = send(service).json()["batch"]["id"]

    def act(what: str) -> Any:
        return service.ask("POST", f"/v1/batches/{batch}/{what}")

    assert act("pause").status_code == 409
    steps = (("start", "running"), ("pause", "paused"), ("resume", "running"), ("drain", "draining"))
    for what, state in (*steps, ("cancel", "cancelled")):
        assert act(what).json()["state"] == state
    assert act("start").status_code == 409
    assert service.ask("GET", "/v1/batches/batch_0123456789ab").status_code == 404


def test_roles_are_kept(service: Service) -> None:
    viewer = service.token(Role.VIEWER)
    adas = service.token(Role.DIALER, ADA)
    foreign = service.token(Role.DIALER, "eve@example.com")
    assert send(service, token=viewer).status_code == 403
    assert send(service, token=foreign).json()["report"]["faults"][0]["column"] == "agent"
    assert send(service, key="pool", agent="eve@example.com", token=adas).status_code == 403
    batch = send(service, key="hers", token=adas).json()["batch"]["id"]
    assert service.ask("POST", f"/v1/batches/{batch}/start", foreign).status_code == 403
    assert service.ask("POST", f"/v1/batches/{batch}/start", viewer).status_code == 403
    assert service.ask("POST", f"/v1/batches/{batch}/start", adas).status_code == 200
    assert "+1••••••0006" in service.ask("GET", f"/v1/batches/{batch}/results.csv", viewer).text


def test_a_file_streams_in_without_being_kept_in_memory_and_a_row_without_end_is_cut_short(service: Service) -> None:
    def endless() -> Iterator[bytes]:
        yield GOOD.encode()
        for _ in range(1000):
            yield b"x" * 1024

    answer = send(service, endless())
    assert answer.status_code == 422
    assert "longer than" in answer.json()["detail"]


@pytest.mark.parametrize(
    "wrong", [{"pace": -1}, {"not_before": "tomorrow"}, {"attempts": 11}, {"retry_after": "declined"}]
)
def test_settings_that_cannot_be_kept_are_refused(service: Service, wrong: dict[str, Any]) -> None:
    assert send(service, **wrong).status_code == 422


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"zone": "Mars"}, "zone"),
        ({"zone": "Mars", "not_before": "2026-12-01T09:00"}, "zone"),
        ({"priority": 1001}, "priority"),
        ({"agent": " "}, "agents"),
        ({"agent": "ada " * 60}, "agent"),
        ({"queue": " "}, "queue"),
        ({"queue": "sales " * 40}, "queue"),
    ],
)
def test_settings_with_which_no_row_could_ever_be_dialled_are_refused_and_nothing_is_kept(
    service: Service, wrong: dict[str, Any], named: str
) -> None:
    answer = send(service, **wrong)

    assert answer.status_code == 422
    assert answer.json()["type"].endswith(":invalid")
    assert named in answer.json()["detail"]
    assert service.ask("GET", "/v1/batches").json()["batches"] == []
