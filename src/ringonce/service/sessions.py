"""Sessions of people at the page: a cookie's secret in place of the token that it was begun with."""

import hashlib
import secrets

import sqlalchemy as sa

from ringonce.service import audit
from ringonce.service.access import Token, by_id
from ringonce.service.store.tables import sessions

LIFE = 12 * 3600.0
"""Seconds: a shift. Then the token is asked for again."""


def begin(db: sa.Connection, token: Token, now: float) -> str:
    """Begin a session and give its secret, which is kept nowhere. Sessions that are over are swept."""
    secret = secrets.token_urlsafe(32)
    db.execute(sessions.delete().where(sessions.c.expires_at <= now))
    db.execute(sessions.insert().values(hash=hashed(secret), token_id=token.id, created_at=now, expires_at=now + LIFE))
    audit.note(db, token.id, "session.begun", token.id, now=now)
    return secret


def holder(db: sa.Connection, digest: str, now: float) -> Token | None:
    """Give the token that the session with this hash stands for, unless the session or the token is over."""
    good = (sessions.c.hash == digest, sessions.c.expires_at > now)
    token_id = db.scalar(sa.select(sessions.c.token_id).where(*good))
    found = by_id(db, token_id) if token_id else None
    return found if found and found.revoked_at is None else None


def end(db: sa.Connection, digest: str, token: Token, now: float) -> None:
    """End a session; one that has ended is no error."""
    if db.execute(sessions.delete().where(sessions.c.hash == digest)).rowcount:
        audit.note(db, token.id, "session.ended", token.id, now=now)


def hashed(secret: str) -> str:
    """Give what a session is known by in the database."""
    return hashlib.sha256(secret.encode()).hexdigest()
