"""The vault: agents' refresh tokens and other secrets, encrypted in the database, the key kept apart from it.

A sealed secret says which key it needs and is bound to its name: moved to another row it does not open. Which key
seals is written in the database, so every process uses the same one however its keys are listed; `rotate` changes it.
"""

import base64
import binascii
import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringonce import config
from ringonce.client.safe import Safe, safe_in
from ringonce.errors import ConfigError
from ringonce.service.store import Store, StoreDown
from ringonce.service.store.alone import Turns
from ringonce.service.store.tables import identities, settings, webhooks

VARIABLE = "RINGONCE_VAULT_KEY"
KEPT_AS = "service vault key"
"""The name of the key in the system's keyring, or of its file."""
SEALING = "vault.key"
"""The setting that names the key that seals."""
WEBHOOK = "webhook "
"""What a webhook's secret is sealed under, before its id."""
KEY, NONCE, ID = 32, 12, 8
"""Bytes of a key, of a nonce and of a key's id."""
VERSION = b"\x01"
PAGE = 200
"""Secrets that are sealed anew in one transaction."""
PATIENCE, PAUSE = 60.0, 1.0
"""Seconds for which a secret is held on to while the database is down, and between two tries."""
MAKE_ONE = f"make one with `openssl rand -base64 32` and set it as {VARIABLE} for every server and worker"


class VaultLocked(ConfigError):
    """The keys that were given don't open what is sealed. Nothing was changed."""


class Vault:
    """Seals secrets and opens them, with AES-256-GCM. The first of *keys* seals unless another is named; all open.

    *again* reads the keys anew, for one that was added while this process ran.
    """

    def __init__(self, keys: Sequence[bytes], again: Callable[[], Sequence[bytes]] | None = None) -> None:
        self._take(keys)
        self._again = again

    def __repr__(self) -> str:
        return f"Vault(keys {', '.join(self.keys)})"

    def _take(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY for key in keys):
            raise ConfigError("The vault's key can't be used", why=f"it is {KEY} bytes", fix=MAKE_ONE)
        self._ciphers = {_id(key): AESGCM(key) for key in keys}

    @property
    def keys(self) -> list[str]:
        """The ids of the keys, the first one first."""
        return list(self._ciphers)

    def seal(self, name: str, secret: str, key: str = "") -> bytes:
        """Encrypt *secret*, to be opened under *name* alone. Raise `VaultLocked` if there is no such *key*."""
        key = key or self.keys[0]
        cipher = self._cipher(key, "new secrets are sealed")
        head, nonce = VERSION + bytes.fromhex(key), os.urandom(NONCE)
        return head + nonce + cipher.encrypt(nonce, secret.encode(), head + name.encode())

    def open(self, name: str, sealed: bytes) -> str:
        """Give the secret. Raise `VaultLocked` if its key is missing, or it is not what was sealed under *name*."""
        head, nonce, rest = sealed[: 1 + ID], sealed[1 + ID : 1 + ID + NONCE], sealed[1 + ID + NONCE :]
        if not sealed.startswith(VERSION) or len(nonce) < NONCE:
            raise _broken(name, "it has no form that this version knows")
        cipher = self._cipher(key_of(sealed), f"{name!r} is sealed")
        try:
            return cipher.decrypt(nonce, rest, head + name.encode()).decode()
        except InvalidTag:
            raise _broken(name, "it was changed, or sealed under another name") from None

    def _cipher(self, key: str, use: str) -> AESGCM:
        if key not in self._ciphers and self._again is not None:
            self._take(self._again())
        if key not in self._ciphers:
            raise _wrong_key(key, use, self.keys)
        return self._ciphers[key]


