"""Taking a list in as it streams: its numbers are staged beside those that hold, which are replaced in one moment."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec

from ringonce.errors import RingonceError
from ringonce.service.batches.reading import Fault, FileRefused
from ringonce.service.donotcall import keeping
from ringonce.service.donotcall.keeping import Kept
from ringonce.service.donotcall.reading import Reader
from ringonce.service.store import Store

PIECE = 128 * 1024
AT_ONCE = 500
"""Numbers in one transaction."""
FAULTS_TOLD = 100


class Faulty(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a file of which nothing was taken."""

    faulty: int
    faults: list[Fault]
    """The first of them."""
    read_to_the_end: bool


async def take(
    store: Store,
    pieces: AsyncIterator[bytes],
    reader: Reader,
    taken: keeping.Taken,
    *,
    mark: Callable[[str], str],
    by: str,
    clock: Callable[[], float],
    may_be_empty: bool = False,
) -> Kept | Faulty:
    """Put the file in the place of the list's numbers, in one moment; or say what is wrong, and leave the list alone.

    A list is taken whole or not at all, since a missing number would ring. An upload that breaks off leaves nothing.
    """
    staging = _Staging(store, reader, keeping.edition(clock()), mark)
    before = await store.look(keeping.edition_of, taken.name)
    leftover = staging.edition
    try:
        if (wrong := await staging.take(pieces, may_be_empty=may_be_empty)) is not None:
            return wrong
        kept = await store.run(keeping.put, staging.edition, staging.numbers, taken, by=by, now=clock())
        leftover = before
        return kept
    finally:
        # What can't be taken away now is swept with the next list.
        await asyncio.shield(asyncio.ensure_future(_swept(store, clock(), leftover)))


async def forget(store: Store, name: str, *, by: str, now: float) -> None:
    """Drop a list, and take its numbers away. Raise `NotFound` if there is none of that name."""
    leftover = await store.look(keeping.edition_of, name)
    await store.run(keeping.drop, name, by=by, now=now)
    await _swept(store, now, leftover)


class _Staging:
    def __init__(self, store: Store, reader: Reader, edition: str, mark: Callable[[str], str]) -> None:
        self._store, self._reader, self._mark = store, reader, mark
        self.edition = edition
        self.numbers = 0
        self._faulty = 0
        self._faults: list[Fault] = []

    async def take(self, pieces: AsyncIterator[bytes], *, may_be_empty: bool) -> Faulty | None:
        waiting = bytearray()
        try:
            async for piece in pieces:
                waiting += piece
                while len(waiting) >= PIECE:
                    await self._chew(self._reader.feed(bytes(waiting[:PIECE])))
                    del waiting[:PIECE]
            await self._chew(self._reader.feed(bytes(waiting)))
            await self._chew(self._reader.close())
        except FileRefused as broken:
            self._note(Fault(row=broken.row, what=broken.what, why=broken.why, fix=broken.fix), first=True)
            return Faulty(faulty=self._faulty, faults=self._faults, read_to_the_end=False)
        if not (self.numbers or self._faulty or may_be_empty):
            fix = "say that it may be (empty=true), or drop the list"
            self._note(Fault(row=0, what="The list is empty", why="it would keep nobody from being called", fix=fix))
        return Faulty(faulty=self._faulty, faults=self._faults, read_to_the_end=True) if self._faulty else None

    async def _chew(self, found: Iterator[str | Fault]) -> None:
        marks = await asyncio.to_thread(self._marks, found)
        if self._faulty:
            return  # nothing of it will be taken; the rest is read for the report
        for start in range(0, len(marks), AT_ONCE):
            some = marks[start : start + AT_ONCE]
            self.numbers += await self._store.run(keeping.stage, self.edition, some)

    def _marks(self, found: Iterator[str | Fault]) -> list[str]:
        marks = []
        for one in found:
            if isinstance(one, Fault):
                self._note(one)
            else:
                marks.append(self._mark(one))
        return marks

    def _note(self, fault: Fault, *, first: bool = False) -> None:
        self._faulty += 1
        if first:
            self._faults = [fault, *self._faults[: FAULTS_TOLD - 1]]
        elif len(self._faults) < FAULTS_TOLD:
            self._faults.append(fault)


async def _swept(store: Store, now: float, leftover: str) -> None:
    try:
        while await store.run(keeping.sweep, now, leftover):
            pass
    except RingonceError:
        return
