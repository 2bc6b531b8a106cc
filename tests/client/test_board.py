"""The board tells calls that are new from those that were there before."""

import contextlib

import pytest

from ringonce.client import board as board_module
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


def test_calls_that_never_end_and_that_nobody_follows_make_room_but_for_those_that_are_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(board_module, "KEPT", 8)
    board = Board()

    with board.followed("call 0"):
        for number in range(100):
            board.take(shown(f"call {number}", ADA))

        kept = names(board, ADA)
        assert kept[0] == "call 0"
        assert kept[-1] == "call 99"
        assert len(kept) <= 8
    for number in range(100, 110):
        board.take(shown(f"call {number}", ADA))
    assert "call 0" not in names(board, ADA)


def test_room_is_not_looked_for_anew_with_each_call_while_all_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "KEPT", 8)
    board = Board()
    rooms: list[int] = []
    with contextlib.ExitStack() as following:
        for number in range(40):
            following.enter_context(board.followed(f"call {number}"))
            board.take(shown(f"call {number}", ADA))
            rooms.append(board._room)

        assert len(names(board, ADA)) == 40
        assert len(set(rooms)) <= 40 / (8 // 4)

    for number in range(40, 60):
        board.take(shown(f"call {number}", ADA))
    assert len(names(board, ADA)) <= 8
