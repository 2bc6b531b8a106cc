"""What is left of an intent whose program, token or answer was lost on the way, and what the next one makes of it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ringonce.client.board import Board
from ringonce.client.flows.placing import place_call
from ringonce.client.wishes import Cancelled, Flow, Release, Request, Response, Send, Sleep
from ringonce.errors import (
    IntentConflict,
    NotFound,
    OutcomeUnknown,
    Refused,
    Unreachable,
)
from ringonce.ledger import Row, RowState
from ringonce.models import Placed
from simulated import ADA, ORIGIN, Answer, Simulated, is_create, lost, on_create, row_of


@pytest.mark.parametrize(
    "answer", [None, Response(503, {}, b""), Response(200, {}, b"<html>")], ids=["lost", "503", "no token"]
)
def test_a_token_that_cannot_be_had_sends_nothing_and_leaves_the_intent_free(
    simulated: Simulated, answer: Response | None
) -> None:
    def no_token(request: Request, go: Answer) -> Response:
        return (answer or lost(sent=True)) if request.url.endswith("/oauth/token") else go()

    simulated.trouble = no_token
    with pytest.raises(Unreachable):
        simulated.run(place_call(simulated.session, simulated.order()))

    assert simulated.creates == []
    assert simulated.ledger.look(ORIGIN, "crm-4711") is None


def steps_until(simulated: Simulated, kind: type) -> tuple[Flow[Placed], Any]:
    """Run a placing until it wishes for something of *kind*, once its create has been asked for; give that too."""
    flow = place_call(simulated.session, simulated.order())
    answer: Any = None
    while True:
        wish = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
        if isinstance(wish, kind) and (simulated.creates or (isinstance(wish, Send) and is_create(wish.request))):
            return flow, wish
        answer = simulated._give(wish)


def test_whoever_gives_up_while_nothing_is_on_the_wire_leaves_the_intent_free(simulated: Simulated) -> None:
    simulated.trouble = on_create(lambda _: Response(429, {"retry-after": "7"}, b"{}"))
    flow, _ = steps_until(simulated, Sleep)

    assert isinstance(flow.throw(Cancelled()), Release)


def test_whoever_gives_up_before_the_create_has_a_connection_leaves_the_intent_free(simulated: Simulated) -> None:
    flow, _ = steps_until(simulated, Send)

    assert isinstance(flow.throw(Cancelled()), Release)


def test_whoever_gives_up_while_the_create_is_on_the_wire_leaves_it_armed(simulated: Simulated) -> None:
    flow, send = steps_until(simulated, Send)
    send.let_go(simulated.world.now)

    with pytest.raises(Cancelled):
        flow.throw(Cancelled())
    row = simulated.ledger.look(ORIGIN, "crm-4711")
    assert row is not None
    assert row.state is RowState.ARMED


def test_a_call_whose_program_stopped_is_found_within_seconds_by_the_next(simulated: Simulated) -> None:
    simulated.run(place_call(simulated.session, simulated.order()))
    row = simulated.ledger.look(ORIGIN, "crm-4711")
    assert row is not None
    armed = msgspec.structs.replace(row, state=RowState.ARMED, conversation_id="")
    simulated.ledger._rows[ORIGIN, "crm-4711"] = armed
    simulated.session.board = Board()
    simulated.world.advance(simulated.world.now + 5)
    began = simulated.world.now

    placed = simulated.run(place_call(simulated.session, simulated.order()))

    assert (placed.adopted, placed.replayed) == (True, True)
    assert simulated.world.now - began < 5
    assert len(simulated.creates) == 1


@pytest.mark.parametrize("number", ["+15559876543", "+15559870007"], ids=["answered", "the agent never picks up"])
def test_the_call_of_another_intent_is_not_taken_for_the_lost_one(simulated: Simulated, number: str) -> None:
    tutorial = {"wire": "tutorial", "caller_id": "+15551234567", "to": number}
    other = simulated.run(place_call(simulated.session, simulated.order(intent="other", **tutorial)))
    simulated.session.board = Board()
    simulated.trouble = on_create(lambda _: lost(sent=True))

    with pytest.raises(OutcomeUnknown):
        simulated.run(place_call(simulated.session, simulated.order(**tutorial)))

    assert [call["conversationId"] for call in simulated.world.calls()] == [other.conversation_id]


def test_an_attempt_that_was_taken_back_and_armed_anew_is_waited_for_to_its_own_end(simulated: Simulated) -> None:
    steps_until(simulated, Send)
    armed = simulated.ledger.look(ORIGIN, "crm-4711")
    assert armed is not None
    armed = msgspec.structs.replace(armed, incarnation="another process")
    anew = msgspec.structs.replace(armed, armed_at=armed.armed_at + 25, deadline=armed.deadline + 25)

    def arm_anew() -> None:
        simulated.ledger.release(armed)
        simulated.ledger.arm(anew)

    simulated.ledger._rows[ORIGIN, "crm-4711"] = armed
    simulated.world.at(armed.armed_at + 25, arm_anew)
    with pytest.raises(OutcomeUnknown):
        simulated.run(place_call(simulated.session, simulated.order()))

    assert simulated.world.now >= anew.deadline + simulated.session.settle
    assert simulated.ledger.look(ORIGIN, "crm-4711") == msgspec.structs.replace(
        anew,
        state=RowState.UNKNOWN,
        settled_at=simulated.world.now,
        evidence="whoever placed it stopped before an answer",
    )


def test_a_row_that_was_armed_before_the_clock_was_set_back_a_day_is_waited_for_as_long_as_it_had(
    simulated: Simulated,
) -> None:
    simulated.run(place_call(simulated.session, simulated.order(intent="other", to="+15550001111")))
    simulated.session.board = Board()
    tomorrow = simulated.world.now + 86_400
    row = msgspec.structs.replace(row_of(simulated), armed_at=tomorrow, deadline=tomorrow + 20)
    simulated.ledger.arm(row)
    began = simulated.world.now

    with pytest.raises(OutcomeUnknown):
        simulated.run(place_call(simulated.session, simulated.order()))

    assert 50 <= simulated.world.now - began < 55


def test_a_call_that_was_placed_before_the_clock_was_set_back_is_found(simulated: Simulated) -> None:
    first = simulated.run(place_call(simulated.session, simulated.order()))
    simulated.session.board = Board()
    simulated.world.advance(simulated.world.now + 600)
    tomorrow = simulated.world.now + 86_400
    row = msgspec.structs.replace(row_of(simulated), armed_at=tomorrow, deadline=tomorrow + 20)
    simulated.ledger._rows[ORIGIN, "crm-4711"] = row
    began = simulated.world.now

    assert simulated.run(place_call(simulated.session, simulated.order())).conversation_id == first.conversation_id
    assert simulated.world.now - began < 5


def unknown_row(simulated: Simulated) -> Row:
    """Leave an intent that may have rung, as a run of long ago does."""
    row = row_of(simulated, state=RowState.UNKNOWN)
    simulated.ledger._rows[ORIGIN, row.intent] = row
    return row


@pytest.mark.parametrize("became", [RowState.PLACED, RowState.ARMED], ids=["placed", "about to be"])
def test_an_unknown_intent_that_a_person_has_placed_anew_while_it_is_looked_for_is_that_call(
    simulated: Simulated, became: RowState
) -> None:
    unknown = unknown_row(simulated)
    now = simulated.world.now
    anew = msgspec.structs.replace(unknown, state=RowState.ARMED, armed_at=now, deadline=now + 30)

    def settle() -> None:
        simulated.ledger.settle(msgspec.structs.replace(anew, state=RowState.PLACED, conversation_id="c-anew"))

    def meanwhile(request: Request, go: Answer) -> Response:
        if request.url.endswith("/details/query") and simulated.ledger.look(ORIGIN, "crm-4711") == unknown:
            simulated.ledger.settle(msgspec.structs.replace(unknown, state=RowState.NOT_PLACED))
            simulated.ledger.arm(anew)
            if became is RowState.PLACED:
                settle()
            else:
                simulated.world.at(now + 3, settle)
        return go()

    simulated.trouble = meanwhile

    placed = simulated.run(place_call(simulated.session, simulated.order()))

    assert (placed.conversation_id, placed.replayed) == ("c-anew", True)
    assert simulated.creates == []


def test_an_unknown_intent_that_a_person_resolves_while_it_is_looked_for_is_unknown_no_longer(
    simulated: Simulated,
) -> None:
    unknown = unknown_row(simulated)

    def meanwhile(request: Request, go: Answer) -> Response:
        if request.url.endswith("/details/query"):
            simulated.ledger.settle(msgspec.structs.replace(unknown, state=RowState.NOT_PLACED))
        return go()

    simulated.trouble = meanwhile
    with pytest.raises(Refused, match="A person has just said"):
        simulated.run(place_call(simulated.session, simulated.order()))

    assert simulated.creates == []


# The platform can't be asked.


def out_of_reach(_request: Request, _go: Answer) -> Response:
    return lost(sent=False)


def no_answer(_request: Request, _go: Answer) -> Response:
    return lost(sent=True)


def spent(_request: Request, _go: Answer) -> Response:
    return Response(429, {"retry-after": "3600"}, b"{}")


def wrong_secret(request: Request, _go: Answer) -> Response:
    return Response(400, {}, b'{"error":"invalid_client"}') if request.form else Response(401, {}, b"{}")


def no_right(request: Request, go: Answer) -> Response:
    return go() if request.form else Response(403, {}, b"{}")


SILENT = pytest.mark.parametrize(
    "silence",
    [out_of_reach, no_answer, spent, wrong_secret, no_right],
    ids=["out of reach", "no answer", "quota", "no token", "no permission"],
)


def later_run(simulated: Simulated, silence: Callable[[Request, Answer], Response]) -> None:
    """Forget everything but the ledger, and lose the platform."""
    session = simulated.session
    session.board, session.agents, session.grants = Board(), {}, {}
    simulated.channel, simulated.trouble = None, silence
    simulated.sent.clear()


@SILENT
def test_a_placed_intent_is_told_though_the_platform_can_not_be_asked(
    simulated: Simulated, silence: Callable[[Request, Answer], Response]
) -> None:
    wanted = simulated.order(agent="ada@example.com")
    first = simulated.run(place_call(simulated.session, wanted))
    later_run(simulated, silence)

    placed = simulated.run(place_call(simulated.session, wanted))

    assert (placed.conversation_id, placed.replayed) == (first.conversation_id, True)
    assert simulated.creates == []


def test_a_refusal_is_told_again_though_the_platform_can_not_be_asked(simulated: Simulated) -> None:
    wanted = simulated.order(agent="ada@example.com")
    simulated.trouble = on_create(lambda _: Response(400, {}, b'{"code":"bad.request","message":"No station"}'))
    with pytest.raises(Refused) as first:
        simulated.run(place_call(simulated.session, wanted))
    later_run(simulated, out_of_reach)

    with pytest.raises(Refused) as again:
        simulated.run(place_call(simulated.session, wanted))

    assert again.value.replayed
    assert again.value.why == first.value.why


@SILENT
@pytest.mark.parametrize("state", [RowState.UNKNOWN, RowState.ARMED])
def test_an_intent_that_may_have_rung_stays_so_though_the_platform_can_not_be_asked(
    simulated: Simulated, state: RowState, silence: Callable[[Request, Answer], Response]
) -> None:
    simulated.ledger.arm(row_of(simulated, state=state))
    later_run(simulated, silence)

    with pytest.raises(OutcomeUnknown) as error:
        simulated.run(place_call(simulated.session, simulated.order(agent="ada@example.com")))

    assert "the platform can't be asked now" in error.value.why
    assert simulated.creates == []


def test_an_intent_that_another_process_is_placing_is_waited_for_though_the_platform_can_not_be_asked(
    simulated: Simulated,
) -> None:
    now = simulated.world.now
    armed = msgspec.structs.replace(row_of(simulated), armed_at=now, deadline=now + 30)
    placed = msgspec.structs.replace(armed, state=RowState.PLACED, conversation_id="c-theirs")
    simulated.ledger.arm(armed)
    simulated.world.at(now + 20, lambda: void(simulated.ledger.settle(placed)))
    later_run(simulated, out_of_reach)

    told = simulated.run(place_call(simulated.session, simulated.order(agent="ada@example.com")))

    assert told.conversation_id == "c-theirs"


def void(_: object) -> None:
    pass


@pytest.mark.parametrize(
    "other",
    [
        {"to": "+15550001111", "agent": "ada@example.com"},
        {"agent": "00000000-0000-4000-8000-000000000001", "queue": "Sales"},
    ],
    ids=["number", "agent"],
)
def test_another_call_under_the_same_intent_is_a_conflict_though_the_platform_can_not_be_asked(
    simulated: Simulated, other: dict[str, Any]
) -> None:
    simulated.run(place_call(simulated.session, simulated.order()))
    later_run(simulated, out_of_reach)

    with pytest.raises(IntentConflict):
        simulated.run(place_call(simulated.session, simulated.order(**other)))


def test_a_name_that_can_not_be_found_any_more_does_not_hide_what_became_of_the_call(simulated: Simulated) -> None:
    placed = simulated.run(place_call(simulated.session, simulated.order()))

    again = simulated.run(place_call(simulated.session, simulated.order(agent="nobody@example.com")))
    with pytest.raises(IntentConflict):
        simulated.run(place_call(simulated.session, simulated.order(agent="nobody@example.com", to="+15559870009")))
    with pytest.raises(NotFound):
        simulated.run(place_call(simulated.session, simulated.order(agent="nobody@example.com", intent="another")))

    assert (again.replayed, again.conversation_id, again.agent_id) == (True, placed.conversation_id, ADA)
    assert len(simulated.creates) == 1


def test_a_name_that_fits_several_by_now_does_not_make_a_call_that_may_have_rung_a_refusal(
    simulated: Simulated,
) -> None:
    simulated.trouble = on_create(lambda _: lost(sent=True))
    with pytest.raises(OutcomeUnknown):
        simulated.run(place_call(simulated.session, simulated.order()))

    with pytest.raises(OutcomeUnknown):
        simulated.run(place_call(simulated.session, simulated.order(agent="Grace")))


def test_nothing_was_sent_for_an_intent_that_the_ledger_does_not_know(simulated: Simulated) -> None:
    later_run(simulated, out_of_reach)

    with pytest.raises(Unreachable, match="nothing was sent"):
        simulated.run(place_call(simulated.session, simulated.order(agent="ada@example.com")))


# Attempts that others take the place of.


def test_an_answer_that_comes_after_a_person_had_the_call_placed_anew_is_told_and_the_new_attempt_goes_on(
    simulated: Simulated,
) -> None:
    anew: list[Row] = []

    def meanwhile(go: Answer) -> Response:
        row = simulated.ledger.look(ORIGIN, "crm-4711")
        assert row is not None
        simulated.ledger.settle(msgspec.structs.replace(row, state=RowState.NOT_PLACED))
        anew.append(msgspec.structs.replace(row, incarnation="another process", armed_at=row.armed_at + 60))
        simulated.ledger.arm(anew[0])
        return go()

    simulated.trouble = on_create(meanwhile)

    placed = simulated.run(place_call(simulated.session, simulated.order()))

    assert [placed.conversation_id] == [call["conversationId"] for call in simulated.world.calls()]
    assert simulated.ledger.look(ORIGIN, "crm-4711") == anew[0]
