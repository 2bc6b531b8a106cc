"""The API keeps what its document says, whatever is asked of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from service_web.conftest import Opening

SETTINGS = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.schemathesis
@pytest.mark.timeout(900)
@pytest.mark.parametrize("examples", [40])
def test_no_request_that_can_be_made_up_finds_a_failure(opening: Opening, examples: int) -> None:
    service = opening(dialling=True, per_minute=10**9)
    for number in range(3):
        service.place(f"crm-{number}")
    command = ["--config-file", str(SETTINGS), "run", f"{service.url}/openapi.json", "--seed", "1", "--no-color"]
    token = ["-H", f"Authorization: Bearer {service.admin}"]
    few = ["--max-examples", str(examples), "--generation-database", "none", "--suppress-health-check", "all"]

    done = subprocess.run(  # noqa: S603  our own
        [sys.executable, "-m", "schemathesis.cli", *command, *token, *few], capture_output=True, text=True, check=False
    )

    said = (done.stdout + done.stderr).replace(service.admin, "…")
    assert done.returncode == 0, said[-20_000:]
