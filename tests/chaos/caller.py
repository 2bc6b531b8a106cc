"""A program of a library's user: it asks for many calls, and says on stdout what became of each.

`python caller.py JOB` reads a JSON file: `url`, `ledger` (a path), `wanted` (a list of `intent`, `agent`, `to`), and
optionally `at_once`, `timeout`, `settle`, `ahead` (seconds by which its clock is ahead), `naps` (it stops itself right
after it has armed a row) and `stops_after` (it stops itself after so many answers).
"""

import asyncio
import itertools
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from ringonce import (
    AsyncClient,
    ClientCredentials,
    LedgerError,
    NoAnswer,
    OutcomeUnknown,
    RateLimited,
    Refused,
    TooLate,
    Unreachable,
)
from ringonce.ledger import Row, RowState
from ringonce.ledger.sqlite import SqliteLedger

MOST_REFUSALS = 100
"""Refusals without a row; then something else is wrong."""


class Napping(SqliteLedger):
    """Its process is stopped between the row that is on disk and the request that is to follow."""

    def arm(self, row: Row) -> Row | None:
        there = super().arm(row)
        if there is None:
            os.kill(os.getpid(), signal.SIGSTOP)
        return there


async def ask(
    genesys: AsyncClient, ledger: SqliteLedger, url: str, one: dict[str, Any], within: float
) -> dict[str, Any]:
    """Ask for one call until there is an answer that stands."""
    refusals = 0
    while True:
        told: dict[str, Any] = {"intent": one["intent"]}
        try:
            placed = await genesys.place_call(**one, timeout=within)
        except OutcomeUnknown:
            told["became"] = "unknown"
        except (Unreachable, RateLimited, TooLate, NoAnswer):
            await asyncio.sleep(0.05)
            continue
        except LedgerError as broken:
            told |= {"became": "ledger", "why": f"{broken.what}: {broken.why}", "fix": broken.fix}
        except Refused as refused:
            row = await asyncio.to_thread(ledger.look, url, one["intent"])
            if row is None or row.state is not RowState.REFUSED:
                # Given up by another process before it was sent, or refused before anything was written down.
                refusals += 1
                if refusals > MOST_REFUSALS:
                    raise
                await asyncio.sleep(0.05)
                continue
            told |= {"became": "refused", "why": str(refused)}
        else:
            told |= {"became": "placed", "conversation_id": placed.conversation_id, "adopted": placed.adopted}
        return told


async def main(job: dict[str, Any]) -> None:
    """Ask for everything that is wanted, some at once."""
    ledger = (Napping if job.get("naps") else SqliteLedger)(job["ledger"])
    auth = ClientCredentials("your_client_id", "your_client_secret")
    async with AsyncClient(base_url=job["url"], auth=auth, ledger=ledger, settle=job.get("settle", 1.0)) as genesys:
        wanted = iter(job["wanted"])
        answers = itertools.count(1)

        async def lane() -> None:
            for one in wanted:
                told = await ask(genesys, ledger, job["url"], one, job.get("timeout", 2.0))
                print(json.dumps(told), flush=True)  # noqa: T201
                if next(answers) == job.get("stops_after"):
                    os.kill(os.getpid(), signal.SIGSTOP)

        await asyncio.gather(*(lane() for _ in range(job.get("at_once", 16))))
    ledger.close()


if __name__ == "__main__":
    asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    if ahead := asked.get("ahead", 0):
        now = time.time
        time.time = lambda: now() + ahead
    asyncio.run(main(asked))
