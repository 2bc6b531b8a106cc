"""What an organisation owns: people, phones, queues, numbers and OAuth clients."""

import dataclasses
from typing import Final

from ringonce.sandbox.stories import Story, story_of

CLIENT_CREDENTIALS: Final = "client_credentials"
AUTHORIZATION_CODE: Final = "authorization_code"
REFRESH_TOKEN: Final = "refresh_token"  # noqa: S105 - a grant's name
SAML2_BEARER: Final = "urn:ietf:params:oauth:grant-type:saml2-bearer"
JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GRANTS: Final = (CLIENT_CREDENTIALS, AUTHORIZATION_CODE, REFRESH_TOKEN, SAML2_BEARER, JWT_BEARER)


@dataclasses.dataclass(frozen=True, slots=True)
class Role:
    """What its holders may do. *caller_ids* are numbers that they may show without being their owner."""

    id: str
    name: str
    permissions: frozenset[str]
    caller_ids: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class User:
    """A person. An agent is a user with a station."""

    id: str
    name: str
    email: str
    caller_id: str | None = None
    station_id: str | None = None
    state: str = "active"
    title: str = "Agent"
    department: str = "Service"
    routing_status: str = "OFF_QUEUE"
    roles: tuple[Role, ...] = ()
    acd_auto_answer: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Station:
    """A phone. *auto_answer* says whether it goes off-hook by itself when the platform places a call from it.

    A WebRTC phone does so only if its user allows "placing calls with another app"; no request can read that switch.
    """

    id: str
    name: str
    type: str
    auto_answer: bool = True
    web_rtc_user_id: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Queue:
    """A queue: its outbound caller id, its members, and what agents must do after a call.

    *wrapup_prompt* is mandatory, optional, agentRequested, timeout or forcedTimeout; the last two end the after-call
    work *wrapup_timeout* seconds after the call.
    """

    id: str
    name: str
    description: str
    calling_party_name: str
    calling_party_number: str
    member_ids: tuple[str, ...]
    wrapup_code_ids: tuple[str, ...]
    wrapup_prompt: str = "optional"
    wrapup_timeout: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class WrapUpCode:
    """What a call came to, as agents file it."""

    id: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Did:
    """A number that the organisation owns. *owner_id* is None while nobody is reached on it."""

    id: str
    number: str
    state: str = "active"
    owner_type: str | None = None
    owner_id: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class DidPool:
    """A range of numbers bought together."""

    id: str
    first: str
    last: str
    comments: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """A program that may ask for tokens.

    *roles* are those of its service tokens; a user's token has the user's. *scopes* bound what users' tokens reach,
    None not at all. *token_lifetime* is in seconds. *redirect_uris* are where codes may be sent, loopback ones on any
    port. *public_key* (PEM) verifies its JWT assertions, which may name *audience*, as SAML assertions must.
    """

    id: str
    secret: str
    name: str
    roles: tuple[Role, ...] = ()
    token_lifetime: int = 86_400
    grants: frozenset[str] = frozenset(GRANTS)
    scopes: frozenset[str] | None = None
    redirect_uris: tuple[str, ...] = ()
    public_key: str = ""
    audience: str = ""
    state: str = "active"

    def __repr__(self) -> str:
        return f"OAuthClient(id={self.id!r}, name={self.name!r})"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Org:
    """One organisation. *rate_limit* is requests a minute for each token; None switches the limit off."""

    id: str
    name: str
    short_name: str
    main_number: str
    users: dict[str, User]
    stations: dict[str, Station]
    queues: dict[str, Queue]
    wrapup_codes: dict[str, WrapUpCode]
    dids: dict[str, Did]
    did_pool: DidPool
    clients: dict[str, OAuthClient]
    rate_limit: int | None = 300
    callees: dict[str, Story] = dataclasses.field(default_factory=dict)
    """What happens at some addresses, whatever their last four digits are."""
    _by_email: dict[str, list[User]] = dataclasses.field(init=False, repr=False, compare=False)
    _by_number: dict[str, Did] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # There may be ten thousand users. Where two share a number, the first one has it.
        by_email: dict[str, list[User]] = {}
        for user in self.users.values():
            by_email.setdefault(user.email.lower(), []).append(user)
        object.__setattr__(self, "_by_email", by_email)
        object.__setattr__(self, "_by_number", {did.number: did for did in reversed(self.dids.values())})

    def own(self) -> "Org":
        """The same organisation, whose users a world may change."""
        return dataclasses.replace(self, users=dict(self.users))

    def put(self, user: User) -> None:
        """Let *user* take the place of the one with their id."""
        before = self.users[user.id]
        self._by_email[before.email.lower()].remove(before)
        self.users[user.id] = user
        self._by_email.setdefault(user.email.lower(), []).append(user)

    def user_of(self, email: str) -> User | None:
        """Whoever has this e-mail address; case does not matter."""
        return next(iter(self.users_of(email)), None)

    def users_of(self, email: str) -> list[User]:
        """Everybody who has this e-mail address."""
        return self._by_email.get(email.lower(), [])

    def story_of(self, address: str) -> Story:
        """What happens to a call to *address*: what the organisation scripted, else what its digits say."""
        return self.callees.get(address) or story_of(address)

    def did_of(self, number: str) -> Did | None:
        """What the organisation knows of a number of its own."""
        return self._by_number.get(number)
