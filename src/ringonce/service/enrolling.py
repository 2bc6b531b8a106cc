"""Enrolment: an admin makes a link for an agent, the agent consents on the platform, and calls go out as the agent.

A link is a random secret of which the hash is kept; it is good once and for a while. What belongs to one visit (state,
code verifier) is in the visitor's browser, sealed by the vault, so whoever merely looks at a link changes nothing.
"""

import base64
import dataclasses
import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
import sqlalchemy as sa

from ringonce.client import AsyncClient
from ringonce.client.auth import AccessGrant, RefreshToken
from ringonce.client.auth.browser import STATE, VERIFIER, challenge
from ringonce.client.auth.grant import OAuthClient
from ringonce.client.auth.renewing import obtain
from ringonce.client.wishes import Alone, Flow
from ringonce.config import Endpoints
from ringonce.errors import InvalidInput, NotAuthenticated, NotFound, RingonceError
from ringonce.models import Identity
from ringonce.service import audit
from ringonce.service.calls.accepting import new_id
from ringonce.service.store import Store
from ringonce.service.store.tables import identities, invitations, settings
from ringonce.service.vault import Vault, VaultLocked, VaultSafe

log = logging.getLogger("ringonce.service")
LIFE, LONGEST_LIFE = 3600.0, 7 * 86_400.0
"""Seconds for which a link is good, by default and at most."""
VISIT = 900.0
"""Seconds that an agent may take on the platform's page."""
COOKIE = "cookie"
"""What a visit is sealed under."""
AT_ONCE = 20
"""Leftovers that one sweep withdraws."""
CHANGED = "enrolments"
"""The setting that counts changes of who is enrolled."""


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A link that was made, without its secret."""

    id: str
    agent: str
    """Who has to log in: an e-mail, or an id."""
    created_by: str
    created_at: float
    expires_at: float
    used_at: float | None = None


class Invited(msgspec.Struct, frozen=True):
    """A new link's secret, which is shown once."""

    invitation: Invitation
    secret: str

    def __repr__(self) -> str:
        return f"Invited({self.invitation!r}, …)"


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """An agent whose calls go out as themselves."""

    name: str
    """The name under which the refresh token is kept."""
    agent_id: str
    agent: str
    changed_at: float
    """When the token was last renewed."""


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What the browser keeps between going to the platform and coming back."""

    invitation: str
    state: str
    verifier: str
    redirect_uri: str
    until: float

    def __repr__(self) -> str:
        return f"Visit({self.invitation!r}, …)"


class Leaving(msgspec.Struct, frozen=True):
    """Where the browser goes, and what it keeps meanwhile."""

    url: str
    cookie: str

    def __repr__(self) -> str:
        return "Leaving(…)"


def invite(db: sa.Connection, agent: str, *, by: str, life: float = LIFE, now: float | None = None) -> Invited:
    """Make a link for an agent, named by e-mail or id. Raise `InvalidInput` for a name, or a life that is too long."""
    agent = agent.strip().casefold()
    if "@" not in agent and not _is_id(agent):
        raise InvalidInput(f"{agent[:60]!r} can't be invited", why="names can be shared", fix="give an e-mail or an id")
    if not 0 < life <= LONGEST_LIFE:
        raise InvalidInput(f"A link can't be good for {life:g} s", why="it is at most a week", fix="give fewer seconds")
    at = time.time() if now is None else now
    secret = secrets.token_urlsafe(32)
    made = Invitation(id=new_id("invite", at), agent=agent, created_by=by, created_at=at, expires_at=at + life)
    db.execute(invitations.insert().values(msgspec.to_builtins(made) | {"hash": _hash(secret)}))
    audit.note(db, by, "enrolment.invited", made.id, now=at, agent=agent, life=life)
    return Invited(made, secret)


def enrolled(db: sa.Connection) -> list[Enrolled]:
    """Give the agents who are enrolled."""
    fields = (identities.c.name, identities.c.agent_id, identities.c.agent, identities.c.changed_at)
    query = sa.select(*fields).where(identities.c.agent_id != "").order_by(identities.c.agent, identities.c.name)
    return [Enrolled(name=name, agent_id=one, agent=agent, changed_at=at) for name, one, agent, at in db.execute(query)]


def pool(db: sa.Connection) -> dict[str, RefreshToken]:
    """Give the grants of all who are enrolled, by agent id, for an `AsyncClient` whose safe is a `VaultSafe`."""
    return {
        one.agent_id: RefreshToken(_client_of(one.name), store_as=one.name, whose=one.agent) for one in enrolled(db)
    }


def changes(db: sa.Connection) -> int:
    """Give a number that grows whenever somebody is enrolled or withdrawn."""
    return db.scalar(sa.select(settings.c.value).where(settings.c.name == CHANGED)) or 0


@dataclasses.dataclass
class Enrolling:
    """Lets agents in by their links, on one platform with one OAuth client (grant type code, with PKCE)."""

    store: Store
    vault: Vault
    endpoints: Endpoints
    client_id: str
    clock: Callable[[], float] = time.time

    async def leave(self, secret: str, redirect_uri: str) -> Leaving:
        """Send the browser that opened a link to the platform. Raise `NotAuthenticated` if the link is not good."""
        invitation = _good(await self.store.look(_by_secret, secret), self.clock())
        visit = Visit(
            invitation=invitation.id,
            state=secrets.token_urlsafe(STATE)[:STATE],
            verifier=secrets.token_urlsafe(VERIFIER)[:VERIFIER],
            redirect_uri=redirect_uri,
            until=self.clock() + VISIT,
        )
        asked = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "state": visit.state,
            "code_challenge": challenge(visit.verifier),
            "code_challenge_method": "S256",
            "login_hint": invitation.agent if "@" in invitation.agent else "",
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        sealed = self.vault.seal(COOKIE, msgspec.json.encode(visit).decode())
        cookie = base64.urlsafe_b64encode(sealed).decode()
        return Leaving(f"{self.endpoints.login}/oauth/authorize?{query}", cookie)

    async def come_back(self, cookie: str, query: Mapping[str, str]) -> Enrolled:
        """Enrol the agent who has consented. Raise `NotAuthenticated` if that is nobody, or somebody else.

        A link stays good after a login that was refused, so that the right one can follow.
        """
        visit = self._visit(cookie)
        if not secrets.compare_digest(visit.state.encode(), query.get("state", "").encode()):
            raise _no("The answer is not to the question that was asked", "its state differs", "open the link again")
        if query.get("error") or not query.get("code"):
            said = ", ".join(query[name][:200] for name in ("error", "error_description") if query.get(name))
            raise _no("The platform has not let the service in", said or "it gave no code", "open the link again")
        invitation = await self.store.run(_claim, visit.invitation, self.clock())
        try:
            return await self._take(invitation, visit, query["code"])
        except BaseException:
            await self.store.run(_release, invitation.id)
            raise

    async def withdraw(self, agent: str, *, by: str) -> None:
        """Have the platform forget an agent's consent, named by id or e-mail. Raise `NotFound` for one not enrolled.

        The service stops calling as the agent even if the platform can't be reached; it is asked again by `sweep`.
        """
        name = await self.store.run(_unuse, agent.strip().casefold(), by, self.clock())
        await self._forget(name)

    async def sweep(self) -> int:
        """Withdraw what enrolments left that were cut off or replaced, or could not be withdrawn; give how many.

        Several processes may sweep: each leftover is one's for a while, and is tried again after that.
        """
        left = await self.store.run(_mine, self.clock())
        done = 0
        for name in left:
            try:
                await self._forget(name)
            except RingonceError as error:
                log.warning("an enrolment that is over can't be withdrawn now: %s", error)
            else:
                done += 1
        return done

    async def _take(self, invitation: Invitation, visit: Visit, code: str) -> Enrolled:
        name = f"{self.client_id}/{new_id('enrolment', self.clock())}"
        try:
            who = await self._exchange(visit, code, name)
            if invitation.agent not in {who.user_id.casefold(), who.email.casefold()}:
                raise _no(
                    f"{invitation.agent} has not logged in",
                    f"the browser was logged in as {who.email or who.name}",
                    "log out of Genesys Cloud in this browser, and open the link again",
                )
        except RingonceError:
            await self._try_to_forget(name)
            raise
        made, before = await self.store.run(_use, invitation, name, who, self.clock())
        for old in before:
            await self._try_to_forget(old)
        return made

    async def _exchange(self, visit: Visit, code: str, name: str) -> Identity:
        grant = _Code(OAuthClient(self.client_id), visit, code, name)
        async with self._client(grant) as client:
            return await client.whoami()

    async def _try_to_forget(self, name: str) -> None:
        try:
            await self._forget(name)
        except RingonceError as error:
            log.warning("an enrolment can't be withdrawn now, and is tried again: %s", error)

    async def _forget(self, name: str) -> None:
        async with self._client(RefreshToken(_client_of(name), store_as=name)) as client:
            await client.revoke_token()

    def _client(self, auth: Any) -> AsyncClient:
        return AsyncClient(
            base_url=self.endpoints.api,
            login_url=self.endpoints.login,
            allow_http=True,  # where plain http is not allowed, the endpoints have been refused before
            auth=auth,
            safe=VaultSafe(self.store, self.vault),
        )

    def _visit(self, cookie: str) -> Visit:
        try:
            sealed = base64.urlsafe_b64decode(cookie)
            visit = msgspec.json.decode(self.vault.open(COOKIE, sealed), type=Visit)
        except (ValueError, msgspec.MsgspecError, VaultLocked):
            raise _no("This browser has not opened a link", "its cookie is missing", "open the link here") from None
        if self.clock() > visit.until:
            raise _no("The login took too long", f"there are {VISIT / 60:.0f} minutes for it", "open the link again")
        return visit


@dataclasses.dataclass(frozen=True)
class _Code:
    """The grant of a code that came back to the service; a `ringonce.client.auth.Auth`."""

    client: OAuthClient
    visit: Visit = dataclasses.field(repr=False)
    code: str = dataclasses.field(repr=False)
    store_as: str
    service = False

    @property
    def name(self) -> str:
        return f"authorization code of {self.client.id}"

    def grant(self, endpoints: Endpoints, now: float, stale: str) -> Flow[AccessGrant]:  # noqa: ARG002  the protocol's
        form = {
            "grant_type": "authorization_code",
            "code": self.code,
            "code_verifier": self.visit.verifier,
            "redirect_uri": self.visit.redirect_uri,
        }
        flow = obtain(self.client, endpoints, form, self.name, "open the link again", store_as=self.store_as)
        granted: AccessGrant = yield Alone(self.store_as, flow)
        return granted


def _by_secret(db: sa.Connection, secret: str) -> Invitation | None:
    return _invitation(db, invitations.c.hash == _hash(secret))


def _invitation(db: sa.Connection, this: sa.ColumnElement[bool]) -> Invitation | None:
    found = db.execute(invitations.select().where(this)).mappings().first()
    return (
        msgspec.convert({str(name): value for name, value in found.items() if name != "hash"}, Invitation)
        if found
        else None
    )


def _good(invitation: Invitation | None, now: float) -> Invitation:
    if invitation is None:
        raise _no("The link is not good", "nobody made it", "have an administrator make one")
    if invitation.used_at is not None:
        raise _no("The link is not good any more", "it was used", "have an administrator make another, if need be")
    if now > invitation.expires_at:
        raise _no("The link is not good any more", "its time is over", "have an administrator make another")
    return invitation


def _claim(db: sa.Connection, invitation_id: str, now: float) -> Invitation:
    invitation = _good(_invitation(db, invitations.c.id == invitation_id), now)
    unused = invitations.update().where(invitations.c.id == invitation_id, invitations.c.used_at.is_(None))
    if db.execute(unused.values(used_at=now)).rowcount != 1:
        raise _no("The link is in use", "it was opened twice at once", "open it again if that other login fails")
    return invitation


def _release(db: sa.Connection, invitation_id: str) -> None:
    db.execute(invitations.update().where(invitations.c.id == invitation_id).values(used_at=None))


def _use(db: sa.Connection, invitation: Invitation, name: str, who: Identity, now: float) -> tuple[Enrolled, list[str]]:
    """Call as the agent from now on; give the enrolments that this one takes the place of."""
    agent = f"{who.name} <{who.email}>" if who.email else who.name or who.user_id
    before = list(db.scalars(sa.select(identities.c.name).where(identities.c.agent_id == who.user_id)))
    db.execute(identities.update().where(identities.c.name.in_(before)).values(agent_id=""))
    this = identities.update().where(identities.c.name == name)
    db.execute(this.values(agent_id=who.user_id, agent=agent, changed_at=now))
    audit.note(db, invitation.created_by, "enrolment.made", who.user_id, now=now, link=invitation.id, agent=agent)
    _count(db, now)
    return Enrolled(name=name, agent_id=who.user_id, agent=agent, changed_at=now), before


def _unuse(db: sa.Connection, agent: str, by: str, now: float) -> str:
    found = next((one for one in enrolled(db) if agent == one.agent_id or f"<{agent}>" in one.agent.casefold()), None)
    if found is None:
        raise NotFound(f"{agent[:60]!r} is not enrolled", fix="list who is: GET /v1/enrolments")
    db.execute(identities.update().where(identities.c.name == found.name).values(agent_id=""))
    audit.note(db, by, "enrolment.withdrawn", found.agent_id, now=now, agent=found.agent)
    _count(db, now)
    return found.name


def leftovers(db: sa.Connection, now: float) -> list[str]:
    """Give the names of some grants that nobody is enrolled with any more."""
    old = (identities.c.agent_id == "", identities.c.changed_at < now - VISIT)
    return list(db.scalars(sa.select(identities.c.name).where(*old).limit(AT_ONCE)))


def _mine(db: sa.Connection, now: float) -> list[str]:
    old = (identities.c.agent_id == "", identities.c.changed_at < now - VISIT)
    mine = identities.update().where(identities.c.name.in_(leftovers(db, now)), *old).values(changed_at=now)
    return list(db.scalars(mine.returning(identities.c.name)))


def _count(db: sa.Connection, now: float) -> None:
    row = {"value": changes(db) + 1, "changed_at": now}
    if db.execute(settings.update().where(settings.c.name == CHANGED).values(row)).rowcount != 1:
        db.execute(settings.insert().values(name=CHANGED, **row))


def _client_of(name: str) -> str:
    return name.rpartition("/")[0]


def _is_id(text: str) -> bool:
    return len(text) == 36 and set(text) <= set("0123456789abcdef-")  # noqa: PLR2004  a UUID's


def _hash(secret: str) -> str:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


def _no(what: str, why: str, fix: str) -> NotAuthenticated:
    return NotAuthenticated(what, why=why, fix=fix, status=401)
