"""One intent rings at most once: what leaves, and what is told, for every answer there may be."""

from collections.abc import Callable

import pytest

from ringonce import AccessToken
from ringonce.client.flows.placing import place_call, plan_call
from ringonce.client.wishes import Request, Response
from ringonce.errors import (
    ApiRefusal,
    IntentConflict,
    NotAuthenticated,
    OutcomeUnknown,
    RateLimited,
    TooLate,
    Unreachable,
)
from ringonce.ledger import Row, RowState
from simulated import ORIGIN, Answer, Simulated, is_create, lost, on_create


def created_then_lost(go: Answer) -> Response:
    go()
    return lost(sent=True)


def test_a_call_is_placed_by_one_create_that_carries_the_intent(simulated: Simulated) -> None:
    placed = simulated.run(place_call(simulated.session, simulated.order(attributes={"case": "7"})))

    assert len(simulated.creates) == 1
    assert simulated.creates[0].body["attributes"] == {"case": "7", "ringonce.intent": "crm-4711"}
    assert (placed.intent, placed.adopted, placed.replayed) == ("crm-4711", False, False)
    assert [call["conversationId"] for call in simulated.world.calls()] == [placed.conversation_id]


def test_the_ledger_knows_the_intent_and_the_stream_is_open_before_the_create_leaves(simulated: Simulated) -> None:
    seen: list[tuple[Row | None, bool]] = []

    def look(go: Answer) -> Response:
        seen.append((simulated.ledger.look(ORIGIN, "crm-4711"), simulated.channel is not None))
        return go()

    simulated.trouble = on_create(look)
    simulated.run(place_call(simulated.session, simulated.order()))

    [(row, listening)] = seen
    assert row is not None
    assert row.state is RowState.ARMED
    assert listening


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(created_then_lost, id="the answer is lost"),
        pytest.param(lambda go: Response(go().status, {}, b'{"id":"half'), id="the answer is cut off"),
        pytest.param(lambda go: (go(), Response(500, {}, b""))[1], id="500 after the deed"),
        pytest.param(lambda go: (go(), Response(504, {}, b""))[1], id="504 after the deed"),
        pytest.param(lambda go: (go(), Response(503, {"retry-after": "1"}, b""))[1], id="503 that invites a retry"),
        pytest.param(lambda go: (go(), Response(408, {}, b""))[1], id="408 after the deed"),
        pytest.param(lambda go: (go(), Response(409, {}, b""))[1], id="409 after the deed"),
        pytest.param(lambda go: (go(), Response(307, {"location": "/again"}, b""))[1], id="a redirect"),
        pytest.param(lambda go: (go(), Response(202, {}, b"[]"))[1], id="an answer of another shape"),
        pytest.param(lambda go: (go(), Response(202, {}, b'{"id":"\xff"}'))[1], id="an answer that is no text"),
        pytest.param(lambda go: (go(), Response(202, {}, b"[" * 100_000))[1], id="an answer nested without end"),
        pytest.param(lambda go: (go(), Response(202, {}, b'{"id":"../x?y"}'))[1], id="an id that is a path"),
        pytest.param(lambda go: (go(), Response(429, {"retry-after": "2"}, b""))[1], id="429 after the deed"),
    ],
)
def test_an_answer_that_proves_nothing_is_followed_by_looking_never_by_a_second_create(
    simulated: Simulated, answer: Callable[[Answer], Response]
) -> None:
    simulated.trouble = on_create(answer)

    placed = simulated.run(place_call(simulated.session, simulated.order()))

    assert placed.adopted
    assert placed.evidence == "it carries the intent's stamp"
    assert len(simulated.creates) == 1
    assert [call["conversationId"] for call in simulated.world.calls()] == [placed.conversation_id]


@pytest.mark.parametrize("status", [401, 429])
def test_a_refusal_that_is_not_true_is_followed_by_a_read_though_no_event_comes(status: int) -> None:
    simulated = Simulated(sockets=False)
    simulated.trouble = on_create(lambda go: (go(), Response(status, {"retry-after": "1"}, b"{}"))[1])

    placed = simulated.run(place_call(simulated.session, simulated.order()))

    assert [call["conversationId"] for call in simulated.world.calls()] == [placed.conversation_id]
    assert placed.adopted


@pytest.mark.parametrize("status", [401, 429])
def test_a_read_that_fails_does_not_keep_a_refused_create_from_being_sent_again(status: int) -> None:
    simulated = Simulated(sockets=False)
    answers = iter([Response(status, {"retry-after": "1"}, b"{}")])

    def no_reads(request: Request, go: Answer) -> Response:
        if request.url.endswith("/details/query"):
            return lost(sent=True)
        return next(answers, None) or go() if is_create(request) else go()

    simulated.trouble = no_reads

    simulated.run(place_call(simulated.session, simulated.order()))

    assert (len(simulated.creates), len(simulated.world.calls())) == (2, 1)


