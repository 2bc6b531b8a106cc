"""Stations, and the numbers that the organisation owns."""

from functools import partial
from typing import Any

from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.org import Did, DidPool, Org
from ringonce.sandbox.shapes import people
from ringonce.sandbox.shapes.problems import bad_request, invalid_value

PLUGIN = ("telephony:plugin:all",)
DID_TYPES = ("ASSIGNED_AND_UNASSIGNED", "UNASSIGNED")


def stations(visit: Visit) -> Answer:
    """Stations, by name, id or WebRTC user if one is given."""
    org, query = visit.world.org, visit.request.query
    name, web_rtc_user_id = query.get("name", "").lower(), query.get("webRtcUserId", "")
    ids = set(visit.words("id"))
    wanted = [
        each
        for each in org.stations.values()
        if (not name or name in each.name.lower())
        and (not web_rtc_user_id or each.web_rtc_user_id == web_rtc_user_id)
        and (not ids or each.id in ids)
    ]
    return 200, visit.listing(wanted, partial(people.station, org=org), at_most=500)


def station(visit: Visit, station_id: str) -> Answer:
    """One station."""
    org = visit.world.org
    return 200, people.station(found(org.stations, station_id, "a station"), org)


def dids(visit: Visit) -> Answer:
    """The numbers, by number, owner or both if they are given."""
    org, query = visit.world.org, visit.request.query
    number, owner = query.get("phoneNumber", ""), query.get("ownerId", "") or query.get("owner.id", "")
    wanted = [
        each
        for each in org.dids.values()
        if (not number or each.number == number) and (not owner or each.owner_id == owner)
    ]
    return 200, visit.listing(wanted, partial(_did, org=org))


def did(visit: Visit, did_id: str) -> Answer:
    """One number."""
    org = visit.world.org
    return 200, _did(found(org.dids, did_id, "a DID"), org)


def did_numbers(visit: Visit) -> Answer:
    """The numbers of all pools, assigned or not."""
    kind = visit.request.query.get("type", "")
    if not kind:
        words = "The query parameter type is required: ASSIGNED_AND_UNASSIGNED or UNASSIGNED."
        raise bad_request(words, field="type", code="required.field.missing")
    if kind not in DID_TYPES:
        raise invalid_value("type", kind, DID_TYPES)
    org = visit.world.org
    wanted = [each for each in org.dids.values() if each.owner_id is None or kind != "UNASSIGNED"]
    return 200, visit.listing(wanted, partial(_did_number, org=org))


def did_pools(visit: Visit) -> Answer:
    """The ranges of numbers."""
    return 200, visit.listing([visit.world.org.did_pool], _did_pool)


def _did_pool(pool: DidPool) -> dict[str, Any]:
    return {
        "id": pool.id,
        "name": pool.first,
        "version": 1,
        "state": "active",
        "startPhoneNumber": pool.first,
        "endPhoneNumber": pool.last,
        "comments": pool.comments,
        "provider": "PURE_CLOUD",
        "selfUri": f"/api/v2/telephony/providers/edges/didpools/{pool.id}",
    }


def _did_number(number: Did, org: Org) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": number.id,
        "name": number.number,
        "number": number.number,
        "assigned": number.owner_id is not None,
        "didPool": {"id": org.did_pool.id, "selfUri": f"/api/v2/telephony/providers/edges/didpools/{org.did_pool.id}"},
        "selfUri": f"/api/v2/telephony/providers/edges/dids/{number.id}",
    }
    return shape | _owner(number, org)


def _did(number: Did, org: Org) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": number.id,
        "name": number.number,
        "version": 1,
        "state": number.state,
        "phoneNumber": number.number,
        "didPool": {"id": org.did_pool.id, "name": org.did_pool.first},
        "selfUri": f"/api/v2/telephony/providers/edges/dids/{number.id}",
    }
    return shape | _owner(number, org)


def _owner(number: Did, org: Org) -> dict[str, Any]:
    if number.owner_id is None:
        return {}
    owner = org.users[number.owner_id]
    return {"owner": {"id": owner.id, "name": owner.name}, "ownerType": number.owner_type}


ROUTES = [
    Route("GET", "/stations", stations),
    Route("GET", "/stations/{stationId}", station),
    Route("GET", "/telephony/providers/edges/dids", dids, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/dids/{didId}", did, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/didpools", did_pools, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/didpools/dids", did_numbers, any_of=PLUGIN),
]
