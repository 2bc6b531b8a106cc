"""Do-not-call lists by the API: taken whole or not at all, in one moment, and the guard asks them from then on."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from ringonce.service import feed
from ringonce.service.access import Role
from ringonce.service.store.tables import listed
from service_web.conftest import NUMBER, Service
from service_web.test_doors import problem

OTHER = "+15559870000"


def put(service: Service, body: Any, name: str = "own", **params: Any) -> requests.Response:
    return service.ask("PUT", f"/v1/lists/{name}", data=body, params={"source": "letters to us"} | params)


def rules(service: Service, number: str = NUMBER) -> list[str]:
    said = service.ask("GET", "/v1/number", params={"to": number}).json()
    return [one["rule"] for one in said["refusals"]]


def numbers_kept(db: sa.Connection) -> int:
    return db.scalar(sa.select(sa.func.count()).select_from(listed)) or 0


@pytest.mark.parametrize(
    ("body", "params"),
    [
        (f"{NUMBER}\n+33142685300\n", {}),
        ("# ours\n\n(555) 987-6543\r\n+33 1 42 68 53 00", {}),
        (f'\ufeffname,Number,since\nBob,{NUMBER},2026-01-04\n"A, B",+33142685300,\n', {}),
        ("area;local\n555;9876543\n331;42685300\n", {"column": ["area", "local"], "prefix": "+1"}),
        (f'{{"number": "{NUMBER}"}}\n{{"number": "+33142685300", "note": "asked by mail"}}\n', {}),
        ('{"a": 15559876543}\n{"a": 33142685300}\n{"a": "33142685300"}', {"column": "a", "prefix": "+"}),
    ],
    ids=["lines", "human forms", "CSV", "columns and a prefix", "NDJSON", "a field of its own"],
)
def test_a_list_comes_in_the_forms_that_lists_have(standing: Service, body: str, params: dict[str, Any]) -> None:
    made = put(standing, body.encode(), **params)

    assert made.status_code == 200, made.text
    assert (made.json()["numbers"], made.json()["age_days"], made.json()["source"]) == (2, 0, "letters to us")
    assert rules(standing) == ["do-not-call"]
    assert rules(standing, OTHER) == []


def test_a_list_is_replaced_in_one_moment_and_what_it_held_before_is_gone(service: Service) -> None:
    put(service, f"{NUMBER}\n")
    before = service.do(feed.latest)

    again = put(service, f"{OTHER}\n+33142685300\n", taken="2026-11-20", max_age_days=31).json()

    assert (rules(service), rules(service, OTHER)) == ([], ["do-not-call"])
    assert (again["taken"], again["max_age_days"], again["numbers"]) == ("2026-11-20", 31, 2)
    assert service.do(numbers_kept) == 2
    (told,) = service.do(lambda db: feed.since(db, before))
    assert (told.kind, told.body["numbers"]) == ("list.changed", 2)
    noted = [one for one in service.ask("GET", "/v1/audit").json()["entries"] if one["what"] == "list.replaced"]
    assert [one["subject"] for one in noted] == ["own", "own"]
    assert '"before":1' in noted[1]["details"]


@pytest.mark.parametrize(
    ("body", "row", "says"),
    [
        (f"{NUMBER}\n12\n{OTHER}\nnobody\n".encode(), 2, "too short"),
        (b"\xff\xfe1\x002\x00", 1, "UTF-16"),
        (f"{NUMBER}\n\xe9\n".encode("latin-1"), 2, "UTF-8"),
        (f"{NUMBER}\n+1555\0\n".encode(), 2, "NUL"),
        (b"1" * 5000, 1, "4096"),
        (b"name,since\nBob,2026\n", 1, "column"),
        (b'{"note": "x"}\n', 1, "number"),
        (b'{"number": "+15559876543"\n', 1, "JSON"),
        (b'number,x\n"+15559876543,1\n', 2, "quote"),
        (b"a\rb,c\n", 1, "header"),
        (b"+15559876543,2026\n", 1, "number"),
        (b"911\n", 1, "emergency"),
        (b"\n# nobody\n", 0, "empty"),
        (b"", 0, "empty"),
    ],
    ids=["short", "UTF-16", "latin-1", "NUL", "long line", "column", "field", "JSON", "quote", "CR", "comma", "911",
         "blank", "nothing"],
)  # fmt: skip
def test_a_list_with_a_fault_changes_nothing_and_says_which_line(
    standing: Service, body: bytes, row: int, says: str
) -> None:
    put(standing, f"{NUMBER}\n")

    refused = put(standing, body)

    fix = problem(refused, "faulty-file")
    first = refused.json()["report"]["faults"][0]
    assert first["row"] == row
    assert says.casefold() in f"{refused.json()['detail']} {fix}".casefold()
    assert rules(standing) == ["do-not-call"]
    assert standing.do(numbers_kept) == 1


def test_every_fault_of_a_long_list_is_counted_and_the_first_are_told(service: Service) -> None:
    body = "".join(f"{'x' if line % 3 == 1 else '+1555987'}{line:04}\n" for line in range(3000))

    report = put(service, body).json()["report"]

    assert report["faulty"] == 1000
    assert [fault["row"] for fault in report["faults"][:3]] == [2, 5, 8]
    assert len(report["faults"]) == 100
    assert report["read_to_the_end"] is True
    assert service.do(numbers_kept) == 0


def test_an_upload_that_breaks_off_leaves_the_list_as_it_was(service: Service) -> None:
    put(service, f"{NUMBER}\n")
    let_go = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"".join(b"+1555%07d\n" % number for number in range(20_000))
        let_go.wait(60)
        raise OSError("the line is cut")

    def upload() -> None:
        with pytest.raises((OSError, requests.RequestException)):
            put(service, pieces())

    thread = threading.Thread(target=upload)
    thread.start()
    for _ in range(2400):
        if service.do(numbers_kept) > 1:
            break
        time.sleep(0.05)  # another thread's work, on a clock of its own
    assert rules(service) == ["do-not-call"]
    let_go.set()
    thread.join()
    for _ in range(2400):
        if service.do(numbers_kept) == 1:
            break
        time.sleep(0.05)

    assert service.do(numbers_kept) == 1
    assert service.ask("GET", "/v1/lists").json()["lists"][0]["numbers"] == 1


def test_a_list_that_is_too_old_is_stale(service: Service) -> None:
    put(service, f"{NUMBER}\n", taken="2024-01-01", max_age_days=31)

    (one,) = service.ask("GET", "/v1/lists").json()["lists"]

    assert one["stale"] is True
    assert one["age_days"] > 31
    assert rules(service, OTHER) == ["list age"]


def test_numbers_come_and_go_one_by_one(service: Service) -> None:
    put(service, "", empty="true")

    added = service.ask("POST", "/v1/lists/own/numbers", json={"numbers": ["(555) 987-6543", NUMBER, OTHER]}).json()
    again = service.ask("POST", "/v1/lists/own/numbers", json={"numbers": [NUMBER]}).json()
    on_it = rules(service)
    gone = service.ask("DELETE", f"/v1/lists/own/numbers/{NUMBER}?reason=she+asked+us+to+call")

    assert (added["new"], added["list"]["numbers"], again["new"]) == (2, 2, 0)
    assert on_it == ["do-not-call"]
    assert (gone.status_code, rules(service), rules(service, OTHER)) == (204, [], ["do-not-call"])
    assert service.ask("GET", "/v1/lists").json()["lists"][0]["numbers"] == 1
    problem(service.ask("DELETE", f"/v1/lists/own/numbers/{NUMBER}"), "not-found")
    problem(service.ask("POST", "/v1/lists/other/numbers", json={"numbers": [NUMBER]}), "not-found")
    problem(service.ask("POST", "/v1/lists/own/numbers", json={"numbers": ["12"]}), "number-refused")
    problem(service.ask("POST", "/v1/lists/own/numbers", json={"numbers": []}), "invalid")
    noted = [one for one in service.ask("GET", "/v1/audit").json()["entries"] if one["what"].startswith("list.")]
    assert [one["what"] for one in noted] == ["list.replaced", "list.added", "list.removed"]
    assert "she asked" in noted[2]["details"]
    assert "5559876543" not in str(noted)


def test_a_list_can_be_dropped(service: Service) -> None:
    put(service, f"{NUMBER}\n")

    assert service.ask("DELETE", "/v1/lists/own").status_code == 204

    assert (rules(service), service.do(numbers_kept)) == ([], 0)
    problem(service.ask("DELETE", "/v1/lists/own"), "not-found")


def test_lists_are_for_admins(standing: Service) -> None:
    dialer = standing.token(Role.DIALER)

    for method, path in (("GET", ""), ("PUT", "/own"), ("DELETE", "/own"), ("DELETE", f"/own/numbers/{NUMBER}")):
        problem(standing.ask(method, f"/v1/lists{path}", dialer), "not-allowed")


@pytest.mark.parametrize(
    "params",
    [{"taken": "2026-02-30"}, {"taken": "2999-01-01"}, {"max_age_days": 0}, {"prefix": "x"}, {"country": "usa"}],
    ids=str,
)
def test_a_list_with_settings_that_can_not_be_is_refused(standing: Service, params: dict[str, Any]) -> None:
    problem(put(standing, f"{NUMBER}\n", **params), "invalid")


def test_names_are_fit_for_addresses(standing: Service) -> None:
    problem(put(standing, f"{NUMBER}\n", name="%20x"), "invalid")
