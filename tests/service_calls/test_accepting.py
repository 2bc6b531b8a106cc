"""A key is one decision: whoever comes again gets the first call, and another call under it is refused."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ringonce.errors import IntentConflict
from ringonce.service import feed
from ringonce.service.calls import Ask, State, get
from ringonce.service.calls.accepting import accept
from ringonce.service.calls.changing import cancel, change
from ringonce.service.store import Store

ASK = Ask(agent="ada@example.com", to="+1 555 987 6543")
GIVEN: dict[str, Any] = {"number": "+15559876543", "mark": "m", "by": "tok"}


def test_the_same_key_again_is_the_same_call(store: Store) -> None:
    with store.write() as db:
        first = accept(db, ASK, key="crm-1", **GIVEN)
    with store.write() as db:
        again = accept(db, Ask(agent="ada@example.com", to="+15559876543"), key="crm-1", **GIVEN)

    assert (first.replayed, again.replayed) == (False, True)
    assert first.record.id == again.record.id
    assert first.record.state is State.WAITING


@pytest.mark.parametrize(
    "other", [Ask(agent="grace@example.com", to="+15559876543"), Ask(agent=ASK.agent, to=ASK.to, queue="Sales")]
)
def test_another_call_under_the_same_key_is_a_conflict(store: Store, other: Ask) -> None:
    with store.write() as db:
        accept(db, ASK, key="crm-1", **GIVEN)

    with pytest.raises(IntentConflict, match="crm-1"), store.write() as db:
        accept(db, other, key="crm-1", **GIVEN)


def test_of_many_at_once_one_makes_the_call(store: Store) -> None:
    def come(_: int) -> tuple[str, bool]:
        with store.write() as db:
            accepted = accept(db, ASK, key="crm-1", **GIVEN)
        return accepted.record.id, accepted.replayed

    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(come, range(24)))

    assert len({call_id for call_id, _ in told}) == 1
    assert sorted(replayed for _, replayed in told) == [False] + [True] * 23


def test_what_happens_to_a_call_is_told_in_order_and_only_if_it_happened(store: Store) -> None:
    with store.write() as db:
        call = accept(db, ASK, key="crm-1", **GIVEN).record
    with store.write() as db:
        assert cancel(db, call.id, by="tok", now=5.0) is not None
    with store.write() as db:
        assert change(db, call.id, state=State.DIALING) is None

    with store.read() as db:
        told = [(event.kind, event.body["state"]) for event in feed.since(db, 0)]
        stands = get(db, call.id)
    assert told == [("call.accepted", "waiting"), ("call.changed", "cancelled")]
    assert stands is not None
    assert stands.state is State.CANCELLED


def test_the_feed_never_shows_a_later_event_before_an_earlier_one(store: Store) -> None:
    seen: list[int] = []

    def say(number: int) -> None:
        with store.write() as db:
            feed.tell(db, "call.changed", f"call_{number}", {})
        with store.read() as db:
            last = seen[-1] if seen else 0
            seen.extend(event.seq for event in feed.since(db, last))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(say, range(60)))

    with store.read() as db:
        every = [event.seq for event in feed.since(db, 0)]
    assert len(every) == 60
    assert set(every) <= set(seen)


def test_a_number_is_masked_unless_the_whole_is_asked_for(store: Store) -> None:
    with store.write() as db:
        call = accept(db, ASK, key="crm-1", **GIVEN).record

    assert "555987" not in str(call.shown())
    assert call.shown(whole_number=True)["to"] == "+15559876543"
