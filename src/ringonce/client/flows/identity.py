"""Who acts: an agent with an identity of his own in the pool, or the client's; and what a token may do."""

import logging

import msgspec

from ringonce.client.flows.directory import UUID
from ringonce.client.flows.exchange import exchange, read, refusal
from ringonce.client.flows.session import Session, token_user
from ringonce.client.wishes import Flow, Request
from ringonce.errors import ConfigError
from ringonce.models import Identity

log = logging.getLogger("ringonce.client")


class _User(msgspec.Struct):
    name: str = ""
    email: str = ""


class _Named(msgspec.Struct, frozen=True):
    id: str = ""
    name: str = ""


class _TokenInfo(msgspec.Struct, rename={"client": "OAuthClient", "scopes": "authorizedScope"}):
    organization: _Named = _Named()
    client: _Named = _Named()
    scopes: list[str] = []


class _Policy(msgspec.Struct, rename="camel"):
    domain: str = ""
    entity_name: str = ""
    actions: list[str] = []


class _Role(msgspec.Struct, frozen=True):
    name: str = ""
    policies: list[_Policy] = []


class _Grant(msgspec.Struct):
    role: _Role = _Role()


class _Subject(msgspec.Struct):
    grants: list[_Grant] = []


def acting(session: Session, called: str, agent_id: str) -> Flow[str]:
    """Give the agent's id if his own identity is to be used, which is made sure to be his; else empty.

    *called* is what the caller named him by. Raise `ConfigError` if the identity is somebody else's: the plain
    endpoint rings the phone of whoever's token it is.
    """
    if not session.pool:
        return ""
    if agent_id not in session.own:
        found = {called.strip().casefold(), agent_id} & session.pool.keys()
        if not found and not all(UUID.fullmatch(name) for name in session.pool):
            found = (yield from _names(session, agent_id)) & session.pool.keys()
        session.own[agent_id] = session.pool[min(found)] if found else None
    own = session.own[agent_id]
    if own is None:
        return ""
    user = yield from token_user(session, agent_id)
    if user != agent_id:
        raise ConfigError(
            f"The identity given for agent {called!r} is not theirs",
            why=f"{own.name} stands for {f'user {user}' if user else 'an application'}, the agent is {agent_id}",
            fix="give each agent a grant of their own, and the application's as auth",
        )
    return agent_id


def _names(session: Session, agent_id: str) -> Flow[set[str]]:
    what = f"Agent {agent_id} can't be looked up among the identities given"
    response = yield from read(
        Request("GET", session.url(f"/users/{agent_id}")), what, fix="name the agents by their ids in `agents`"
    )
    user = msgspec.json.decode(response.body, type=_User)
    return {user.email.casefold(), user.name.casefold()}


def words(session: Session, acts: str, agent_id: str, *, own_endpoint: bool) -> str:
    """Say which grant is used, and for whom."""
    name = session.auth_of(acts).name
    said = f"{name}, as the agent" if own_endpoint else f"{name}, on behalf of agent {agent_id}"
    log.debug("the call of agent %s goes out with %s", agent_id, said)
    return said


def whoami(session: Session) -> Flow[Identity]:
    """Ask what the client's token stands for and may do: by official SDK models UserMe, TokenInfo, AuthzSubject.

    Only the token's own page has to answer; what the token may not ask about stays empty.
    """
    user_id = yield from token_user(session)
    page = yield from read(Request("GET", session.url("/tokens/me")), "The token's own page can't be read")
    info = msgspec.json.decode(page.body, type=_TokenInfo)
    user = _User(name=info.client.name)
    if user_id:
        asked = yield from exchange(Request("GET", session.url("/users/me")))
        user = msgspec.json.decode(asked.body, type=_User) if asked.ok else _User()
    told = yield from exchange(Request("GET", session.url("/authorization/subjects/me")))
    subject = msgspec.json.decode(told.body, type=_Subject) if told.ok else _Subject()
    roles = [grant.role for grant in subject.grants]
    grant = session.grants.get("")
    return Identity(
        grant=session.auth.name,
        user_id=user_id,
        name=user.name,
        email=user.email,
        organization=info.organization.name,
        client_id=info.client.id,
        scopes=tuple(sorted(info.scopes)),
        roles=tuple(sorted({role.name for role in roles})),
        permissions=tuple(
            sorted(
                {
                    f"{policy.domain}:{policy.entity_name}:{action}"
                    for role in roles
                    for policy in role.policies
                    for action in policy.actions
                }
            )
        ),
        expires_at=grant.expires_at if grant else None,
    )


def revoke(session: Session) -> Flow[None]:
    """Have the platform forget the client's token. One that is refused already is forgotten."""
    response = yield from exchange(Request("DELETE", session.url("/tokens/me"), repeatable=True))
    if not response.ok:
        raise refusal(response, "The token can't be revoked")
