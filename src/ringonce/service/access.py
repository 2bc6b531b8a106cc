"""Who may do what: API tokens, hashed at rest, each with a role."""

import enum
import hashlib
import secrets
import time

import msgspec
import sqlalchemy as sa

from ringonce.errors import InvalidInput
from ringonce.service import audit
from ringonce.service.calls.accepting import new_id
from ringonce.service.store.tables import tokens

PREFIX = "ro_"
"""What a token begins with, so that people and scanners know one when they see it."""
USED_EVERY = 60.0
"""Seconds between two notes of a token's use: a write for each request would be most of its cost."""


class Role(enum.StrEnum):
    """What a token's holder may do."""

    VIEWER = "viewer"
    """See calls, batches and events; numbers are masked."""
    DIALER = "dialer"
    """Also call and steer calls, for the agents named or for all."""
    ADMIN = "admin"
    """Everything: tokens, stop, overrides, settling unknown calls, whole numbers."""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it is kept; its secret is not."""

    id: str
    name: str
    role: Role
    agents: tuple[str, ...] = ()
    """A dialer's agents, by id or e-mail in lower case; none: all."""
    created_at: float
    used_at: float | None = None
    revoked_at: float | None = None

    @property
    def sees_numbers(self) -> bool:
        """Whether whole numbers are shown."""
        return self.role is Role.ADMIN

    def may_call_for(self, *names: str) -> bool:
        """Say whether calls may be placed for the agent known by any of *names*."""
        if self.role is Role.VIEWER:
            return False
        return not self.agents or bool({name.casefold() for name in names if name} & set(self.agents))


class Issued(msgspec.Struct, frozen=True):
    """A new token and its secret, which is shown once."""

    token: Token
    secret: str

    def __repr__(self) -> str:
        return f"Issued({self.token!r}, …)"


def issue(
    db: sa.Connection,
    name: str,
    role: Role,
    agents: tuple[str, ...] = (),
    *,
    by: str = "system",
    now: float | None = None,
) -> Issued:
    """Make a token. Raise `InvalidInput` for agents of a role that has none, or a name that says nothing."""
    if not name.strip():
        raise InvalidInput("A token needs a name", why="nobody would know whose it is", fix="name who uses it")
    if agents and role is not Role.DIALER:
        raise InvalidInput(
            f"A token of role {role} can't be for certain agents", why="only a dialer's can", fix="leave them out"
        )
    at = time.time() if now is None else now
    secret = PREFIX + secrets.token_urlsafe(32)
    mine = tuple(sorted({agent.strip().casefold() for agent in agents}))
    token = Token(id=new_id("tok", at), name=name.strip(), role=role, agents=mine, created_at=at)
    db.execute(tokens.insert().values(msgspec.to_builtins(token) | {"hash": _hash(secret)}))
    audit.note(db, by, "token.issued", token.id, now=at, name=token.name, role=role, agents=mine)
    return Issued(token, secret)


def bearer(db: sa.Connection, secret: str) -> Token | None:
    """Give the token whose secret this is, unless it was revoked."""
    if not secret.startswith(PREFIX):
        return None
    query = tokens.select().where(tokens.c.hash == _hash(secret), tokens.c.revoked_at.is_(None))
    found = db.execute(query).mappings().first()
    return _token(found) if found else None


def by_id(db: sa.Connection, token_id: str) -> Token | None:
    """Give the token with this id, a revoked one too."""
    found = db.execute(tokens.select().where(tokens.c.id == token_id)).mappings().first()
    return _token(found) if found else None


def used(db: sa.Connection, token: Token, now: float) -> None:
    """Note that a token was used, now and then."""
    if token.used_at is None or now > token.used_at + USED_EVERY:
        db.execute(tokens.update().where(tokens.c.id == token.id).values(used_at=now))


def every(db: sa.Connection) -> list[Token]:
    """Give all tokens, the oldest first, the revoked ones too."""
    return [_token(found) for found in db.execute(tokens.select().order_by(tokens.c.created_at)).mappings()]


def revoke(db: sa.Connection, token_id: str, *, by: str = "system", now: float | None = None) -> bool:
    """Revoke a token at once; False if there is no such token that is still good."""
    at = time.time() if now is None else now
    update = tokens.update().where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None)).values(revoked_at=at)
    if db.execute(update).rowcount != 1:
        return False
    audit.note(db, by, "token.revoked", token_id, now=at)
    return True


def _hash(secret: str) -> str:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(found: sa.RowMapping) -> Token:
    return msgspec.convert({str(name): value for name, value in found.items() if name != "hash"}, Token)
