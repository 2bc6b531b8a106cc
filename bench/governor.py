"""What a turn at the quota costs: µs of CPU for each request, by what has to be looked at.

python bench/governor.py [--requests 20000]
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from ringonce import MemoryLedger, SqliteLedger
from ringonce.client.governor import Governor
from ringonce.client.wishes import Lane, Pace, Response
from ringonce.ledger import Ledger

PLATFORM = "https://api.test"


def main() -> None:
    """Print one line for each case."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--requests", type=int, default=20_000)
    requests = asked.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        file = SqliteLedger(Path(folder) / "ledger.sqlite3")
        print(f"no limit told          {asyncio.run(measure(MemoryLedger(), requests, 0)):8.2f} µs a request")
        print(f"limit, in this process {asyncio.run(measure(MemoryLedger(), requests, 10**7)):8.2f} µs a request")
        print(f"limit, shared file     {asyncio.run(measure(file, requests, 10**7)):8.2f} µs a request")
        print(f"the real limit of 300  {asyncio.run(measure(file, 200, 300)):8.2f} µs a request (7 for one look)")
        file.close()


async def measure(ledger: Ledger, requests: int, allowed: int) -> float:
    """Give the CPU time of *requests* turns, answers heeded."""
    turns, token = Governor(PLATFORM, ledger), f"token of {allowed}"
    pace = Pace(Lane.URGENT, token, time.time() + 3600)
    answers = [answer(number, allowed) for number in range(requests + 1)]
    await turns.wait(pace)
    turns.heed(token, time.time(), answers[0])
    began = time.process_time()
    for number in range(1, requests + 1):
        if not turns.at_once(pace):
            await asyncio.wait_for(turns.wait(pace), 120)
        turns.heed(token, time.time(), answers[number])
    spent = time.process_time() - began
    await turns.close()
    return spent / requests * 1e6


def answer(number: int, allowed: int) -> Response:
    """Give an answer as the platform would, in the first second of a window."""
    if not allowed:
        return Response(200, {}, b"")
    told = {"count": number + 1, "allowed": allowed, "reset": 60}
    return Response(200, {f"inin-ratelimit-{name}": str(value) for name, value in told.items()}, b"")


if __name__ == "__main__":
    main()
