"""What the platform refuses becomes the error and the fix that the table, and so the documentation, promises."""

import re
from pathlib import Path

import msgspec
import pytest

from ringonce import errors
from ringonce.client.flows.exchange import exchange, refusal
from ringonce.client.login_remedies import LOGIN, login_remedy
from ringonce.client.outcome import LegFacts, judge
from ringonce.client.remedies import ENDINGS, TABLE, TUTORIAL, Remedy, remedy
from ringonce.client.snapshots import Leg
from ringonce.client.wishes import Request, Response
from simulated import Simulated

ROOT = Path(__file__).parent.parent.parent


def answer(status: int, code: str) -> Response:
    body = {"status": status, "code": code, "message": "said so", "contextId": "c-1"}
    return Response(status, {}, msgspec.json.encode(body) if code else b"")


def named(one: Remedy) -> str:
    return f"{one.status} {one.code or 'no code'}"


@pytest.mark.parametrize("row", [one for one in TABLE if one.status != 429], ids=named)
def test_a_refusal_is_raised_as_the_table_says(row: Remedy) -> None:
    error = refusal(answer(row.status, row.code.replace("*", "x")), "It can't be done")

    assert type(error) is row.kind
    assert error.fix == row.fix


@pytest.mark.parametrize("code", [one.code for one in TABLE if one.status == 429])
def test_a_spent_quota_is_raised_as_the_table_says(simulated: Simulated, code: str) -> None:
    simulated.trouble = lambda request, go: answer(429, code) if "/users/me" in request.url else go()

    with pytest.raises(errors.RateLimited) as limited:
        simulated.run(exchange(Request("GET", simulated.session.url("/users/me"))))

    assert remedy(429, code).fix in limited.value.fix


@pytest.mark.parametrize("row", TUTORIAL, ids=named)
def test_on_the_tutorial_wire_a_status_means_what_the_tutorial_says(row: Remedy) -> None:
    error = refusal(answer(row.status, "bad.request"), "It can't be done", tutorial=True)

    assert type(error) is row.kind
    assert error.fix == row.fix


def test_a_code_that_explains_itself_beats_the_tutorials_status() -> None:
    assert remedy(403, "missing.any.permissions", tutorial=True) == remedy(403, "missing.any.permissions")


def test_a_code_is_known_under_another_status_too() -> None:
    assert (
        remedy(422, "conversation.error.no.user.station").fix == remedy(400, "conversation.error.no.user.station").fix
    )


@pytest.mark.parametrize(("status", "kind"), [(418, errors.ApiRefusal), (302, errors.NoAnswer), (599, errors.NoAnswer)])
def test_what_no_source_tells_is_called_undocumented(status: int, kind: type[errors.RingonceError]) -> None:
    unknown = remedy(status, "")

    assert (unknown.kind, unknown.basis) == (kind, "undocumented")
    assert isinstance(refusal(answer(status, ""), "It can't be done"), kind)


def test_every_row_says_something_and_no_code_has_two() -> None:
    keys = [(one.status, one.code) for one in TABLE]

    assert len(keys) == len(set(keys))
    assert all(one.means and one.fix for one in (*TABLE, *TUTORIAL))
    assert all(one.means and one.fix for one in LOGIN)


@pytest.mark.parametrize(
    ("error", "words", "says"),
    [
        ("invalid_client", "client not found", "client id"),
        ("invalid_client", "authentication failed", "secret anew"),
        ("invalid_client", "client is disabled, not active", "activate"),
    ],
)
def test_the_login_hosts_words_lead_to_their_own_remedy(error: str, words: str, says: str) -> None:
    known = login_remedy(error, words, "client_credentials")

    assert known is not None
    assert says in known.fix


def test_what_the_login_host_says_otherwise_is_left_to_the_grant() -> None:
    assert login_remedy("invalid_grant", "the refresh token was used before", "refresh_token") is None


@pytest.mark.parametrize(("code", "outcome", "_means", "_fix"), ENDINGS, ids=[one[0] for one in ENDINGS])
def test_a_call_that_fails_by_itself_has_the_outcome_that_the_documentation_says(
    code: str, outcome: str, _means: str, _fix: str
) -> None:
    own = LegFacts.of(Leg(key="a", participant_id="a", index=0))
    own.absorb(
        Leg(
            key="a",
            participant_id="a",
            index=0,
            purpose="user",
            state="terminated",
            disconnect_type="error",
            error_code=code,
        )
    )

    told, evidence = judge([own], own, [], frozenset())

    assert told == outcome
    assert evidence.error_code == code


def test_every_code_that_the_sandbox_refuses_with_is_in_the_table() -> None:
    known = {one.code for one in TABLE}
    sandbox = ROOT / "src" / "ringonce" / "sandbox"
    used = {
        code
        for path in [*(sandbox / "desk").glob("*.py"), sandbox / "refusals.py", sandbox / "shapes" / "problems.py"]
        for code in re.findall(
            r'(?:code=|\d{3}, |\d{3}: \(|unauthorized\()"([a-z]+(?:\.[a-zA-Z]+)+)"', path.read_text()
        )
    }

    assert len(used) > 10
    assert used - known == {"method.not.allowed"}, "405 never meets a client that knows the API"
