"""One process of the service: its database, its ledger, its client of the platform, and the worker that dials.

`ringonce serve` opens one with a web door in front, `ringonce worker` one without.
"""

import asyncio
import contextlib
import dataclasses
import functools
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from ringonce import config
from ringonce.client import AsyncClient
from ringonce.config import Endpoints
from ringonce.errors import ConfigError
from ringonce.ledger import Ledger
from ringonce.ledger.sql import SqlLedger
from ringonce.service import enrolled
from ringonce.service.calls import OPEN, State
from ringonce.service.enrolling import Enrolling
from ringonce.service.guarding import Guarding
from ringonce.service.guarding import opened as guarded
from ringonce.service.hooks.delivering import Deliveries
from ringonce.service.hooks.sending import Sender
from ringonce.service.store import Store
from ringonce.service.store.inserting import insert_once
from ringonce.service.store.tables import agents, calls, lines, settings
from ringonce.service.vault import Vault, VaultLocked, open_vault, ready

if TYPE_CHECKING:
    from ringonce.service.dialing.worker import Worker

PUBLIC_URL, TO_PRIVATE = "RINGONCE_PUBLIC_URL", "RINGONCE_WEBHOOKS_TO_PRIVATE"
log = logging.getLogger("ringonce.service")
PLATFORM = "platform"
"""The setting that says whose calls the database holds."""


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """Where the calls go."""

    api: str
    """The API's address, which the ledger knows intents by as well."""
    sandbox: bool = False
    """Whether it lives and dies with this process, at another address each time."""
    country: str = "US"
    """Where numbers without a country code live."""
    login: str = ""
    """The login host's address; empty: the API's own."""
    login_client_id: str = ""
    """The OAuth client by which agents enrol (grant type code, with PKCE)."""


@dataclasses.dataclass(frozen=True)
class House:
    """What the doors of one process share."""

    store: Store
    ledger: SqlLedger
    client: AsyncClient
    platform: Platform
    guarding: Guarding
    clock: Callable[[], float] = time.time
    worker: "Worker | None" = None
    public_url: str = ""
    """The address by which browsers reach the service; empty: the one that they used."""
    webhooks_to_private: bool = False

    @functools.cached_property
    def deliveries(self) -> Deliveries:
        """What hands events over to webhooks."""
        sender = Sender(allow_private=self.webhooks_to_private)
        return Deliveries(self.store, self.vault, sender, clock=self.clock)

    async def vault(self) -> Vault:
        """Open the vault. Raise `VaultLocked` if its key is missing or the wrong one."""
        return await asyncio.to_thread(open_vault, self.store, os.environ)

    async def enrolling(self) -> Enrolling:
        """Give what lets agents in. Raise `ConfigError` without an OAuth client for it."""
        if not self.platform.login_client_id:
            raise VaultLocked(
                "Agents can't enrol here",
                why="there is no OAuth client to log in with",
                fix=f"in Genesys Cloud, add one of grant type Code Authorization whose redirect URI is this server's "
                f"address and /connect/back, and set {config.sources()['login_client_id'].variable} to its id",
            )
        where = Endpoints(self.platform.api, self.platform.login or self.platform.api)
        return Enrolling(self.store, await self.vault(), where, self.platform.login_client_id, self.clock)


@contextlib.asynccontextmanager
async def opened(
    database: str,
    platform: Platform,
    make_client: Callable[[Ledger], AsyncClient],
    *,
    guard: Path | None = None,
    dialling: bool = True,
    moving: bool = False,
    **options: Any,
) -> AsyncIterator[House]:
    """Open the *database* and dial what waits in it, unless *dialling* is not wanted; *options* go to `Steps`.

    *guard* is the file of the guard's settings; without one, emergency and premium-rate numbers alone are refused.

    With *moving*, a database without open calls may go on to another platform. Raise `ConfigError` where the open
    calls are another platform's, the address is none, or the vault is needed and its key is missing; `StoreDown` if
    the database can't be reached.
    """
    store = await asyncio.to_thread(Store, database)
    try:
        await store.run(_settle_in, platform, moving=moving)
        await asyncio.to_thread(ready, store, os.environ)
        ledger = SqlLedger(store.engine)
        async with contextlib.AsyncExitStack() as stack:
            client = await stack.enter_async_context(make_client(ledger))
            guarding = await guarded(store, guard, country=platform.country)
            for notice in guarding.notices(time.time()):
                log.warning("the guard: %s", notice)
            house = House(
                store,
                ledger,
                client,
                platform,
                guarding,
                public_url=os.environ.get(PUBLIC_URL, "").strip().rstrip("/"),
                webhooks_to_private=os.environ.get(TO_PRIVATE, "").strip() == "1",
            )
            # Before anything is dialled: a call must not go out as the service because its agent was not known yet.
            known = await enrolled.take_up(store, client, house.vault)
            if dialling:
                from ringonce.service.dialing.steps import Steps
                from ringonce.service.dialing.worker import Worker  # brings the durable engine: 2 s of import

                steps = Steps(store, client, guarding, house.clock, asyncio.sleep, **options)
                house = dataclasses.replace(house, worker=await stack.enter_async_context(Worker(steps)))
            await stack.enter_async_context(house.deliveries)
            loops = {"enrolled": enrolled.follow(store, client, house.vault, known=known)}
            if platform.login_client_id:
                loops["sweep"] = enrolled.sweep(store, house.enrolling, house.clock)
            for name, loop in loops.items():
                stack.push_async_callback(_ended, asyncio.create_task(loop, name=name))
            yield house
    finally:
        store.close()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _settle_in(db: sa.Connection, platform: Platform, *, moving: bool) -> None:
    """Write down whose calls these are: a call that waits for a sandbox must never reach a person."""
    this = settings.c.name == PLATFORM
    found = db.scalar(sa.select(settings.c.value).where(this))
    value, now = {"api": platform.api, "sandbox": platform.sandbox}, time.time()
    if found is None:
        insert_once(db, settings, name=PLATFORM, value=value, changed_at=now)
        return
    before = msgspec.convert(found, Platform)
    if before.api == platform.api or (before.sandbox and platform.sandbox):
        db.execute(settings.update().where(this).values(value=value, changed_at=now))
        return
    whose = "an embedded sandbox" if before.sandbox else before.api
    waiting = db.scalar(sa.select(sa.func.count()).where(calls.c.state.in_(sorted({*OPEN, State.DRAFT})))) or 0
    if not moving or waiting:
        why = f"{waiting} of them are open and would ring elsewhere" if waiting else "only `ringonce serve` may move it"
        raise ConfigError(
            f"This database has the calls of {whose}",
            why=f"{platform.api} is another platform; {why}",
            fix="give another --database, or the platform that its calls are for",
        )
    # Agents have other ids there.
    db.execute(lines.delete())
    db.execute(agents.delete())
    db.execute(settings.update().where(this).values(value=value, changed_at=now))
