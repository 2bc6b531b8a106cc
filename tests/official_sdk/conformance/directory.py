"""Who and what there is: users, stations, queues, numbers, and what a token may do."""

from typing import Any

from official_sdk.conformance.driving import ADA, GRACE, GUESS, LIKELY, SALE, SALES, Drive, Scene
from ringonce.sandbox.default_org import AGENT
from ringonce.sandbox.dice import named
from ringonce.sandbox.presences import ON_QUEUE

EDGES = "TelephonyProvidersEdgeApi.get_telephony_providers_edges"
HOT_DESK = named("station/hot-desk")
EVERYTHING_ABOUT_ME = [
    "authorization",
    "conversationSummary",
    "date",
    "divisionedPresenceDefinitions",
    "organization",
    "presence",
    "presenceDefinitions",
    "routingStatus",
    "station",
    "token",
]


def _search(scene: Scene) -> dict[str, Any]:
    criterion = scene.body("UserSearchCriteria", fields=["email"], value="ada@example.com", type="EXACT")
    return {"body": scene.body("UserSearchRequest", query=[criterion])}


def _page(scene: Scene) -> dict[str, Any]:
    criterion = scene.body("UserSearchCriteria", type="MATCH_ALL")
    search = scene.body("UserSearchRequest", query=[criterion], page_size=2, expand=["station", "routingStatus"])
    return {"q64": scene.api("UsersApi").post_users_search(search).next_page}


def _ada(**more: Any) -> dict[str, Any]:
    return {"user_id": ADA, **more}


def _on_queue(scene: Scene) -> Any:
    return scene.body("UserPresence", presence_definition=scene.body("PresenceDefinition", id=ON_QUEUE))


def _silent(scene: Scene) -> dict[str, Any]:
    scene.api("PresenceApi").patch_user_presence(ADA, "PURECLOUD", _on_queue(scene))
    scene.sandbox.do(lambda world: world.directory.did_not_respond(ADA))
    return _ada(body=scene.body("RoutingStatus", status="IDLE"))


def _forwarded(scene: Scene) -> dict[str, Any]:
    target = scene.body("CallTarget", type="PHONENUMBER", value="+15551239999")
    route = scene.body("CallRoute", targets=[target])
    return _ada(body=scene.body("CallForwarding", enabled=True, calls=[route], voicemail="NONE"))


