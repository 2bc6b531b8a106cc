"""What a client sees of each fault, and what was true all the same."""

import socket
import threading
from collections.abc import Callable

import pytest
import requests
import urllib3.exceptions

from ringonce.sandbox import Sandbox

Place = Callable[..., requests.Response]

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
CALLS = {"method": "POST", "path": "/api/v2/conversations/calls*"}


def last_status(sandbox: Sandbox) -> int | None:
    status: int | None = sandbox.requests()[-1]["status"]
    return status


def test_a_request_dropped_before_it_was_handled_places_nothing(sandbox: Sandbox, place: Place) -> None:
    sandbox.fault(**CALLS, action="drop_before")

    with pytest.raises(requests.ConnectionError) as lost:
        place()

    assert "closed connection without response" in str(lost.value)
    assert sandbox.calls() == []
    assert last_status(sandbox) is None


def test_a_request_dropped_after_it_was_handled_has_placed_a_call(sandbox: Sandbox, place: Place) -> None:
    sandbox.fault(**CALLS, action="drop_after")

    with pytest.raises(requests.ConnectionError) as lost:
        place()

    assert "closed connection without response" in str(lost.value)
    assert [call["to"] for call in sandbox.calls()] == ["+15559870000"]
    assert last_status(sandbox) is None


def test_a_call_created_late_appears_when_its_time_has_come(sandbox: Sandbox, place: Place) -> None:
    sandbox.fault(**CALLS, action="create_late", delay_s=5)

    with pytest.raises(requests.ConnectionError):
        place()

    sandbox.advance(4.9)
    assert sandbox.calls() == []
    sandbox.advance(0.2)
    assert len(sandbox.calls()) == 1


def test_a_truncated_answer_promises_more_than_it_brings(sandbox: Sandbox, place: Place) -> None:
    sandbox.fault(**CALLS, action="truncate")

    with pytest.raises(requests.exceptions.ChunkedEncodingError) as broken:
        place()

    assert isinstance(broken.value.args[0], urllib3.exceptions.ProtocolError)
    assert "IncompleteRead" in str(broken.value)
    assert len(sandbox.calls()) == 1


def test_after_a_lost_answer_the_next_request_is_served_as_usual(sandbox: Sandbox, place: Place) -> None:
    for action in ("drop_before", "drop_after", "truncate"):
        sandbox.fault(**CALLS, action=action, times=1)
        with pytest.raises(requests.RequestException):
            place()

    assert place().status_code == 202
    assert [fault["fired"] for fault in sandbox.faults()] == [1, 1, 1]


def test_a_refused_request_places_nothing(sandbox: Sandbox, place: Place) -> None:
    sandbox.fault(**CALLS, action="status", status=503)

    answer = place()

    assert answer.status_code == 503
    assert answer.json()["code"] == "service.unavailable"
    assert answer.json()["contextId"] == answer.headers["ININ-Correlation-Id"]
    assert "Retry-After" not in answer.headers
    assert sandbox.calls() == []


def test_a_rate_limit_says_when_to_come_back(sandbox: Sandbox, place: Place) -> None:
    sandbox.fault(**CALLS, action="status", status=429, retry_after=7)

    answer = place()

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert "[7] seconds" in answer.json()["message"]


def test_a_late_status_hides_a_call_that_was_placed(sandbox: Sandbox, place: Place) -> None:
    sandbox.fault(**CALLS, action="late_status", status=504)

    assert place().status_code == 504
    assert len(sandbox.calls()) == 1
    assert last_status(sandbox) == 504


def test_a_delayed_answer_is_held_back_in_world_time(sandbox: Sandbox, place: Place) -> None:
    sandbox.fault(**CALLS, action="delay", delay_s=10)
    answers: list[int] = []
    client = threading.Thread(target=lambda: answers.append(place().status_code))
    client.start()
    while not sandbox.calls():
        pass

    sandbox.advance(9)
    assert (answers, last_status(sandbox)) == ([], None)
    sandbox.advance(2)
    client.join()

    assert answers == [202]


def test_a_reset_lets_go_of_an_answer_that_was_held_back(sandbox: Sandbox, place: Place) -> None:
    sandbox.fault(**CALLS, action="delay", delay_s=10)
    client = threading.Thread(target=place)
    client.start()
    while not sandbox.calls():
        pass

    sandbox.reset()
    client.join(60)

    assert not client.is_alive()


def test_an_expired_token_is_refused_until_there_is_a_new_one(sandbox: Sandbox, place: Place) -> None:
    sandbox.fault(**CALLS, action="expire_token", times=1)

    assert [place().json()["code"], place().json()["code"]] == ["credentials.expired"] * 2
    assert sandbox.calls() == []


def test_a_fault_finds_its_path_behind_a_gateways_prefix(sandbox: Sandbox, place: Place) -> None:
    sandbox.fault(**CALLS, action="status", status=500)

    assert place(prefix="/tenant/api").status_code == 500


def test_a_fault_leaves_other_methods_and_paths_alone(sandbox: Sandbox, place: Place) -> None:
    sandbox.fault(method="GET", path="/api/v2/conversations/calls*", action="drop_before")
    sandbox.fault(method="POST", path="/api/v2/notifications/*", action="drop_before")

    assert place().status_code == 202


def test_a_fault_never_touches_the_sandboxs_own_paths(sandbox: Sandbox) -> None:
    sandbox.fault(action="drop_before")

    assert requests.get(f"{sandbox.url}/_sandbox/health", timeout=60).status_code == 200


def test_an_answer_without_a_body_cannot_be_halved_so_it_is_dropped(
    sandbox: Sandbox, place: Place, bearer: dict[str, str]
) -> None:
    conversation = place().json()["id"]
    sandbox.advance(10)
    sandbox.fault(method="DELETE", path="/api/v2/conversations/*", action="truncate")

    with pytest.raises(requests.ConnectionError) as lost:
        requests.delete(f"{sandbox.url}/api/v2/conversations/{conversation}", headers=bearer, timeout=60)

    assert "closed connection without response" in str(lost.value)
    assert last_status(sandbox) is None
    sandbox.advance(1)
    assert sandbox.calls()[0]["state"] == "ended"


def test_a_request_whose_client_leaves_half_way_places_nothing(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    head = f"POST /api/v2/conversations/calls/user/{ADA} HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Authorization: {bearer['Authorization']}\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b'1f\r\n{"phoneNumber": "+15559870000"}\r\n'

    with socket.create_connection(("127.0.0.1", int(sandbox.url.rpartition(":")[2]))) as client:
        client.sendall(head.encode() + body)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""

    assert sandbox.calls() == []
