"""Taking a file in: its rows are staged as a draft while it comes, and become a batch once it is whole and sound."""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ringonce.errors import IntentConflict, InvalidInput
from ringonce.ledger.sql import SqlLedger
from ringonce.service import audit, feed
from ringonce.service.batches.reading import Fault, FileRefused, Reader, Row
from ringonce.service.batches.wording import Worded, Wording
from ringonce.service.calls import State
from ringonce.service.calls.accepting import fingerprint, new_id
from ringonce.service.calls.batch import Batch, BatchSettings, BatchState, by_key, checked, get
from ringonce.service.dialing import batched, retrying
from ringonce.service.store import Store
from ringonce.service.store.tables import batches, calls, pools

PIECE = 128 * 1024
"""Bytes that are read and staged at once."""
ROWS_AT_ONCE = 500
"""Rows in one statement: SQLite takes no more than some thousand values."""
FAULTS_TOLD = 100
LONGEST_KEY = 100
"""Characters of a batch's key: rows get theirs from it."""
STALLED = 5.0
"""Seconds without news after which a draft gives way to another upload under its key."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What comes with a file."""

    key: str
    """The batch's own: the same file under it is the same batch."""
    by: str
    """The API token's id."""
    name: str = ""
    settings: BatchSettings = BatchSettings()
    country: str = "US"
    """Of numbers without a country code."""
    dry_run: bool = False
    """Only look: a batch that is sound stays a draft, which whoever asked looks at and discards."""
    may_call_for: Callable[[str], bool] = lambda _: True
    clock: Callable[[], float] = time.time


class Taken(msgspec.Struct, frozen=True):
    """A batch, and whether it was there already."""

    batch: Batch
    replayed: bool


async def take(store: Store, pieces: AsyncIterator[bytes], order: Order) -> Taken:
    """Take a file in; give its batch, which is ready, or invalid with a report of what is wrong where.

    The memory it takes does not grow with the file. Raise `IntentConflict` if another file has the key or is being
    taken in under it, `InvalidInput` for settings that can't be kept. An upload that breaks off leaves nothing.
    """
    _check(order)
    there = await store.look(by_key, order.key)
    while there is not None and there.state in {BatchState.DRAFT, BatchState.INVALID}:
        if there.state is BatchState.DRAFT and there.changed_at > order.clock() - STALLED:
            raise IntentConflict(
                f"The key {order.key!r} is being used", why="a file is being taken in under it", fix="wait for that one"
            )
        if await store.run(batched.discard, there.id):
            there = await store.look(by_key, order.key)
    if there is not None:
        return Taken(await _same(pieces, order, there), replayed=True)
    intake = _Intake(store, order)
    await intake.begin()
    try:
        return Taken(await intake.take(pieces), replayed=False)
    except BaseException:
        # What can't be taken away now, because the process ends or the database is down, is swept later.
        await asyncio.shield(asyncio.ensure_future(intake.forget()))
        raise


def _check(order: Order) -> None:
    checked(order.settings)
    retrying.checked(order.settings.retry)
    if not order.key or len(order.key) > LONGEST_KEY or not (order.key.isascii() and order.key.isprintable()):
        raise InvalidInput(
            "The batch's key can't be used",
            why=f"it is empty, longer than {LONGEST_KEY} characters, or not printable ASCII",
            fix="give a short one, such as its file's name and day",
        )


async def _same(pieces: AsyncIterator[bytes], order: Order, there: Batch) -> Batch:
    """Read the file for its digest alone; give the batch that has it already, or raise that it is another one."""
    digest = _digest(order)
    async for piece in pieces:
        digest.update(piece)
    if digest.hexdigest() != there.digest:
        raise IntentConflict(
            f"The key {order.key!r} stands for another file, or for other settings",
            why=f"it is the key of batch {there.id}",
            fix="give this file a key of its own",
        )
    return there


def _digest(order: Order) -> "hashlib._Hash":
    return hashlib.sha256(msgspec.json.encode(order.settings, order="sorted") + b"\n")


