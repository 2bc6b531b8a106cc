"""The pytest plugin: found by pytest, free for whoever does not use it, and settled by marker and configuration."""

import os
import re
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
import requests

from ringonce import Client, ClientCredentials
from ringonce.sandbox import Sandbox
from ringonce.testing import reachable

EXAMPLES = Path(__file__).parents[2] / "examples" / "testing"


def run_pytest(folder: Path, *words: str, extra: str = "") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pytest", "-p", "ringonce.testing", "-p", "no:cacheprovider", "-q", *words]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    return subprocess.run(  # noqa: S603  # our own
        command, cwd=folder, env=environ | {"HOME": str(folder)}, capture_output=True, text=True, check=False
    )


def suite(folder: Path, body: str, ini: str = "") -> "subprocess.CompletedProcess[str]":
    (folder / "pytest.ini").write_text(f"[pytest]\naddopts = --strict-markers\n{ini}\n")
    (folder / "test_it.py").write_text(body)
    return run_pytest(folder)


def test_the_examples_pass(tmp_path: Path) -> None:
    for file in EXAMPLES.glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    done = run_pytest(tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout


def test_a_working_day_goes_by_and_every_call_of_it_ends() -> None:
    command = [sys.executable, str(EXAMPLES.parent / "working_day.py"), "--agents", "20", "--hours", "1"]

    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # our own

    assert re.search(r"20 agents, 1 hours: (\d+) calls .*\{'ended': \1\}", done.stdout)


def test_whoever_does_not_use_it_pays_nothing(tmp_path: Path) -> None:
    body = (
        "import sys\n"
        "def test_it():\n"
        "    heavy = {'aiohttp', 'starlette', 'uvicorn', 'msgspec', 'ringonce.sandbox', 'urllib3'}\n"
        "    assert 'ringonce.testing' in sys.modules\n"
        "    assert heavy & set(sys.modules) == set()\n"
    )
    (tmp_path / "test_it.py").write_text(body)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "ringonce.testing", "-q"]

    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)  # noqa: S603

    assert done.returncode == 0, done.stdout


def test_pytest_finds_it_by_itself() -> None:
    from importlib.metadata import entry_points

    assert [each.value for each in entry_points(group="pytest11") if each.name == "ringonce.testing"] == [
        "ringonce.testing"
    ]


def test_the_configuration_settles_every_sandbox_and_a_marker_one(tmp_path: Path) -> None:
    (tmp_path / "org.toml").write_text('[[users]]\nname = "Kim"\nemail = "kim@example.com"\n')
    body = (
        "import pytest\n"
        "def test_all(ringonce_sandbox):\n"
        "    clock = ringonce_sandbox.do(lambda world: (world._seed, len(world.org.users), world.rate_limit))\n"
        "    assert clock == (5, 3, 7)\n"
        "    assert 'hostile.lost_answers' in [each['id'] for each in ringonce_sandbox.faults()]\n"
        "@pytest.mark.ringonce_sandbox(seed=6, org=None, hostile=False, clock='manual')\n"
        "class TestOne:\n"
        "    @pytest.mark.ringonce_sandbox(seed=8)\n"
        "    def test_one(self, ringonce_sandbox_server):\n"
        "        sandbox = ringonce_sandbox_server\n"
        "        assert sandbox.do(lambda world: (world._seed, len(world.org.users) > 3)) == (8, True)\n"
        "        assert sandbox.faults() == []\n"
        "        assert sandbox.url.startswith('http://127.0.0.1:')\n"
    )
    ini = "ringonce_seed = 5\nringonce_org = org.toml\nringonce_agents = 2\nringonce_rate_limit = 7\n"

    done = suite(tmp_path, body, f"{ini}ringonce_hostile = usual\nringonce_speed = 100\n")

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_setting_is_told(tmp_path: Path) -> None:
    marks = {
        "sed=1": "has no sed; did you mean seed?",
        "1": "each by its name",
        "hostile={'lost_answer': 1}": "did you mean lost_answers?",
        "org='gone.toml'": "no such file",
    }
    tests = (
        f"@pytest.mark.ringonce_sandbox({mark})\ndef test_{number}(ringonce_sandbox): pass\n"
        for number, mark in enumerate(marks)
    )

    done = suite(tmp_path, f"import pytest\n{''.join(tests)}")

    assert f"{len(marks)} errors" in done.stdout
    assert [told for told in marks.values() if told not in done.stdout + done.stderr] == []


def test_a_wrong_configuration_is_told(tmp_path: Path) -> None:
    done = suite(tmp_path, "def test_it(ringonce_sandbox): pass\n", "ringonce_speed = quick")

    assert "ringonce_speed = 'quick' is not understood" in done.stdout + done.stderr


def test_ringonce_reaches_a_sandbox_that_has_no_port() -> None:
    with Sandbox(port=None, speed=50) as sandbox, reachable(sandbox):
        auth = ClientCredentials("your_client_id", "your_client_secret")
        with Client(base_url=sandbox.url, auth=auth) as genesys:
            placed = genesys.place_call(agent="ada@example.com", to="+15559870002")
            call = genesys.wait(placed)

    assert call.outcome == "busy"


def test_without_a_port_a_fault_still_breaks_the_connection() -> None:
    with Sandbox(port=None) as sandbox, reachable(sandbox), requests.Session() as session:
        sandbox.fault(action="drop_before", path="/api/v2/*")
        with pytest.raises(requests.ConnectionError):
            session.get(f"{sandbox.url}/api/v2/users/me", timeout=60)


def test_two_sandboxes_are_two_hosts_and_nothing_is_led_there_afterwards() -> None:
    before = aiohttp.TCPConnector._create_connection
    with Sandbox(port=None) as one, Sandbox(port=None) as two, reachable(one), reachable(two):
        address = one.url
        one.fault(action="drop_after")
        told = [len(requests.get(f"{each.url}/_sandbox/faults", timeout=60).json()["faults"]) for each in (one, two)]

    assert told == [1, 0]
    assert aiohttp.TCPConnector._create_connection is before
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{address}/_sandbox/faults", timeout=60)


def test_other_hosts_are_reached_as_ever() -> None:
    with Sandbox() as server, Sandbox(port=None) as sandbox, reachable(sandbox):
        assert requests.get(f"{server.url}/_sandbox/health", timeout=60).json()["status"] == "ok"
