"""A flow that has to be done by some moment, whatever it waits for."""

import math
from typing import Any, TypeVar

from ringonce.client.wishes import Flow, Listen, Now, Pace, Send, Share, Sleep, Token, Within
from ringonce.errors import NoAnswer

T = TypeVar("T")
WAITED_FOR = (Send, Share, Sleep, Listen, Token, Pace)
"""Wishes whose grant can take longer than whoever wishes can know."""


def listen(agent_id: str, deadline: float, *, anew: bool = False) -> Flow[bool]:
    """Have the agent's events come, as `Listen` does; without them where that takes half of the time that is left."""
    wish = Listen(agent_id, anew=anew)
    now: float = yield Now()
    try:
        listening: bool = yield (wish if deadline == math.inf else Within(wish, now + (deadline - now) / 2))
    except NoAnswer:
        return False
    return listening


def within(flow: Flow[T], deadline: float) -> Flow[T]:
    """Run *flow*; what it waits for past *deadline* (epoch seconds) is given up, and `NoAnswer` thrown into it."""
    answer: Any = None
    try:
        while True:
            try:
                wish = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
            except StopIteration as done:
                result: T = done.value
                return result
            try:
                answer = yield (Within(wish, deadline) if isinstance(wish, WAITED_FOR) else wish)
            except Exception as thrown:  # noqa: BLE001  it is the flow's own to handle
                answer = thrown
    finally:
        flow.close()
