"""Refresh tokens. Each may work only once, so the next is on disk before anything is done with the token beside it.

Whoever shares a refresh token (another process, the same program run twice) takes turns, and uses what the one
before has stored instead of a refresh token that is spent by now.
"""

import contextlib
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from ringonce.client import policy
from ringonce.client.auth.grant import SPENT, AccessGrant, Doubt, OAuthClient
from ringonce.client.flows.exchange import exchange, refusal, unquoted
from ringonce.client.wishes import UNREADABLE, Alone, Flow, Keep, Now, Recall, Request, Through
from ringonce.config import Endpoints
from ringonce.errors import ApiRefusal, ConfigError, NotAuthenticated, RingonceError, Unreachable

BY_ADMINISTRATOR = "have an administrator delete the user's tokens"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored between two renewals. Times are seconds since the epoch."""

    refresh_token: str = ""
    access_token: str = ""
    issued_at: float = 0.0
    expires_at: float | None = None
    asked_at: float = 0.0
    """When a request that spends the refresh token (or a code) left whose answer is not stored; 0 if there is none."""
    name: str = ""
    """What it is stored under, for which client and platform: a secret that no list names any more tells it itself."""
    client_id: str = ""
    api: str = ""

    def __repr__(self) -> str:
        return "Kept(…)"

    @property
    def unseen(self) -> str:
        """Say in words what the answer that is not stored may have brought."""
        life = self.expires_at - self.issued_at if self.expires_at else 0.0
        ends = datetime.fromtimestamp(self.asked_at + life, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return "the answer to a token request was never seen, and an access token that came with it may live " + (
            f"until {ends}" if life else "as long as the OAuth client's tokens do (a day, unless it is set)"
        )

    def granted(self) -> AccessGrant:
        """Give the access token with its times."""
        return AccessGrant(value=self.access_token, issued_at=self.issued_at, expires_at=self.expires_at)


def recall(name: str) -> Flow[Kept | None]:
    """Give what is stored under *name*; what can't be read is as good as nothing."""
    stored: str | None = yield Recall(name)
    return read(stored)


def read(stored: str | None) -> Kept | None:
    """Decode what a safe gave."""
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
    # Once the request leaves, the refresh token may be spent: what came in its place must not be lost.
    grant: AccessGrant = yield Through(_exchange(client, endpoints, form, name, fix, store_as=store_as))
    return grant


def _exchange(
    client: OAuthClient, endpoints: Endpoints, form: Mapping[str, str], name: str, fix: str, *, store_as: str
) -> Flow[AccessGrant]:
    before = yield from recall(store_as)
    spent = form.get("refresh_token", "")
    asked: float = yield Now()
    kept = before or Kept()
    # Written before the request leaves: it shows that there is room, and whoever dies here leaves word of it.
    asking = msgspec.structs.replace(
        kept,
        refresh_token=spent or kept.refresh_token,
        asked_at=asked,
        name=store_as,
        client_id=client.id,
        api=endpoints.api,
    )
    yield _keeping(store_as, asking)
    doubt = Doubt(lost=bool(spent) and bool(kept.asked_at) and kept.refresh_token == spent)
    try:
        answer = yield from client.ask(endpoints, form, name, fix, doubt)
    except (ApiRefusal, Unreachable):
        if not doubt.lost:  # then nothing was spent
            with contextlib.suppress(ConfigError):
                yield _keeping(store_as, before)
        raise
    now: float = yield Now()
    grant = answer.granted(now)
    new = msgspec.structs.replace(
        asking,
        # A server that does not rotate says nothing of the refresh token: the old one stays good.
        refresh_token=answer.refresh_token or spent,
        access_token=grant.value,
        issued_at=grant.issued_at,
        expires_at=grant.expires_at,
        asked_at=0.0,
    )
    try:
        yield _keeping(store_as, new)
    except ConfigError as full:
        with contextlib.suppress(RingonceError):  # what can't be kept must not live on unknown
            yield from _delete(endpoints, grant.value)
        raise ConfigError(
            f"The {name} is lost: the one before is used up, and the next can't be stored",
            why=str(full),
            fix="put that right, then log in again",
        ) from full
    return grant


def _keeping(store_as: str, kept: Kept | None) -> Keep:
    return Keep(store_as, None if kept is None else msgspec.json.encode(kept).decode())


def withdraw(
    client: OAuthClient, endpoints: Endpoints, name: str, *, store_as: str, access: str, first: str = ""
) -> Flow[None]:
    """Have the platform forget what is stored under *store_as*, and forget it here.

    The token in use, *access*, and the *first* refresh token are withdrawn too. The platform deletes access tokens
    (official SDK: `delete_tokens_me`) and has no request that deletes a refresh token: it is used up, and what that
    brings is deleted and not stored. Raise `NotAuthenticated` if a token may live on that nobody has seen.
    """
    kept = (yield from recall(store_as)) or Kept()
    trouble: RingonceError | None = None
    now: float = yield Now()
    asking = msgspec.structs.replace(kept, asked_at=kept.asked_at or now)
    unseen = bool(kept.asked_at) and not kept.refresh_token
    for using_up, token in dict.fromkeys(
        [(False, access), (False, kept.access_token), (True, kept.refresh_token), (True, first)]
    ):
        if token:
            doubt = Doubt()
            try:
                if not using_up:
                    yield from _delete(endpoints, token)
                    continue
                if token == kept.refresh_token:
                    doubt.lost = bool(kept.asked_at)
                    with contextlib.suppress(ConfigError):  # a full disk is no reason to leave it alive
                        yield _keeping(store_as, asking)
                yield from _use_up(client, endpoints, token, name, doubt)
            except NotAuthenticated as refused:
                # Spent or withdrawn already: unless it was we who spent it, and never saw what for.
                unseen |= doubt.lost
                trouble = trouble if refused.code == SPENT else refused
            except RingonceError as error:
                trouble = error
    if trouble is not None:
        raise trouble
    yield Keep(store_as, None)
    if unseen:
        raise NotAuthenticated(
            f"The {name} is withdrawn as far as it is known", why=asking.unseen, fix=f"to be sure, {BY_ADMINISTRATOR}"
        )


