"""A world put back in the middle of a consult, a conference, a queue and a callback goes on as it would have."""

import json
from typing import Any

from ringonce.sandbox import Sandbox
from ringonce.sandbox.callbacks import Wish
from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.dice import named
from ringonce.sandbox.lines import Destination, Order
from ringonce.sandbox.presences import ON_QUEUE
from ringonce.sandbox.world import World

GRACE, SALES, SUPPORT = named("user/grace"), named("queue/sales"), named("queue/support")


def calling(world: World, *destinations: Destination) -> Order:
    ada = world.org.users[ADA]
    return Order(agent=ada, station=world.org.stations[str(ada.station_id)], destinations=destinations)


def begin(world: World) -> None:
    """Two calls that are about to be merged, one in a queue, and two callbacks."""
    for digits in ("0000", "6543"):
        world.exchange.place(calling(world, Destination(dialled=f"+1555987{digits}")))
    world.exchange.place(calling(world, Destination(queue_id=SUPPORT)))
    world.callbacks.create(Wish(queue_id=SALES, numbers=["+15559870000"]))
    world.callbacks.create(Wish(queue_id=SALES, numbers=["+15559870000"], due=world.now + 30))


def go_on(world: World) -> None:
    """Merge, consult, and let somebody come to the queue."""
    first, second, *_ = world.exchange.conversations.values()
    world.conferences.merge(ADA, first, [second])
    agent, customer, *_ = first.participants
    world.consults.begin(first, agent, customer, Destination(user_id=GRACE), "DESTINATION")
    world.directory.be(ADA, ON_QUEUE)


def story(sandbox: Sandbox) -> Any:
    def shown(world: World) -> Any:
        return [
            [(leg.purpose, leg.state, leg.disconnect_type, leg.confined, leg.ended) for leg in each.participants]
            for each in world.exchange.conversations.values()
        ]

    told = []
    for _ in range(9):
        sandbox.advance(5)
        told.append(sandbox.do(shown))
    return told


def test_it_goes_on_as_it_would_have() -> None:
    with Sandbox(clock="manual") as sandbox:
        sandbox.do(begin)
        sandbox.advance(5)
        sandbox.do(go_on)
        snapshot = json.loads(json.dumps(sandbox.snapshot()))
        as_it_was = story(sandbox)

        sandbox.restore(snapshot)

        assert story(sandbox) == as_it_was
        assert as_it_was[0] != as_it_was[-1]
        assert len(as_it_was[-1][0]) == 4
