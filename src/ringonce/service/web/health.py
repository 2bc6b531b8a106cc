"""Whether the service can do its work: its database, its identity on the platform, and somebody who dials."""

import dataclasses
from collections.abc import Callable

import msgspec
import sqlalchemy as sa

from ringonce.errors import RingonceError
from ringonce.service.house import House
from ringonce.service.lifesigns import alive
from ringonce.service.store.inserting import insert_once
from ringonce.service.store.tables import settings

KEPT = 30.0
"""Seconds for which what the platform said of our token is believed; a probe must not spend its quota."""
AGAIN = 5.0
PROBED = 5.0
"""Seconds for which it is believed whether the database can be written."""
PROBE = "probe"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is needed."""

    ok: bool
    said: str = ""
    """What is wrong with it."""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Whether all that is needed is there."""

    ready: bool
    database: Part
    platform: Part
    worker: Part


@dataclasses.dataclass
class Health:
    """What is known of the parts. *clock* gives seconds."""

    house: House
    clock: Callable[[], float]
    draining: bool = False
    _platform: Part = dataclasses.field(default_factory=lambda: Part(ok=False, said="not asked yet"))
    _asked_at: float = float("-inf")
    _written: Part = dataclasses.field(default_factory=lambda: Part(ok=False, said="not tried yet"))
    _written_at: float = float("-inf")

    async def ready(self) -> Ready:
        """Look at every part."""
        database, worker = await self._database()
        platform = await self._identity()
        if self.draining:
            worker = Part(ok=False, said="this process is ending")
        ready = database.ok and platform.ok and worker.ok
        return Ready(ready=ready, database=database, platform=platform, worker=worker)

    async def _database(self) -> tuple[Part, Part]:
        try:
            working = await self.house.store.look(_working, self.house.clock())
            await self._probe()
        except RingonceError as down:
            return Part(ok=False, said=str(down)), Part(ok=False, said="not known while the database is away")
        if not self._written.ok:
            return self._written, Part(ok=False, said="it can't dial while the database can't be written")
        own = self.house.worker
        if own is not None and not own.answered:
            return Part(ok=True), Part(ok=False, said="the database failed it, and it tries again in a moment")
        if own is not None and not own.healthy:
            return Part(ok=True), Part(ok=False, said="its rights on the platform are in doubt, so it pauses")
        if own is None and not working:
            return Part(ok=True), Part(ok=False, said="none gives a sign of life: start one with `ringonce worker`")
        return Part(ok=True), Part(ok=True)

    async def _probe(self) -> None:
        """Write, for a disk that is full can be read all the same."""
        if self.clock() < self._written_at + PROBED:
            return
        try:
            await self.house.store.run_urgently(_touch)
        except RingonceError as down:
            self._written = Part(ok=False, said=str(down))
        else:
            self._written = Part(ok=True)
        self._written_at = self.clock()

    async def _identity(self) -> Part:
        if self.clock() < self._asked_at + (KEPT if self._platform.ok else AGAIN):
            return self._platform
        try:
            await self.house.client.whoami()
        except RingonceError as wrong:
            self._platform = Part(ok=False, said=str(wrong))
        else:
            self._platform = Part(ok=True)
        self._asked_at = self.clock()
        return self._platform


def _working(db: sa.Connection, now: float) -> int:
    return db.scalar(sa.select(sa.func.count()).where(alive(now))) or 0


def _touch(db: sa.Connection) -> None:
    insert_once(db, settings, name=PROBE, value={}, changed_at=0.0)
    db.execute(settings.delete().where(settings.c.name == PROBE))
