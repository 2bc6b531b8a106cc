"""The organisation that a sandbox starts with: enough of everything to meet every answer once."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from ringonce.sandbox.dice import named
from ringonce.sandbox.org import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    REFRESH_TOKEN,
    Did,
    DidPool,
    OAuthClient,
    Org,
    Queue,
    Role,
    Station,
    User,
    WrapUpCode,
)
from ringonce.sandbox.published_key import PUBLISHED_PUBLIC_KEY

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
WEB_PHONE, DESK_PHONE, REMOTE_PHONE = "inin_webrtc_softphone", "inin_managed_sip_phone", "inin_remote"
AUDIENCE = "urn:ringonce:sandbox"
REDIRECT_URIS = (
    "http://127.0.0.1/callback",
    "http://127.0.0.1/",
    "http://localhost/callback",
    "http://localhost/",
    "http://[::1]/callback",
    "http://127.0.0.1/connect/back",
    "http://localhost/connect/back",
    "https://app.example.com/oauth/callback",
)

EVERYTHING = Role(
    named("role/everything"),
    "Everything",
    frozenset(
        {
            "analytics:*:*",
            "authorization:*:*",
            "conversation:*:*",
            "directory:*:*",
            "presence:*:*",
            "routing:*:*",
            "telephony:*:*",
        }
    ),
)
LOOKING = Role(
    named("role/looking"),
    "Looking",
    frozenset(
        {
            "conversation:communication:view",
            "directory:user:view",
            "routing:queue:view",
            "telephony:otherStationAssociation:view",
        }
    ),
)
AGENT = Role(
    named("role/agent"),
    "Agent",
    LOOKING.permissions
    | {
        "analytics:conversationDetail:view",
        "conversation:call:add",
        "conversation:call:record",
        "conversation:communication:blindTransfer",
        "conversation:communication:consultTransfer",
        "conversation:communication:disconnect",
        "conversation:conference:add",
        "conversation:externalTag:edit",
        "conversation:participant:wrapup",
        "conversation:recording:pauseOthers",
    },
)
RECEPTION = Role(named("role/reception"), "Reception", frozenset(), caller_ids=frozenset({"+15551234566"}))


class Named(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str:
        """The id that the platform's paths carry."""


T = TypeVar("T", bound=Named)


def by_id(things: Iterable[T]) -> dict[str, T]:
    """The things by their ids, in the order given."""
    return {thing.id: thing for thing in things}


def default_org(agents: int = 0) -> Org:
    """Ada and her colleagues; *agents* more of them, numbered, each with a phone that answers by itself."""
    more_stations, more_users = numbered_agents(agents, AGENT)
    stations, users = [*_stations(), *more_stations], [*_users(), *more_users]
    codes = [
        WrapUpCode(named(f"wrapup-code/{name}"), name)
        for name in ("Reached", "No answer", "Call back later", "Wrong number", "Sale")
    ]
    code_ids = tuple(code.id for code in codes)
    queues = [
        Queue(
            named("queue/sales"),
            "Sales",
            "Outbound sales",
            "Example Sales",
            "+15551230001",
            (ADA, named("user/grace"), named("user/linus")),
            code_ids,
            wrapup_prompt="mandatory",
        ),
        Queue(
            named("queue/support"),
            "Support",
            "Call-backs to customers",
            "Example Support",
            "+15551230002",
            (ADA, named("user/grace-2"), named("user/margaret")),
            code_ids[:3],
        ),
    ]
    dids = [
        _did("+15551234567", owner_id=ADA),
        _did("+15551234568", owner_id=named("user/grace")),
        _did("+15551234566", owner_id=named("user/joan")),
        _did("+15551234500", owner_id=ADA, state="inactive"),
        _did("+15551234599"),
        _did("+15551230001"),
        _did("+15551230002"),
        _did("+15551230000"),
    ]
    return Org(
        id=named("org"),
        name="Example Org",
        short_name="your_org_id",
        main_number="+15551230000",
        users=by_id(users),
        stations=by_id(stations),
        queues=by_id(queues),
        wrapup_codes=by_id(codes),
        dids=by_id(dids),
        did_pool=DidPool(named("did-pool"), "+15551230000", "+15551239999", "Numbers of the example org"),
        clients=by_id(_clients()),
    )


