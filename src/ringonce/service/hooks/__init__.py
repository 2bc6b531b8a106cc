"""Webhooks: the feed's events, handed to other programs in order, signed as Standard Webhooks says.

addresses   which addresses may be sent to
sending     one request, signed
delivering  the loop: whose turn it is, what to do when it fails
"""

import base64
import re
import secrets
import time
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa

from ringonce.errors import InvalidInput, NotFound
from ringonce.service import audit, feed
from ringonce.service.calls.accepting import new_id
from ringonce.service.hooks.addresses import is_public
from ringonce.service.store.tables import webhooks
from ringonce.service.vault import WEBHOOK, Vault, seal

MOST = 100
"""Webhooks that a service may have: each may hang for as long as it is given, beside all the others."""
LONGEST_URL = 2000
OLD_SECRET = 86_400.0
"""Seconds for which a replaced secret signs as well, so that a receiver can change over."""
KIND = re.compile(r"[a-z_]+(\.[a-z_]+)+")


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as it stands; its secret is sealed."""

    id: str
    url: str
    kinds: tuple[str, ...]
    """Of events that are sent; none: all."""
    created_at: float
    next_seq: int
    """The first event not yet handed over."""
    failures: int
    """In a row, for the event that is next."""
    due_at: float
    paused: str
    """Why nothing is sent any more; empty: it is."""
    said: str
    """What went wrong last; empty once it goes well."""

    def wants(self, kind: str) -> bool:
        """Say whether events of this kind are sent."""
        return not self.kinds or kind in self.kinds


class Secret(msgspec.Struct, frozen=True):
    """What signs, and until when (epoch seconds); None: for good."""

    value: str
    until: float | None = None

    def __repr__(self) -> str:
        return f"Secret(…, {self.until})"


class Made(msgspec.Struct, frozen=True):
    """A webhook and its new secret, which is shown once."""

    hook: Hook
    secret: str

    def __repr__(self) -> str:
        return f"Made({self.hook!r}, …)"


def checked(url: str, *, allow_private: bool) -> str:
    """Give the address as it is. Raise `InvalidInput` for one that can't be sent to, or must not be."""
    what = "The webhook's address can't be used"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    schemes = {"https", "http"} if allow_private else {"https"}
    if not host or parts.scheme not in {"https", "http"} or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidInput(what, why="it is no web address", fix="give one like https://crm.example.com/hooks")
    if parts.scheme not in schemes:
        raise InvalidInput(what, why="it is not encrypted", fix="use https://")
    if "@" in parts.netloc or parts.fragment or len(url) > LONGEST_URL:
        raise InvalidInput(what, why="it has a user or a fragment, or is too long", fix="give scheme, host and path")
    if not allow_private and is_public(host) is False:
        raise InvalidInput(
            what,
            why="it is on this machine or in a private network",
            fix="give a public address, or allow private ones for the whole service",
        )
    return url


def make(
    db: sa.Connection,
    vault: Vault,
    url: str,
    kinds: tuple[str, ...] = (),
    *,
    by: str,
    allow_private: bool = False,
    now: float | None = None,
) -> Made:
    """Make a webhook; it gets what happens from now on. Raise `InvalidInput` for what it can't be."""
    at = time.time() if now is None else now
    odd = next((kind for kind in kinds if not KIND.fullmatch(kind)), None)
    if odd is not None:
        raise InvalidInput(f"{odd[:40]!r} is no kind of event", why="one looks like call.changed", fix="see the events")
    if (db.scalar(sa.select(sa.func.count()).select_from(webhooks)) or 0) >= MOST:
        raise InvalidInput(f"There are {MOST} webhooks", why="that is the most", fix="remove one, or share one")
    hook = Hook(
        id=new_id("hook", at),
        url=checked(url, allow_private=allow_private),
        kinds=tuple(sorted(set(kinds))),
        created_at=at,
        next_seq=feed.latest(db) + 1,
        failures=0,
        due_at=at,
        paused="",
        said="",
    )
    secret = _new_secret()
    sealed = _sealed(db, vault, hook.id, [Secret(secret)])
    db.execute(webhooks.insert().values(msgspec.to_builtins(hook) | {"sealed": sealed}))
    audit.note(db, by, "webhook.made", hook.id, now=at, host=urlsplit(url).hostname, kinds=hook.kinds)
    return Made(hook, secret)


