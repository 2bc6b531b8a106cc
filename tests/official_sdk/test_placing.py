"""Signing in, placing calls and reading them, in the SDK's own words."""

import datetime as dt
import json
import types
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from ringonce.sandbox import Sandbox

pytestmark = pytest.mark.official_sdk

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
Refused = Callable[[int, str], AbstractContextManager[None]]


def test_a_service_signs_in_and_its_token_says_whose_it_is(sdk: Any, client: Any, sandbox: Sandbox) -> None:
    about = sdk.TokensApi(client).get_tokens_me()

    assert client.access_token
    assert about.o_auth_client.id == "your_client_id"
    assert [entry["path"].endswith("/oauth/token") for entry in sandbox.requests()] == [True, False]


def test_the_setting_for_all_clients_is_enough(sdk: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk.configuration, "host", sandbox.url)

    client = sdk.ApiClient().get_client_credentials_token("your_client_id", "your_client_secret")
    found = sdk.UsersApi(client).get_user(ADA)

    assert found.email == "ada@example.com"
    client.get_http_client().rest_client.pool_manager.clear()


def test_a_gateway_path_that_repeats_api_does_no_harm(sdk: Any, sandbox: Sandbox) -> None:
    client = sdk.ApiClient()
    client.set_gateway("127.0.0.1", "http", int(sandbox.url.rpartition(":")[2]), "login/", "api/")

    client.get_client_credentials_token("your_client_id", "your_client_secret")
    found = sdk.UsersApi(client).get_user(ADA)

    assert found.name == "Ada Lovelace"
    assert [entry["path"] for entry in sandbox.requests()] == ["/login/oauth/token", f"/api/api/v2/users/{ADA}"]
    client.get_http_client().rest_client.pool_manager.clear()


def test_a_service_places_a_call_for_an_agent(conversations: Any, place: Callable[..., str], sandbox: Sandbox) -> None:
    conversation_id = place(caller_id="+15551234567", attributes={"crm": "4711"})

    call = conversations.get_conversations_call(conversation_id)
    assert [(leg.purpose, leg.state) for leg in call.participants] == [("user", "contacting")]
    assert call.participants[0].user.id == ADA
    [truth] = sandbox.calls()
    assert (truth["conversationId"], truth["agentId"], truth["to"]) == (conversation_id, ADA, "+15559876543")
    assert (truth["callerId"], truth["attributes"]) == ("+15551234567", {"crm": "4711"})


def test_the_answer_says_no_more_than_that_the_call_was_accepted(client: Any, place: Callable[..., str]) -> None:
    conversation_id = place()

    answer = client.last_response
    assert answer.status == 202
    assert json.loads(answer.data) == {
        "id": conversation_id,
        "selfUri": f"/api/v2/conversations/calls/{conversation_id}",
    }
    assert answer.getheader("ININ-Correlation-Id")


def test_these_clients_notice_a_value_that_the_sdk_does_not_know(client: Any) -> None:
    strange = types.SimpleNamespace(data='{"state":"humming"}', getheader=lambda name: "application/json")

    with pytest.raises(AssertionError):
        client.deserialize(strange, "Call")


def test_the_far_end_appears_once_the_station_has_answered(
    conversations: Any, place: Callable[..., str], sandbox: Sandbox
) -> None:
    conversation_id = place(attributes={"crm": "4711"})

    sandbox.advance(1.5)
    agent, far_end = conversations.get_conversations_call(conversation_id).participants
    assert (agent.state, far_end.purpose, far_end.state) == ("dialing", "external", "contacting")
    assert far_end.attributes == {"crm": "4711"}
    assert far_end.address == far_end.dnis == "tel:+15559876543"

    sandbox.advance(2.5)
    agent, far_end = conversations.get_conversations_call(conversation_id).participants
    assert (agent.state, far_end.state) == ("connected", "connected")
    assert far_end.connected_time >= far_end.start_time


def test_both_views_tell_of_the_same_call(conversations: Any, talking: Callable[..., str]) -> None:
    conversation_id = talking()

    flat = conversations.get_conversations_call(conversation_id)
    nested = conversations.get_conversation(conversation_id)

    assert flat.id == nested.id == conversation_id
    assert [leg.id for leg in flat.participants] == [party.id for party in nested.participants]
    assert [leg.state for leg in flat.participants] == [party.calls[0].state for party in nested.participants]
    assert nested.participants[1].calls[0].provider == "Edge"
    assert nested.participants[1].calls[0].pcSelf.address_normalized == "tel:+15559870000"


