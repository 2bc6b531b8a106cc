"""Two processes place calls with one token at the real limit, for some minutes: what they use of it, and every 429.

python bench/two_processes.py [--minutes 5] [--processes 2] [--json FILE]

The sandbox is a process of its own with its real limit (300 requests a minute and token) on the real clock, so this
takes as long as it says. Both processes always have more calls to place than they may, and share a ledger in a file.
What was used is counted from the sandbox's record of requests, not from what the client says of itself.
"""

import argparse
import asyncio
import base64
import json
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

from ringonce import AccessToken, AsyncClient, RateLimited, SqliteLedger

AT_ONCE = 64
"""Calls that each process has on their way or waiting."""
ALLOWED = 300


def main() -> int:
    """Run the sandbox and the processes, and print what came of it."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--minutes", type=float, default=5.0)
    asked.add_argument("--processes", type=int, default=2)
    asked.add_argument("--json", type=Path)
    asked.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    options = asked.parse_args()
    if options.worker:
        url, token, ledger, seconds = options.worker
        print(json.dumps(asyncio.run(place(url, token, Path(ledger), float(seconds)))))
        return 0
    command = [sys.executable, "-m", "ringonce.cli", "sandbox", "--port", "0", "--agents", "200", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as sandbox:
        try:
            url = json.loads(sandbox.stdout.readline())["url"] if sandbox.stdout else ""
            result = measure(url, options.minutes, options.processes)
        finally:
            sandbox.terminate()
    print(json.dumps(result, indent=2))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if result["refused_by_429"] == 0 and result["share_of_the_limit"] >= 0.97 else 1


def measure(url: str, minutes: float, processes: int) -> dict[str, Any]:
    """Let the processes place calls, and count at the sandbox."""
    token = ask(f"{url}/oauth/token", grant_type="client_credentials")["access_token"]
    seconds = minutes * 60
    with tempfile.TemporaryDirectory() as folder:
        worker = [sys.executable, __file__, "--worker", url, token, f"{folder}/ledger.sqlite3", str(seconds)]
        running = [subprocess.Popen(worker, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
        told = [json.loads(one.communicate()[0]) for one in running]
    # The record's clock is the sandbox's, which runs with ours.
    record = [one for one in ask(f"{url}/_sandbox/requests")["requests"] if one["path"].startswith("/api/v2/")]
    begins = record[0]["at"]
    seen = [one for one in record if moment(one["at"]) - moment(begins) < seconds]
    admitted = sum(one["status"] != 429 for one in seen)
    return {
        "minutes": minutes,
        "processes": processes,
        "allowed_a_minute": ALLOWED,
        "requests_let_in": admitted,
        "share_of_the_limit": round(admitted / (ALLOWED * minutes), 4),
        "refused_by_429": sum(one["status"] == 429 for one in record),
        "calls_placed": [one["placed"] for one in told],
        "calls_turned_away": sum(one["turned_away"] for one in told),
        "cpu_seconds": [one["cpu"] for one in told],
    }


async def place(url: str, token: str, ledger: Path, seconds: float) -> dict[str, Any]:
    """Place calls for *seconds*, always more than the quota allows."""
    ends = time.time() + seconds
    counts = {"placed": 0, "turned_away": 0}
    async with AsyncClient(base_url=url, auth=AccessToken(token), ledger=SqliteLedger(ledger)) as genesys:

        async def placing(number: int) -> None:
            agent = f"agent-{number % 200 + 1:05}@example.com"
            while (left := ends - time.time()) > 0:
                try:
                    await genesys.place_call(agent=agent, to="+15559870002", timeout=left)
                except RateLimited:
                    counts["turned_away"] += 1
                    return
                counts["placed"] += 1

        await asyncio.gather(*(placing(number) for number in range(AT_ONCE)))
    return {**counts, "cpu": round(time.process_time(), 2)}


def ask(url: str, **form: str) -> Any:
    """Give the JSON at *url*; a form is sent as the sandbox's public client."""
    request = urllib.request.Request(url, urllib.parse.urlencode(form).encode() or None)
    if form:
        client = base64.b64encode(b"your_client_id:your_client_secret").decode()
        request.add_header("authorization", f"Basic {client}")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def moment(at: str) -> float:
    """Give a time of the sandbox's record in seconds."""
    return datetime.fromisoformat(at).timestamp()


if __name__ == "__main__":
    sys.exit(main())
