"""A ledger that fails while calls are being placed: what can't be written down is not sent, and that is said."""

import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos.crew import Crew, until_stopped
from chaos.judge import Wanted, Wrong

Made = Callable[[list[Wanted]], list[dict[str, Any]]]


def fill_the_disk(pid: int, _ledger: Path) -> Callable[[], None]:
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    return lambda: None


def take_the_file_away(_pid: int, ledger: Path) -> Callable[[], None]:
    gone = ledger.parent.rename(ledger.parent.with_name("gone"))
    return lambda: void(gone.rename(ledger.parent))


def void(_: object) -> None:
    pass


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        pytest.param(
            fill_the_disk,
            "can't be written",
            id="the disk is full",
            marks=pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="no limits for other processes here"),
        ),
        pytest.param(take_the_file_away, "removed or replaced", id="the file is gone"),
    ],
)
def test_from_the_moment_on_at_which_the_ledger_fails_nothing_is_sent(
    crew: Crew,
    ledger: Path,
    wants: Callable[[int], list[Wanted]],
    made: Made,
    judge: Callable[[list[Wanted]], list[Wrong]],
    trouble: Callable[[int, Path], Callable[[], None]],
    words: str,
) -> None:
    wanted = wants(60)
    left = {one.intent: one for one in wanted}
    process = crew.program(wanted, at_once=4, stops_after=10)
    until_stopped(process)

    mend = trouble(process.pid, ledger)
    process.send_signal(signal.SIGCONT)
    crew.hear_out(process, left)
    mend()

    failed = [one for one in wanted if crew.told[one.intent][-1]["became"] == "ledger"]
    assert len(failed) > 40
    assert made(failed) == []
    assert all(words in crew.told[one.intent][-1]["why"] and crew.told[one.intent][-1]["fix"] for one in failed)

    crew.library_in_the_calm(wanted)
    assert judge(wanted) == []