def _use_up(client: OAuthClient, endpoints: Endpoints, token: str, name: str, doubt: Doubt) -> Flow[None]:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    answer = yield from client.ask(endpoints, form, name, BY_ADMINISTRATOR, doubt)
    yield from _delete(endpoints, answer.access_token)


def _delete(endpoints: Endpoints, token: str) -> Flow[None]:
    url, headers = f"{endpoints.api}/api/v2/tokens/me", {"authorization": f"Bearer {token}"}
    answer = yield from exchange(Request("DELETE", url, headers=headers, repeatable=True), signed=False)
    if not answer.ok and answer.status != 401:  # noqa: PLR2004  one that is refused is forgotten already
        raise refusal(unquoted(answer, token), "The token can't be revoked")


def slot(*parts: str) -> str:
    """Name the place of a secret by what it belongs to, without telling any of that."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


class RefreshToken:
    """The refresh token grant: tokens of the user who once consented, for as long as the chain isn't broken.

    Every answer brings a new refresh token, which is stored before the new access token is used. The program may go
    on being given the first one: what followed it is found where secrets are kept. *client_secret* is left out for
    a public client. *store_as* names a stored chain, such as that of `AuthorizationCode`; with it, the first refresh
    token may be left out. *whose* is the agent in words: plans, logs and errors name them.
    """

    service = False

    def __init__(
        self, client_id: str, refresh_token: str = "", *, client_secret: str = "", store_as: str = "", whose: str = ""
    ) -> None:
        if any(c.isspace() for c in refresh_token) or not (refresh_token or store_as):
            raise ConfigError(
                "The refresh token cannot be used",
                why="it is empty or has white space in it",
                fix="give the token alone, or the name under which one is stored (store_as)",
            )
        self.client_id = client_id
        self._client, self._first, self._store_as = OAuthClient(client_id, client_secret), refresh_token, store_as
        self._whose = whose

    @property
    def name(self) -> str:
        """The grant, the client it is for and, if it was said, the agent."""
        return f"refresh token of {self.client_id}" + (f" for {self._whose}" if self._whose else "")

    def __repr__(self) -> str:
        return f"RefreshToken({self.client_id!r}, …)"

    def grant(self, endpoints: Endpoints, now: float, stale: str) -> Flow[AccessGrant]:  # noqa: ARG002  the protocol's
        """Use the stored token if it is still good, else renew it."""
        store_as = self._slot(endpoints)
        grant: AccessGrant = yield Alone(store_as, self._renew(endpoints, store_as, stale))
        return grant

    def withdraw(self, endpoints: Endpoints, access: str) -> Flow[None]:
        """Have the platform forget the chain, and the token in use (*access*, may be empty); forget it here too."""
        store_as = self._slot(endpoints)
        yield Alone(
            store_as,
            withdraw(self._client, endpoints, self.name, store_as=store_as, access=access, first=self._first),
        )

    def _slot(self, endpoints: Endpoints) -> str:
        return self._store_as or slot("refresh token", endpoints.login, self.client_id, self._first)

    def _renew(self, endpoints: Endpoints, store_as: str, stale: str) -> Flow[AccessGrant]:
        kept = yield from recall(store_as)
        if kept is not None and (yield from usable(kept, stale)):
            return kept.granted()
        if kept is None or not kept.refresh_token:
            return (yield from self._use(self._first, endpoints, store_as))
        try:
            return (yield from self._use(kept.refresh_token, endpoints, store_as))
        except NotAuthenticated as refused:
            # Under a name of the caller's, the one given may be newer than what is stored.
            if not (self._store_as and self._first) or refused.code != SPENT:
                raise
        return (yield from self._use(self._first, endpoints, store_as))

    def _use(self, token: str, endpoints: Endpoints, store_as: str) -> Flow[AccessGrant]:
        if not token:
            raise NotAuthenticated(
                f"There is no {self.name}",
                why="none is stored (any more): somebody has logged out, or in again; and the client was given none",
                fix="log in again: ringonce login",
                status=401,
            )
        form = {"grant_type": "refresh_token", "refresh_token": token}
        fix = (
            "a refresh token works once, not for ever, and only with the client that it was given to (its secret "
            "included, if it has one): check that, or log in again (ringonce login)"
        )
        return (yield from obtain(self._client, endpoints, form, self.name, fix, store_as=store_as))