DRIVES = [
    Drive("GET", "/users/me", "UsersApi.get_users_me", lambda _: {"expand": EVERYTHING_ABOUT_ME}, who=ADA),
    Drive("GET", "/users/search", "UsersApi.get_users_search", _page, LIKELY),
    Drive(
        "PATCH",
        "/users/{userId}",
        "UsersApi.patch_user",
        lambda scene: _ada(body=scene.body("UpdateUser", version=1, title="Countess", acd_auto_answer=True)),
    ),
    Drive("GET", "/users/{userId}/state", "UsersApi.get_user_state", lambda _: _ada(), GUESS),
    Drive("GET", "/users/{subjectId}/roles", "UsersApi.get_user_roles", lambda _: {"subject_id": ADA}, GUESS),
    Drive(
        "PATCH",
        "/users/{userId}/queues/{queueId}",
        "UsersApi.patch_user_queue",
        lambda scene: _ada(queue_id=SALES, body=scene.body("UserQueue", joined=False)),
        GUESS,
    ),
    Drive("GET", "/users/{userId}/callforwarding", "UsersApi.get_user_callforwarding", lambda _: _ada(), GUESS),
    Drive("PUT", "/users/{userId}/callforwarding", "UsersApi.put_user_callforwarding", _forwarded, GUESS),
    Drive("PATCH", "/users/{userId}/callforwarding", "UsersApi.patch_user_callforwarding", _forwarded, GUESS),
    Drive(
        "PATCH",
        "/users/{userId}/presences/{sourceId}",
        "PresenceApi.patch_user_presence",
        lambda scene: _ada(source_id="PURECLOUD", body=_on_queue(scene)),
    ),
    Drive(
        "GET",
        "/users/{userId}/presences/purecloud",
        "PresenceApi.get_user_presences_purecloud",
        lambda _: _ada(),
        LIKELY,
    ),
    Drive(
        "PATCH",
        "/users/{userId}/presences/purecloud",
        "PresenceApi.patch_user_presences_purecloud",
        lambda scene: _ada(body=_on_queue(scene)),
        LIKELY,
    ),
    Drive(
        "GET",
        "/users/presences/{sourceId}/bulk",
        "PresenceApi.get_users_presence_bulk",
        lambda _: {"source_id": "PURECLOUD", "id": [ADA, GRACE]},
        GUESS,
    ),
    Drive(
        "GET",
        "/users/presences/purecloud/bulk",
        "PresenceApi.get_users_presences_purecloud_bulk",
        lambda _: {"id": [ADA, GRACE]},
        GUESS,
    ),
    Drive("GET", "/presence/definitions", "PresenceApi.get_presence_definitions", basis=LIKELY),
    Drive(
        "GET",
        "/presence/definitions/{definitionId}",
        "PresenceApi.get_presence_definition",
        lambda _: {"definition_id": ON_QUEUE},
        LIKELY,
    ),
    Drive("GET", "/presencedefinitions", "PresenceApi.get_presencedefinitions"),
    Drive(
        "GET",
        "/presencedefinitions/{presenceId}",
        "PresenceApi.get_presencedefinition",
        lambda _: {"presence_id": ON_QUEUE},
    ),
    Drive("GET", "/systempresences", "PresenceApi.get_systempresences", basis=GUESS),
    Drive("PUT", "/users/{userId}/routingstatus", "UsersApi.put_user_routingstatus", _silent),
    Drive("GET", "/users/stations/me", "UsersApi.get_users_stations_me", who=ADA, basis=LIKELY),
    Drive(
        "PUT",
        "/users/stations/me/associatedstation/{stationId}",
        "UsersApi.put_users_stations_me_associatedstation_station_id",
        lambda _: {"station_id": HOT_DESK},
        LIKELY,
        ADA,
    ),
    Drive(
        "DELETE",
        "/users/stations/me/associatedstation",
        "UsersApi.delete_users_stations_me_associatedstation",
        who=ADA,
        basis=LIKELY,
    ),
    Drive(
        "PUT",
        "/users/{userId}/station/associatedstation/{stationId}",
        "UsersApi.put_user_station_associatedstation_station_id",
        lambda _: _ada(station_id=HOT_DESK),
    ),
    Drive(
        "DELETE",
        "/users/{userId}/station/associatedstation",
        "UsersApi.delete_user_station_associatedstation",
        lambda _: _ada(),
    ),
    Drive(
        "PUT",
        "/users/{userId}/station/defaultstation/{stationId}",
        "UsersApi.put_user_station_defaultstation_station_id",
        lambda _: _ada(station_id=HOT_DESK),
    ),
    Drive(
        "DELETE",
        "/users/{userId}/station/defaultstation",
        "UsersApi.delete_user_station_defaultstation",
        lambda _: _ada(),
    ),
    Drive(
        "DELETE",
        "/stations/{stationId}/associateduser",
        "StationsApi.delete_station_associateduser",
        lambda _: {"station_id": named("station/ada")},
    ),
    Drive("GET", "/routing/queues/me", "RoutingApi.get_routing_queues_me", lambda _: {"joined": True}, who=ADA),
    Drive(
        "PATCH",
        "/routing/queues/{queueId}/members/{memberId}",
        "RoutingApi.patch_routing_queue_member",
        lambda scene: {"queue_id": SALES, "member_id": ADA, "body": scene.body("QueueMember", joined=False)},
        GUESS,
    ),
    Drive(
        "GET",
        "/telephony/providers/edges/didpools/{didPoolId}",
        f"{EDGES}_didpool",
        lambda _: {"did_pool_id": named("did-pool")},
    ),
    Drive("GET", "/telephony/providers/edges/phones", f"{EDGES}_phones", basis=GUESS),
    Drive(
        "GET",
        "/telephony/providers/edges/phones/{phoneId}",
        f"{EDGES}_phone",
        lambda _: {"phone_id": named(f"phone/{HOT_DESK}")},
        GUESS,
    ),
    Drive("GET", "/telephony/providers/edges/lines", f"{EDGES}_lines", basis=GUESS),
    Drive(
        "GET",
        "/telephony/providers/edges/lines/{lineId}",
        f"{EDGES}_line",
        lambda _: {"line_id": named(f"line/{HOT_DESK}")},
        GUESS,
    ),
    Drive("GET", "/telephony/providers/edges/sites", f"{EDGES}_sites", basis=GUESS),
    Drive(
        "GET", "/telephony/providers/edges/sites/{siteId}", f"{EDGES}_site", lambda _: {"site_id": named("site")}, GUESS
    ),
    Drive("GET", "/telephony/providers/edges/edgegroups", f"{EDGES}_edgegroups", basis=GUESS),
    Drive(
        "GET",
        "/telephony/providers/edges/edgegroups/{edgeGroupId}",
        f"{EDGES}_edgegroup",
        lambda _: {"edge_group_id": named("edge-group")},
        GUESS,
    ),
    Drive("GET", "/organizations/me", "OrganizationApi.get_organizations_me", basis=GUESS),
    Drive("GET", "/authorization/divisions", "AuthorizationApi.get_authorization_divisions", basis=GUESS),
    Drive("GET", "/authorization/divisions/home", "AuthorizationApi.get_authorization_divisions_home", basis=GUESS),
    Drive(
        "GET",
        "/authorization/divisions/{divisionId}",
        "AuthorizationApi.get_authorization_division",
        lambda _: {"division_id": named("division")},
        GUESS,
    ),
    Drive("GET", "/authorization/roles", "AuthorizationApi.get_authorization_roles", basis=GUESS),
    Drive(
        "GET",
        "/authorization/roles/{roleId}",
        "AuthorizationApi.get_authorization_role",
        lambda _: {"role_id": AGENT.id},
        GUESS,
    ),
    Drive(
        "GET",
        "/authorization/subjects/{subjectId}",
        "AuthorizationApi.get_authorization_subject",
        lambda _: {"subject_id": ADA},
        LIKELY,
    ),
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
