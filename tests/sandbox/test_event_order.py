"""The first event of a call comes before the answer to its POST, or after it; the seed decides."""

from typing import Any

import pytest

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.world import World

NOON = 1_767_268_800.0


@pytest.fixture
def order_of(ask: Any) -> Any:
    """Of twenty calls in a world of some seed, which were told before their answers."""

    def place_twenty(seed: int) -> list[bool]:
        world = World(now=NOON, seed=seed)
        ada = type(ask)(Desk(world), world.issue_user_token(ADA))
        channel = ada("POST", "/notifications/channels")[1]["id"]
        topics = [{"id": f"v2.users.{ADA}.conversations.calls"}]
        assert ada("POST", f"/notifications/channels/{channel}/subscriptions", topics)[0] == 200
        heard: list[bytes | str] = []
        world.channels.attach(channel, heard.append)
        order = []
        for _ in range(20):
            before = len(heard)
            assert ada("POST", "/conversations/calls", {"phoneNumber": "+15559870002"})[0] == 202
            order.append(len(heard) > before)
            world.advance(world.now + 0.05)
            assert len(heard) == before + 1
            world.advance(world.now + 10)
        return order

    return place_twenty


def test_both_orders_happen(order_of: Any) -> None:
    assert 3 < sum(order_of(7)) < 17


def test_one_seed_is_one_order(order_of: Any) -> None:
    assert order_of(7) == order_of(7) != order_of(8)