def every(db: sa.Connection) -> list[Hook]:
    """Give all webhooks, the oldest first."""
    return [_hook(row) for row in db.execute(webhooks.select().order_by(webhooks.c.id)).mappings()]


def get(db: sa.Connection, hook_id: str) -> Hook:
    """Give a webhook. Raise `NotFound`."""
    found = db.execute(webhooks.select().where(webhooks.c.id == hook_id)).mappings().first()
    if found is None:
        raise NotFound(f"There is no webhook {hook_id[:60]!r}", fix="GET /v1/webhooks lists those that there are")
    return _hook(found)


def secrets_of(db: sa.Connection, vault: Vault, hook_id: str, now: float) -> list[Secret]:
    """Give what signs now, the newest first."""
    sealed = db.scalar(sa.select(webhooks.c.sealed).where(webhooks.c.id == hook_id)) or b""
    kept = msgspec.json.decode(vault.open(WEBHOOK + hook_id, sealed), type=list[Secret])
    return [one for one in kept if one.until is None or now < one.until]


def new_secret(db: sa.Connection, vault: Vault, hook_id: str, *, by: str, now: float | None = None) -> Made:
    """Give a webhook another secret; the one before signs beside it for a day."""
    at = time.time() if now is None else now
    hook, secret = get(db, hook_id), _new_secret()
    before = [msgspec.structs.replace(one, until=at + OLD_SECRET) for one in secrets_of(db, vault, hook_id, at)[:1]]
    sealed = _sealed(db, vault, hook_id, [Secret(secret), *before])
    db.execute(webhooks.update().where(webhooks.c.id == hook_id).values(sealed=sealed))
    audit.note(db, by, "webhook.new_secret", hook_id, now=at)
    return Made(hook, secret)


def pause(db: sa.Connection, hook_id: str, *, why: str, by: str, now: float | None = None) -> Hook:
    """Send nothing more, until it is resumed; what happens meanwhile is not lost."""
    at = time.time() if now is None else now
    get(db, hook_id)
    db.execute(webhooks.update().where(webhooks.c.id == hook_id).values(paused=why))
    audit.note(db, by, "webhook.paused", hook_id, now=at, why=why)
    feed.tell(db, "webhook.paused", hook_id, {"why": why}, now=at)
    return get(db, hook_id)


def resume(db: sa.Connection, hook_id: str, *, by: str, skip: bool = False, now: float | None = None) -> Hook:
    """Send again, from where it stopped; with *skip*, only what happens from now on."""
    at = time.time() if now is None else now
    became = {"paused": "", "failures": 0, "said": "", "due_at": at}
    became |= {"next_seq": feed.latest(db) + 1} if skip else {}
    get(db, hook_id)
    db.execute(webhooks.update().where(webhooks.c.id == hook_id).values(became))
    audit.note(db, by, "webhook.resumed", hook_id, now=at, skip=skip)
    return get(db, hook_id)


def remove(db: sa.Connection, hook_id: str, *, by: str, now: float | None = None) -> None:
    """Forget a webhook."""
    get(db, hook_id)
    db.execute(webhooks.delete().where(webhooks.c.id == hook_id))
    audit.note(db, by, "webhook.removed", hook_id, now=now)


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _sealed(db: sa.Connection, vault: Vault, hook_id: str, kept: list[Secret]) -> bytes:
    return seal(db, vault, WEBHOOK + hook_id, msgspec.json.encode(kept).decode())


def _hook(row: sa.RowMapping) -> Hook:
    return msgspec.convert({str(name): value for name, value in row.items() if name != "sealed"}, Hook)
