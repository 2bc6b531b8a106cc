"""The judge is itself judged: what must not be, it finds."""

from typing import Any

import pytest

from chaos.judge import Figures, Wanted, verdict
from ringonce.ledger import Row, RowState

ONE = Wanted("crm-4711", "ada@example.com", "+15559876543")
CALL = {
    "conversationId": "c1",
    "to": "tel:+15559876543",
    "attributes": {"ringonce.intent": "crm-4711"},
    "rang": True,
    "forgotten": False,
}
TOLD = {"intent": "crm-4711", "became": "placed", "conversation_id": "c1"}


def row(state: RowState = RowState.PLACED, conversation_id: str = "c1") -> Row:
    return Row(
        platform="https://api.test",
        intent="crm-4711",
        agent_id="ada",
        mark="m",
        tail="6543",
        incarnation="one",
        armed_at=100.0,
        deadline=130.0,
        state=state,
        conversation_id=conversation_id,
    )


def found(record: list[dict[str, Any]], row: Row | None, told: dict[str, Any] | None = None) -> str:
    rows = {"crm-4711": row} if row else {}
    return "; ".join(one.what for one in verdict([ONE], record, rows, {"crm-4711": [told] if told else []}, Figures()))


def test_one_call_that_is_written_and_told_as_it_is_is_right() -> None:
    assert found([CALL], row(), TOLD) == ""
    assert found([], row(RowState.UNKNOWN, "")) == ""
    assert found([CALL | {"forgotten": True}], row(RowState.UNKNOWN, "")) == ""


@pytest.mark.parametrize(
    ("record", "row", "told", "words"),
    [
        pytest.param([CALL, CALL], row(), TOLD, "rang 2 times", id="a double ring"),
        pytest.param(
            [CALL, CALL | {"attributes": {}}], row(), TOLD, "rang 2 times", id="a second call without a stamp"
        ),
        pytest.param([CALL], None, None, "lost", id="no row"),
        pytest.param([CALL], row(RowState.ARMED), None, "lost: armed", id="a row that nobody settled"),
        pytest.param([CALL], row(conversation_id="c2"), None, "placed as c2", id="another call in the ledger"),
        pytest.param([], row(), None, "placed as c1, in truth []", id="no call at all"),
        pytest.param([CALL], row(RowState.REFUSED, ""), None, "refused, and yet a call", id="refused"),
        pytest.param([CALL], row(RowState.UNKNOWN, ""), None, "the platform shows its call", id="not found"),
        pytest.param([CALL], row(), TOLD | {"conversation_id": "c2"}, "told of c2", id="another call told"),
        pytest.param([CALL | {"to": "tel:+4420"}], row(), TOLD, "nobody wanted", id="a number that nobody wanted"),
    ],
)
def test_what_must_not_be_is_found(
    record: list[dict[str, Any]], row: Row | None, told: dict[str, Any] | None, words: str
) -> None:
    assert words in found(record, row, told)