def numbered_agents(agents: int, role: Role) -> tuple[list[Station], list[User]]:
    """As many agents as asked for, each with a browser that answers by itself."""
    stations, users = [], []
    for number in range(1, agents + 1):
        label = f"agent-{number:05d}"
        user_id, station_id = named(f"user/{label}"), named(f"station/{label}")
        stations.append(Station(station_id, f"Browser of {label}", WEB_PHONE, web_rtc_user_id=user_id))
        users.append(User(user_id, f"Agent {number:05d}", f"{label}@example.com", None, station_id, roles=(role,)))
    return stations, users


def _stations() -> list[Station]:
    return [
        Station(named("station/ada"), "Ada's browser", WEB_PHONE, web_rtc_user_id=ADA),
        Station(named("station/grace"), "Grace's desk phone", DESK_PHONE),
        Station(named("station/linus"), "Linus's desk phone", DESK_PHONE),
        Station(named("station/hedy"), "Hedy's desk phone", DESK_PHONE),
        Station(named("station/margaret"), "Margaret's telephone at home", REMOTE_PHONE, auto_answer=False),
        Station(
            named("station/katherine"),
            "Katherine's browser",
            WEB_PHONE,
            auto_answer=False,
            web_rtc_user_id=named("user/katherine"),
        ),
        Station(named("station/hot-desk"), "Hot desk", DESK_PHONE),
    ]


def _users() -> list[User]:
    agent = (AGENT,)
    return [
        User(ADA, "Ada Lovelace", "ada@example.com", "+15551234567", named("station/ada"), roles=agent),
        User(
            named("user/grace"),
            "Grace Hopper",
            "grace@example.com",
            "+15551234568",
            named("station/grace"),
            roles=agent,
        ),
        User(named("user/grace-2"), "Grace Murray", "grace.murray@example.com", roles=agent),
        User(
            named("user/linus"),
            "Linus Park",
            "linus@example.com",
            None,
            named("station/linus"),
            roles=(AGENT, RECEPTION),
        ),
        User(
            named("user/margaret"),
            "Margaret Hamilton",
            "margaret@example.com",
            None,
            named("station/margaret"),
            roles=agent,
        ),
        User(
            named("user/katherine"),
            "Katherine Johnson",
            "katherine@example.com",
            None,
            named("station/katherine"),
            roles=agent,
        ),
        User(named("user/hedy"), "Hedy Lamarr", "hedy@example.com", None, named("station/hedy"), roles=(LOOKING,)),
        User(named("user/joan"), "Joan Clarke", "joan@example.com", "+15551234566", roles=agent),
        User(named("user/retired"), "Alan Retired", "alan@example.com", state="inactive", roles=agent),
    ]


def _clients() -> list[OAuthClient]:
    signing_in = frozenset({AUTHORIZATION_CODE, REFRESH_TOKEN})
    return [
        OAuthClient(
            id="your_client_id",
            secret="your_client_secret",  # noqa: S106 - published: the tutorial's own
            name="Example service",
            roles=(EVERYTHING,),
            redirect_uris=REDIRECT_URIS,
            public_key=PUBLISHED_PUBLIC_KEY,
            audience=AUDIENCE,
        ),
        OAuthClient(
            id="limited_client_id",
            secret="limited_client_secret",  # noqa: S106 - published
            name="Example that may only look",
            roles=(LOOKING,),
            grants=frozenset({CLIENT_CREDENTIALS}),
        ),
        OAuthClient(
            id="narrow_client_id",
            secret="narrow_client_secret",  # noqa: S106 - published
            name="Example that may not touch calls",
            grants=signing_in,
            scopes=frozenset({"notifications", "routing:readonly", "users:readonly"}),
            redirect_uris=REDIRECT_URIS,
        ),
        OAuthClient(
            id="brief_client_id",
            secret="brief_client_secret",  # noqa: S106 - published
            name="Example whose tokens are short-lived",
            roles=(EVERYTHING,),
            token_lifetime=300,
            redirect_uris=REDIRECT_URIS,
        ),
        OAuthClient(
            id="disabled_client_id",
            secret="disabled_client_secret",  # noqa: S106 - published
            name="Example that is switched off",
            roles=(EVERYTHING,),
            redirect_uris=REDIRECT_URIS,
            state="disabled",
        ),
    ]


def _did(number: str, *, owner_id: str | None = None, state: str = "active") -> Did:
    return Did(named(f"did/{number}"), number, state, "USER" if owner_id else None, owner_id)
