"""Snapshots: a world written down and put back goes on as it would have gone on."""

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from ringonce.sandbox import Sandbox, SandboxError

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
Place = Callable[..., requests.Response]
Heard = list[bytes]


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def listening(sandbox: Sandbox, channel_id: str) -> Heard:
    heard: Heard = []
    assert sandbox.do(lambda world: world.channels.attach(channel_id, heard.append))
    return heard


def channel(sandbox: Sandbox) -> str:
    """A channel on Ada's calls, nested and flat."""

    def make(world: Any) -> str:
        made = world.channels.create(("your_client_id", ""))
        world.channels.subscribe(made, [f"v2.users.{ADA}.conversations?calls", f"v2.users.{ADA}.conversations"])
        channel_id: str = made.id
        return channel_id

    return sandbox.do(make)


def go_on(sandbox: Sandbox, session: requests.Session, bearer: dict[str, str], heard: Heard) -> list[Any]:
    """What comes of the same requests, from here on: every answer with its headers, every event, the record."""
    told: list[Any] = []
    heard.clear()
    for number in range(12):
        url = f"{sandbox.url}/api/v2/conversations"
        try:
            placed = session.post(
                f"{url}/calls/user/{ADA}", json={"phoneNumber": f"+1555987{number:04}"}, headers=bearer, timeout=60
            )
            listed = session.get(f"{url}/calls/{sandbox.calls()[-1]['conversationId']}", headers=bearer, timeout=60)
            told += [(each.status_code, dict(each.headers), each.text) for each in (placed, listed)]
        except requests.RequestException as lost:
            told.append(type(lost).__name__)
        sandbox.advance(7)
    sandbox.advance(90)
    told += [sandbox.calls(), list(heard), sandbox.faults(), sandbox.requests()]
    return told


def busy(sandbox: Sandbox, place: Place) -> tuple[str, Heard]:
    """Calls in every stage of their lives, faults at work, a create that is still to happen."""
    channel_id = channel(sandbox)
    heard = listening(sandbox, channel_id)
    for digits in ("0000", "0001", "0005", "0009", "6543"):
        place(f"+1555987{digits}")
        sandbox.advance(1.3)
    sandbox.fault(action="create_late", path="*/calls/*", delay_s=11, times=1)
    with pytest.raises(requests.RequestException):
        place("+15559870002")
    sandbox.hostile(slow_answers=0, mute_sockets=0, lost_answers=0.2, duplicated_events=0.3)
    return channel_id, heard


def test_put_back_it_goes_on_to_the_last_byte_as_it_would_have(
    sandbox: Sandbox, place: Place, bearer: dict[str, str], session: requests.Session
) -> None:
    _, heard = busy(sandbox, place)
    snapshot = sandbox.snapshot()

    as_it_was = go_on(sandbox, session, bearer, heard)
    sandbox.restore(snapshot)
    again = go_on(sandbox, session, bearer, heard)

    assert again == as_it_was
    assert len(heard) > 30


def test_another_sandbox_goes_on_with_it_and_its_tokens(
    sandbox: Sandbox, place: Place, bearer: dict[str, str], session: requests.Session
) -> None:
    channel_id, heard = busy(sandbox, place)
    snapshot = json.loads(json.dumps(sandbox.snapshot()))
    as_it_was = go_on(sandbox, session, bearer, heard)

    with Sandbox(seed=99, agents=3) as other:
        other.restore(snapshot)
        elsewhere = go_on(other, session, bearer, listening(other, channel_id))
        assert other.do(lambda world: len(world.org.users)) == sandbox.do(lambda world: len(world.org.users))

    def events(story: list[Any]) -> list[bytes]:
        return [frame for frame in story[-3] if b"Heartbeat" not in frame]

    assert elsewhere[:-3] == as_it_was[:-3]
    # The connection is a new one, so its heartbeats are at other times.
    assert events(elsewhere) == events(as_it_was)


def test_a_snapshot_of_a_snapshot_is_the_same(sandbox: Sandbox, place: Place) -> None:
    busy(sandbox, place)
    first = sandbox.snapshot()
    sandbox.restore(first)

    assert sandbox.snapshot() == first


def test_it_is_given_and_taken_over_http(sandbox: Sandbox, place: Place) -> None:
    place()
    way = f"{sandbox.url}/_sandbox/snapshot"
    taken = requests.get(way, timeout=60)
    before = sandbox.world.now
    place()
    sandbox.advance(60)

    answer = requests.post(way, data=taken.content, timeout=60)

    assert (taken.status_code, answer.status_code) == (200, 200)
    assert (len(sandbox.calls()), sandbox.world.now) == (1, before)
    assert taken.headers["Cache-Control"] == "no-store"


def test_the_clocks_pace_is_put_back(sandbox: Sandbox) -> None:
    snapshot = sandbox.snapshot()

    with Sandbox(speed=30) as other:
        other.restore(snapshot)
        clock = requests.get(f"{other.url}/_sandbox/clock", timeout=60).json()

    assert (clock["mode"], clock["speed"]) == ("manual", 1.0)


def test_an_open_connection_stays_with_its_channel_and_another_is_closed(sandbox: Sandbox) -> None:
    kept = channel(sandbox)
    ended: list[str] = []
    heard: Heard = []
    snapshot = sandbox.snapshot()
    sandbox.do(lambda world: world.channels.attach(kept, heard.append, functools.partial(ended.append, "kept")))
    later = channel(sandbox)
    sandbox.do(lambda world: world.channels.attach(later, heard.append, functools.partial(ended.append, "later")))

    sandbox.restore(snapshot)
    sandbox.advance(31)

    assert ended == ["later"]
    assert len(heard) == 1


def wrong_ones(snapshot: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    whole = json.dumps(snapshot)
    world = next(node for node in snapshot["objects"] if node.get("is") == "world:World")
    yield "no snapshot", {}
    yield "a list", []
    yield "another format", {**snapshot, "format": 2}
    yield "no objects", {"format": 1, "root": {"&": 0}, "objects": []}
    yield "not a world", {"format": 1, "root": {"tuple": []}, "objects": []}
    yield "a place that is not there", {**snapshot, "root": {"&": -1}}
    yield "a stranger's class", json.loads(whole.replace('"world:World"', '"world:Any"'))
    yield "a class of the network", json.loads(whole.replace('"world:World"', '"server:Server"'))
    yield "another room", json.loads(whole.replace('"world:World"', '"..cli:main"'))
    yield "a field of another version", json.loads(whole.replace('"confined"', '"cornered"'))
    yield "a world without its parts", json.loads(whole.replace(json.dumps(world), '{"is": "world:World"}'))
    hole: dict[str, Any] = {}
    for _ in range(3_000):
        hole = {"tuple": [hole]}
    yield "a hole", {"format": 1, "root": hole, "objects": []}


def test_what_is_no_snapshot_is_refused_and_changes_nothing(sandbox: Sandbox, place: Place) -> None:
    place()
    sandbox.advance(3)
    before = sandbox.snapshot()

    for what, wrong in wrong_ones(before):
        with pytest.raises(SandboxError, match="was not put back"):
            sandbox.restore(wrong)
        assert sandbox.snapshot() == before, what


def test_what_cannot_be_written_down_is_refused_not_left_out(sandbox: Sandbox) -> None:
    sandbox.do(lambda world: world.at(world.now + 5, lambda: None))

    with pytest.raises(SandboxError, match="cannot be written down"):
        sandbox.snapshot()