@pytest.mark.parametrize("sockets", [True, False], ids=["with events", "by reads alone"])
def test_a_call_created_late_is_found_and_is_the_only_one(sockets: bool) -> None:
    simulated = Simulated(sockets=sockets)

    def late(go: Answer) -> Response:
        simulated.world.at(simulated.world.now + 12.0, lambda: (go(), None)[1])
        return lost(sent=True)

    simulated.trouble = on_create(late)
    placed = simulated.run(place_call(simulated.session, simulated.order()))
    simulated.world.advance(simulated.world.now + 600)

    assert placed.adopted
    assert len(simulated.creates) == len(simulated.world.calls()) == 1


def test_what_is_not_found_in_time_is_unknown_and_stays_so_without_a_second_create(simulated: Simulated) -> None:
    simulated.trouble = on_create(lambda _: lost(sent=True))
    began = simulated.world.now

    with pytest.raises(OutcomeUnknown) as unknown:
        simulated.run(place_call(simulated.session, simulated.order()))
    assert simulated.world.now - began == pytest.approx(30.0, abs=0.1)
    assert (unknown.value.intent, unknown.value.to) == ("crm-4711", "+15559876543")

    with pytest.raises(OutcomeUnknown):
        simulated.run(place_call(simulated.session, simulated.order()))
    assert len(simulated.creates) == 1


def test_an_unknown_call_that_shows_later_is_adopted_when_asked_again(simulated: Simulated) -> None:
    def very_late(go: Answer) -> Response:
        simulated.world.at(simulated.world.now + 45.0, lambda: (go(), None)[1])
        return lost(sent=True)

    simulated.trouble = on_create(very_late)
    with pytest.raises(OutcomeUnknown):
        simulated.run(place_call(simulated.session, simulated.order()))
    simulated.world.advance(simulated.world.now + 20)

    placed = simulated.run(place_call(simulated.session, simulated.order()))

    assert (placed.adopted, placed.replayed) == (True, True)
    assert len(simulated.creates) == 1


def test_a_lost_call_whose_agent_never_picks_up_is_recognised_as_his_only_new_one(simulated: Simulated) -> None:
    simulated.trouble = on_create(created_then_lost)

    placed = simulated.run(place_call(simulated.session, simulated.order(to="+15559870007")))

    assert placed.adopted
    assert "only new call" in placed.evidence


def test_another_call_of_the_agent_is_not_taken_for_the_lost_one(simulated: Simulated) -> None:
    simulated.trouble = on_create(lambda _: lost(sent=True))
    order = simulated.order()
    by_hand = simulated.world.issue_user_token(order.agent)
    simulated.world.at(simulated.world.now + 3.0, lambda: dial_by_hand(simulated, by_hand, "+15550001111"))

    with pytest.raises(OutcomeUnknown):
        simulated.run(place_call(simulated.session, order))


def dial_by_hand(simulated: Simulated, token: str, number: str) -> None:
    url = simulated.session.url("/conversations/calls")
    simulated._handle(Request("POST", url, body={"phoneNumber": number}, headers={"authorization": f"Bearer {token}"}))


def test_a_connection_that_was_never_made_lets_the_same_create_be_sent_again(simulated: Simulated) -> None:
    tries = iter([False, False, True])
    simulated.trouble = on_create(lambda go: go() if next(tries) else lost(sent=False))

    placed = simulated.run(place_call(simulated.session, simulated.order()))

    assert not placed.adopted
    assert len(simulated.world.calls()) == 1


def test_an_unreachable_platform_leaves_the_intent_free(simulated: Simulated) -> None:
    simulated.trouble = on_create(lambda _: lost(sent=False))
    with pytest.raises(Unreachable) as error:
        simulated.run(place_call(simulated.session, simulated.order()))
    assert "nothing was sent" in error.value.what

    simulated.trouble = lambda _, go: go()
    assert not simulated.run(place_call(simulated.session, simulated.order())).replayed


def test_429_is_waited_for_and_sent_again(simulated: Simulated) -> None:
    answers = iter([Response(429, {"retry-after": "7"}, b"{}"), None])
    simulated.trouble = on_create(lambda go: next(answers) or go())
    began = simulated.world.now

    simulated.run(place_call(simulated.session, simulated.order()))

    assert simulated.world.now - began >= 7
    assert len(simulated.world.calls()) == 1


def test_a_quota_that_comes_back_after_the_deadline_is_said_and_leaves_the_intent_free(simulated: Simulated) -> None:
    simulated.trouble = on_create(lambda _: Response(429, {"retry-after": "3600"}, b"{}"))

    with pytest.raises(RateLimited) as error:
        simulated.run(place_call(simulated.session, simulated.order()))

    assert error.value.retry_after == 3600
    assert simulated.ledger.look(ORIGIN, "crm-4711") is None


def test_a_401_renews_the_token_and_sends_the_create_once_more(simulated: Simulated) -> None:
    answers = iter([Response(401, {}, b'{"code":"credentials.expired"}'), None])
    simulated.trouble = on_create(lambda go: next(answers) or go())

    simulated.run(place_call(simulated.session, simulated.order()))

    first, second = (create.headers["authorization"] for create in simulated.creates)
    assert first != second
    assert len(simulated.world.calls()) == 1