class _Intake:
    def __init__(self, store: Store, order: Order) -> None:
        now = order.clock()
        self._store, self._order = store, order
        self.id = new_id("batch", now)
        self._reader = Reader(needed=("to",) if order.settings.agents else ("agent", "to"))
        self._wording = Wording(order.settings, order.key, now, order.country, order.may_call_for)
        self._mark = SqlLedger(store.engine).mark
        self._digest = _digest(order)
        self._faults: list[Fault] = []
        self._faulty, self._rows = 0, 0
        self._columns: Counter[str] = Counter()
        self._broken: FileRefused | None = None

    async def begin(self) -> None:
        await self._store.run(self._begin)

    async def take(self, pieces: AsyncIterator[bytes]) -> Batch:
        waiting = bytearray()
        try:
            async for piece in pieces:
                self._digest.update(piece)
                waiting += piece
                while len(waiting) >= PIECE:
                    await self._chew(bytes(waiting[:PIECE]))
                    del waiting[:PIECE]
            await self._chew(bytes(waiting))
            await self._stage(await asyncio.to_thread(lambda: self._sorted(self._reader.close())))
        except FileRefused as broken:
            self._broken = broken
        return await self._end()

    async def forget(self) -> None:
        while not await self._store.run(batched.discard, self.id):
            pass

    async def _chew(self, piece: bytes) -> None:
        worded = await asyncio.to_thread(lambda: self._sorted(self._reader.feed(piece)))
        await self._stage(worded)

    def _sorted(self, found: Any) -> list[Worded]:
        """Word the rows, and set the faults aside."""
        good = []
        for one in found:
            worded = self._wording.word(one) if isinstance(one, Row) else one
            if isinstance(worded, Fault):
                self._note(worded)
            else:
                good.append(worded)
        return good

    def _note(self, fault: Fault) -> None:
        self._faulty += 1
        self._columns[fault.column] += 1
        if len(self._faults) < FAULTS_TOLD:
            self._faults.append(fault)

    @property
    def _lost(self) -> bool:
        """Whether nothing of the file will be taken; the rest is read, and its keys compared, for the report."""
        return bool(self._faulty) and not self._order.settings.skip_bad

    async def _stage(self, worded: Sequence[Worded]) -> None:
        for start in range(0, len(worded), ROWS_AT_ONCE):
            rows, faults = await self._store.run(self._insert, worded[start : start + ROWS_AT_ONCE])
            self._rows += rows
            for fault in faults:
                self._note(fault)

    def _begin(self, db: sa.Connection) -> None:
        order, now = self._order, self._order.clock()
        gap = 60.0 / order.settings.pace if order.settings.pace else 0.0
        row: dict[str, Any] = {
            "id": self.id,
            "key": order.key,
            "digest": "",
            "name": order.name,
            "state": str(BatchState.DRAFT),
        }
        row |= {"settings": msgspec.to_builtins(order.settings), "rows": 0, "report": {}, "created_by": order.by}
        try:
            with db.begin_nested():
                db.execute(batches.insert().values(**row, gap=gap, paced_at=0.0, created_at=now, changed_at=now))
        except sa.exc.IntegrityError:
            raise IntentConflict(
                f"The key {order.key!r} is being used", why="a file is being taken in under it", fix="wait for that one"
            ) from None
        pool = sorted({name.strip().casefold() for name in order.settings.agents})
        if pool:
            db.execute(
                pools.insert(), [{"batch_id": self.id, "name": name, "agent_id": "", "why": ""} for name in pool]
            )

    def _insert(self, db: sa.Connection, worded: Sequence[Worded]) -> tuple[int, list[Fault]]:
        now = self._order.clock()
        mine = (batches.c.id == self.id, batches.c.state == BatchState.DRAFT)
        if db.execute(batches.update().where(*mine).values(changed_at=now)).rowcount != 1:
            raise IntentConflict(
                "The upload was given up", why="it stalled, and another one took its key", fix="send the file once more"
            )
        query = sa.select(calls.c.key, calls.c.batch_id, calls.c.row, calls.c.state)
        used = {row.key: row for row in db.execute(query.where(calls.c.key.in_([one.key for one in worded])))}
        faults: list[Fault] = []
        rows: dict[str, dict[str, Any]] = {}
        for one in worded:
            if one.key in rows:
                faults.append(_twice(one, f"row {rows[one.key]['row']} of this file has it"))
            elif (found := used.get(one.key)) is not None:
                where = f"row {found.row} of " + ("this file" if found.batch_id == self.id else str(found.batch_id))
                whose = where if found.batch_id else f"a call that is {found.state}"
                faults.append(_twice(one, f"{whose} has it"))
            else:
                rows[one.key] = self._row(one, now)
        if rows:
            db.execute(calls.insert(), list(rows.values()))
        return len(rows), faults

    def _row(self, one: Worded, now: float) -> dict[str, Any]:
        ask = one.ask
        return {
            "id": new_id("call", now),
            "key": one.key,
            "fingerprint": fingerprint(ask, one.number),
            "created_by": self._order.by,
            "created_at": now,
            "batch_id": self.id,
            "row": one.row,
            "agent": ask.agent,
            "agent_id": "",
            "number": one.number,
            "mark": self._mark(one.number),
            "zone": ask.zone,
            "asked": msgspec.to_builtins(ask),
            "priority": ask.priority,
            "not_before": ask.not_before,
            "expires_at": ask.expires_at,
            "state": str(State.DRAFT),
            # In the file's order, where nothing else decides.
            "due_at": max(now, ask.not_before) if ask.not_before > now else self._wording.now + one.row * 1e-6,
            "why": {"for": "batch"},
            "attempt": 1,
            "conversation_id": "",
            "progress": "",
            "outcome": "",
            "told": {},
            "placed_at": None,
            "ended_at": None,
            "changed_at": now,
        }

    async def _end(self) -> Batch:
        if not (self._rows or self._faulty or self._broken):
            fix = "give a row for each call"
            self._broken = FileRefused("The file has no calls", why="it has no row below its header", fix=fix)
        if self._broken or self._lost or not self._rows:
            self._rows = 0
            while not await self._store.run(batched.discard, self.id, keep=True):
                pass
            return await self._store.run(self._settle, BatchState.INVALID)
        return await self._store.run(self._settle, BatchState.DRAFT if self._order.dry_run else BatchState.READY)

    def _settle(self, db: sa.Connection, state: BatchState) -> Batch:
        now = self._order.clock()
        became = {"state": str(state), "rows": self._rows, "report": self._report(), "digest": self._digest.hexdigest()}
        mine = (batches.c.id == self.id, batches.c.state == BatchState.DRAFT)
        done = db.execute(batches.update().where(*mine).values(changed_at=now, **became)).rowcount
        batch = get(db, self.id)
        if done != 1 or batch is None:
            raise IntentConflict(
                "The upload was given up", why="it stalled for too long", fix="send the file once more"
            )
        if self._order.dry_run:
            return batch
        audit.note(
            db, self._order.by, f"batch.{state}", self.id, now=now, key=batch.key, name=batch.name, rows=batch.rows
        )
        feed.tell(db, "batch.changed", self.id, batch.shown(), now=now)
        return batch

    def _report(self) -> dict[str, Any]:
        faults = [msgspec.to_builtins(fault) for fault in sorted(self._faults, key=lambda fault: fault.row)]
        if self._broken:
            broken = self._broken
            whole = {"row": broken.row, "column": "", "what": broken.what, "why": broken.why, "fix": broken.fix}
            faults = [whole, *faults]
        return {
            "faulty": self._faulty + bool(self._broken),
            "by_column": dict(self._columns),
            "faults": faults[:FAULTS_TOLD],
            "read_to_the_end": self._broken is None,
        }


def _twice(one: Worded, why: str) -> Fault:
    fix = "one key is one decision to call: give this row another, or leave it out"
    return Fault(row=one.row, column="key", what=f"The key {one.key!r} is used already", why=why, fix=fix)