def test_a_call_for_a_queue_has_an_agent_and_a_customer(
    sdk: Any, client: Any, conversations: Any, talking: Callable[..., str]
) -> None:
    [sales] = sdk.RoutingApi(client).get_routing_queues(name="Sales").entities

    legs = conversations.get_conversations_call(talking(call_from_queue_id=sales.id)).participants

    assert [leg.purpose for leg in legs] == ["agent", "customer"]
    assert legs[0].queue.id == sales.id
    assert legs[1].ani == f"tel:{sales.calling_party_number}"


@pytest.mark.parametrize(
    ("digits", "far_end", "code"),
    [
        ("0001", "endpoint", 480),
        ("0002", "endpoint", 486),
        ("0003", "endpoint", 603),
        ("0004", "error", None),
        ("0005", "transfer.noanswer", None),
        ("0006", "endpoint", None),
        ("0008", "transport.failure", None),
        ("6543", "endpoint", None),
    ],
)
def test_how_each_story_ends(
    conversations: Any, place: Callable[..., str], sandbox: Sandbox, digits: str, far_end: str, code: int | None
) -> None:
    conversation_id = place(digits)
    sandbox.advance(70)

    ended = conversations.get_conversations_call(conversation_id)
    whole = conversations.get_conversation(conversation_id)

    assert {leg.state for leg in ended.participants} == {"terminated"}
    assert ended.participants[1].disconnect_type == far_end
    reasons = whole.participants[1].calls[0].disconnect_reasons or []
    assert [reason.code for reason in reasons] == ([code] if code else [])
    assert all(leg.end_time for leg in ended.participants)


def test_a_station_that_never_answers_leaves_one_participant_and_an_error(
    conversations: Any, place: Callable[..., str], sandbox: Sandbox
) -> None:
    conversation_id = place("0007")
    sandbox.advance(61)

    [leg] = conversations.get_conversations_call(conversation_id).participants

    assert (leg.state, leg.disconnect_type) == ("terminated", "error")
    assert leg.error_info.code == "error.ininedgecontrol.connection.timeout"


def test_what_needs_a_user_is_refused_to_a_service(
    sdk: Any, client: Any, conversations: Any, refused: Refused, sandbox: Sandbox
) -> None:
    with refused(400, "not.a.user"):
        sdk.UsersApi(client).get_users_me()
    with refused(400, "not.a.user"):
        conversations.get_conversations_calls()
    with refused(400, "not.a.user"):
        conversations.post_conversations_calls(sdk.CreateCallRequest())
    assert sandbox.calls() == []


def test_a_user_may_do_what_a_service_may_not(sdk: Any, adas_client: Any, sandbox: Sandbox) -> None:
    conversations, body = sdk.ConversationsApi(adas_client), sdk.CreateCallRequest()
    body.phone_number = "+15559870000"

    placed = conversations.post_conversations_calls(body)

    assert sdk.UsersApi(adas_client).get_users_me(expand=["station", "presence"]).id == ADA
    assert [call.id for call in conversations.get_conversations_calls().entities] == [placed.id]
    sandbox.advance(5)
    conversations.post_conversation_disconnect(placed.id)
    sandbox.advance(1)
    assert conversations.get_conversations_calls().entities == []
    [past] = conversations.get_conversations_calls_history().entities
    assert (past.id, past.direction) == (placed.id, "outbound")


def test_the_calls_of_an_agent_are_found_afterwards(sdk: Any, conversations: Any, talking: Callable[..., str]) -> None:
    conversation_id = talking()
    started = conversations.get_conversation(conversation_id).start_time
    of_ada = sdk.SegmentDetailQueryPredicate()
    of_ada.dimension, of_ada.value = "userId", ADA
    everything = sdk.SegmentDetailQueryFilter()
    everything.type, everything.predicates = "and", [of_ada]
    query = sdk.ConversationQuery()
    query.interval = f"{started.isoformat()}/{(started + dt.timedelta(minutes=1)).isoformat()}"
    query.segment_filters = [everything]

    found = conversations.post_analytics_conversations_details_query(query)

    assert (found.total_hits, found.conversations[0].conversation_id) == (1, conversation_id)
    assert [party.purpose for party in found.conversations[0].participants] == ["user", "external"]
