"""What the flows of one client share: where the platform is, who we are, what was looked up, and the board."""

import dataclasses

import msgspec

from ringonce.client.auth import Auth
from ringonce.client.board import Board
from ringonce.client.flows.exchange import decoded, exchange, read, refusal
from ringonce.client.wishes import Flow, Request
from ringonce.config import Endpoints


@dataclasses.dataclass(slots=True)
class Session:
    """One client's memory. It holds plain values only; everything that waits or sends is a wish."""

    endpoints: Endpoints
    auth: Auth
    country: str
    """Numbers without a country code are read as this country's (ISO 3166 two letters)."""
    incarnation: str
    """Names this process in the ledger."""
    settle: float
    """Seconds after a lost answer within which the platform may still show the call."""
    board: Board = dataclasses.field(default_factory=Board)
    agents: dict[str, str] = dataclasses.field(default_factory=dict)
    """Agents' ids by what they were called."""
    queues: dict[str, str] = dataclasses.field(default_factory=dict)
    in_flight: set[str] = dataclasses.field(default_factory=set)
    """Intents that some flow of this client is placing right now."""
    flat_only: bool = False
    """The identity may not read the nested view of a conversation."""
    user_id: str | None = None
    """Whose token it is: empty for an application's, None while it is not known."""

    def url(self, path: str) -> str:
        """Give the address of an API path, such as `/users/me`."""
        return f"{self.endpoints.api}/api/v2{path}"


class _Me(msgspec.Struct):
    id: str


def token_user(session: Session) -> Flow[str]:
    """Say which user the token stands for; empty for an application's. Asked once, and only where it isn't plain."""
    if session.user_id is None:
        session.user_id = "" if session.auth.service else (yield from _ask_user(session))
    return session.user_id


def _ask_user(session: Session) -> Flow[str]:
    response = yield from exchange(Request("GET", session.url("/users/me")))
    if response.status == 400:  # noqa: PLR2004  not.a.user: an application's token
        return ""
    if not response.ok:
        raise refusal(response, "The token's own user can't be read")
    return decoded(response, _Me, "The token's own user can't be read").id


__all__ = ["Session", "exchange", "read", "token_user"]
