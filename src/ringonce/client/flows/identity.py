"""Who acts: an agent with an identity of his own in the pool, or the client's; and what a token may do."""

from ringonce.client.answers import Named, Person, Subject, TokenInfo
from ringonce.client.auth import AuthorizationCode, RefreshToken
from ringonce.client.flows.directory import UUID
from ringonce.client.flows.exchange import decoded, exchange, read, refusal
from ringonce.client.flows.session import Session, token_user
from ringonce.client.wishes import Flow, Request
from ringonce.errors import ConfigError, RingonceError
from ringonce.models import Identity


def acting(session: Session, called: str, agent_id: str, deadline: float | None = None) -> Flow[str]:
    """Give the agent's id if his own identity is to be used, which is made sure to be his; else empty.

    *called* is what the caller named him by. Raise `ConfigError` if the identity is somebody else's (the plain
    endpoint rings the phone of whoever's token it is), or if several are given for him. *deadline* is that of
    `exchange`.
    """
    if not session.pool:
        return ""
    names: frozenset[str] = frozenset({called.strip().casefold(), agent_id})
    if agent_id not in session.own:
        found = names & session.pool.keys()
        if not found and not all(UUID.fullmatch(name) for name in session.pool):
            found = (yield from _names(session, agent_id, deadline)) & session.pool.keys()
        session.own[agent_id] = session.pool[min(found)] if found else None
    own = session.own[agent_id]
    if own is None:
        return ""
    user = yield from token_user(session, agent_id, deadline=deadline)
    if user != agent_id:
        raise ConfigError(
            f"The identity given for agent {called!r} is not theirs",
            why=f"{own.name} stands for {f'user {user}' if user else 'an application'}, the agent is {agent_id}",
            fix="give each agent a grant of their own, and the application's as auth",
        )
    given = sorted((names | session.named.get(agent_id, frozenset())) & session.pool.keys())
    if any(session.pool[name] is not session.pool[given[0]] for name in given):
        raise ConfigError(
            f"Agent {called!r} has been given several identities",
            why=f"{', '.join(map(repr, given))} are all this one agent",
            fix="give each agent one grant, under one name",
        )
    return agent_id


def _names(session: Session, agent_id: str, deadline: float | None) -> Flow[frozenset[str]]:
    what = f"Agent {agent_id} can't be looked up among the identities given"
    response = yield from read(
        Request("GET", session.url(f"/users/{agent_id}")),
        what,
        fix="name the agents by their ids in `agents`",
        deadline=deadline,
    )
    return decoded(response, Person, what).names


def words(session: Session, acts: str, agent_id: str, *, own_endpoint: bool) -> str:
    """Say which grant is used, and for whom."""
    name = session.auth_of(acts).name
    return f"{name}, as the agent" if own_endpoint else f"{name}, on behalf of agent {agent_id}"


def whoami(session: Session) -> Flow[Identity]:
    """Ask what the client's token stands for and may do: by official SDK models UserMe, TokenInfo, AuthzSubject.

    Only the token's own page has to answer; what the token may not ask about stays empty.
    """
    user_id = yield from token_user(session)
    what = "The token's own page can't be read"
    info = decoded((yield from read(Request("GET", session.url("/tokens/me")), what)), TokenInfo, what)
    user: Named | Person | None = info.client
    if user_id:
        asked = yield from exchange(Request("GET", session.url("/users/me")))
        user = decoded(asked, Person, "The token's own user can't be read") if asked.ok else None
    told = yield from exchange(Request("GET", session.url("/authorization/subjects/me")))
    subject = decoded(told, Subject, "The identity's roles can't be read") if told.ok else Subject()
    roles = [one.role for one in subject.grants or () if one.role]
    policies = [policy for role in roles for policy in role.policies or ()]
    grant = session.grants.get("")
    return Identity(
        grant=session.auth.name,
        user_id=user_id,
        name=(user and user.name) or "",
        email=user.email or "" if isinstance(user, Person) else "",
        organization=info.organization.name or "",
        client_id=(info.client and info.client.id) or "",
        scopes=tuple(sorted(info.authorized_scope or ())),
        roles=tuple(sorted({role.name or role.id or "?" for role in roles})),
        permissions=tuple(
            sorted({f"{one.domain}:{one.entity_name}:{action}" for one in policies for action in one.actions or ()})
        ),
        expires_at=grant.expires_at if grant else None,
    )


def revoke(session: Session) -> Flow[None]:
    """Have the platform forget the client's token and those of its agents in use, with the refresh tokens behind them.

    One that is refused already is forgotten. What goes wrong with one is told once all have had their turn.
    """
    trouble: RingonceError | None = None
    for agent in ["", *filter(None, session.grants)]:
        try:
            yield from _revoke(session, agent)
        except RingonceError as error:
            trouble = trouble or error
    if trouble is not None:
        raise trouble


def _revoke(session: Session, agent: str) -> Flow[None]:
    auth, grant = session.auth_of(agent), session.grants.pop(agent, None)
    if isinstance(auth, (AuthorizationCode, RefreshToken)):
        yield from auth.withdraw(session.endpoints, grant.value if grant else "")
        return
    if grant is not None:
        session.grants[agent] = grant
    response = yield from exchange(Request("DELETE", session.url("/tokens/me"), repeatable=True), agent=agent)
    if not response.ok:
        raise refusal(response, "The token can't be revoked")
