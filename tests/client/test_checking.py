"""`check` asks little, rings nothing, and one thing that fails does not hide the others."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ringonce import AccessToken, ClientCredentials
from ringonce.client.flows.checking import MOST_REQUESTS, check
from ringonce.client.flows.order import order
from ringonce.client.flows.placing import place_call
from ringonce.client.wishes import Lost, Request, Response
from ringonce.errors import InvalidInput, NotPermitted
from ringonce.models import Finding
from ringonce.sandbox.dice import named
from simulated import ADA, NUMBER, Simulated

Answer = Callable[[], Response]
GRACE = "grace@example.com"


def checked(simulated: Simulated, **fields: Any) -> dict[str, Finding]:
    asked = {"agent": GRACE, "to": NUMBER} | fields
    return {one.name: one for one in simulated.run(check(simulated.session, order(intent="check", **asked)))}


def verdicts(found: dict[str, Finding]) -> dict[str, str]:
    return {name: str(one.verdict) for name, one in found.items()}


def as_agent(simulated: Simulated, agent: str = ADA) -> None:
    simulated.session.auth = simulated.auth = AccessToken(simulated.world.issue_user_token(agent))


def on(part: str, do: Callable[[Answer], Response]) -> Callable[[Request, Answer], Response]:
    return lambda request, go: do(go) if part in request.url else go()


def lost(_go: Answer) -> Response:
    raise Lost("no answer in time", sent=True)


def answers(status: int, body: object = None) -> Callable[[Answer], Response]:
    return lambda _: Response(status, {}, msgspec.json.encode(body))


@pytest.mark.parametrize(
    ("fields", "requests"),
    [
        pytest.param({"agent": ADA}, 5, id="an agent by id"),
        pytest.param({}, 5, id="an agent by e-mail"),
        pytest.param({"caller_id": "+15551234568"}, 6, id="with a caller id"),
        pytest.param({"queue": "Sales"}, 6, id="for a queue of the agent's"),
        pytest.param({"queue": "Support"}, 7, id="for a queue of others"),
    ],
)
def test_a_service_spends_few_requests_the_one_for_its_token_included(
    simulated: Simulated, fields: dict[str, str], requests: int
) -> None:
    checked(simulated, **fields)

    assert len(simulated.sent) == requests
    assert simulated.creates == []
    assert simulated.world.calls() == []


def test_a_user_who_looks_at_others_spends_no_more_than_eight(simulated: Simulated) -> None:
    as_agent(simulated)
    checked(simulated, queue="Support")

    assert len(simulated.sent) == 7


def test_an_agent_who_looks_at_himself_needs_no_look_up(simulated: Simulated) -> None:
    as_agent(simulated)
    found = checked(simulated, agent="Ada@Example.com")

    assert [one.url.partition("/api/v2")[2].partition("?")[0] for one in simulated.sent] == [
        "/tokens/me",
        "/users/me",
        "/authorization/subjects/me",
    ]
    assert "it stands for Ada Lovelace <ada@example.com>" in found["token"].evidence
    assert "POST /conversations/calls asks for conversation:call:add" in found["permission"].evidence


def test_an_agent_with_an_identity_of_his_own_is_looked_at_with_that() -> None:
    simulated = Simulated()
    simulated.session.pool = {ADA: AccessToken(simulated.world.issue_user_token(ADA))}
    found = checked(simulated, agent=ADA, caller_id="+15551234567")

    assert "it stands for Ada Lovelace" in found["token"].evidence
    assert found["permission"].evidence.startswith("POST /conversations/calls asks")
    assert len(simulated.sent) <= MOST_REQUESTS


def test_an_identity_that_is_somebody_elses_is_told_as_the_call_would() -> None:
    simulated = Simulated()
    simulated.session.pool = {ADA: AccessToken(simulated.world.issue_user_token(named("user/grace")))}

    assert "is not theirs" in checked(simulated, agent=ADA)["token"].evidence


def test_a_token_that_was_just_refused_is_renewed_once_and_the_rest_is_rationed(simulated: Simulated) -> None:
    simulated.session.auth = simulated.auth = Unsure("your_client_id", "your_client_secret")
    first = iter([True])
    simulated.trouble = lambda request, go: (
        Response(401, {}, b"") if "/tokens/me" in request.url and next(first, False) else go()
    )

    found = checked(simulated, queue="Support")

    assert len(simulated.sent) == MOST_REQUESTS
    assert found["queue"].verdict == "warn"
    assert found["queue"].evidence == "not checked: the 8 requests of a check are used up"


class Unsure(ClientCredentials):
    """A grant that does not know whether its tokens stand for a user."""

    service = None  # type: ignore[assignment]  # as the protocol allows


def test_a_read_is_asked_once_however_often_it_fails(simulated: Simulated) -> None:
    simulated.trouble = on("/api/v2/", answers(503))
    found = checked(simulated, queue="Sales")

    assert len(simulated.sent) <= MOST_REQUESTS
    assert found["host"].verdict == "fail"
    assert len({one.url for one in simulated.sent}) == len(simulated.sent)


@pytest.mark.parametrize(
    ("part", "finding"),
    [
        ("/authorization/subjects/me", "permission"),
        ("/station", "station"),
        ("/telephony/providers/edges/dids", "caller id"),
    ],
)
@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(lost, id="no answer"),
        pytest.param(answers(500), id="an error"),
        pytest.param(answers(403, {"code": "missing.any.permissions", "message": "[telephony:plugin:all]"}), id="a no"),
        pytest.param(answers(200, [1, 2]), id="nonsense"),
    ],
)
def test_what_cannot_be_read_is_a_warning_and_everything_else_is_still_looked_at(
    simulated: Simulated, part: str, finding: str, trouble: Callable[[Answer], Response]
) -> None:
    simulated.trouble = on(part, trouble)
    found = verdicts(checked(simulated, caller_id="+15551234568"))

    assert found.pop(finding) == "warn"
    assert set(found.values()) == {"pass"}


def test_without_a_token_the_host_the_clock_and_the_number_are_still_looked_at() -> None:
    simulated = Simulated(auth=ClientCredentials("your_client_id", "wrong"))
    found = checked(simulated, caller_id="+15551234568")

    assert verdicts(found) == {
        "host": "pass",
        "clock": "pass",
        "token": "fail",
        "permission": "warn",
        "agent": "warn",
        "station": "warn",
        "caller id": "warn",
        "number": "pass",
        "quota": "warn",
    }
    assert found["agent"].evidence == "not checked: there is no valid token"
    assert "wrong" not in repr(found)


def test_a_token_that_is_revoked_half_way_is_told_and_nothing_more_is_asked(simulated: Simulated) -> None:
    as_agent(simulated)

    def revoked(go: Answer) -> Response:
        simulated.world.tokens.expire()
        return go()

    simulated.trouble = on("/users/search", revoked)
    found = checked(simulated)

    assert found["token"].verdict == "fail"
    assert found["station"].evidence == "not checked: the token failed meanwhile"
    assert len(simulated.sent) == 3


def test_an_agent_that_there_is_not_leaves_his_phone_unchecked_but_not_the_queue(simulated: Simulated) -> None:
    found = checked(simulated, agent="nobody@example.com", queue="Complaints")

    assert verdicts(found)["agent"] == "fail"
    assert "there is no such agent" in found["station"].evidence
    assert verdicts(found)["queue"] == "fail"


def test_a_host_that_is_something_else_is_told_from_a_platform_that_refuses(simulated: Simulated) -> None:
    simulated.trouble = on("/api/v2/", lambda _: Response(404, {}, b"<html>no such page"))
    found = checked(simulated)

    assert found["host"].verdict == "fail"
    assert "not as Genesys Cloud does" in found["host"].evidence


def test_a_ready_made_token_that_ends_soon_is_a_warning(simulated: Simulated) -> None:
    as_agent(simulated)
    simulated.world.advance(simulated.world.now + 86_400 - 100)

    assert "in 100 s" in checked(simulated)["token"].evidence


def test_little_quota_is_a_warning(simulated: Simulated) -> None:
    simulated.world.rate_limit = 5
    found = checked(simulated)["quota"]

    assert found.verdict == "warn"
    assert found.evidence.startswith("1 of 5 requests a minute left")


def test_the_quota_says_how_long_a_batch_takes(simulated: Simulated) -> None:
    assert "; 1,000 calls take about 3 min" in checked(simulated)["quota"].evidence


def test_the_last_request_of_the_quota_is_a_failure(simulated: Simulated) -> None:
    simulated.world.rate_limit = 4

    assert checked(simulated)["quota"].verdict == "fail"


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("+442079460958", "country GB, time zone Europe/London"),
        ("+18005551234", "country US, time zones America/Adak, "),
        ("+80012345678", "country 001, "),
    ],
)
def test_a_number_is_told_with_its_country_and_every_time_zone(simulated: Simulated, number: str, says: str) -> None:
    assert says in checked(simulated, to=number)["number"].evidence


def test_a_phone_that_is_picked_up_by_hand_is_told(simulated: Simulated) -> None:
    assert "pick up by hand" in checked(simulated, agent="margaret@example.com")["station"].evidence


def test_a_role_that_is_not_told_in_full_leaves_the_permission_open(simulated: Simulated) -> None:
    bare = {"grants": [{"role": {"id": "r", "name": "Dialers"}}]}
    simulated.trouble = on("/authorization/subjects/me", answers(200, bare))
    found = checked(simulated)["permission"]

    assert found.verdict == "warn"
    assert "what the roles Dialers hold is not told" in found.evidence


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        ({"domain": "conversation", "entityName": "call", "actions": ["add"]}, "pass"),
        ({"domain": "conversation", "entityName": "*", "actions": ["*"]}, "pass"),
        ({"domain": "conversation", "entityName": "call", "actions": ["view"]}, "fail"),
        ({"domain": "conversation", "entityName": "call", "actions": ["add"], "condition": "queue"}, "warn"),
        ({"domain": "conversation", "entityName": "conference", "actions": ["add"]}, "warn"),
    ],
)
def test_the_permission_for_the_agents_own_endpoint(
    simulated: Simulated, policy: dict[str, object], verdict: str
) -> None:
    as_agent(simulated)
    subject = {"grants": [{"role": {"id": "r", "name": "Dialers", "policies": [policy]}}]}
    simulated.trouble = on("/authorization/subjects/me", answers(200, subject))

    assert checked(simulated, agent=ADA)["permission"].verdict == verdict


def test_an_agent_in_more_queues_than_a_page_shows_is_not_called_a_stranger(simulated: Simulated) -> None:
    simulated.trouble = on(f"/users/{named('user/grace')}/queues", answers(200, {"entities": [], "total": 120}))

    assert checked(simulated, queue="Sales")["queue"].evidence.startswith("not known: the agent is in 120 queues")


def test_a_caller_id_beside_a_queue_makes_no_sense_and_nothing_is_asked(simulated: Simulated) -> None:
    with pytest.raises(InvalidInput):
        checked(simulated, caller_id="+15551234568", queue="Sales")

    assert simulated.sent == []


@pytest.mark.parametrize(
    ("agent", "trouble", "words"),
    [
        pytest.param("nobody@example.com", None, "there is no such agent", id="there is none"),
        pytest.param(ADA.replace("a1", "00"), None, "there is no such agent", id="there is none of this id"),
        pytest.param(GRACE, answers(403), "the agent could not be looked up", id="the search is not permitted"),
        pytest.param(GRACE, answers(500), "the agent could not be looked up", id="the search fails"),
    ],
)
def test_what_is_said_of_the_phone_of_an_agent_without_an_id_is_true(
    simulated: Simulated, agent: str, trouble: Callable[[Answer], Response] | None, words: str
) -> None:
    if trouble:
        simulated.trouble = on("/users/search", trouble)

    found = checked(simulated, agent=agent, queue="Sales")

    assert found["agent"].verdict == "fail"
    assert found["station"].evidence == f"not checked: {words}"
    assert words in found["queue"].evidence


@pytest.mark.parametrize("status", [500, 503])
def test_a_host_in_trouble_fails_the_check(simulated: Simulated, status: int) -> None:
    simulated.trouble = on("/tokens/me", answers(status))

    found = checked(simulated)

    assert found["host"].verdict == "fail"
    assert f"HTTP {status}" in found["host"].evidence
    assert "status page" in found["host"].remedy


def test_a_token_that_may_not_say_whose_it_is_fails_as_the_call_would(simulated: Simulated) -> None:
    simulated.session.auth = AccessToken(simulated.world.issue_user_token(ADA, scopes=["conversations"]))

    found = checked(simulated, agent=ADA)["token"]

    assert found.verdict == "fail"
    assert "users:readonly" in found.evidence
    with pytest.raises(NotPermitted, match="users:readonly"):
        simulated.run(place_call(simulated.session, simulated.order()))


def test_another_agents_token_on_the_tutorials_wire_is_told_to_be_the_wrong_one(simulated: Simulated) -> None:
    as_agent(simulated, named("user/grace"))

    found = checked(simulated, agent=ADA, wire="tutorial", caller_id="+15551234567")["permission"]
    with pytest.raises(NotPermitted) as refused:
        simulated.run(place_call(simulated.session, simulated.order(wire="tutorial", caller_id="+15551234567")))

    assert found.verdict == "fail"
    assert found.remedy == refused.value.fix
    assert "agent's own token" in found.remedy
    assert "number" not in found.remedy
