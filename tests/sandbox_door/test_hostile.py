"""The hostile profile: a little of everything, each dose with a knob, and the same story for the same seed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from ringonce.sandbox import Sandbox, SandboxError
from ringonce.sandbox.hostile import DOSES, USUAL, read_doses

Place = Callable[..., requests.Response]
ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


def token(sandbox: Sandbox) -> dict[str, str]:
    bearer = sandbox.do(lambda world: world.tokens.issue(world.clients["your_client_id"]).value)
    return {"Authorization": f"Bearer {bearer}"}


def story(seed: int, **doses: float) -> list[Any]:
    """Sixty creates and reads on a sandbox of this seed: what came back of each, and what the record says."""
    told: list[Any] = []
    with Sandbox(clock="manual", seed=seed, hostile=doses) as sandbox, requests.Session() as session:
        sandbox.do(lambda world: setattr(world.agenda, "now", 1_767_268_800.0))
        heard: list[bytes] = []
        channel = sandbox.do(lambda world: world.channels.create(("your_client_id", "")))
        sandbox.do(lambda world: world.channels.subscribe(channel, [f"v2.users.{ADA}.conversations.calls"]))
        sandbox.do(lambda world: world.channels.attach(channel.id, heard.append))
        # Who waits for an answer that comes 2 s later must not wait for a clock that stands still.
        sandbox.do(lambda world: world.at(world.now, lambda: None))
        for number in range(60):
            bearer = token(sandbox)
            url = f"{sandbox.url}/api/v2/conversations/calls"
            try:
                if number % 2:
                    answer = session.get(url, headers=bearer, timeout=60)
                else:
                    body = {"phoneNumber": f"+155598{number:05d}"}
                    answer = session.post(f"{url}/user/{ADA}", json=body, headers=bearer, timeout=60)
                told.append((answer.status_code, answer.text))
            except requests.RequestException as lost:
                told.append(type(lost).__name__)
            sandbox.advance(3)
        told += [sandbox.calls(), heard, [each["fault"] for each in sandbox.requests()]]
    return told


def test_one_seed_gives_one_story_for_the_same_requests() -> None:
    first, second, other = (story(seed, slow_answers=0) for seed in (7, 7, 8))

    assert first == second
    assert first != other
    assert len(set(first[-1])) > 5


def test_a_dose_does_not_change_what_the_others_do() -> None:
    with_it, without = (story(7, slow_answers=0, extra_fields=share, unknown_values=0)[-1] for share in (0.05, 0))

    assert "extra_field" in with_it
    assert [each if each != "extra_field" else None for each in with_it] == without


def test_a_dose_of_one_always_comes_and_a_dose_of_nought_never(sandbox: Sandbox, place: Place) -> None:
    sandbox.hostile(**dict.fromkeys(USUAL, 0.0))
    assert (sandbox.faults(), place().status_code) == ([], 202)

    sandbox.hostile(**{**dict.fromkeys(USUAL, 0.0), "late_errors": 1})

    assert place().status_code == 504
    assert [call["to"] for call in sandbox.calls()] == ["+15559870000"] * 2


def test_the_profile_is_set_shown_and_taken_away_over_http_and_leaves_other_faults_alone(sandbox: Sandbox) -> None:
    way = f"{sandbox.url}/_sandbox/hostile"
    sandbox.fault(action="drop_after", path="/nowhere")

    answer = requests.post(way, json={"throttled": 0.5}, timeout=60)

    assert answer.status_code == 201
    assert requests.get(way, timeout=60).json()["doses"] == {**USUAL, "throttled": 0.5}
    assert len(sandbox.faults()) == 1 + sum(len(dose.faults) for dose in DOSES)
    assert requests.delete(way, timeout=60).status_code == 204
    assert requests.get(way, timeout=60).json()["doses"] is None
    assert [fault["action"] for fault in sandbox.faults()] == ["drop_after"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("lost_answer=0.3", "did you mean lost_answers?"),
        ("lost_answers", "each dose is written NAME=SHARE"),
        ("lost_answers=much", "lost_answers needs a number from 0 to 1"),
        ("lost_answers=1.5", "a dose is a share from 0 (never) to 1 (always)"),
        ("lost_answers=nan", "a dose is a share from 0 (never) to 1 (always)"),
    ],
)
def test_a_wrong_dose_is_refused_with_the_right_one(text: str, why: str) -> None:
    with pytest.raises(SandboxError) as refused:
        read_doses(text)

    assert refused.value.why == why


def test_wrong_doses_are_refused_over_http(sandbox: Sandbox) -> None:
    for body in ([1], {"lost_answers": "0.3"}, {"lost_answers": True}, {"\u2028": 1}):
        answer = requests.post(f"{sandbox.url}/_sandbox/hostile", json=body, timeout=60)
        assert (answer.status_code, sorted(answer.json())) == (400, ["fix", "what", "why"])
    assert sandbox.faults() == []


def test_an_answer_may_hold_a_value_and_a_field_that_nobody_knows(
    sandbox: Sandbox, place: Place, bearer: dict[str, str]
) -> None:
    place()
    url = f"{sandbox.url}/api/v2/conversations/{sandbox.calls()[0]['conversationId']}"
    plain = requests.get(url, headers=bearer, timeout=60).text
    sandbox.fault(action="unknown_value", path="/api/v2/*", times=1)
    sandbox.fault(action="extra_field", path="/api/v2/*", times=1)

    first, second = (requests.get(url, headers=bearer, timeout=60).text for _ in range(2))

    assert first.count("unheard_of") == 1
    assert second.count('"unheardOf"') == 1
    assert "unheard" not in plain
    assert sandbox.do(lambda world: [leg.state for leg in next(iter(world.exchange.conversations.values())).live()])


def test_events_may_hold_a_value_and_a_field_that_nobody_knows(sandbox: Sandbox, place: Place) -> None:
    heard: list[bytes] = []
    channel = sandbox.do(lambda world: world.channels.create(("your_client_id", "")))
    sandbox.do(lambda world: world.channels.subscribe(channel, [f"v2.users.{ADA}.conversations.calls"]))
    sandbox.do(lambda world: world.channels.attach(channel.id, heard.append))
    sandbox.fault(action="unknown_value")
    sandbox.fault(action="extra_field", share=0.5)
    place()
    sandbox.advance(20)

    events = [json.loads(each) for each in heard]
    assert all("unheard_of" in json.dumps(each["eventBody"]) for each in events)
    assert 0 < sum("unheardOf" in json.dumps(each) for each in events) < len(events)


def test_a_new_socket_may_be_mute_and_the_next_one_too(sandbox: Sandbox) -> None:
    channel = sandbox.do(lambda world: world.channels.create(("your_client_id", "")))
    first: list[bytes] = []
    sandbox.do(lambda world: world.channels.attach(channel.id, first.append))
    sandbox.fault(action="mute_new_socket")
    sandbox.advance(31)
    second: list[bytes] = []
    sandbox.do(lambda world: world.channels.attach(channel.id, second.append))
    sandbox.advance(31)
    sandbox.clear_faults()
    third: list[bytes] = []
    sandbox.do(lambda world: world.channels.attach(channel.id, third.append))
    sandbox.advance(31)

    assert (len(first), len(second), len(third)) == (1, 0, 1)


def test_a_request_may_cost_its_owner_a_channel(sandbox: Sandbox, bearer: dict[str, str]) -> None:
    url = f"{sandbox.url}/api/v2/notifications/channels"
    made = [requests.post(url, headers=bearer, timeout=60).json()["id"] for _ in range(2)]
    sandbox.fault(action="evict_channel", path="/api/v2/users*", times=1)

    requests.get(f"{sandbox.url}/api/v2/users", headers=bearer, timeout=60)

    left = requests.get(url, headers=bearer, timeout=60).json()["entities"]
    assert [each["id"] for each in left] == made[1:]
