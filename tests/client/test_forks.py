"""A process that forks after it used a client: the child says what to do, and leaves the parent's connections alone."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringonce.sandbox import Sandbox

AN_ASYNC_CLIENT = """
import asyncio, os
from ringonce import AsyncClient
loop = asyncio.new_event_loop()
genesys = AsyncClient(base_url={url!r})

def place(intent):
    placed = loop.run_until_complete(genesys.place_call(agent="ada@example.com", to="+15559876543", intent=intent))
    return placed.conversation_id

place("warm")
child = os.fork()
if child == 0:
    try:
        place("child")
    except RuntimeError as error:
        print(error, flush=True)
    loop.run_until_complete(genesys.aclose())
    os._exit(0)
os.waitpid(child, 0)
place("parent")
loop.run_until_complete(genesys.aclose())
loop.close()
"""

A_CLIENT = """
import os, sys, time
from ringonce import Client
from ringonce.client import blocking
blocking.CLOSING = 300  # so that a child that waits for the parent's thread is told from a slow machine
genesys = Client(base_url={url!r})
genesys.place_call(agent="ada@example.com", to="+15559876543")
child = os.fork()
if child == 0:
    sys.exit(0)
began = time.monotonic()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), time.monotonic() - began < 60)
genesys.close()
"""

A_LEDGER = """
import os
from ringonce.errors import LedgerError
from ringonce.ledger.sqlite import SqliteLedger
ledger = SqliteLedger({path!r})
child = os.fork()
if child == 0:
    try:
        ledger.look("https://api.mypurecloud.de", "crm-4711")
    except LedgerError as error:
        print(error, flush=True)
    os._exit(0)
os.waitpid(child, 0)
ledger.look("https://api.mypurecloud.de", "crm-4711")
ledger.close()
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, speed=50) as running:
        yield running


def output(program: str) -> str:
    done = subprocess.run(  # noqa: S603  our own interpreter and program
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_an_async_client_that_was_used_before_the_fork_does_not_work_in_the_child_and_goes_on_in_the_parent(
    sandbox: Sandbox,
) -> None:
    assert "make one after the fork" in output(AN_ASYNC_CLIENT.format(url=sandbox.url))
    assert len(sandbox.calls()) == 2


def test_a_forked_child_that_does_not_use_the_client_ends_at_once_and_without_a_word(sandbox: Sandbox) -> None:
    assert output(A_CLIENT.format(url=sandbox.url)) == "0 True\n"


def test_a_ledger_that_was_opened_before_the_fork_is_not_used_by_the_child(tmp_path: Path) -> None:
    assert "open it after the fork" in output(A_LEDGER.format(path=str(tmp_path / "ledger.sqlite3")))