class VaultSafe:
    """Keeps the client's secrets in the service's database, for all its machines: a `ringonce.client.safe.Safe`.

    A secret that can't be written down at once is tried again for a minute: the one before it may be spent already.
    """

    def __init__(self, store: Store, vault: Vault, sleep: Callable[[float], None] = time.sleep) -> None:
        self._store, self._vault, self._sleep = store, vault, sleep
        self._turns = Turns(store)

    def __repr__(self) -> str:
        return f"VaultSafe({self._store.name!r})"

    def recall(self, name: str) -> str | None:
        """Give what is kept. Raise `VaultLocked` if it can't be opened: to take it for nothing would lose it."""
        with self._store.read() as db:
            sealed: bytes | None = db.scalar(sa.select(identities.c.sealed).where(identities.c.name == name))
        return None if sealed is None else self._vault.open(name, sealed)

    def keep(self, name: str, secret: str | None) -> None:
        """Keep *secret*, or forget; done when it is on disk. Raise `StoreDown` if that fails for a minute."""
        tries = int(PATIENCE / PAUSE)
        for left in range(tries, -1, -1):
            try:
                with self._store.write() as db:
                    _keep(db, self._vault, name, secret)
            except StoreDown:
                if not left:
                    raise
                self._sleep(PAUSE)
            else:
                break
        if secret is None and not self._store.lasting:
            with contextlib.suppress(OSError):
                self._turns.path(name).unlink(missing_ok=True)

    def alone(self, name: str, patience: float) -> AbstractAsyncContextManager[None]:
        """Take turns with every process that shares the database."""
        return self._turns.alone(name, patience)


def open_vault(store: Store, environ: Mapping[str, str], safe: Safe | None = None) -> Vault:
    """Give the vault of *store*, its key made if there never was one.

    Keys are those of `RINGONCE_VAULT_KEY` (base64, comma-separated); else the one in the system's keyring or in a
    file that only its owner can read. There none is made for PostgreSQL: other machines could not open what it seals.
    Raise `VaultLocked` if the database's secrets need another key, `ConfigError` if there is none.
    """
    given = environ.get(VARIABLE, "").strip()
    if given:
        keys, again = read_keys(given), None
    else:
        place = safe or _place(environ)
        keys, again = _kept(store, place), lambda: _kept(store, place)
    vault = Vault(keys, again)
    with store.write() as db:
        seals = sealing(db)
        if seals and seals not in vault.keys:
            raise _wrong_key(seals, "secrets are sealed", vault.keys)
        if not seals:
            _seal_with(db, vault.keys[0])
    return vault


def seal(db: sa.Connection, vault: Vault, name: str, secret: str) -> bytes:
    """Encrypt *secret* with the key that seals in this database."""
    return vault.seal(name, secret, sealing(db))


def rotate(store: Store, vault: Vault, now: float | None = None) -> int:
    """Have the first key seal from now on, and seal with it all that is sealed with another; give how many were.

    It may be broken off at any point and run again: each secret is under its old key or the new one. Every process
    needs both keys while it runs. Raise `VaultLocked` if some secret can't be opened; the others are sealed anew.
    """
    at = time.time() if now is None else now
    with store.write() as db:
        _seal_with(db, vault.keys[0], at)
    done, lost = 0, list[VaultLocked]()
    for column, prefix in ((identities.c.name, ""), (webhooks.c.id, WEBHOOK)):
        done += _reseal(store, vault, column, prefix, lost)
    if lost:
        raise lost[0]
    return done


def check(store: Store, vault: Vault) -> int:
    """Open everything that is sealed, and give how many secrets that is. Raise `VaultLocked` for one that can't be."""
    count = 0
    with store.read() as db:
        for column, sealed, prefix in (
            (identities.c.name, identities.c.sealed, ""),
            (webhooks.c.id, webhooks.c.sealed, WEBHOOK),
        ):
            for name, secret in db.execute(sa.select(column, sealed)):
                vault.open(prefix + name, secret)
                count += 1
    return count


def ready(store: Store, environ: Mapping[str, str], safe: Safe | None = None) -> None:
    """Raise `ConfigError` if a key is given that is none, or one is missing that sealed secrets need.

    For the start: later, it would be told by calls that wait. Where nothing is sealed, no key is needed or made.
    """
    needed = set()
    with store.read() as db:
        for sealed in (identities.c.sealed, webhooks.c.sealed):
            needed |= set(db.scalars(sa.select(sa.func.substr(sealed, 2, ID)).distinct()))
    if not needed and not environ.get(VARIABLE, "").strip():
        return
    vault = open_vault(store, environ, safe)
    for key in sorted(bytes(one).hex() for one in needed):
        if key not in vault.keys:
            raise _wrong_key(key, "secrets are sealed", vault.keys)


def add_key(environ: Mapping[str, str], safe: Safe | None = None) -> None:
    """Make a key where it is kept on this machine, in front of the one that was; the older ones are dropped.

    Raise `ConfigError` if the keys come from the environment: whoever set them adds one.
    """
    if environ.get(VARIABLE, "").strip():
        raise ConfigError("No key is made", why=f"{VARIABLE} is set", fix="put a new key in front of it")
    place = safe or _place(environ)
    kept = place.recall(KEPT_AS)
    before = read_keys(kept, KEPT_AS)[:1] if kept else []
    place.keep(KEPT_AS, _written([os.urandom(KEY), *before]))


