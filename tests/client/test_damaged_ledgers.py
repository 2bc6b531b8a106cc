"""A ledger that fails at the worst moment, or whose rows are damaged."""

from collections.abc import Callable

import pytest

from ringonce.client.flows.placing import place_call
from ringonce.client.wishes import Lost, Request, Response
from ringonce.errors import LedgerError, OutcomeUnknown
from ringonce.ledger import Row, RowState
from simulated import Simulated, is_create, row_of

Answer = Callable[[], Response]


def test_a_ledger_that_fails_while_a_lost_call_is_looked_for_does_not_say_that_nothing_was_sent(
    simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(row: Row, since: float) -> list[Row]:
        raise LedgerError("The ledger can't be read")

    def lost(request: Request, go: Answer) -> Response:
        answer = go()
        if is_create(request):
            raise Lost("the line broke", sent=True)
        return answer

    monkeypatch.setattr(simulated.ledger, "rivals", unreadable)
    simulated.trouble = lost

    with pytest.raises(OutcomeUnknown):
        simulated.run(place_call(simulated.session, simulated.order(wire="tutorial", caller_id="+15551234567")))


@pytest.mark.parametrize(
    "refusal", ["", "{", "[]", "{}", '{"kind":"Gone","what":"x"}', '{"kind":"Refused","what":"x","y":1}']
)
def test_a_refusal_that_can_not_be_read_is_told_as_a_damaged_ledger(simulated: Simulated, refusal: str) -> None:
    simulated.ledger.arm(row_of(simulated, state=RowState.REFUSED, refusal=refusal))

    with pytest.raises(LedgerError, match="nothing was sent by this run"):
        simulated.run(place_call(simulated.session, simulated.order()))
