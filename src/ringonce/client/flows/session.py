"""What the flows of one client share: where the platform is, who we are, what was looked up, and the board."""

import dataclasses
from collections.abc import Mapping

from ringonce.client.answers import Person
from ringonce.client.auth import AccessGrant, Auth
from ringonce.client.board import Board
from ringonce.client.flows.exchange import decoded, exchange, refusal
from ringonce.client.wishes import Flow, Lane, Request, Share
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
    pool: Mapping[str, Auth] = dataclasses.field(default_factory=dict)
    """Agents' own identities, by id, e-mail or full name."""
    board: Board = dataclasses.field(default_factory=Board)
    agents: dict[str, str] = dataclasses.field(default_factory=dict)
    """Agents' ids by what they were called."""
    queues: dict[str, str] = dataclasses.field(default_factory=dict)
    on_wire: set[str] = dataclasses.field(default_factory=set)
    """Intents whose create is on its way, or whose answer is not known."""
    in_flight: set[str] = dataclasses.field(default_factory=set)
    """Intents that some flow of this client is placing right now."""
    flat_only: bool = False
    """The identity may not read the nested view of a conversation."""
    own: dict[str, Auth | None] = dataclasses.field(default_factory=dict)
    """Agents' own identities by their ids, or that they have none; filled as calls are planned."""
    grants: dict[str, AccessGrant] = dataclasses.field(default_factory=dict)
    """The tokens in use, by the id of the agent whose own they are; the client's own is under the empty one."""
    users: dict[str, str] = dataclasses.field(default_factory=dict)
    """Whose those tokens are, under the same names: a user's id, or empty for an application's."""
    named: dict[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    """What those users are called, as far as it was told, under the same names."""

    def url(self, path: str) -> str:
        """Give the address of an API path, such as `/users/me`."""
        return f"{self.endpoints.api}/api/v2{path}"

    def auth_of(self, agent: str) -> Auth:
        """Give the agent's own identity, or the client's (empty)."""
        return (self.own.get(agent) if agent else None) or self.auth


def token_user(
    session: Session, agent: str = "", lane: Lane = Lane.READ, *, deadline: float | None = None
) -> Flow[str]:
    """Say which user a token stands for; empty for an application's. Asked once, and only where it isn't plain.

    It is the client's own token, or that of *agent*, who has an identity of his own. *deadline* is that of `exchange`.
    """
    if agent not in session.users:
        auth = session.auth_of(agent)
        asking = _ask_user(session, agent, lane, deadline)
        session.users[agent] = "" if auth.service else (yield Share(f"user {agent}", asking))
    return session.users[agent]


def _ask_user(session: Session, agent: str, lane: Lane, deadline: float | None) -> Flow[str]:
    me = Request("GET", session.url("/users/me"))
    response = yield from exchange(me, deadline=deadline, agent=agent, lane=lane)
    if response.status == 400:  # noqa: PLR2004  not.a.user: an application's token
        return ""
    if not response.ok:
        raise refusal(response, "The token's own user can't be read")
    user = decoded(response, Person, "The token's own user can't be read")
    session.named[agent] = user.names
    return user.id
