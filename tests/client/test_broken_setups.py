"""For each broken set-up, `check` names the cause and the remedy, and the later call says the same."""

import dataclasses
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from ringonce import AccessToken, ClientCredentials, JwtBearer, Outcome, errors
from ringonce.client.auth import Auth
from ringonce.client.flows.checking import check
from ringonce.client.flows.following import follow
from ringonce.client.flows.order import order
from ringonce.client.flows.placing import place_call
from ringonce.client.wishes import Lost, Now, Request, Response, Wish
from ringonce.models import Call, Finding, Placed
from ringonce.sandbox.dice import named
from ringonce.sandbox.published_key import PUBLISHED_PRIVATE_KEY
from simulated import ADA, NUMBER, Simulated

TUTORIAL = {"wire": "tutorial", "caller_id": "+15551234567"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class SetUp:
    """A set-up with one thing wrong, and what both have to say about it."""

    finding: str
    cause: str
    """Words that the finding and the call's error share."""
    verdict: str = "fail"
    remedy: str
    error: type[errors.RingonceError]
    order: dict[str, Any] = dataclasses.field(default_factory=dict)
    auth: Auth = dataclasses.field(default_factory=lambda: ClientCredentials("your_client_id", "your_client_secret"))
    breaks: Callable[[Simulated], None] = lambda _: None


def token_of(agent: str, *, client: str = "your_client_id", spoil: bool = False) -> Callable[[Simulated], None]:
    def breaks(simulated: Simulated) -> None:
        value = simulated.world.issue_user_token(agent, client)
        if spoil:
            simulated.world.tokens.expire(value)
        simulated.session.auth = simulated.auth = AccessToken(value)

    return breaks


def spent_quota(simulated: Simulated) -> None:
    simulated.world.rate_limit = 0


def no_way_there(simulated: Simulated) -> None:
    def lost(_request: Request, _go: Callable[[], Response]) -> Response:
        raise Lost("nothing listens there: the connection was refused", sent=False)

    simulated.trouble = lost


BROKEN = {
    "a wrong secret": SetUp(
        auth=ClientCredentials("your_client_id", "wrong"),
        finding="token",
        cause="authentication failed",
        remedy="copy the secret anew",
        error=errors.NotAuthenticated,
    ),
    "a client that there is not": SetUp(
        auth=ClientCredentials("nobody", "wrong"),
        finding="token",
        cause="client not found",
        remedy="check the client id",
        error=errors.NotAuthenticated,
    ),
    "a client that is switched off": SetUp(
        auth=ClientCredentials("disabled_client_id", "disabled_client_secret"),
        finding="token",
        cause="disabled",
        remedy="activate the client",
        error=errors.NotAuthenticated,
    ),
    "a client without the permission": SetUp(
        auth=ClientCredentials("limited_client_id", "limited_client_secret"),
        finding="permission",
        cause="conversation:call:add",
        remedy="the client's Roles",
        error=errors.NotPermitted,
    ),
    "a client without the permission, on the tutorial's wire": SetUp(
        auth=ClientCredentials("limited_client_id", "limited_client_secret"),
        order=TUTORIAL,
        finding="permission",
        cause="conversation:call:add",
        remedy="the client's Roles",
        error=errors.NotPermitted,
    ),
    "an agent's token, and the agent may not call": SetUp(
        breaks=token_of(named("user/hedy")),
        order={"agent": "hedy@example.com"},
        finding="permission",
        cause="conversation:call:add",
        remedy="Roles / Permissions",
        error=errors.NotPermitted,
    ),
    "an agent's token whose scopes do not reach calls": SetUp(
        breaks=token_of(ADA, client="narrow_client_id"),
        finding="token",
        cause="conversations",
        remedy="add the scope",
        error=errors.NotPermitted,
    ),
    "an agent's token, for another agent on the tutorial's wire": SetUp(
        breaks=token_of(named("user/grace")),
        order=TUTORIAL,
        finding="permission",
        cause="user",
        remedy="use the agent's own token",
        error=errors.NotPermitted,
    ),
    "a ready-made token that has expired": SetUp(
        breaks=token_of(ADA, spoil=True),
        finding="token",
        cause="credentials.expired",
        remedy="a ready-made one can't be renewed",
        error=errors.NotAuthenticated,
    ),
    "an agent whom nobody knows": SetUp(
        order={"agent": "nobody@example.com"},
        finding="agent",
        cause="There is no agent 'nobody@example.com'",
        remedy="check the spelling",
        error=errors.NotFound,
    ),
    "an agent's id that nobody has": SetUp(
        order={"agent": "00000000-0000-4000-8000-000000000000"},
        finding="agent",
        cause="resource.not.found",
        remedy="belongs to the right organization",
        error=errors.NotFound,
    ),
    "an agent who has left": SetUp(
        order={"agent": "alan@example.com"},
        finding="agent",
        cause="the user is inactive",
        remedy="name an active user",
        error=errors.NotFound,
    ),
    "an agent without a phone": SetUp(
        order={"agent": "joan@example.com"},
        finding="station",
        cause="to ",
        remedy="choose a phone",
        error=errors.ApiRefusal,
    ),
    "a queue that there is not": SetUp(
        order={"queue": "Complaints"},
        finding="queue",
        cause="There is no queue 'Complaints'",
        remedy="check the spelling",
        error=errors.NotFound,
    ),
    "a caller id that is not the organization's": SetUp(
        order=TUTORIAL | {"caller_id": "+15558887777"},
        finding="caller id",
        cause="is not a number of this organization",
        remedy="provisioned and active",
        error=errors.NotPermitted,
    ),
    "a caller id that is switched off": SetUp(
        order=TUTORIAL | {"caller_id": "+15551234500"},
        finding="caller id",
        cause="is a number of this organization, but ",
        remedy="provisioned and active",
        error=errors.NotPermitted,
    ),
    "a caller id of another agent": SetUp(
        order=TUTORIAL | {"caller_id": "+15551234568"},
        finding="caller id",
        cause="is assigned to ",
        verdict="warn",  # a role of the agent's might allow it
        remedy="assigned to the agent or allowed by a role",
        error=errors.NotPermitted,
    ),
    "no caller id, on the tutorial's wire": SetUp(
        order={"wire": "tutorial"},
        finding="caller id",
        cause="The tutorial wire needs a caller id",
        remedy="give caller_id",
        error=errors.InvalidInput,
    ),
    "a number that cannot be": SetUp(
        order={"to": "+1555"},
        finding="number",
        cause="it is too short",
        remedy="write it in full",
        error=errors.NumberRefused,
    ),
    "a spent quota": SetUp(
        breaks=spent_quota,
        finding="quota",
        cause="The quota of requests is spent",
        remedy="wait for Retry-After",
        error=errors.RateLimited,
    ),
    "a host that cannot be reached": SetUp(
        breaks=no_way_there,
        finding="host",
        cause="the connection was refused",
        remedy="check the region or base URL",
        error=errors.Unreachable,
    ),
}


def checked(simulated: Simulated, **fields: Any) -> dict[str, Finding]:
    asked = {"agent": ADA, "to": NUMBER} | fields
    return {one.name: one for one in simulated.run(check(simulated.session, order(intent="check", **asked)))}


def placed(simulated: Simulated, **fields: Any) -> Placed:
    return simulated.run(place_call(simulated.session, simulated.order(**fields)))


def ended(simulated: Simulated, call: Placed) -> Call:
    steps = follow(
        simulated.session, call.conversation_id, agent_id=call.agent_id, timeout=300, enough=lambda c: c.ended
    )
    return simulated.run(steps)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_set_up_is_named_before_and_after_in_the_same_words(broken: SetUp) -> None:
    simulated = Simulated(auth=broken.auth)
    broken.breaks(simulated)

    finding = checked(simulated, **broken.order)[broken.finding]
    assert simulated.creates == []

    with pytest.raises(broken.error) as later:
        placed(simulated, **broken.order)

    error = later.value
    assert finding.verdict == broken.verdict
    assert broken.cause in finding.evidence
    assert broken.cause in f"{error.what}: {error.why}"
    assert broken.remedy in finding.remedy
    assert error.fix == finding.remedy
    assert simulated.world.calls() == []


def test_a_web_phone_that_no_other_app_may_use_is_warned_of_and_the_call_ends_for_it(simulated: Simulated) -> None:
    finding = checked(simulated, agent="katherine@example.com")["station"]
    assert finding.verdict == "warn"

    call = ended(simulated, placed(simulated, agent="katherine@example.com"))

    assert call.outcome is Outcome.AGENT_UNREACHABLE
    assert call.evidence is not None
    for words in (finding.remedy, call.evidence.because):
        assert "'Placing calls with another app'" in words


def test_a_call_for_a_queue_that_the_agent_is_not_in_is_warned_of_and_placed(simulated: Simulated) -> None:
    finding = checked(simulated, agent="margaret@example.com", queue="Sales")["queue"]
    assert finding.verdict == "warn"
    assert "no member of Sales" in finding.evidence
    assert "the queue's members" in finding.remedy

    placed(simulated, agent="margaret@example.com", queue="Sales")
    assert len(simulated.world.calls()) == 1


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("+15558887777", "is not a number of this organization"),
        ("+15551234500", "but inactive"),
        ("+15551234568", "is assigned to Grace Hopper"),
    ],
)
def test_the_platforms_wire_refuses_no_caller_id_so_it_is_a_warning(
    simulated: Simulated, number: str, says: str
) -> None:
    finding = checked(simulated, caller_id=number)["caller id"]

    assert finding.verdict == "warn"
    assert says in finding.evidence
    placed(simulated, caller_id=number)
    assert len(simulated.world.calls()) == 1


