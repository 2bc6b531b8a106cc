"""Who we are to the platform: grants that give access tokens, and the token itself, which never shows itself."""

import base64
from typing import Protocol

import msgspec

from ringonce.client.flows.exchange import exchange
from ringonce.client.remedies import login_remedy
from ringonce.client.wishes import Flow, Request, Response
from ringonce.config import Endpoints
from ringonce.errors import ConfigError, NoAnswer, NotAuthenticated


class AccessGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it was given. Times are seconds since the epoch."""

    value: str
    issued_at: float
    expires_at: float | None = None
    """None if its end is not known."""

    def __repr__(self) -> str:
        return f"AccessGrant(…{self.value[-4:]})"


class Auth(Protocol):
    """A way to get access tokens."""

    @property
    def name(self) -> str:
        """Say in words which grant this is and whose, without a secret."""

    @property
    def service(self) -> bool | None:
        """Whether its tokens stand for an application (True) or a user (False); None if only asking tells."""

    def grant(self, endpoints: Endpoints, now: float, stale: str) -> Flow[AccessGrant]:
        """Get a new token; *stale* is one that was refused. Raise `NotAuthenticated` if none is given."""


class ClientCredentials:
    """The client credentials grant: the token stands for the application, not for a user.

    It places calls for an agent through `POST /api/v2/conversations/calls/user/{userId}`, for which the OAuth
    client needs a role with `conversation:call:add` or `conversation:agentlessCall:add`.
    """

    service = True

    def __init__(self, client_id: str, client_secret: str) -> None:
        if not client_id or not client_secret:
            raise ConfigError(
                "No OAuth client was given",
                why="client id or secret is empty",
                fix="set GENESYSCLOUD_OAUTHCLIENT_ID and GENESYSCLOUD_OAUTHCLIENT_SECRET",
            )
        self.client_id, self._secret = client_id, client_secret

    @property
    def name(self) -> str:
        """The grant and the client it is for."""
        return f"client credentials of {self.client_id}"

    def __repr__(self) -> str:
        return f"ClientCredentials({self.client_id!r}, …)"

    def grant(self, endpoints: Endpoints, now: float, stale: str) -> Flow[AccessGrant]:  # noqa: ARG002  the protocol's
        """Get a new token from the login host."""
        request = Request(
            "POST",
            f"{endpoints.login}/oauth/token",
            form={"grant_type": "client_credentials"},
            headers={"authorization": _basic(self.client_id, self._secret)},
            repeatable=True,
        )
        response = yield from exchange(request, signed=False)
        return _granted(response, now, self.name)


class AccessToken:
    """A ready-made token, of a user or an application. It can't be renewed: once it is refused, calls are too."""

    service = None

    def __init__(self, token: str) -> None:
        if not token or any(c.isspace() for c in token):
            raise ConfigError(
                "The access token cannot be used",
                why="it is empty or has white space in it",
                fix="set GENESYSCLOUD_ACCESS_TOKEN to the token alone",
            )
        self._token = token

    @property
    def name(self) -> str:
        """The grant, in words."""
        return "a ready-made access token"

    def __repr__(self) -> str:
        return f"AccessToken(…{self._token[-4:]})"

    def grant(self, endpoints: Endpoints, now: float, stale: str) -> Flow[AccessGrant]:
        """Give the token, unless it was refused."""
        if stale == self._token:
            raise NotAuthenticated(
                "The access token was refused",
                why=f"{endpoints.api} does not accept it (any more), and a ready-made token can't be renewed",
                fix="get a new one, or use a grant that renews itself, such as ClientCredentials",
                status=401,
            )
        yield from ()
        return AccessGrant(value=self._token, issued_at=now)


class _TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: float | None = None


class _TokenRefusal(msgspec.Struct):
    error: str = ""
    error_description: str = ""
    description: str = ""
    message: str = ""


def _granted(response: Response, now: float, name: str) -> AccessGrant:
    if response.ok:
        try:
            answer = msgspec.json.decode(response.body, type=_TokenAnswer)
        except msgspec.MsgspecError as wrong:
            raise NoAnswer(
                "The login host's answer is no token",
                why=str(wrong),
                fix="check the region or base URL: is this Genesys Cloud's login host?",
            ) from wrong
        ends = None if answer.expires_in is None else now + answer.expires_in
        return AccessGrant(value=answer.access_token, issued_at=now, expires_at=ends)
    try:
        said = msgspec.json.decode(response.body, type=_TokenRefusal)
    except msgspec.MsgspecError:
        said = _TokenRefusal()
    words = said.error_description or said.description or said.message
    raise NotAuthenticated(
        f"No token was given for {name}",
        why=", ".join(part for part in (f"HTTP {response.status}", said.error, words) if part),
        fix=login_remedy(said.error, words).fix,
        status=response.status,
        code=said.error,
    )


def _basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()
