"""The grants that need nothing but what they were given: client credentials, and a token made elsewhere."""

from ringonce.client.auth.grant import AccessGrant, OAuthClient
from ringonce.client.wishes import Flow
from ringonce.config import Endpoints
from ringonce.errors import ConfigError, NotAuthenticated


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
        self.client_id = client_id
        self._client = OAuthClient(client_id, client_secret)

    @property
    def name(self) -> str:
        """The grant and the client it is for."""
        return f"client credentials of {self.client_id}"

    def __repr__(self) -> str:
        return f"ClientCredentials({self.client_id!r}, …)"

    def grant(self, endpoints: Endpoints, now: float, stale: str) -> Flow[AccessGrant]:  # noqa: ARG002  the protocol's
        """Get a new token from the login host."""
        return (
            yield from self._client.ask_for_token(
                endpoints,
                {"grant_type": "client_credentials"},
                self.name,
                "check the client's id and secret, that the client is active, and that it belongs to this region",
            )
        )


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
        return "AccessToken(…)"

    def grant(self, endpoints: Endpoints, now: float, stale: str) -> Flow[AccessGrant]:
        """Give the token, unless it was refused. What to do about that, the refusal tells: see `exchange`."""
        if stale == self._token:
            raise NotAuthenticated(
                "The access token was refused",
                why=f"{endpoints.api} does not accept it (any more), and a ready-made token can't be renewed",
                status=401,
            )
        yield from ()
        return AccessGrant(value=self._token, issued_at=now)
