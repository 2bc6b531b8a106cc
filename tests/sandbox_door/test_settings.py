"""What a sandbox can be made of, and when its time begins."""

import datetime as dt
from typing import Any

import pytest
import requests

from ringonce.sandbox import Sandbox, SandboxError

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


def story(sandbox: Sandbox) -> list[tuple[int, dict[str, str], str]]:
    """Every byte of a call's life, dates included; only the port is the run's own."""
    with requests.Session() as session:
        told = [
            session.post(f"{sandbox.url}/oauth/token", {"grant_type": "client_credentials"}, auth=CLIENT, timeout=60)
        ]
        bearer = {"Authorization": f"Bearer {told[0].json()['access_token']}"}
        calls = f"{sandbox.url}/api/v2/conversations/calls"
        body = {"phoneNumber": "+15559876543"}
        told.append(session.post(f"{calls}/user/{ADA}", json=body, headers=bearer, timeout=60))
        for _ in range(4):
            sandbox.advance(3)
            told.append(session.get(f"{calls}/{told[1].json()['id']}", headers=bearer, timeout=60))
    return [(each.status_code, dict(each.headers), each.text.replace(sandbox.url, "")) for each in told]


CLIENT = ("your_client_id", "your_client_secret")


def test_two_runs_from_one_start_are_the_same_to_the_last_byte() -> None:
    told = []
    for _ in range(2):
        with Sandbox(clock="manual", seed=7, start="2026-01-01T00:00:00Z") as sandbox:
            told.append(story(sandbox))

    assert told[0] == told[1]
    assert told[0][1][1]["Date"] == "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize("start", ["2026-01-01T01:00:00+01:00", "2026-01-01", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)])
def test_a_start_is_a_date_in_any_spelling(start: Any) -> None:
    with Sandbox(clock="manual", start=start, port=None) as sandbox:
        assert sandbox.world.now == 1_767_225_600


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"start": "2026-01-01T00:00:00Z"}, "its clock runs by itself"),
        ({"start": "soon", "clock": "manual"}, "start cannot be 'soon'"),
        ({"start": 7, "clock": "manual"}, "start cannot be '7'"),
        ({"start": "0001-01-01T00:00:00+14:00", "clock": "manual"}, "from 1970 to 2999"),
        ({"agents": -1}, "agents cannot be '-1': it is a whole number from 0 to 99,999"),
        ({"agents": 1.5}, "agents cannot be"),
        ({"seed": "x"}, "seed cannot be 'x': it is a whole number"),
        ({"rate_limit": -1}, "rate_limit cannot be '-1'"),
        ({"rate_limit": True}, "rate_limit cannot be 'True'"),
        ({"org": 7}, "org cannot be '7': it is an organization, or the path of its file"),
        ({"port": "80"}, "port cannot be '80'"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(SandboxError) as refused:
        Sandbox(**settings)

    assert says in str(refused.value)
