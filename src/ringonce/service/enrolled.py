"""What goes on while agents are enrolled: clients that call as them, and what enrolments leave behind swept away."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from ringonce.client import AsyncClient
from ringonce.errors import RingonceError
from ringonce.service.enrolling import Enrolling, changes, leftovers, pool
from ringonce.service.store import Store
from ringonce.service.vault import Vault, VaultSafe

log = logging.getLogger("ringonce.service")
LOOK_AGAIN, SWEEP_AGAIN = 5.0, 600.0
"""Seconds between two looks at who is enrolled, and between two sweeps."""
OpenVault = Callable[[], Awaitable[Vault]]
Sleep = Callable[[float], Awaitable[None]]


async def take_up(store: Store, client: AsyncClient, vault: OpenVault, known: int = 0) -> int:
    """Have *client* call as whoever is enrolled, if that has changed since *known*; give the number to ask with next.

    *vault* opens the vault, if there is somebody. Raise `VaultLocked` if it can't, and what a store raises.
    """
    number = await store.look(changes)
    if number != known:
        grants = await store.look(pool)
        client.use_agents(grants, VaultSafe(store, await vault()) if grants else None)
    return number


async def follow(
    store: Store, client: AsyncClient, vault: OpenVault, sleep: Sleep = asyncio.sleep, known: int = 0
) -> None:
    """Take up whoever is enrolled, for ever; the client hears of changes within some seconds."""
    while True:
        try:
            known = await take_up(store, client, vault, known)
        except RingonceError as down:
            log.warning("who is enrolled can't be read now: %s", down)
        await sleep(LOOK_AGAIN)


async def sweep(
    store: Store,
    enrolling: Callable[[], Awaitable[Enrolling]],
    clock: Callable[[], float] = time.time,
    sleep: Sleep = asyncio.sleep,
) -> None:
    """Withdraw what enrolments left behind, for ever. *enrolling* is made only if there is something."""
    while True:
        try:
            if await store.look(leftovers, clock()):
                await (await enrolling()).sweep()
        except RingonceError as down:
            log.warning("what enrolments left can't be swept now: %s", down)
        await sleep(SWEEP_AGAIN)
