"""Refresh tokens. Each may work only once, so the next is on disk before anything is done with the token beside it.

Whoever shares a refresh token (another process, the same program run twice) takes turns, and uses what the one
before has stored instead of a refresh token that is spent by now.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from ringonce.client import policy
from ringonce.client.auth.grant import AccessGrant, OAuthClient
from ringonce.client.wishes import UNREADABLE, Alone, Flow, Keep, Now, Recall
from ringonce.config import Endpoints
from ringonce.errors import ConfigError, NotAuthenticated


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored between two renewals. Times are seconds since the epoch."""

    refresh_token: str = ""
    access_token: str = ""
    issued_at: float = 0.0
    expires_at: float | None = None

    def __repr__(self) -> str:
        return "Kept(…)"

    def granted(self) -> AccessGrant:
        """Give the access token with its times."""
        return AccessGrant(value=self.access_token, issued_at=self.issued_at, expires_at=self.expires_at)


def recall(name: str) -> Flow[Kept | None]:
    """Give what is stored under *name*; what can't be read is as good as nothing."""
    stored: str | None = yield Recall(name)
    try:
        return None if stored is None else msgspec.json.decode(stored, type=Kept)
    except UNREADABLE:
        return None


def usable(kept: Kept, stale: str) -> Flow[bool]:
    """Say whether the stored access token can be used as it is; *stale* is one that was refused."""
    now: float = yield Now()
    if not kept.access_token or kept.access_token == stale:
        return False
    return policy.need(kept.issued_at, kept.expires_at, now) is policy.Need.NOTHING


def obtain(
    client: OAuthClient, endpoints: Endpoints, form: Mapping[str, str], name: str, fix: str, *, store_as: str
) -> Flow[AccessGrant]:
    """Ask for a token that brings a refresh token along, and store both before the first is used."""
    answer = yield from client.ask(endpoints, form, name, fix)
    now: float = yield Now()
    grant = answer.granted(now)
    kept = Kept(
        # A server that does not rotate says nothing of the refresh token: the old one stays good.
        refresh_token=answer.refresh_token or form.get("refresh_token", ""),
        access_token=grant.value,
        issued_at=grant.issued_at,
        expires_at=grant.expires_at,
    )
    yield Keep(store_as, msgspec.json.encode(kept).decode())
    return grant


def slot(*parts: str) -> str:
    """Name the place of a secret by what it belongs to, without telling any of that."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


class RefreshToken:
    """The refresh token grant: tokens of the user who once consented, for as long as the chain isn't broken.

    Every answer brings a new refresh token, which is stored before the new access token is used. The program may go
    on being given the first one: what followed it is found where secrets are kept. *client_secret* is left out for
    a public client. *store_as* names a stored chain, such as that of `AuthorizationCode`; with it, the first refresh
    token may be left out.
    """

    service = False

    def __init__(self, client_id: str, refresh_token: str = "", *, client_secret: str = "", store_as: str = "") -> None:
        if any(c.isspace() for c in refresh_token) or not (refresh_token or store_as):
            raise ConfigError(
                "The refresh token cannot be used",
                why="it is empty or has white space in it",
                fix="give the token alone, or the name under which one is stored (store_as)",
            )
        self.client_id = client_id
        self._client, self._first, self._store_as = OAuthClient(client_id, client_secret), refresh_token, store_as

    @property
    def name(self) -> str:
        """The grant and the client it is for."""
        return f"refresh token of {self.client_id}"

    def __repr__(self) -> str:
        return f"RefreshToken({self.client_id!r}, …)"

    def grant(self, endpoints: Endpoints, now: float, stale: str) -> Flow[AccessGrant]:  # noqa: ARG002  the protocol's
        """Use the stored token if it is still good, else renew it."""
        store_as = self._store_as or slot("refresh token", endpoints.login, self.client_id, self._first)
        grant: AccessGrant = yield Alone(store_as, self._renew(endpoints, store_as, stale))
        return grant

    def _renew(self, endpoints: Endpoints, store_as: str, stale: str) -> Flow[AccessGrant]:
        kept = yield from recall(store_as)
        if kept is not None and (yield from usable(kept, stale)):
            return kept.granted()
        if kept is None or not kept.refresh_token:
            return (yield from self._use(self._first, endpoints, store_as))
        try:
            return (yield from self._use(kept.refresh_token, endpoints, store_as))
        except NotAuthenticated:
            # Under a name of the caller's, the one given may be newer than what is stored.
            if not (self._store_as and self._first):
                raise
        return (yield from self._use(self._first, endpoints, store_as))

    def _use(self, token: str, endpoints: Endpoints, store_as: str) -> Flow[AccessGrant]:
        if not token:
            raise NotAuthenticated(
                f"There is no {self.name}",
                why="none is stored (any more), and the client was given none",
                fix="log in again: ringonce login",
                status=401,
            )
        form = {"grant_type": "refresh_token", "refresh_token": token}
        fix = "a refresh token works once, and not for ever: log in again (ringonce login)"
        return (yield from obtain(self._client, endpoints, form, self.name, fix, store_as=store_as))
