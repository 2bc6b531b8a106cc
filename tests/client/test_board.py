"""The board tells calls that are new from those that were there before."""

from ringonce.client.board import Board
from ringonce.client.snapshots import Leg, Snapshot

ADA, BEN = "ada", "ben"


def shown(conversation_id: str, *agents: str) -> Snapshot:
    legs = (Leg(key=one, participant_id=one, index=place, user_id=one) for place, one in enumerate(agents))
    return Snapshot(conversation_id, tuple(legs))


def names(board: Board, agent: str, after: int = 0) -> list[str]:
    return [facts.conversation_id for facts in board.of_agent(agent, after=after)]


def test_an_agents_new_calls_are_those_after_the_number_that_was_noted() -> None:
    board = Board()
    board.take(shown("old", ADA))
    noted = board.newest

    board.take(shown("old", ADA))
    board.take(shown("new", ADA))
    board.take(shown("another's", BEN))

    assert names(board, ADA, noted) == ["new"]
    assert names(board, ADA) == ["old", "new"]


def test_a_call_that_comes_over_from_another_agent_is_new_to_the_one_who_gets_it() -> None:
    board = Board()
    board.take(shown("moves", BEN))
    noted = board.newest

    board.take(shown("moves", BEN, ADA))

    assert names(board, ADA, noted) == ["moves"]
    assert names(board, BEN, noted) == []
