"""A sandbox in a process of its own, whose memory is lost now and then; the record of its calls is not."""

import contextlib
import http.client
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CREATES = {"method": "POST", "path": "/api/v2/conversations/calls*"}
LOSING = frozenset({"drop_before", "drop_after", "create_late", "truncate", "late_status"})
PATIENCE = 120.0


class SandboxProcess:
    """`ringonce sandbox` on a free port, which stays the same from one life to the next."""

    def __init__(self, folder: Path, *, seed: int, agents: int, speed: int = 50, rate_limit: int | None = None) -> None:
        self._options = ["--agents", str(agents), "--speed", str(speed)]
        if rate_limit is not None:
            self._options += ["--rate-limit", str(rate_limit)]
        self._seed = seed
        self._folder = folder
        self._port = 0
        self._lost: list[dict[str, Any]] = []
        self._faults: list[dict[str, Any]] = []
        self._whole = threading.RLock()  # held while its memory is being lost
        self.lives = 0
        self.creates = self.lost_answers = 0
        self.url = ""

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def set_faults(self, faults: list[dict[str, Any]]) -> None:
        """Have these faults and no others, in this life and the next."""
        with self._whole:
            self._faults = faults
            self._ask("DELETE", "/faults")
            for fault in faults:
                self._ask("POST", "/faults", fault)

    def pass_time(self, seconds: float) -> None:
        """Let world time pass: what was to be created late is, and calls end."""
        with self._whole:
            self._ask("POST", "/clock", {"advance": seconds})

    def record(self) -> list[dict[str, Any]]:
        """Give every call that was ever created, in whichever *life*; *forgotten* are those of a former one.

        Each life has a clock of its own: times of two of them say nothing about each other.
        """
        with self._whole:
            these = {"forgotten": False, "life": self.lives}
            return [*self._lost, *(call | these for call in self._ask("GET", "/calls")["calls"])]

    def requests(self) -> list[dict[str, Any]]:
        """Give the requests of this life since they were last counted."""
        with self._whole:
            requests: list[dict[str, Any]] = self._ask("GET", "/requests")["requests"]
            return requests

    def count_requests(self) -> None:
        """Add this life's creates to the figures, and forget its requests. Whoever calls must be at rest."""
        with self._whole:
            for request in self.requests():
                if request["method"] == "POST" and request["path"].startswith(CREATES["path"][:-1]):
                    self.creates += 1
                    self.lost_answers += request["fault"] in LOSING
            self._ask("DELETE", "/requests")

    def die_and_come_back(self) -> None:
        """`kill -9`, and a new life without memory; the record is taken when nothing can be added to it any more."""
        with self._whole:
            # From here on a create does nothing, and what was to come late has come: the record is final. No agent's
            # phone is ringing either: whoever saw one ring would wait 75 s for what becomes of it.
            self._ask("DELETE", "/faults")
            self._ask("POST", "/faults", {**CREATES, "action": "drop_before"})
            self._ask("POST", "/clock", {"advance": 120, "mode": "manual"})
            self._lost = [call | {"forgotten": True} for call in self.record()]
            self.count_requests()
            self._process.kill()
            self._process.communicate()
            self._begin()
            self.set_faults(self._faults)

    def _begin(self) -> None:
        deadline = time.monotonic() + PATIENCE
        seed = str(self._seed * 1000 + self.lives)  # the ids of one life must not come back in another
        command = [sys.executable, "-m", "ringonce.cli", "sandbox", "--json", "--seed", seed, *self._options]
        with (self._folder / "sandbox.log").open("a") as log:
            while True:
                self._process = subprocess.Popen(  # noqa: S603  # our own
                    [*command, "--port", str(self._port)], stdout=subprocess.PIPE, stderr=log, text=True
                )
                assert self._process.stdout is not None
                if first := self._process.stdout.readline():
                    break
                self._process.communicate()
                assert time.monotonic() < deadline, "the sandbox does not come up"
        self.url = json.loads(first)["url"]
        self._port = int(self.url.rpartition(":")[2])
        self.lives += 1

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)) as line:
            data = None if body is None else json.dumps(body)
            line.request(method, f"/_sandbox{path}", data, {"content-type": "application/json"})
            answer = line.getresponse()
            told = answer.read()
        assert answer.status < 400, told
        return json.loads(told) if told else None
