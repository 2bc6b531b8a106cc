"""What can't be right is refused before anything leaves, with what, why and what to do."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ringonce import AsyncClient, Client
from ringonce.client.flows.placing import place_call
from ringonce.client.wishes import Request, Response
from ringonce.errors import (
    Ambiguous,
    ApiRefusal,
    ConfigError,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    NumberRefused,
    RingonceError,
)
from simulated import ADA, Simulated

PREMIUM = "+1 900 555 0123"


def refused(simulated: Simulated, kind: type[RingonceError], **fields: object) -> RingonceError:
    with pytest.raises(kind) as caught:
        simulated.run(place_call(simulated.session, simulated.order(**fields)))
    error = caught.value
    assert error.what
    assert error.why
    assert error.fix
    assert simulated.world.calls() == []
    return error


@pytest.mark.parametrize(
    "number",
    ["", "   ", "abc", "+1 800 FLOWERS", "+1555", "+1555987654321098", PREMIUM, "911", "112", "+1 911", "\x00", "+"],
)
def test_a_number_that_cannot_or_must_not_be_dialled(simulated: Simulated, number: str) -> None:
    refused(simulated, NumberRefused, to=number)
    assert simulated.sent == []


def test_a_premium_number_can_be_allowed(simulated: Simulated) -> None:
    simulated.run(place_call(simulated.session, simulated.order(to=PREMIUM, allow_premium=True)))
    assert simulated.world.calls()[0]["to"] == "+19005550123"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"attributes": {"note": "x" * 5000}}, id="an attribute too long"),
        pytest.param({"attributes": {"k" * 200: "x"}}, id="an attribute's name too long"),
        pytest.param({"attributes": {"": "x"}}, id="an attribute without a name"),
        pytest.param({"attributes": {"n": 7}}, id="an attribute that is no text"),
        pytest.param({"attributes": {"ringonce.intent": "x"}}, id="a reserved attribute"),
        pytest.param({"attributes": {str(n): "x" for n in range(101)}}, id="too many attributes"),
        pytest.param({"intent": " "}, id="a blank intent"),
        pytest.param({"intent": "crm-4711 "}, id="an intent with a blank at its end"),
        pytest.param({"intent": "x" * 129}, id="an intent too long"),
        pytest.param({"intent": "a\nb"}, id="an intent with a line break"),
        pytest.param({"agent": ""}, id="no agent"),
        pytest.param({"agent": "a\tb"}, id="an agent with a tab"),
        pytest.param({"caller_id": "+15551234567", "queue": "Sales"}, id="a caller id and a queue"),
        pytest.param({"caller_id": "nonsense"}, id="a caller id that is no number"),
        pytest.param({"wire": "tutorial"}, id="the tutorial wire without a caller id"),
        pytest.param(
            {"wire": "tutorial", "caller_id": "+15551234567", "attributes": {"a": "b"}},
            id="attributes on the tutorial wire",
        ),
        pytest.param({"intent": ""}, id="an empty intent"),
        pytest.param({"intent": 0}, id="an intent that is a number"),
        pytest.param({"wire": "pigeon"}, id="a wire that there is not"),
        pytest.param({"timeout": 0.0}, id="a deadline of nothing"),
        pytest.param({"timeout": -1.0}, id="a deadline in the past"),
    ],
)
def test_an_order_that_cannot_be_right(simulated: Simulated, fields: dict[str, Any]) -> None:
    refused(simulated, InvalidInput, **fields)
    assert simulated.sent == []


def test_an_agent_that_there_is_not(simulated: Simulated) -> None:
    error = refused(simulated, NotFound, agent="nobody@example.com")
    assert "nobody@example.com" in error.what


def test_an_agent_id_that_there_is_not(simulated: Simulated) -> None:
    refused(simulated, ApiRefusal, agent="00000000-0000-4000-8000-000000000000")


def test_a_name_that_fits_several_agents_names_them(simulated: Simulated) -> None:
    error = refused(simulated, Ambiguous, agent="Grace")
    assert "Grace Hopper" in error.why
    assert "Grace Murray" in error.why


def test_a_name_that_is_nearly_right_is_not_taken_but_named(simulated: Simulated) -> None:
    assert "Ada Lovelace" in refused(simulated, NotFound, agent="Lovelace").why


def test_a_state_that_nobody_has_heard_of_stops_no_agent(simulated: Simulated) -> None:
    def strange(request: Request, go: Callable[[], Response]) -> Response:
        answer = go()
        if not request.url.endswith("/users/search"):
            return answer
        return Response(answer.status, answer.headers, answer.body.replace(b'"active"', b'"unheard_of"'))

    simulated.trouble = strange
    placed = simulated.run(place_call(simulated.session, simulated.order(agent="ada@example.com")))

    assert placed.agent_id == ADA


def test_an_inactive_agent(simulated: Simulated) -> None:
    refused(simulated, NotFound, agent="alan@example.com")


def test_a_queue_that_there_is_not(simulated: Simulated) -> None:
    refused(simulated, NotFound, queue="Complaints")


def test_an_agent_without_a_station(simulated: Simulated) -> None:
    assert "station" in refused(simulated, ApiRefusal, agent="joan@example.com").fix


def test_a_wrong_secret() -> None:
    from ringonce import ClientCredentials

    secret = "not-the-secret"
    simulated = Simulated(auth=ClientCredentials("your_client_id", secret))
    error = refused(simulated, NotAuthenticated)
    assert secret not in repr(error) + str(error) + error.why


def test_a_token_without_the_permission_names_what_is_missing() -> None:
    from ringonce import ClientCredentials

    simulated = Simulated(auth=ClientCredentials("limited_client_id", "limited_client_secret"))
    error = refused(simulated, NotPermitted)
    assert "conversation:call:add" in error.why


@pytest.mark.parametrize("timeout", [float("nan"), -1, "3"])
def test_a_time_to_follow_for_is_a_number_of_seconds(timeout: Any) -> None:
    async def ask() -> None:
        async with AsyncClient(base_url="http://127.0.0.1:1") as genesys:
            with pytest.raises(InvalidInput, match="follow a call for"):
                await genesys.wait(ADA, timeout=timeout)
            with pytest.raises(InvalidInput, match="follow a call for"):
                await anext(genesys.follow(ADA, timeout=timeout))

    asyncio.run(ask())


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_timeouts_that_are_none_are_refused_when_the_client_is_made(kind: Callable[..., object]) -> None:
    with pytest.raises(ConfigError, match="timeouts can't be 5"):
        kind(base_url="http://127.0.0.1:1", timeouts=5)
