"""From what was observed, in whatever order, to one truth."""

import random
from collections.abc import Sequence
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringonce.client import snapshots
from ringonce.client.flows.placing import place_call
from ringonce.client.fold import Facts, fold
from ringonce.client.snapshots import Snapshot
from ringonce.models import Outcome, State
from simulated import Simulated

STORIES = {
    "+15559870001": Outcome.NO_ANSWER,
    "+15559870002": Outcome.BUSY,
    "+15559870003": Outcome.DECLINED,
    "+15559870004": Outcome.UNROUTABLE,
    "+15559870005": Outcome.VOICEMAIL,
    "+15559870006": Outcome.ANSWERED,
    "+15559870007": Outcome.AGENT_UNREACHABLE,
    "+15559870008": Outcome.ANSWERED,
    "+15559876543": Outcome.ANSWERED,
}
ORDER = list(State)


def event(body: object) -> Snapshot:
    return snapshots.read(msgspec.json.encode(body))


@cache
def story_of(number: str, view: str) -> tuple[Snapshot, ...]:
    """Play a story to its end and give every snapshot that one of the views shows of it."""
    simulated = Simulated()
    shown: list[Snapshot] = []

    def hear(frame: bytes) -> None:
        envelope = msgspec.json.decode(frame)
        if envelope["topicName"].endswith(view):
            shown.append(event(envelope["eventBody"]))

    agent = simulated.order().agent
    simulated.overhear(hear, f"v2.users.{agent}.conversations", f"v2.users.{agent}.conversations.calls")
    simulated.run(place_call(simulated.session, simulated.order(to=number)))
    simulated.world.advance(simulated.world.now + 200)
    assert len(shown) > 1
    return tuple(shown)


def told(shown: Sequence[Snapshot]) -> tuple[object, ...]:
    """Give what must not depend on the order of what was shown."""
    call = fold(shown[0].conversation_id, shown)
    evidence = call.evidence
    return (
        call.state,
        call.outcome,
        evidence,
        call.connected_at,
        call.ended_at,
        call.to,
        call.intent,
        call.participants,
    )


@pytest.mark.parametrize("view", [".conversations", ".conversations.calls"], ids=["nested", "flat"])
@pytest.mark.parametrize("number", STORIES)
def test_any_order_and_any_duplication_of_a_storys_events_is_the_same_call(number: str, view: str) -> None:
    shown = story_of(number, view)
    in_order = told(shown)

    @settings(max_examples=60, deadline=None)
    @given(st.permutations(shown), st.lists(st.sampled_from(shown), max_size=6), st.randoms())
    def shuffled(order: list[Snapshot], again: list[Snapshot], dice: random.Random) -> None:
        mixed = [*order, *again]
        dice.shuffle(mixed)
        assert told(mixed) == in_order

    shuffled()


@pytest.mark.parametrize("number", STORIES)
def test_a_call_never_moves_backwards_whatever_comes_late(number: str) -> None:
    shown = story_of(number, ".conversations")

    @settings(max_examples=60, deadline=None)
    @given(st.permutations(shown))
    def late(order: list[Snapshot]) -> None:
        facts = Facts(order[0].conversation_id)
        reached = 0
        for snapshot in order:
            facts.absorb(snapshot)
            state = ORDER.index(facts.call().state)
            assert state >= reached
            reached = state

    late()


@pytest.mark.parametrize(("number", "outcome"), STORIES.items())
def test_each_story_has_its_outcome_and_the_evidence_for_it(number: str, outcome: Outcome) -> None:
    shown = story_of(number, ".conversations")
    call = fold(shown[0].conversation_id, shown)

    assert (call.state, call.outcome) == (State.ENDED, outcome)
    assert call.evidence is not None
    assert call.evidence.because
    assert call.evidence.participant_id in {one.id for one in call.participants}


