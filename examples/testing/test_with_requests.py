"""How a program that uses `requests` or `urllib` is tested: `pytest examples/testing`. Nothing opens a port."""

import json
import urllib.request

import pytest
from dialer import place_call

from ringonce.sandbox import Sandbox

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


def test_a_call_is_placed(ringonce_sandbox: Sandbox) -> None:
    conversation = place_call(ringonce_sandbox.url, ADA, "+15559876543")

    assert [call["conversationId"] for call in ringonce_sandbox.calls()] == [conversation]


def test_trying_again_after_a_lost_answer_rings_twice(ringonce_sandbox: Sandbox) -> None:
    """The bug that this program has. `ringonce.Client` has it not."""
    ringonce_sandbox.fault(method="POST", path="/api/v2/conversations/calls*", action="drop_after", times=1)

    place_call(ringonce_sandbox.url, ADA, "+15559876543")

    assert len(ringonce_sandbox.calls()) == 2  # noqa: PLR2004


@pytest.mark.ringonce_sandbox(clock="manual")
def test_a_busy_number_is_busy_after_two_seconds(ringonce_sandbox: Sandbox) -> None:
    place_call(ringonce_sandbox.url, ADA, "+15559870002")
    ringonce_sandbox.advance(1)
    before = ringonce_sandbox.calls()[0]["state"]
    ringonce_sandbox.advance(2)

    assert (before, ringonce_sandbox.calls()[0]["state"]) == ("requested", "ended")


def test_urllib_reaches_it_too(ringonce_sandbox: Sandbox) -> None:
    with urllib.request.urlopen(f"{ringonce_sandbox.url}/_sandbox/health", timeout=10) as answer:  # noqa: S310
        assert json.load(answer)["status"] == "ok"


@pytest.mark.ringonce_sandbox(seed=7, hostile={"lost_answers": 1})
def test_with_every_answer_lost_it_gives_up(ringonce_sandbox: Sandbox) -> None:
    with pytest.raises(OSError):  # noqa: PT011  # what `requests` raises is one
        place_call(ringonce_sandbox.url, ADA, "+15559876543")
