"""`ringonce call`: one call, its life told, and an exit code that says how it went."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from ringonce import AsyncClient, ClientCredentials
from ringonce.cli.errand import Errand, carry_out
from ringonce.cli.errand import run as run_async
from ringonce.cli.telling import JsonTeller
from ringonce.ledger.memory import MemoryLedger
from ringonce.sandbox import Sandbox

Run = Callable[..., Result]
ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
CALL = ("call", "--agent", "ada@example.com")
SEVEN = ["event", "intent", "conversation_id", "state", "outcome", "replayed", "adopted"]
CREATES = "/api/v2/conversations/calls*"


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def result_of(result: Result) -> dict[str, Any]:
    last = lines(result)[-1]
    assert list(last) == SEVEN
    assert last["event"] == "result"
    return last


def test_a_call_is_told_from_its_placing_to_its_end(run: Run, sandbox: Sandbox) -> None:
    result = run(*CALL, "--to", "+1 555 987 6543", "--caller-id", "+15551234567", "--intent", "crm-4711", "--json")

    told = lines(result)
    assert result.exit_code == 0
    assert told[0]["event"] == "placed"
    states = [one["state"] for one in told if one["event"] == "call"]
    assert states[-2:] == ["connected", "ended"]
    assert states == sorted(states, key=["requested", "dialing", "ringing", "connected", "ended"].index)
    (call,) = sandbox.calls()
    assert result_of(result) == {
        "event": "result",
        "intent": "crm-4711",
        "conversation_id": call["conversationId"],
        "state": "ended",
        "outcome": "answered",
        "replayed": False,
        "adopted": False,
    }


@pytest.mark.parametrize(
    ("digits", "outcome", "code"),
    [
        ("0001", "no_answer", 4),
        ("0002", "busy", 4),
        ("0003", "declined", 4),
        ("0004", "unroutable", 4),
        ("0005", "voicemail", 4),
        ("0006", "answered", 0),
        ("0007", "agent_unreachable", 4),
        ("0008", "answered", 0),
    ],
)
def test_how_a_call_goes_is_its_outcome_and_its_exit_code(run: Run, digits: str, outcome: str, code: int) -> None:
    result = run(*CALL, "--to", f"+1555987{digits}", "--until", "connected", "--json")

    told = result_of(result)
    assert result.exit_code == code
    if code:
        assert (told["state"], told["outcome"]) == ("ended", outcome)
    else:
        assert told["state"] == "connected" or told["outcome"] == outcome


def test_followed_until_it_is_answered_the_call_goes_on(run: Run, sandbox: Sandbox) -> None:
    result = run(*CALL, "--to", "+15559870000", "--until", "connected", "--json")

    assert result.exit_code == 0
    assert result_of(result)["state"] == "connected"
    assert sandbox.calls()[0]["state"] == "connected"


def test_until_placed_does_not_wait_for_anything(run: Run) -> None:
    result = run(*CALL, "--to", "+15559870000", "--until", "placed", "--json")

    assert result.exit_code == 0
    assert [one["event"] for one in lines(result)] == ["placed", "result"]
    assert result_of(result)["state"] is None


def test_when_time_runs_out_the_call_is_said_to_go_on(run: Run, sandbox: Sandbox) -> None:
    result = run(*CALL, "--to", "+15559870000", "--timeout", "0.3", "--json")

    told = result_of(result)
    assert result.exit_code == 4
    assert lines(result)[-2]["error"] == "StillGoing"
    assert told["conversation_id"] == sandbox.calls()[0]["conversationId"]
    assert told["outcome"] is None


def test_for_people_there_are_lines_on_stdout_and_words_on_stderr(run: Run) -> None:
    result = run(*CALL, "--to", "+15559870002")

    assert result.exit_code == 4
    assert "placed     ada@example.com → +15559870002" in result.stdout
    assert " s  ended      busy: " in result.stdout.splitlines()[-1]
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("given", "code", "error", "says"),
    [
        pytest.param({"--to": "ada"}, 3, "NumberRefused", "letters", id="letters"),
        pytest.param({"--to": "+1 55"}, 3, "NumberRefused", "too short", id="too short"),
        pytest.param({"--to": "+1 555 987 65433"}, 3, "NumberRefused", "too long", id="too long"),
        pytest.param({"--to": "+1 900 555 1234"}, 3, "NumberRefused", "premium", id="premium rate"),
        pytest.param({"--to": "9-1-1"}, 3, "NumberRefused", "emergency", id="an emergency number"),
        pytest.param({"--agent": "nobody@example.com"}, 3, "NotFound", "nobody@example.com", id="an unknown agent"),
        pytest.param({"--agent": "Grace"}, 3, "Ambiguous", "Grace Hopper", id="a name that fits two agents"),
        pytest.param({"--agent": "joan@example.com"}, 3, "ApiRefusal", "station", id="an agent without a station"),
        pytest.param({"--queue": "Nowhere"}, 3, "NotFound", "Nowhere", id="an unknown queue"),
        pytest.param(
            {"--queue": "Sales", "--caller-id": "+15551234567"}, 2, "ConfigError", "both", id="queue and caller id"
        ),
        pytest.param({"--attribute": "ringonce.intent=x"}, 3, "InvalidInput", "reserved", id="an attribute of ours"),
        pytest.param({"--attribute": f"note={'x' * 5000}"}, 3, "InvalidInput", "too long", id="an attribute too long"),
        pytest.param({"--intent": "x" * 200}, 3, "InvalidInput", "too long", id="an intent too long"),
        pytest.param({"--country": "XX"}, 2, "ConfigError", "country", id="an unknown country"),
        pytest.param({"--region": "eu_central_9"}, 2, "ConfigError", "eu_central_1", id="an unknown region"),
        pytest.param(
            {"--region": "eu_central_1"}, 2, "ConfigError", "CLIENT_SECRET", id="a region without credentials"
        ),
        pytest.param({"--base-url": "ftp://x"}, 2, "ConfigError", "http", id="an address that is none"),
    ],
)
def test_bad_input_is_refused_in_words_and_nothing_rings(
    run: Run, sandbox: Sandbox, given: dict[str, str], code: int, error: str, says: str
) -> None:
    order = {"--agent": "ada@example.com", "--to": "+15559876543"} | given

    result = run("call", "--json", *(word for option in order.items() for word in option))

    told = lines(result)[-2]
    assert (result.exit_code, told["event"], told["error"]) == (code, "error", error)
    assert says in f"{told['what']} {told['why']} {told['fix']}"
    assert told["fix"]
    assert "error: " in result.stderr
    assert "\n\nhint: " in result.stderr
    assert [result_of(result)[name] for name in SEVEN[2:]] == [None] * 5
    assert sandbox.calls() == []


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--timeout", "0"),
        ("--timeout", "nan"),
        ("--timeout", "soon"),
        ("--attribute", "no equals sign"),
        ("--until", "doomsday"),
        ("--wire", "barbed"),
    ],
)
def test_an_option_that_cannot_be_read_is_wrong_usage(run: Run, option: str, value: str) -> None:
    result = run(*CALL, "--to", "+15559876543", option, value)

    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert "hint: see ringonce call --help" in result.stderr


def test_an_attribute_is_kept_once_and_given_twice_refused(run: Run, sandbox: Sandbox) -> None:
    twice = run(*CALL, "--to", "+15559876543", "--attribute", "a=1", "--attribute", "a=2")
    once = run(*CALL, "--to", "+15559876543", "--attribute", "a=1=2", "--until", "placed")

    assert (twice.exit_code, once.exit_code) == (2, 0)
    (call,) = sandbox.calls()
    assert call["attributes"]["a"] == "1=2"


def test_a_wrong_secret_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_ID", "your_client_id")
    monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_SECRET", "hunter2")

    result = run(*CALL, "--to", "+15559876543", "--json")

    assert result.exit_code == 3
    assert lines(result)[-2]["error"] == "NotAuthenticated"
    assert "hunter2" not in result.output


def test_a_client_without_the_permission_is_told_which(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_ID", "limited_client_id")
    monkeypatch.setenv("GENESYSCLOUD_OAUTHCLIENT_SECRET", "limited_client_secret")

    result = run(*CALL, "--to", "+15559876543", "--json")

    assert result.exit_code == 3
    assert lines(result)[-2]["error"] == "NotPermitted"
    assert "conversation:call:add" in lines(result)[-2]["why"]


def test_a_host_that_nobody_is_at(run: Run, sandbox: Sandbox) -> None:
    url = sandbox.url
    sandbox.stop()

    result = run(*CALL, "--to", "+15559876543", "--base-url", url, "--json")

    assert result.exit_code == 6
    assert lines(result)[-2]["error"] == "Unreachable"


def test_a_lost_answer_is_one_call_found_again(run: Run, sandbox: Sandbox) -> None:
    sandbox.fault(method="POST", path=CREATES, action="drop_after", times=1)

    result = run(*CALL, "--to", "+15559876543", "--json")

    assert result.exit_code == 0
    assert result_of(result)["adopted"] is True
    assert len(sandbox.calls()) == 1


def test_a_call_that_may_have_rung_is_its_own_exit_code(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    sandbox.fault(method="POST", path=CREATES, action="drop_before")
    ledger = MemoryLedger()
    errand = Errand(intent="crm-4711", order={"agent": ADA, "to": "+15559876543"}, until="ended", timeout=5)

    async def placing() -> int:
        auth = ClientCredentials("your_client_id", "your_client_secret")
        async with AsyncClient(base_url=sandbox.url, auth=auth, ledger=ledger, settle=0.1) as client:
            return await carry_out(errand, client, ledger, JsonTeller())

    code = run_async(placing())

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 5
    assert told[-2]["error"] == "OutcomeUnknown"
    assert told[-1]["intent"] == "crm-4711"


def test_a_placed_call_that_cannot_be_followed_may_have_rung(run: Run, sandbox: Sandbox) -> None:
    sandbox.fault(path="/api/v2/notifications/*", action="status", status=403)
    sandbox.fault(method="GET", path="/api/v2/conversations/*", action="status", status=403)

    result = run(*CALL, "--to", "+15559876543", "--json")

    assert result.exit_code == 5
    assert result_of(result)["conversation_id"] == sandbox.calls()[0]["conversationId"]


def test_a_dry_run_shows_the_request_and_rings_nobody(run: Run, sandbox: Sandbox) -> None:
    result = run(*CALL, "--to", "(555) 987-6543", "--attribute", "deal=7", "--dry-run", "--json")

    (plan,) = lines(result)
    assert result.exit_code == 0
    assert plan["event"] == "plan"
    assert (plan["method"], plan["url"]) == ("POST", f"{sandbox.url}/api/v2/conversations/calls/user/{ADA}")
    assert plan["body"]["phoneNumber"] == "+15559876543"
    assert plan["body"]["attributes"]["deal"] == "7"
    assert "client credentials of your_client_id" in plan["identity"]
    assert sandbox.calls() == []


def test_a_dry_run_for_people(run: Run, sandbox: Sandbox) -> None:
    result = run(*CALL, "--to", "+15559876543", "--wire", "tutorial", "--caller-id", "+15551234567", "--dry-run")

    first, _, body = result.stdout.partition("\n")
    assert first == f"POST {sandbox.url}/api/v2/conversations/calls"
    assert json.loads(body)["from"] == {"id": ADA, "phoneNumber": "+15551234567"}
    assert "nothing that rings was sent" in result.stderr


def test_a_dry_run_refuses_what_a_call_would(run: Run) -> None:
    result = run(*CALL, "--to", "911", "--dry-run", "--json")

    assert result.exit_code == 3
    assert [one["event"] for one in lines(result)] == ["error", "result"]


def test_the_tutorials_wire_is_followed_too(run: Run) -> None:
    result = run(*CALL, "--to", "+15559876543", "--caller-id", "+15551234567", "--wire", "tutorial", "--json")

    assert result.exit_code == 0
    assert result_of(result)["outcome"] == "answered"


def test_a_call_that_may_not_be_followed_any_more_says_that_it_goes_on_and_how_to_hang_up(
    run: Run, sandbox: Sandbox
) -> None:
    sandbox.fault(method="POST", path="/api/v2/notifications/channels", action="status", status=403)
    sandbox.fault(method="GET", path="/api/v2/conversations/*", action="status", status=401)

    result = run("call", "--agent", "ada@example.com", "--to", "+1 555 987 0000", "--json")

    assert result.exit_code == 5
    error, told = lines(result)[-2:]
    assert error["error"] == "StillGoing"
    assert "access token was refused" in error["why"]
    assert f"ringonce hangup {told['conversation_id']}" in error["fix"]