@pytest.mark.parametrize("number", STORIES)
def test_the_last_snapshot_alone_tells_the_outcome(number: str) -> None:
    shown = story_of(number, ".conversations")

    whole, last = (fold(shown[0].conversation_id, part) for part in (shown, shown[-1:]))

    assert (last.state, last.outcome) == (whole.state, whole.outcome)


def test_both_spellings_of_a_disconnect_type_are_one() -> None:
    leg = {"id": "p", "purpose": "user", "state": "terminated"}
    rest, told_by_event = (
        event({"id": "c", "participants": [leg | {"disconnectType": spelling}]})
        for spelling in ("endpoint.donotdisturb", "endpoint.dnd")
    )

    assert rest == told_by_event
    assert fold("c", [rest]).outcome is Outcome.AGENT_UNREACHABLE


def test_words_that_the_platform_adds_survive_and_break_nothing() -> None:
    shown = event(
        {
            "id": "c",
            "brandNew": {"x": 1},
            "participants": [
                {"id": "a", "purpose": "user", "state": "levitating", "user": {"id": "u"}},
                {"id": "f", "purpose": "external", "state": "contacting", "disconnectType": "teleported"},
            ],
        }
    )
    call = fold("c", [shown])

    assert call.state is State.RINGING
    assert [one.state for one in call.participants] == ["levitating", "contacting"]
    assert call.participants[1].disconnect_types == ("teleported",)


def test_an_end_without_a_reason_is_unknown_not_guessed() -> None:
    shown = event(
        {
            "id": "c",
            "participants": [
                {"id": "a", "purpose": "user", "state": "terminated"},
                {"id": "f", "purpose": "external", "state": "terminated"},
            ],
        }
    )
    assert fold("c", [shown]).outcome is Outcome.UNKNOWN


def test_who_hung_up_is_not_told_from_one_word() -> None:
    peer = {"state": "terminated", "disconnectType": "peer", "connectedTime": "2026-11-22T10:00:00.000Z"}
    shown = event(
        {"id": "c", "participants": [{"id": "a", "purpose": "agent"} | peer, {"id": "f", "purpose": "customer"} | peer]}
    )
    call = fold("c", [shown])

    assert call.outcome is Outcome.ANSWERED
    assert call.evidence is not None
    assert "hung up" not in call.evidence.because


def test_a_far_end_that_lives_on_after_a_transfer_keeps_the_call_going() -> None:
    gone = {"id": "a", "purpose": "user", "state": "terminated", "disconnectType": "transfer", "user": {"id": "u"}}
    talking = {"id": "f", "purpose": "external", "state": "connected"}
    coming = {"id": "b", "purpose": "user", "state": "contacting", "user": {"id": "v"}}

    assert fold("c", [event({"id": "c", "participants": [gone, talking, coming]})]).state is State.CONNECTED


def test_held_and_muted_follow_the_latest_snapshot_and_an_old_one_does_not_bring_them_back() -> None:
    def shown(state: str, **flags: bool) -> Snapshot:
        agent = {"id": "a", "purpose": "user", "state": state, "user": {"id": "u"}} | flags
        return event({"id": "c", "participants": [agent, {"id": "f", "purpose": "external", "state": state}]})

    ringing, held, resumed = shown("contacting"), shown("connected", held=True, muted=True), shown("connected")

    assert fold("c", [ringing, held]).held
    assert not fold("c", [held, resumed]).held
    assert fold("c", [held, ringing]).held
    assert fold("c", [held, ringing]).muted


def test_the_tutorial_wires_status_alone_is_understood() -> None:
    def shown(status: str) -> Snapshot:
        return snapshots.read(msgspec.json.encode({"id": "c", "status": status}))

    assert fold("c", [shown("queued")]).state is State.REQUESTED
    assert fold("c", [shown("ringing"), shown("queued")]).state is State.RINGING
    assert fold("c", [shown("connected"), shown("disconnected")]).outcome is Outcome.ANSWERED
    assert fold("c", [shown("failed")]).outcome is Outcome.FAILED
    assert fold("c", [shown("disconnected")]).outcome is Outcome.UNKNOWN