def read_keys(text: str, source: str = VARIABLE) -> list[bytes]:
    """Read keys in base64, separated by commas. Raise `ConfigError`, which does not quote them."""
    keys = []
    for number, part in enumerate(text.split(","), 1):
        try:
            key = base64.b64decode(part.strip().replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY:
            raise ConfigError(
                f"Key {number} of {source} can't be used", why=f"it is not {KEY} bytes in base64", fix=MAKE_ONE
            )
        keys.append(key)
    return keys


def sealing(db: sa.Connection) -> str:
    """Give the id of the key that seals; empty if nothing was ever sealed."""
    return db.scalar(sa.select(settings.c.value).where(settings.c.name == SEALING)) or ""


def key_of(sealed: bytes) -> str:
    """Give the id of the key that a sealed secret needs."""
    return sealed[1 : 1 + ID].hex()


def _keep(db: sa.Connection, vault: Vault, name: str, secret: str | None) -> None:
    this = identities.c.name == name
    if secret is None:
        db.execute(identities.delete().where(this))
        return
    became = {"sealed": seal(db, vault, name, secret), "changed_at": time.time()}
    # Whoever keeps has the name's turn, so nobody else inserts it between these two.
    if db.execute(identities.update().where(this).values(became)).rowcount != 1:
        db.execute(identities.insert().values(name=name, agent_id="", agent="", **became))


def _reseal(store: Store, vault: Vault, column: sa.Column[str], prefix: str, lost: list[VaultLocked]) -> int:
    done, after, table = 0, "", column.table
    while True:
        with store.write() as db:
            page = db.execute(
                sa.select(column, table.c.sealed).where(column > after).order_by(column).limit(PAGE)
            ).all()
            for name, sealed in page:
                if key_of(sealed) == vault.keys[0]:
                    continue
                try:
                    anew = vault.seal(prefix + name, vault.open(prefix + name, sealed))
                except VaultLocked as locked:
                    lost.append(locked)
                    continue
                unchanged = (column == name, table.c.sealed == sealed)
                done += db.execute(table.update().where(*unchanged).values(sealed=anew)).rowcount
        if len(page) < PAGE:
            return done
        after = page[-1][0]


def _seal_with(db: sa.Connection, key: str, now: float | None = None) -> None:
    at = time.time() if now is None else now
    this = settings.update().where(settings.c.name == SEALING)
    if db.execute(this.values(value=key, changed_at=at)).rowcount != 1:
        db.execute(settings.insert().values(name=SEALING, value=key, changed_at=at))


def _place(environ: Mapping[str, str]) -> Safe:
    return safe_in(config.state_dir(environ), config.load(flags={}, environ=environ).secrets)


def _kept(store: Store, place: Safe) -> list[bytes]:
    kept = place.recall(KEPT_AS)
    if kept:
        return read_keys(kept, KEPT_AS)
    with store.read() as db:
        seals = sealing(db)
    if seals:
        raise _wrong_key(seals, "secrets are sealed", [])
    if store.lasting:
        raise VaultLocked(
            "There is no key for the vault",
            why="the database may be shared, and a key made on this machine would be of no use to the others",
            fix=MAKE_ONE,
        )
    # Two processes that start at once must not each make one; a writer of the database is alone.
    with store.write():
        kept = place.recall(KEPT_AS)
        if not kept:
            kept = _written([os.urandom(KEY)])
            place.keep(KEPT_AS, kept)
    return read_keys(kept, KEPT_AS)


def _written(keys: Sequence[bytes]) -> str:
    return ",".join(base64.b64encode(key).decode() for key in keys)


def _id(key: bytes) -> str:
    return hashlib.sha256(b"ringonce vault key" + key).digest()[:ID].hex()


def _wrong_key(key: str, use: str, have: Sequence[str]) -> VaultLocked:
    return VaultLocked(
        "The vault can't be opened: its key is missing",
        why=f"{use} with key {key}, and {'the keys given are ' + ', '.join(have) if have else 'there is none here'}",
        fix=f"add that key to {VARIABLE}, or restore it with the backup of the state folder; nothing was changed",
    )


def _broken(name: str, why: str) -> VaultLocked:
    return VaultLocked(f"The secret {name!r} can't be opened", why=why, fix="restore it from a backup, or enrol again")
