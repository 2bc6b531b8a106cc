"""What the sandbox refuses, and that the SDK hears of it as it would from the platform."""

import json
import types
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from ringonce.sandbox import Sandbox

pytestmark = pytest.mark.official_sdk

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
NOBODY = "00000000-0000-4000-8000-000000000000"
CREATE = {"method": "POST", "path": "/api/v2/conversations/calls*"}
Refused = Callable[[int, str], AbstractContextManager[None]]


@pytest.mark.parametrize(
    ("client_id", "secret", "status", "words"),
    [
        pytest.param("your_client_id", "wrong", 401, "authentication failed", id="a wrong secret"),
        pytest.param("nobody", "your_client_secret", 400, "client not found", id="an unknown client"),
    ],
)
def test_who_may_not_sign_in(
    sdk: Any,
    make_client: Callable[[str], Any],
    sandbox: Sandbox,
    client_id: str,
    secret: str,
    status: int,
    words: str,
) -> None:
    with pytest.raises(sdk.rest.ApiException) as caught:
        make_client(sandbox.url).get_client_credentials_token(client_id, secret)

    body = json.loads(caught.value.body)
    assert caught.value.status == status
    assert (body["error"], body["error_description"]) == ("invalid_client", words)


def test_an_expired_token(sdk: Any, client: Any, sandbox: Sandbox, refused: Refused) -> None:
    sandbox.advance(86_401)

    with refused(401, "credentials.expired"):
        sdk.UsersApi(client).get_user(ADA)

    client.get_client_credentials_token("your_client_id", "your_client_secret")
    assert sdk.UsersApi(client).get_user(ADA).id == ADA


def test_a_token_that_nobody_issued_and_none_at_all(sdk: Any, client: Any, refused: Refused) -> None:
    client.access_token = "made up"
    with refused(401, "bad.credentials"):
        sdk.UsersApi(client).get_user(ADA)

    client.access_token = ""
    with refused(401, "authentication.required"):
        sdk.UsersApi(client).get_user(ADA)


def test_a_service_that_may_only_look(
    sdk: Any, make_client: Callable[[str], Any], sandbox: Sandbox, refused: Refused
) -> None:
    client = make_client(sandbox.url)
    client.get_client_credentials_token("limited_client_id", "limited_client_secret")
    body = sdk.CreateCallRequest()
    body.phone_number = "+15559876543"

    assert sdk.UsersApi(client).get_user(ADA).id == ADA
    with refused(403, "missing.any.permissions"):
        sdk.ConversationsApi(client).post_conversations_calls_user_user_id(ADA, body)
    assert sandbox.calls() == []


def test_what_does_not_exist(sdk: Any, client: Any, conversations: Any, refused: Refused) -> None:
    with refused(404, "conversation.error.conversation.not.found"):
        conversations.get_conversations_call(NOBODY)
    with refused(404, "conversation.error.conversation.not.found"):
        conversations.get_conversation(NOBODY)
    with refused(404, "general.resource.not.found"):
        sdk.UsersApi(client).get_user(NOBODY)
    with refused(404, "resource.not.found"):
        sdk.RoutingApi(client).get_routing_queue(NOBODY)
    body = sdk.CreateCallRequest()
    body.phone_number = "+15559876543"
    with refused(404, "resource.not.found"):
        conversations.post_conversations_calls_user_user_id(NOBODY, body)


def test_a_path_that_this_sandbox_does_not_have(sdk: Any, client: Any, refused: Refused) -> None:
    with refused(404, "not.found"):
        sdk.OutboundApi(client).get_outbound_campaigns()


@pytest.mark.parametrize(
    ("agent", "fields", "code"),
    [
        pytest.param("joan@example.com", {}, "conversation.error.no.user.station", id="an agent without a phone"),
        pytest.param(
            "ada@example.com",
            {"call_user_id": ADA},
            "too.many.create.conversation.parameters",
            id="two destinations",
        ),
        pytest.param("ada@example.com", {"phone_number": None}, "required.field.missing", id="no destination"),
    ],
)
def test_calls_that_are_not_placed(
    sdk: Any,
    client: Any,
    conversations: Any,
    sandbox: Sandbox,
    refused: Refused,
    agent: str,
    fields: dict[str, Any],
    code: str,
) -> None:
    [user] = [each for each in sdk.UsersApi(client).get_users().entities if each.email == agent]
    body = sdk.CreateCallRequest()
    body.phone_number = "+15559876543"
    for name, value in fields.items():
        setattr(body, name, value)

    with refused(400, code):
        conversations.post_conversations_calls_user_user_id(user.id, body)

    assert sandbox.calls() == []


def test_over_the_limit_the_sdk_waits_as_long_as_it_is_told(
    sdk: Any, client: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        sandbox.advance(seconds)

    monkeypatch.setattr("urllib3.util.retry.time", types.SimpleNamespace(sleep=wait))
    sandbox.do(lambda world: setattr(world, "rate_limit", 2))
    users = sdk.UsersApi(client)

    assert {users.get_user(ADA).id for _ in range(3)} == {ADA}

    reads = [entry["status"] for entry in sandbox.requests() if entry["method"] == "GET"]
    assert (reads, waits) == ([200, 200, 429, 200], [60])


def test_the_limit_stands_in_every_answer(sdk: Any, client: Any) -> None:
    users = sdk.UsersApi(client)
    users.get_user(ADA)
    users.get_user(ADA)

    headers = client.last_response.getheaders()

    assert (headers["inin-ratelimit-count"], headers["inin-ratelimit-allowed"]) == ("2", "300")
    assert 0 < int(headers["inin-ratelimit-reset"]) <= 60


def test_a_refusal_by_fault_says_when_to_come_back(
    sdk: Any, conversations: Any, place: Callable[..., str], sandbox: Sandbox
) -> None:
    sandbox.fault(**CREATE, action="status", status=429, retry_after=0)

    with pytest.raises(sdk.rest.ApiException) as caught:
        place()

    assert (caught.value.status, caught.value.headers["Retry-After"]) == (429, "0")
    assert json.loads(caught.value.body)["code"] == "too.many.requests.retry.after"
    assert sandbox.calls() == []


@pytest.mark.parametrize("status", [500, 503, 504])
def test_trouble_of_the_platforms_own(
    place: Callable[..., str], sandbox: Sandbox, refused: Refused, status: int
) -> None:
    sandbox.fault(**CREATE, action="status", status=status)
    code = {500: "internal.server.error", 503: "service.unavailable", 504: "request.timeout"}[status]

    with refused(status, code):
        place()

    assert sandbox.calls() == []
