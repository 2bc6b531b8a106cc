"""Processes that want the same thing at once, or sleep through their deadline."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from chaos.crew import Crew, until_stopped
from chaos.judge import Wanted, Wrong
from chaos.sandboxes import SandboxProcess
from chaos.storm import rows_of
from ringonce.ledger import RowState

Made = Callable[[list[Wanted]], list[dict[str, Any]]]


def sleep_past_deadline(ledger: Path, one: Wanted) -> None:
    deadline = rows_of(ledger)[one.intent].deadline
    while time.time() <= deadline:
        time.sleep(0.02)


def creates(sandbox: SandboxProcess) -> list[str]:
    paths = (one["path"] for one in sandbox.requests() if one["method"] == "POST")
    return [path for path in paths if path.startswith("/api/v2/conversations/calls")]


def test_three_processes_that_race_for_the_same_keys_are_one_call_each(
    crew: Crew, wants: Callable[[int], list[Wanted]], judge: Callable[[list[Wanted]], list[Wrong]]
) -> None:
    wanted = wants(40)
    racers = [crew.program(wanted, settle=20) for _ in "123"]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda racer: crew.hear_out(racer, {one.intent: one for one in wanted}), racers))

    assert judge(wanted) == []
    assert {len(answers) for answers in crew.told.values()} == {3}
    assert {answer["became"] for answers in crew.told.values() for answer in answers} == {"placed"}


def test_a_process_that_is_stopped_past_its_deadline_sends_nothing_when_it_wakes(
    crew: Crew,
    sandbox: SandboxProcess,
    ledger: Path,
    wants: Callable[[int], list[Wanted]],
    judge: Callable[[list[Wanted]], list[Wrong]],
) -> None:
    sandbox.set_faults([])
    [one] = wanted = wants(1)
    process = crew.program(wanted, naps=True, timeout=0.3)
    until_stopped(process)
    sleep_past_deadline(ledger, one)

    process.send_signal(signal.SIGCONT)
    until_stopped(process)  # it has given the first attempt up, and written down a second
    assert creates(sandbox) == []

    process.send_signal(signal.SIGCONT)
    while (row := rows_of(ledger).get(one.intent)) is None or row.state is RowState.ARMED:
        # On a slow machine the second attempt may be late as well, and a third begins.
        if os.waitpid(process.pid, os.WUNTRACED | os.WNOHANG)[1]:
            process.send_signal(signal.SIGCONT)
    crew.hear_out(process, {one.intent: one})
    assert judge(wanted) == []


def test_whoever_waits_for_a_process_that_sleeps_gives_up_and_neither_sends(
    crew: Crew, sandbox: SandboxProcess, ledger: Path, wants: Callable[[int], list[Wanted]], made: Made
) -> None:
    [one] = wanted = wants(1)
    sleeper = crew.program(wanted, naps=True, timeout=0.3)
    until_stopped(sleeper)

    crew.hear_out(crew.program(wanted, timeout=0.3, settle=0.1), {one.intent: one})
    sleep_past_deadline(ledger, one)
    sleeper.send_signal(signal.SIGCONT)
    crew.hear_out(sleeper, {one.intent: one})

    assert [answer["became"] for answer in crew.told[one.intent]] == ["unknown", "unknown"]
    assert creates(sandbox) == []
    assert made(wanted) == []