def test_a_second_401_is_final_and_is_told_again_for_the_same_intent(simulated: Simulated) -> None:
    simulated.trouble = on_create(lambda _: Response(401, {}, b'{"code":"bad.credentials"}'))
    with pytest.raises(NotAuthenticated):
        simulated.run(place_call(simulated.session, simulated.order()))
    assert len(simulated.creates) == 2

    with pytest.raises(NotAuthenticated) as again:
        simulated.run(place_call(simulated.session, simulated.order()))
    assert again.value.replayed
    assert len(simulated.creates) == 2


def test_a_refusal_says_what_the_platform_said_and_is_told_again(simulated: Simulated) -> None:
    order = simulated.order(agent="joan@example.com")
    for replayed in (False, True):
        with pytest.raises(ApiRefusal) as error:
            simulated.run(place_call(simulated.session, order))
        assert error.value.code == "conversation.error.no.user.station"
        assert error.value.correlation_id
        assert "station" in error.value.fix
        assert error.value.replayed is replayed
    assert len(simulated.creates) == 1


def test_the_same_intent_again_gives_the_first_call(simulated: Simulated) -> None:
    first = simulated.run(place_call(simulated.session, simulated.order()))
    again = simulated.run(place_call(simulated.session, simulated.order(to="(555) 987-6543")))

    assert again.replayed
    assert again.conversation_id == first.conversation_id
    assert len(simulated.creates) == 1


@pytest.mark.parametrize("other", [{"to": "+15550001111"}, {"agent": "grace@example.com"}], ids=["number", "agent"])
def test_the_same_intent_for_another_call_is_a_conflict(simulated: Simulated, other: dict[str, str]) -> None:
    simulated.run(place_call(simulated.session, simulated.order()))

    with pytest.raises(IntentConflict) as error:
        simulated.run(place_call(simulated.session, simulated.order(**other)))

    assert "key of its own" in error.value.fix
    assert len(simulated.creates) == 1


def test_an_intent_that_somebody_else_armed_is_never_sent_here(simulated: Simulated) -> None:
    row = Row(
        platform=ORIGIN,
        intent="crm-4711",
        agent_id=simulated.order().agent,
        mark="+15559876543",
        tail="6543",
        incarnation="another process",
        armed_at=simulated.world.now,
        deadline=simulated.world.now + 30,
    )
    simulated.ledger.arm(row)

    with pytest.raises(OutcomeUnknown):
        simulated.run(place_call(simulated.session, simulated.order()))

    assert simulated.creates == []


def test_a_process_that_wakes_past_its_deadline_sends_nothing(
    simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = simulated.order(timeout=5.0)
    arm = simulated.ledger.arm

    def sleep_through_the_deadline(row: Row) -> Row | None:
        there = arm(row)
        simulated.world.advance(simulated.world.now + 60)
        return there

    monkeypatch.setattr(simulated.ledger, "arm", sleep_through_the_deadline)
    with pytest.raises(TooLate):
        simulated.run(place_call(simulated.session, order))

    assert simulated.creates == []
    assert simulated.ledger.look(ORIGIN, "crm-4711") is None


def test_a_plan_says_what_would_be_sent_and_sends_nothing_that_rings(simulated: Simulated) -> None:
    plan = simulated.run(plan_call(simulated.session, simulated.order(agent="ada@example.com", queue="Sales")))

    assert plan.url.endswith(f"/api/v2/conversations/calls/user/{simulated.order().agent}")
    assert plan.body["phoneNumber"] == "+15559876543"
    assert "on behalf of agent" in plan.identity
    assert simulated.creates == []


def test_an_agents_own_token_uses_the_plain_endpoint(simulated: Simulated) -> None:
    simulated.session.auth = simulated.auth = AccessToken(simulated.world.issue_user_token(simulated.order().agent))

    simulated.run(place_call(simulated.session, simulated.order()))

    assert simulated.creates[0].url.endswith("/api/v2/conversations/calls")
    assert len(simulated.world.calls()) == 1


def test_the_tutorial_wire_places_the_same_call(simulated: Simulated) -> None:
    placed = simulated.run(
        place_call(simulated.session, simulated.order(wire="tutorial", caller_id="+15551234567")),
    )

    assert simulated.creates[0].body == {
        "from": {"id": simulated.order().agent, "phoneNumber": "+15551234567"},
        "to": {"phoneNumber": "+15559876543"},
        "type": "pstn",
    }
    assert simulated.world.calls()[0]["conversationId"] == placed.conversation_id


def test_a_lost_answer_on_the_tutorial_wire_is_recognised_by_agent_and_number(simulated: Simulated) -> None:
    simulated.trouble = on_create(created_then_lost)

    placed = simulated.run(
        place_call(simulated.session, simulated.order(wire="tutorial", caller_id="+15551234567")),
    )

    assert placed.adopted
    assert "same number" in placed.evidence
    assert len(simulated.world.calls()) == 1


def test_a_refusal_that_is_no_text_is_a_refusal_all_the_same(simulated: Simulated) -> None:
    simulated.trouble = on_create(lambda _: Response(400, {}, b'{"message":"\xff"}'))

    with pytest.raises(ApiRefusal):
        simulated.run(place_call(simulated.session, simulated.order()))
