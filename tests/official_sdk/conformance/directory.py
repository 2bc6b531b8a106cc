"""Who and what there is: users, stations, queues, numbers, and what a token may do."""

from typing import Any

from official_sdk.conformance.driving import ADA, LIKELY, SALE, SALES, Drive, Scene
from ringonce.sandbox.dice import named


def _search(scene: Scene) -> dict[str, Any]:
    criterion = scene.body("UserSearchCriteria", fields=["email"], value="ada@example.com", type="EXACT")
    return {"body": scene.body("UserSearchRequest", query=[criterion])}


DRIVES = [
    Drive("GET", "/users/me", "UsersApi.get_users_me", lambda _: {"expand": ["station", "presence"]}, who=ADA),
    Drive("GET", "/users", "UsersApi.get_users"),
    Drive("POST", "/users/search", "UsersApi.post_users_search", _search),
    Drive("GET", "/users/{userId}", "UsersApi.get_user", lambda _: {"user_id": ADA}),
    Drive("GET", "/users/{userId}/station", "UsersApi.get_user_station", lambda _: {"user_id": ADA}),
    Drive("GET", "/users/{userId}/queues", "UsersApi.get_user_queues", lambda _: {"user_id": ADA}),
    Drive("GET", "/users/{userId}/routingstatus", "UsersApi.get_user_routingstatus", lambda _: {"user_id": ADA}),
    Drive(
        "GET",
        "/users/{userId}/presences/{sourceId}",
        "PresenceApi.get_user_presence",
        lambda _: {"user_id": ADA, "source_id": "PURECLOUD"},
        LIKELY,
    ),
    Drive("GET", "/routing/queues", "RoutingApi.get_routing_queues"),
    Drive("GET", "/routing/queues/{queueId}", "RoutingApi.get_routing_queue", lambda _: {"queue_id": SALES}),
    Drive(
        "GET",
        "/routing/queues/{queueId}/members",
        "RoutingApi.get_routing_queue_members",
        lambda _: {"queue_id": SALES},
    ),
    Drive(
        "GET",
        "/routing/queues/{queueId}/wrapupcodes",
        "RoutingApi.get_routing_queue_wrapupcodes",
        lambda _: {"queue_id": SALES},
    ),
    Drive("GET", "/routing/wrapupcodes", "RoutingApi.get_routing_wrapupcodes"),
    Drive("GET", "/routing/wrapupcodes/{codeId}", "RoutingApi.get_routing_wrapupcode", lambda _: {"code_id": SALE}),
    Drive("GET", "/stations", "StationsApi.get_stations"),
    Drive(
        "GET",
        "/stations/{stationId}",
        "StationsApi.get_station",
        lambda _: {"station_id": named("station/ada")},
    ),
    Drive("GET", "/telephony/providers/edges/dids", "TelephonyProvidersEdgeApi.get_telephony_providers_edges_dids"),
    Drive(
        "GET",
        "/telephony/providers/edges/dids/{didId}",
        "TelephonyProvidersEdgeApi.get_telephony_providers_edges_did",
        lambda _: {"did_id": named("did/+15551234567")},
    ),
    Drive(
        "GET",
        "/telephony/providers/edges/didpools",
        "TelephonyProvidersEdgeApi.get_telephony_providers_edges_didpools",
    ),
    Drive(
        "GET",
        "/telephony/providers/edges/didpools/dids",
        "TelephonyProvidersEdgeApi.get_telephony_providers_edges_didpools_dids",
        lambda _: {"type": "ASSIGNED_AND_UNASSIGNED"},
    ),
    Drive("GET", "/tokens/me", "TokensApi.get_tokens_me"),
    Drive("HEAD", "/tokens/me", "TokensApi.head_tokens_me"),
    Drive("DELETE", "/tokens/me", "TokensApi.delete_tokens_me", who=ADA),
    Drive("GET", "/authorization/subjects/me", "AuthorizationApi.get_authorization_subjects_me"),
]
