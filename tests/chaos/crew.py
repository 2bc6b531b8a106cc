"""Those who call: programs of the library's users and runs of the command line, and what is done to them."""

import collections
import contextlib
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from chaos.judge import Figures, Wanted, Wrong
from chaos.sandboxes import SandboxProcess
from ringonce.ledger import RowState
from ringonce.ledger.sqlite import SqliteLedger

HERE = Path(__file__).parent
PATIENCE = 150.0
"""Seconds after which a process counts as hanging: that is wrong, and it is killed."""
A_MINUTE_LATER = 61.0
"""Past every deadline and settle window: whoever asks then need not wait for those who were killed."""
TRIES = 10
HANG_UP = re.compile(r"hang up with: ringonce hangup (\S+)")
FATES = ("killed", "ended", "interrupted", "napped", "raced", "left alone")
SIGNALS = {"killed": signal.SIGKILL, "ended": signal.SIGTERM, "interrupted": signal.SIGINT, "napped": signal.SIGSTOP}
STOPPED_BY = {130, 143, -signal.SIGINT, -signal.SIGTERM}


class Crew:
    """Callers in processes of their own. All methods may be used by several threads."""

    def __init__(self, folder: Path, ledger: Path, sandbox: SandboxProcess, figures: Figures) -> None:
        self.told: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
        self.story: dict[str, list[str]] = collections.defaultdict(list)
        self.wrong: list[Wrong] = []
        self._folder, self._ledger = folder, ledger
        self._sandbox, self._figures = sandbox, figures
        self._running: list[subprocess.Popen[str]] = []
        self._names = itertools.count()
        self._news = threading.Condition()
        self._began = time.monotonic()
        self._over = False
        self._span = 0.5  # seconds that a `ringonce call` takes here; measured as they come

    def end(self) -> None:
        """Leave nothing running, and start nothing any more."""
        self._over = True
        for process in self._running:
            process.kill()
        for process in self._running:
            with contextlib.suppress(ValueError):  # somebody else has heard it out
                process.communicate()

    def until_told(self, count: int) -> bool:
        """Wait until so many intents were answered; False if that does not come."""
        with self._news:
            return self._news.wait_for(lambda: len(self.told) >= count, PATIENCE)

    # Programs of the library's users.

    def library(self, wanted: list[Wanted], dice: random.Random, kills: int) -> None:
        """Ask for everything by a program that is killed now and then, and started again."""
        left = {one.intent: one for one in wanted}
        for n in range(kills + 1):
            process = self.program(dice.sample(list(left.values()), len(left)))
            patience = dice.randint(1, max(1, len(left) // (kills + 1 - n)))
            pause, nap = dice.uniform(0, 0.05), dice.choice((0.0, dice.uniform(0, 0.2)))
            if n < kills and all(self.hear(process, left) for _ in range(patience)):
                time.sleep(pause)
                if nap:
                    self._stop_for(process, nap, *left)
                self._count("kills")
                process.kill()
                self.note("its program is killed", *left)
            self.hear_out(process, left)
            if not left:
                return

    def library_in_the_calm(self, wanted: list[Wanted]) -> None:
        """Ask for everything a minute later, undisturbed."""
        left = {one.intent: one for one in wanted}
        self.hear_out(self.program(wanted, ahead=A_MINUTE_LATER, settle=20), left)
        self._blame("nobody was told what became of it", *left)

    def program(self, wanted: list[Wanted], **more: Any) -> "subprocess.Popen[str]":
        """Start a program that asks for everything; *more* is for `caller.py`."""
        job = self._folder / f"job{next(self._names)}.json"
        orders = [one.order() for one in wanted]
        job.write_text(json.dumps({"url": self._sandbox.url, "ledger": str(self._ledger), "wanted": orders, **more}))
        return self._start(str(HERE / "caller.py"), str(job))

    def hear_out(self, process: "subprocess.Popen[str]", left: dict[str, Wanted]) -> None:
        """Hear what a program says until it ends; what was answered leaves *left*."""
        with self._bounded(process, *left):
            while self.hear(process, left):
                pass
            words = process.communicate()[1]
        if process.returncode not in {0, -signal.SIGKILL}:
            self._blame(f"its program failed: {words[-2000:]}", *left)

    def hear(self, process: "subprocess.Popen[str]", left: dict[str, Wanted]) -> bool:
        """Hear the next thing that a program says; False if there is none."""
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.endswith("\n"):  # the end, or killed in the middle of a word
            return False
        told = json.loads(line)
        left.pop(told["intent"], None)
        self._hear_of(told)
        return True

    # Runs of the command line.

    def lane(self, wanted: list[Wanted], dice: random.Random) -> None:
        """Ask for one after the other by `ringonce call`, and let something befall most of the runs."""
        for one in wanted:
            fate, moment, nap = dice.choice(FATES), dice.random() * 1.2, dice.uniform(0, 0.5)
            self.run_through(one, fate, moment, nap, again=dice.random() < 0.5)

    def run_through(self, one: Wanted, fate: str, moment: float, nap: float = 0.0, *, again: bool = False) -> None:
        """Run `ringonce call`, and let *fate* befall it at that *moment*, a share of the time that a run takes."""
        runs = [self._call(one) for _ in range(2 if fate == "raced" else 1)]
        sign = SIGNALS.get(fate)
        if sign is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                runs[0].wait(moment * self._span)
            if runs[0].poll() is None:
                self._befall(runs[0], sign, nap, one)
        for run in runs:
            self._hear_run(one, run, alone=len(runs) == 1)
        if again and sign is not signal.SIGKILL:
            self._hear_run(one, self._call(one), alone=True)

    def lane_in_the_calm(self, wanted: list[Wanted]) -> None:
        """Ask for each by `ringonce call` a minute later, until it is settled."""
        for one in wanted:
            if not any(self._hear_run(one, self._call(one, ahead=A_MINUTE_LATER), alone=True) for _ in range(TRIES)):
                self._blame("nobody was told what became of it", one.intent)

    def _call(self, one: Wanted, ahead: float = 0.0) -> "subprocess.Popen[str]":
        line = ["call", "--agent", one.agent, "--to", one.to, "--intent", one.intent, "--until", "placed", "--json"]
        clock = [str(HERE / "later.py"), str(ahead)] if ahead else ["-m", "ringonce.cli"]
        self.note("ringonce call", one.intent)
        return self._start(*clock, *line)

    def _befall(self, run: "subprocess.Popen[str]", sign: signal.Signals, nap: float, one: Wanted) -> None:
        if sign is signal.SIGSTOP:
            self._stop_for(run, nap, one.intent)
            return
        self.note(f"its run gets {sign.name}", one.intent)
        self._count("kills" if sign is signal.SIGKILL else "signals")
        run.send_signal(sign)

    def _hear_run(self, one: Wanted, run: "subprocess.Popen[str]", *, alone: bool) -> bool:
        """Hear what a run says and judge its words; True if what it says is settled."""
        began = time.monotonic()
        with self._bounded(run, one.intent):
            told, words = run.communicate()
        code = run.returncode
        self.note(f"its run ends with {code}: {words.strip()!r}", one.intent)
        if code == 0:
            self._span = 0.8 * self._span + 0.2 * (time.monotonic() - began)
        result = json.loads(told.splitlines()[-1]) if told.endswith("\n") else {}
        became = {0: "placed", 5: "unknown"}.get(code, "")
        if code == 3 and self._state(one) is RowState.REFUSED:
            became = "refused"
        if became:
            self._hear_of({"intent": one.intent, "became": became, "conversation_id": result.get("conversation_id")})
        elif code not in {2, 3, 6, -signal.SIGKILL} | STOPPED_BY and not _pythons_own(words):
            self._blame(f"a run ended with {code}: {words[-2000:]}", one.intent)
        if alone and code != -signal.SIGKILL:
            self._judge_words(one, code, told, words)
        return bool(became)

    def _judge_words(self, one: Wanted, code: int, told: str, words: str) -> None:
        made = [call["conversationId"] for call in self._sandbox.record() if call["to"].endswith(one.to)]
        if "Traceback" in words and not _pythons_own(words):
            self._blame(f"a run ended with a traceback: {words[-2000:]}", one.intent)
        if made and ("nothing was sent" in words or code in {2, 3, 6}):
            self._blame(f"a run that ended with {code} said {words!r}, and there is a call", one.intent)
        if (said := HANG_UP.search(words)) and made != [said[1]]:
            self._blame(f"a run spoke of the call {said[1]}, in truth {made}", one.intent)
        if made and code in STOPPED_BY and not words and '"placed"' not in told:
            self._blame("a run ended without a word, and there is a call", one.intent)

    def _state(self, one: Wanted) -> RowState | None:
        with contextlib.closing(SqliteLedger(self._ledger)) as ledger:
            row = ledger.look(self._sandbox.url, one.intent)
        return row.state if row else None

    # What all of them share.

    def _start(self, *line: str) -> "subprocess.Popen[str]":
        assert not self._over
        # Nobody's settings but ours; the path is how a program finds ours where it is not installed.
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("GENESYSCLOUD_", "RINGONCE_"))
        }
        environ = kept | {"RINGONCE_BASE_URL": self._sandbox.url, "RINGONCE_STATE_DIR": str(self._ledger.parent)}
        process = subprocess.Popen(  # noqa: S603  # our own
            [sys.executable, *line], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._running.append(process)
        return process

    def _stop_for(self, process: "subprocess.Popen[str]", seconds: float, *intents: str) -> None:
        self.note(f"its process is stopped for {seconds:.2f} s", *intents)
        self._count("stops")
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def _bounded(self, process: "subprocess.Popen[str]", *intents: str) -> Any:
        def hangs() -> None:
            self._blame("its process hangs", *intents)
            process.kill()

        alarm = threading.Timer(PATIENCE, hangs)
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()

    def _hear_of(self, told: dict[str, Any]) -> None:
        with self._news:
            self.told[told["intent"]].append(told)
            self._news.notify_all()
        self.note(f"told: {told}", told["intent"])

    def note(self, what: str, *intents: str) -> None:
        """Write something into the story of intents."""
        for intent in intents:
            self.story[intent].append(f"{time.monotonic() - self._began:7.3f} {what}")

    def _blame(self, what: str, *intents: str) -> None:
        self.wrong += [Wrong(intent, what) for intent in intents]

    def _count(self, name: str) -> None:
        with self._news:
            setattr(self._figures, name, getattr(self._figures, name) + 1)


def _pythons_own(words: str) -> bool:
    """Say whether a Ctrl-C came while Python itself was starting: that is Python's to tell."""
    return words.rstrip().endswith("KeyboardInterrupt") and "in main" not in words


def until_stopped(process: "subprocess.Popen[str]") -> None:
    """Wait until a process stands still that stops itself."""
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), f"it ended with {os.waitstatus_to_exitcode(status)}"
