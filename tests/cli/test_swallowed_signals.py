"""Signals that come where nobody listens yet, or where Python lets nothing out."""

import asyncio
import json
import signal
import subprocess
import sys

import pytest

from ringonce.cli import NO_RESULT, Ended
from ringonce.cli.errand import Errand
from ringonce.cli.interrupt import Interrupt
from ringonce.cli.menu import menu
from ringonce.cli.telling import NOTHING

CALL = ("call", "--agent", "ada@example.com", "--to", "+15559870000", "--intent", "crm-4711")
IN_A_CALLBACK = """
import os, signal, time, weakref
import ringonce.cli, ringonce.cli.menu

class Thing: pass

def menu(**_):
    thing = Thing()
    _ref = weakref.ref(thing, lambda _: [os.kill(os.getpid(), signal.SIGTERM), *map(str, range(1000))])
    del thing
    time.sleep(20)

ringonce.cli.menu.menu = menu
ringonce.cli.main()
"""


def test_a_signal_that_comes_in_a_callback_ends_the_command_all_the_same() -> None:
    ended = subprocess.run([sys.executable, "-c", IN_A_CALLBACK], capture_output=True, text=True, check=False)  # noqa: S603  # our own

    assert ended.returncode == 128 + signal.SIGTERM
    assert ended.stderr == "error: interrupted\n"


def test_a_ctrl_c_from_before_anybody_listened_leaves_no_work_behind() -> None:
    ends: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(20)
        finally:
            ends.append("cleaned up")

    async def interrupted() -> None:
        with Interrupt(lambda: "") as interrupt:
            racing = asyncio.create_task(interrupt.race(work()))
            await asyncio.sleep(0.01)
            racing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await racing
            assert ends == ["cleaned up"]

    asyncio.run(interrupted())


def test_the_result_of_a_call_that_was_not_begun_has_the_fields_of_every_other() -> None:
    assert json.loads(NO_RESULT) == {"event": "result"} | NOTHING


@pytest.mark.parametrize(
    ("step", "more"),
    [
        ("ringonce.cli.door.settings_of", ()),
        ("ringonce.cli.call.reached", ("--server", "http://127.0.0.1:9")),
    ],
    ids=["the platform", "a service"],
)
def test_a_signal_between_the_order_and_its_errand_is_told_with_the_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: str, more: tuple[str, ...]
) -> None:
    def end(*_: object, **__: object) -> None:
        raise Ended(signal.SIGTERM)

    monkeypatch.setattr(step, end)

    with pytest.raises(SystemExit) as ended:
        menu([*CALL, "--json", *more])

    told, said = capsys.readouterr()
    assert ended.value.code == 128 + signal.SIGTERM
    assert said.endswith("interrupted: nothing was sent by this run\n")
    last = json.loads(told.splitlines()[-1])
    assert (last["event"], last["intent"], last["conversation_id"]) == ("result", "crm-4711", None)


def test_a_signal_after_the_end_was_told_does_not_say_that_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end(errand: Errand, *_: object) -> None:
        errand.begun = True
        raise Ended(signal.SIGTERM)

    monkeypatch.setattr("ringonce.cli.call._place", end)

    with pytest.raises(SystemExit):
        menu([*CALL, "--base-url", "http://127.0.0.1:9"])

    assert capsys.readouterr().err.endswith("interrupted: what became of the call has been told\n")
