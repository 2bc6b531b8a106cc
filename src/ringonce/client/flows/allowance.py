"""A bound on the requests that a run of flows may spend, the ones for tokens included."""

import dataclasses
from collections.abc import Mapping
from typing import TypeVar

from ringonce.client.wishes import Flow, Lost, Response, Send, Share, Token, Wish
from ringonce.errors import RingonceError

T = TypeVar("T")


class Spent(RingonceError):
    """No request is left to spend; the one that was wished for was not sent."""


@dataclasses.dataclass(slots=True)
class Allowance:
    """Runs flows and counts what they send."""

    most: int
    token_costs: int
    """Requests that getting a token takes."""
    spent: int = 0
    quota: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The headers of the last answer that told of the platform's quota."""
    _has_token: bool = False

    def within(self, flow: Flow[T]) -> Flow[T]:
        """Run *flow* as far as the requests go that are left. Raise `Spent` before one too many."""
        try:
            wish = next(flow)
            while True:
                self._count(wish)
                try:
                    # What others could share is run here all the same: its requests are counted.
                    answer = (yield from self.within(wish.flow)) if isinstance(wish, Share) else (yield wish)
                except (Lost, RingonceError) as refused:
                    wish = flow.throw(refused)
                    continue
                if isinstance(answer, Response) and "inin-ratelimit-count" in answer.headers:
                    self.quota = answer.headers
                wish = flow.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result

    def _count(self, wish: Wish) -> None:
        if isinstance(wish, Send):
            if self.spent >= self.most:
                raise Spent(f"The {self.most} requests are used up")
            self.spent += 1
        elif isinstance(wish, Token) and (wish.stale or not self._has_token):
            # Whether a token is at hand only the shell knows, so the first one counts as if it were not.
            self.spent += self.token_costs
            self._has_token = True
