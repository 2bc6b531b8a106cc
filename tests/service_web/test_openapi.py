"""The API keeps what its document says, whatever is asked of it."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringonce.service.web.pace import Pace
from service_web.conftest import Opening

HOOKS = """
import schemathesis

@schemathesis.serializer("application/x-ndjson")
def as_it_is(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
"""
SETTINGS = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.schemathesis
@pytest.mark.timeout(900)
@pytest.mark.parametrize("examples", [40])
def test_no_request_that_can_be_made_up_finds_a_failure(opening: Opening, examples: int, tmp_path: Path) -> None:
    # A minute passes with each request: those without a token, too, are to be refused for that and not for their pace.
    service = opening(dialling=True, per_minute=10**9, pace=Pace(clock=itertools.count(0, 60).__next__))
    for number in range(3):
        service.place(f"crm-{number}")
    command = ["--config-file", str(SETTINGS), "run", f"{service.url}/openapi.json", "--seed", "1", "--no-color"]
    token = ["-H", f"Authorization: Bearer {service.admin}"]
    few = ["--max-examples", str(examples), "--generation-database", "none", "--suppress-health-check", "all"]

    (tmp_path / "hooks.py").write_text(HOOKS, encoding="utf-8")
    environ = os.environ | {"PYTHONPATH": str(tmp_path), "SCHEMATHESIS_HOOKS": "hooks"}

    # It keeps what it has found in the folder that it runs in.
    done = subprocess.run(  # noqa: S603  our own
        [sys.executable, "-m", "schemathesis.cli", *command, *token, *few],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environ,
    )

    said = (done.stdout + done.stderr).replace(service.admin, "…")
    assert done.returncode == 0, said[-20_000:]
