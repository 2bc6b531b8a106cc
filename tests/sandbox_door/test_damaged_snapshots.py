"""A snapshot with one bad field: refused in words, and the world that was there goes on."""

import copy
import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from ringonce.sandbox import Sandbox
from ringonce.sandbox.fitting import hints

Place = Callable[..., requests.Response]
NOTHINGS: tuple[object, ...] = (None, "zz", -1, [])
Damage = Callable[[dict[str, Any]], None]


def of(snapshot: dict[str, Any], kind: str) -> dict[str, Any]:
    has: dict[str, Any] = next(each["has"] for each in snapshot["objects"] if each.get("is") == kind)
    return has


def put(kind: str, field: str, value: object) -> Damage:
    return lambda snapshot: of(snapshot, kind).__setitem__(field, value)


def without(kind: str, field: str) -> Damage:
    return lambda snapshot: of(snapshot, kind).__delitem__(field)


def dice_that_cannot_roll(snapshot: dict[str, Any]) -> None:
    next(each for each in snapshot["objects"] if "dice" in each)["dice"] = {"tuple": [3, {"tuple": []}, None]}


DAMAGES: dict[str, Damage] = {
    "no channels": put("world:World", "channels", None),
    "the world lacks its agenda": without("world:World", "agenda"),
    **{f"tokens {value!r}": put("world:World", "tokens", value) for value in NOTHINGS},
    **{f"dice {value!r}": put("world:World", "dice", value) for value in NOTHINGS},
    "tokens that are no table": put("tokens:Tokens", "_tokens", 7),
    "time that is none": put("agenda:Agenda", "now", "soon"),
    "a moment that no calendar has": put("agenda:Agenda", "now", 1e300),
    "not a number": put("agenda:Agenda", "now", float("nan")),
    "work that cannot be done": put("agenda:Agenda", "_due", {"list": []}),
    "dice that cannot roll": dice_that_cannot_roll,
    "no root": lambda snapshot: snapshot.__delitem__("root"),
    "no objects": lambda snapshot: snapshot.__delitem__("objects"),
    "a call without its legs": put("conversation:Conversation", "participants", None),
    "a call that began at no time": put("conversation:Conversation", "started", 7),
    "an agent who is nobody": put("org:User", "name", None),
    "faults that are none": lambda snapshot: snapshot["objects"][0]["map"].__setitem__("faults", "zz"),
    "a pace that is none": lambda snapshot: snapshot["objects"][0]["map"].__setitem__("speed", "zz"),
}


def post(sandbox: Sandbox, snapshot: object) -> requests.Response:
    return requests.post(f"{sandbox.url}/_sandbox/snapshot", data=json.dumps(snapshot), timeout=60)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_one_bad_field_is_refused_in_words_and_the_world_goes_on(
    sandbox: Sandbox, place: Place, damage: Damage
) -> None:
    place()
    good = sandbox.snapshot()
    bad = copy.deepcopy(good)
    damage(bad)

    refused = post(sandbox, bad)

    assert refused.status_code == 400
    assert set(refused.json()) == {"what", "why", "fix"}
    assert not [word for word in ("Error", "object has no", "NoneType") if word in refused.text]
    assert sandbox.snapshot() == good
    assert place().status_code == 202
    assert post(sandbox, good).status_code == 200
    assert requests.post(f"{sandbox.url}/_sandbox/reset", timeout=60).status_code == 200


def fields_of_the_world(sandbox: Sandbox) -> Iterator[tuple[int, str]]:
    for number, node in enumerate(sandbox.snapshot()["objects"]):
        if node.get("is") in {"world:World", "channels:Channels", "tokens:Tokens", "life:Exchange", "agenda:Agenda"}:
            yield from ((number, field) for field in node["has"])


def test_no_part_of_the_world_may_be_nothing(sandbox: Sandbox, place: Place) -> None:
    place()
    good = sandbox.snapshot()
    for number, field in fields_of_the_world(sandbox):
        bad = copy.deepcopy(good)
        bad["objects"][number]["has"][field] = None
        if field != "rate_limit":
            assert post(sandbox, bad).status_code == 400, field
        assert sandbox.snapshot() == good


@pytest.mark.parametrize("begin", [b"[1", b'{"a": "', b"1"])
def test_what_is_large_and_no_snapshot_is_refused_before_it_is_read(sandbox: Sandbox, begin: bytes) -> None:
    way = f"{sandbox.url}/_sandbox/snapshot"

    refused = requests.post(way, data=begin + b" " * 3 * 2**20, timeout=60)

    assert refused.status_code == 400
    assert "does not begin with" in refused.json()["why"]


def test_a_large_snapshot_may_be_written_by_any_hand(sandbox: Sandbox) -> None:
    snapshot = json.dumps(sandbox.snapshot(), indent=2).encode() + b" " * 2**20

    assert requests.post(f"{sandbox.url}/_sandbox/snapshot", data=snapshot, timeout=60).status_code == 200


def test_every_field_of_a_world_says_its_type(sandbox: Sandbox, place: Place) -> None:
    place()
    of_the_world = {"world", "agenda", "channels", "tokens", "life", "conversation", "org", "directory", "journal"}
    silent = []
    for node in sandbox.snapshot()["objects"]:
        module, _, name = node.get("is", "").partition(":")
        if module in of_the_world:
            told = hints(getattr(importlib.import_module(f"ringonce.sandbox.{module}"), name))
            silent += [f"{name}.{field}" for field in node["has"] if field not in told]

    assert silent == []