def test_another_agents_caller_id_that_a_role_allows_is_warned_of_and_shown(simulated: Simulated) -> None:
    joans = {"agent": "linus@example.com", "wire": "tutorial", "caller_id": "+15551234566"}

    finding = checked(simulated, **joans)["caller id"]
    placed(simulated, **joans)

    assert finding.verdict == "warn"
    assert "unless a role of the agent's allows it" in finding.evidence
    assert simulated.world.calls()[0]["callerId"] == "+15551234566"


@pytest.mark.parametrize(("ahead", "says"), [(-90.0, "90 s ahead of"), (90.0, "90 s behind")])
def test_a_clock_that_is_off_is_warned_of(simulated: Simulated, ahead: float, says: str) -> None:
    def off(_request: Request, go: Callable[[], Response]) -> Response:
        answer = go()
        date = formatdate(simulated.world.now + ahead, usegmt=True)
        return Response(answer.status, {**answer.headers, "date": date}, answer.body)

    simulated.trouble = off
    finding = checked(simulated)["clock"]

    assert finding.verdict == "warn"
    assert says in finding.evidence
    assert "NTP" in finding.remedy


class Hasty(Simulated):
    """A machine whose clock is an hour ahead of the platform's."""

    def _give(self, wish: Wish) -> Any:
        return self.world.now + 3600.0 if isinstance(wish, Now) else super()._give(wish)


def test_an_assertion_signed_by_a_wrong_clock_is_refused_and_the_clock_named() -> None:
    simulated = Hasty(auth=JwtBearer("your_client_id", PUBLISHED_PRIVATE_KEY, subject=ADA, algorithm="ES256"))
    found = checked(simulated)

    with pytest.raises(errors.NotAuthenticated) as later:
        placed(simulated)

    assert found["token"].verdict == "fail"
    assert found["token"].remedy == later.value.fix
    assert "the clock is right" in later.value.fix
    assert "3600 s ahead of the platform's" in found["clock"].evidence


def test_nothing_is_wrong_where_nothing_is(simulated: Simulated) -> None:
    found = checked(simulated, agent="grace@example.com", caller_id="+15551234568")

    assert {one.verdict for one in found.values()} == {"pass"}
    placed(simulated, agent="grace@example.com", caller_id="+15551234568")
    assert len(simulated.world.calls()) == 1
