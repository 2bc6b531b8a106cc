"""Where `ringonce batch` hands its file in: a service that runs, or a worker of its own on the same database."""

import asyncio
import collections.abc
import hashlib
import typing
from pathlib import Path

import msgspec

from ringonce import errors
from ringonce.cli.remote import Doors, problem

if typing.TYPE_CHECKING:
    import aiohttp

    from ringonce.service.calls.batch import BatchSettings
    from ringonce.service.house import House

PIECE = 128 * 1024
Shown = dict[str, typing.Any]


class FaultyFile(errors.InvalidInput):
    """The file has faults, and nothing of it was taken; *report* says which."""

    def __init__(self, what: str, *, report: Shown | None = None, **rest: typing.Any) -> None:
        super().__init__(what, **rest)
        self.report = report or {}


class Place(typing.Protocol):
    """Who dials a file."""

    async def take(self, file: Path, handed: "Handed", *, dry_run: bool) -> Shown:
        """Hand the file in: `{"batch": …, "preview": …}`. Raise `FaultyFile` if it has faults."""

    async def steer(self, batch_id: str, act: str) -> None:
        """Start, pause, resume, … the batch."""

    async def show(self, batch_id: str) -> Shown:
        """Say how it stands."""

    def results(self, batch_id: str) -> collections.abc.AsyncIterator[bytes]:
        """Give its rows and what became of them, as CSV."""


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """What is handed in with a file."""

    key: str
    name: str
    settings: "BatchSettings"


def key_of(file: Path, settings: "BatchSettings") -> str:
    """Make a key out of the file's bytes and its settings: the same ones are the same batch, whenever they come."""
    digest = hashlib.sha256(msgspec.json.encode(settings, order="sorted"))
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            digest.update(piece)
    return f"file-{digest.hexdigest()[:32]}"


async def pieces(file: Path) -> collections.abc.AsyncIterator[bytes]:
    """Read the file, a piece at a time."""
    with file.open("rb") as opened:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece


class Own:
    """A database of this machine, and the worker that runs while this process does."""

    def __init__(self, house: "House") -> None:
        self._house = house

    async def take(self, file: Path, handed: Handed, *, dry_run: bool) -> Shown:
        """Take the file in."""
        from ringonce.service.batches.intake import Order, take
        from ringonce.service.batches.preview import preview
        from ringonce.service.calls.batch import BatchState
        from ringonce.service.dialing import batched

        house, store = self._house, self._house.store
        country = house.platform.country
        order = Order(
            key=handed.key,
            by="command line",
            name=handed.name,
            settings=handed.settings,
            country=country,
            dry_run=dry_run,
        )
        taken = await take(store, pieces(file), order)
        batch = taken.batch
        try:
            if batch.state is BatchState.INVALID:
                raise FaultyFile("The file has faults", why="nothing of it was taken", report=batch.report)
            foreseen = await preview(store, house.guarding, batch.id, house.clock()) if dry_run else None
            return {"batch": await self.show(batch.id), "preview": msgspec.to_builtins(foreseen)}
        finally:
            while dry_run and not taken.replayed and not await store.run(batched.discard, batch.id):
                pass

    async def steer(self, batch_id: str, act: str) -> None:
        """Steer it."""
        from ringonce.service.batches.steering import steer

        await self._house.store.run(steer, batch_id, act, by="command line", now=self._house.clock())

    async def show(self, batch_id: str) -> Shown:
        """Read it."""
        from ringonce.service.batches.steering import found
        from ringonce.service.calls.batch import progress

        batch = await self._house.store.look(found, batch_id)
        shown: Shown = msgspec.to_builtins(batch.shown(await self._house.store.look(progress, batch_id)))
        return shown

    async def results(self, batch_id: str) -> collections.abc.AsyncIterator[bytes]:
        """Read them; whoever may read the file may see its numbers."""
        from ringonce.service.batches import results

        async for piece in results.lines(self._house.store, batch_id, whole_numbers=True):
            yield piece


class Server(Doors):
    """A service that is reached by HTTP."""

    lost = "ask again: the same file is the same batch"

    async def take(self, file: Path, handed: Handed, *, dry_run: bool) -> Shown:
        """Send the file."""
        settings = handed.settings
        query: list[tuple[str, str]] = [("agent", agent) for agent in settings.agents]
        plain = {name: getattr(settings, name) for name in ("caller_id", "caller_name", "queue", "zone", "priority")}
        plain |= {"pace": settings.pace, "not_before": settings.not_before, "name": handed.name}
        plain |= {
            "expires_at": settings.expires_at or "",
            "attempts": settings.retry.attempts,
            "gap": settings.retry.gap,
        }
        query += [(name, str(value)) for name, value in plain.items() if value]
        query += [("retry_after", outcome) for outcome in settings.retry.outcomes]
        query += [(name, "true") for name, on in (("skip_bad", settings.skip_bad), ("dry_run", dry_run)) if on]
        headers = {"Idempotency-Key": handed.key, "Content-Type": "text/csv"}
        path = "/v1/batches"
        return await self.ask("POST", path, params=query, headers=headers, data=pieces(file), timeout=None)

    async def steer(self, batch_id: str, act: str) -> None:
        """Ask for it."""
        await self.ask("POST", f"/v1/batches/{batch_id}/{act}")

    async def show(self, batch_id: str) -> Shown:
        """Ask for it."""
        return await self.ask("GET", f"/v1/batches/{batch_id}")

    async def results(self, batch_id: str) -> collections.abc.AsyncIterator[bytes]:
        """Fetch them."""
        with self.said():
            async with self.session.get(f"{self.url}/v1/batches/{batch_id}/results.csv") as answer:
                await self.check(answer)
                async for piece in answer.content.iter_chunked(PIECE):
                    yield piece

    async def check(self, answer: "aiohttp.ClientResponse") -> None:
        """Raise what an answer refuses with; a report of what is wrong with the file comes along."""
        if answer.status >= 400 and "report" in (said := problem(await answer.read()).said):  # noqa: PLR2004
            raise FaultyFile("The file has faults", why="nothing of it was taken", report=said["report"])
        await super().check(answer)
