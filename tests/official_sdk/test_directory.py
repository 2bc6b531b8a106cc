"""Who and what there is: users, stations, queues, wrap-up codes and numbers, read with the SDK."""

from typing import Any

import pytest

from ringonce.sandbox import Sandbox

pytestmark = pytest.mark.official_sdk

ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


@pytest.fixture
def users(sdk: Any, client: Any) -> Any:
    return sdk.UsersApi(client)


def test_a_user_is_found_by_e_mail(sdk: Any, users: Any) -> None:
    search, criterion = sdk.UserSearchRequest(), sdk.UserSearchCriteria()
    criterion.fields, criterion.value, criterion.type = ["email"], "ADA@example.com", "EXACT"
    search.query = [criterion]

    found = users.post_users_search(search)

    assert (found.total, [user.id for user in found.results]) == (1, [ADA])


def test_a_search_that_finds_nobody(sdk: Any, users: Any) -> None:
    search, criterion = sdk.UserSearchRequest(), sdk.UserSearchCriteria()
    criterion.fields, criterion.value, criterion.type = ["email"], "nobody@example.com", "EXACT"
    search.query = [criterion]

    found = users.post_users_search(search)

    assert (found.total, found.results) == (0, [])


def test_a_user_says_what_was_asked_to_be_expanded(users: Any) -> None:
    plain = users.get_user(ADA)
    expanded = users.get_user(ADA, expand=["station", "presence", "routingStatus"])

    assert (plain.name, plain.email, plain.state, plain.station) == ("Ada Lovelace", "ada@example.com", "active", None)
    assert expanded.station.effective_station.name == "Ada's browser"
    assert (expanded.presence.source, expanded.routing_status.status) == ("PURECLOUD", "OFF_QUEUE")


def test_users_are_listed_page_by_page(users: Any) -> None:
    first = users.get_users(page_size=4)
    second = users.get_users(page_size=4, page_number=2)

    assert (first.total, first.page_count, len(first.entities)) == (8, 2, 4)
    names = [user.name for user in [*first.entities, *second.entities]]
    assert len(set(names)) == 8
    assert first.next_uri.startswith("/api/v2/users?")


def test_users_are_listed_by_their_ids(users: Any) -> None:
    grace = next(user.id for user in users.get_users().entities if user.email == "grace@example.com")

    listed = users.get_users(id=[ADA, grace])

    assert {user.id for user in listed.entities} == {ADA, grace}


def test_the_phone_of_an_agent(sdk: Any, client: Any, users: Any) -> None:
    associated = users.get_user_station(ADA).associated_station

    station = sdk.StationsApi(client).get_station(associated.id)

    assert (associated.name, station.name, station.web_rtc_user_id) == ("Ada's browser", "Ada's browser", ADA)
    assert [each.id for each in sdk.StationsApi(client).get_stations(name="Ada's browser").entities] == [station.id]


def test_an_agent_without_a_phone(users: Any) -> None:
    joan = next(user.id for user in users.get_users().entities if user.email == "joan@example.com")

    stations = users.get_user_station(joan)

    assert (stations.associated_station, stations.effective_station) == (None, None)


def test_queues_their_members_and_their_codes(sdk: Any, client: Any, users: Any) -> None:
    routing = sdk.RoutingApi(client)
    queues = {queue.name: queue for queue in routing.get_routing_queues().entities}
    sales = queues["Sales"]

    assert set(queues) == {"Sales", "Support"}
    assert routing.get_routing_queue(sales.id).calling_party_number == "+15551230001"
    assert ADA in {member.id for member in routing.get_routing_queue_members(sales.id).entities}
    assert "Sale" in {code.name for code in routing.get_routing_queue_wrapupcodes(sales.id).entities}
    assert {queue.name for queue in users.get_user_queues(ADA).entities} == {"Sales", "Support"}


def test_wrap_up_codes(sdk: Any, client: Any) -> None:
    routing = sdk.RoutingApi(client)
    codes = routing.get_routing_wrapupcodes().entities

    assert {"Reached", "No answer", "Sale"} <= {code.name for code in codes}
    assert routing.get_routing_wrapupcode(codes[0].id).name == codes[0].name


def test_numbers_and_whose_they_are(sdk: Any, client: Any) -> None:
    dids = sdk.TelephonyProvidersEdgeApi(client).get_telephony_providers_edges_dids().entities
    by_number = {did.phone_number: did for did in dids}

    assert (by_number["+15551234567"].owner_type, by_number["+15551234567"].owner.id) == ("USER", ADA)
    assert by_number["+15551234599"].owner is None
    assert by_number["+15551234500"].state == "inactive"


def test_a_token_is_probed_and_revoked(sdk: Any, client: Any, sandbox: Sandbox) -> None:
    tokens = sdk.TokensApi(client)

    tokens.head_tokens_me()
    tokens.delete_tokens_me()
    with pytest.raises(sdk.rest.ApiException) as caught:
        tokens.head_tokens_me()

    assert caught.value.status == 401
    assert [entry["status"] for entry in sandbox.requests()] == [200, 200, 200, 401]
