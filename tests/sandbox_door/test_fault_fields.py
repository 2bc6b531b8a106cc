"""How faults are chosen, counted and refused."""

from typing import Any

import pytest

from ringonce.sandbox.faults import Faults
from ringonce.sandbox.hostile import HOSTILE
from ringonce.sandbox.trouble import NotThereError, SandboxError


def rolls(seed: int, count: int = 200) -> list[bool]:
    faults = Faults(seed)
    faults.add({"action": "drop_before", "share": 0.3})
    return [faults.pick("GET", "/api/v2/users") is not None for _ in range(count)]


def test_one_seed_gives_one_sequence_of_trouble() -> None:
    assert rolls(7) == rolls(7)
    assert rolls(7) != rolls(8)
    assert 40 <= sum(rolls(7)) <= 80


def test_what_one_fault_rolls_does_not_depend_on_the_others() -> None:
    alone, beside = Faults(3), Faults(3)
    alone.add({"action": "drop_before", "share": 0.5})
    beside.add({"action": "drop_before", "share": 0.5})
    beside.add({"method": "DELETE", "action": "truncate", "share": 0.5})
    for _ in range(50):
        beside.pick("DELETE", "/")
        alone.pick("DELETE", "/")

    assert alone.all()[0]["fired"] == beside.all()[0]["fired"]


def test_a_fault_that_may_fire_twice_fires_twice() -> None:
    faults = Faults()
    faults.add({"action": "drop_after", "times": 2})

    fired = [faults.pick("POST", "/api/v2/conversations/calls") for _ in range(4)]

    assert [fault is not None for fault in fired] == [True, True, False, False]


def test_the_first_fault_that_fits_fires() -> None:
    faults = Faults()
    faults.add({"path": "/oauth/*", "action": "drop_before"})
    faults.add({"path": "/api/*", "action": "truncate"})
    faults.add({"path": "*", "action": "drop_after"})

    fired = faults.pick("GET", "/api/v2/users/me")

    assert fired is not None
    assert fired.action == "truncate"


def test_taking_away_a_fault_that_is_not_there_names_those_that_are() -> None:
    faults = Faults()
    faults.add({"action": "drop_before"})

    with pytest.raises(NotThereError) as refused:
        faults.remove("f9")

    assert refused.value.why == "set are: f1"


def test_every_hostile_fault_can_be_set() -> None:
    faults = Faults()
    for fault in HOSTILE:
        faults.add(fault)

    assert len(faults.all()) == len(HOSTILE)


@pytest.mark.parametrize(
    ("fields", "what", "why"),
    [
        pytest.param([], "a fault is []", "a JSON object", id="not an object"),
        pytest.param({"actoin": "delay"}, "'actoin'", "method, path, action, status", id="a misspelt field"),
        pytest.param({}, "no action", "drop_before, drop_after, create_late", id="no action"),
        pytest.param({"action": "explode"}, "'explode'", "drop_before, drop_after", id="an unknown action"),
        pytest.param({"action": []}, "action is []", "drop_before, drop_after", id="an action that is no word"),
        pytest.param({"action": "delay"}, "no delay_s", "given for delay", id="a delay without seconds"),
        pytest.param({"action": "status"}, "no status", "given for status", id="a status without one"),
        pytest.param(
            {"action": "status", "status": 200}, "status is 200", "400 to 599", id="a status that refuses not"
        ),
        pytest.param({"action": "status", "status": True}, "status is true", "whole number", id="a status of true"),
        pytest.param({"action": "truncate", "status": 500}, "no meaning for truncate", "status", id="a useless status"),
        pytest.param({"action": "reorder", "times": 3}, "no meaning for reorder", "times", id="a useless count"),
        pytest.param({"action": "truncate", "share": 1.5}, "share is 1.5", "from 0 to 1", id="more than all"),
        pytest.param({"action": "truncate", "share": "all"}, "share is 'all'", "a number", id="a share in words"),
        pytest.param({"action": "truncate", "share": float("nan")}, "share is NaN", "a number", id="no number at all"),
        pytest.param({"action": "truncate", "share": 10**400}, "share is 1000", "from 0 to 1", id="an endless share"),
        pytest.param({"action": "truncate", "times": 10**400}, "times is 1000", "from 1", id="an endless count"),
        pytest.param({"action": "delay", "delay_s": 10**400}, "delay_s is 1000", "from 0", id="an endless delay"),
        pytest.param({"action": "status", "status": 10**400}, "status is 1000", "400 to 599", id="an endless status"),
        pytest.param({"action": "truncate", "path": "/\ud800"}, "path is", "printable", id="half a character"),
        pytest.param({"action": "truncate", "times": 0}, "times is 0", "from 1", id="never"),
        pytest.param({"action": "truncate", "times": 1.5}, "times is 1.5", "whole number", id="once and a half"),
        pytest.param({"action": "truncate", "method": "FETCH"}, "'FETCH'", "GET, POST", id="an unknown method"),
        pytest.param({"action": "truncate", "path": "calls"}, "'calls'", "starts with /", id="a path without a slash"),
        pytest.param({"action": "delay", "delay_s": -1}, "delay_s is -1", "from 0", id="a delay into the past"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_its_field(fields: Any, what: str, why: str) -> None:
    faults = Faults()

    with pytest.raises(SandboxError) as refused:
        faults.add(fields)

    assert what in refused.value.what
    assert why in refused.value.why
    assert refused.value.fix
    assert faults.all() == []
