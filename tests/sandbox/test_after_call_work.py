"""After-call work: what each kind of queue wants of its agents, and for how long."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA, default_org
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.dice import named
from ringonce.sandbox.world import World

NOON = 1_767_268_800.0
SALES, SALE = named("queue/sales"), named("wrapup-code/Sale")
TIMED_OUT = "7fb334b0-0e9e-11e4-9191-0800200c9a66"


@pytest.fixture
def world(prompt: str) -> World:
    """A world whose queue Sales asks for after-call work in some way."""
    org = default_org()
    org.queues[SALES] = dataclasses.replace(org.queues[SALES], wrapup_prompt=prompt, wrapup_timeout=timeout_of(prompt))
    return World(now=NOON, seed=7, org=org)


def timeout_of(prompt: str) -> float:
    return 30.0 if prompt in {"timeout", "forcedTimeout"} else 0.0


@pytest.fixture
def ended(world: World, ask: Any) -> str:
    """A call of the queue that has just ended."""
    call: str = ask.place("0000", callFromQueueId=SALES)
    world.advance(world.now + 5)
    ask("DELETE", f"/conversations/{call}")
    world.advance(world.now + 1)
    return call


def agent(ask: Any, call: str) -> Any:
    return ask.call(call)["participants"][0]


def work(ask: Any, call: str) -> str | None:
    state: str | None = ask("GET", f"/conversations/{call}")[1]["participants"][0]["calls"][0]["afterCallWork"].get(
        "state"
    )
    return state


def line(ask: Any, call: str) -> str:
    party = ask("GET", f"/conversations/{call}")[1]["participants"][0]
    return f"/conversations/calls/{call}/participants/{party['id']}/communications/{party['calls'][0]['id']}/wrapup"


@pytest.mark.parametrize("prompt", ["mandatory", "optional", "timeout", "forcedTimeout"])
def test_it_begins_with_the_end_of_the_call(ask: Any, ended: str, prompt: str) -> None:
    leg = agent(ask, ended)

    assert (leg["wrapupPrompt"], leg["wrapupRequired"], work(ask, ended)) == (prompt, True, "pending")
    assert leg["startAcwTime"] == leg["endTime"]
    assert leg.get("wrapupTimeoutMs") == (30_000 if timeout_of(prompt) else None)


@pytest.mark.parametrize("prompt", ["agentRequested"])
def test_who_asks_for_none_has_none(ask: Any, ended: str) -> None:
    assert (agent(ask, ended)["wrapupRequired"], work(ask, ended)) == (False, None)


@pytest.mark.parametrize("prompt", ["mandatory", "optional", "timeout"])
def test_a_code_ends_it(world: World, ask: Any, ended: str) -> None:
    assert ask("POST", line(ask, ended), {"code": SALE}) == (202, None)
    world.advance(world.now + 1)

    assert (agent(ask, ended)["wrapup"]["code"], work(ask, ended)) == (SALE, "complete")
    world.advance(world.now + 60)
    assert agent(ask, ended)["wrapup"]["code"] == SALE


@pytest.mark.parametrize("prompt", ["forcedTimeout"])
def test_forced_work_lasts_its_time_with_a_code_as_well(world: World, ask: Any, ended: str) -> None:
    ask("POST", line(ask, ended), {"code": SALE})
    world.advance(world.now + 1)
    assert work(ask, ended) == "pending"

    world.advance(world.now + 30)

    assert (agent(ask, ended)["wrapup"]["code"], work(ask, ended)) == (SALE, "complete")


@pytest.mark.parametrize("prompt", ["timeout", "forcedTimeout"])
def test_when_the_time_is_over_the_platform_files_its_own_code(
    world: World, ask: Any, ended: str, listen: Callable[..., list[dict[str, Any]]]
) -> None:
    heard = listen()

    world.advance(world.now + 30)

    leg = agent(ask, ended)
    assert (leg["wrapup"]["code"], leg["wrapupRequired"], work(ask, ended)) == (TIMED_OUT, False, "complete")
    told = [each["eventBody"] for each in heard if each["topicName"] != "channel.metadata"]
    assert told[-1]["participants"][0]["wrapup"]["code"] == TIMED_OUT


@pytest.mark.parametrize("prompt", ["mandatory", "timeout", "forcedTimeout"])
def test_a_code_is_required_and_the_work_goes_on_without_one(ask: Any, ended: str) -> None:
    status, answer = ask("POST", line(ask, ended), {"notes": "nothing"})

    assert (status, answer["code"]) == (400, "conversation.error.wrapup.code.required")
    assert work(ask, ended) == "pending"
    leg = agent(ask, ended)["id"]
    skip = ask("PATCH", f"/conversations/calls/{ended}/participants/{leg}", {"wrapupSkipped": True})
    assert skip[1]["code"] == "conversation.error.wrapup.cannot.skip"


@pytest.mark.parametrize("prompt", ["optional"])
def test_work_that_is_optional_can_be_skipped(world: World, ask: Any, ended: str) -> None:
    leg = agent(ask, ended)["id"]

    ask("PATCH", f"/conversations/calls/{ended}/participants/{leg}", {"wrapupSkipped": True})
    world.advance(world.now + 1)

    assert work(ask, ended) == "skipped"


@pytest.mark.parametrize("prompt", ["mandatory"])
def test_a_provisional_code_is_kept_apart_and_ends_nothing(world: World, ask: Any, ended: str) -> None:
    ask("POST", line(ask, ended), {"code": SALE, "provisional": True})
    world.advance(world.now + 1)

    assert ask("GET", line(ask, ended))[0] == 404
    assert ask("GET", line(ask, ended), provisional="true")[1]["code"] == SALE
    assert work(ask, ended) == "pending"


@pytest.mark.parametrize("prompt", ["mandatory"])
def test_what_is_filed_while_talking_leaves_no_work_behind(world: World, ask: Any, desk: Desk) -> None:
    call = ask.place("0000", callFromQueueId=SALES)
    world.advance(world.now + 5)
    ask("POST", line(ask, call), {"code": SALE})
    world.advance(world.now + 1)

    ask("DELETE", f"/conversations/{call}")
    world.advance(world.now + 1)

    assert (agent(ask, call)["wrapupRequired"], work(ask, call)) == (False, "complete")
    assert desk.world.directory.seat(ADA).work == {}


@pytest.mark.parametrize("prompt", ["optional"])
def test_only_whose_call_it_was_files_what_it_came_to_or_a_service(
    ask: Any, ask_as: Callable[[str], Any], world: World, ended: str, prompt: str
) -> None:
    linus = named("user/linus")
    own, customer = ask("GET", f"/conversations/{ended}")[1]["participants"]

    def file(asker: Any, party: Any) -> list[tuple[int, str]]:
        leg = f"/conversations/calls/{ended}/participants/{party['id']}"
        by_communication = asker("POST", f"{leg}/communications/{party['calls'][0]['id']}/wrapup", {"code": SALE})
        by_participant = asker("PATCH", leg, {"wrapup": {"code": SALE}})
        return [(status, (answer or {}).get("code", "")) for status, answer in (by_communication, by_participant)]

    refused, filed = (403, "conversation.error.forbidden.not.active.participant"), (202, "")
    assert file(ask_as(linus), own) == [refused, refused]
    assert file(ask_as(ADA), customer) == [refused, refused]
    world.advance(world.now + 1)
    assert "wrapup" not in agent(ask, ended)
    assert file(ask_as(ADA), own) == [filed, filed]
    assert file(ask, own) == [filed, filed]


@pytest.mark.parametrize("prompt", ["optional"])
def test_nobody_works_for_less_than_no_time(ask: Any, ended: str, prompt: str) -> None:
    status, refused = ask("POST", line(ask, ended), {"code": SALE, "durationSeconds": -1})

    assert (status, refused["details"][0]["fieldName"]) == (400, "durationSeconds")
