"""The numbers that the organisation owns, and the phones, lines and the site behind its stations."""

from functools import partial
from typing import Any

from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.org import Did, DidPool, Org, Station
from ringonce.sandbox.shapes import hardware, people
from ringonce.sandbox.shapes.problems import bad_request, invalid_value, not_found

PLUGIN = ("telephony:plugin:all",)
DID_TYPES = ("ASSIGNED_AND_UNASSIGNED", "UNASSIGNED")


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


def did_pool(visit: Visit, pool_id: str) -> Answer:
    """One range of numbers."""
    pool = visit.world.org.did_pool
    if pool.id != pool_id:
        raise not_found("The DID Pool was not found.")
    return 200, _did_pool(pool)


def phones(visit: Visit) -> Answer:
    """The phones behind the stations, by name, site, WebRTC user, line, or who sits there."""
    world, query = visit.world, visit.request.query
    names = {each.lower() for each in visit.words("name")}

    def about(each: Station) -> dict[str, str]:
        holder, default = world.directory.holder_of(each.id), world.directory.default_user_of(each.id)
        return {
            "site.id": hardware.SITE["id"],
            "webRtcUser.id": each.web_rtc_user_id or "",
            "lines.id": people.line_id(each),
            "lines.name": each.name,
            "phoneBaseSettings.id": hardware.settings_of(each)["id"],
            "lines.loggedInUser.id": holder.id if holder else "",
            "lines.defaultForUser.id": default.id if default else "",
        }

    wanted = [
        each
        for each in world.org.stations.values()
        if (not names or each.name.lower() in names)
        and all(query.get(field, "") in {"", value} for field, value in about(each).items())
    ]
    return 200, visit.listing(wanted, partial(hardware.phone, directory=world.directory))


def phone(visit: Visit, phone_id: str) -> Answer:
    """One phone."""
    wanted = {hardware.phone_id(each): each for each in visit.world.org.stations.values()}
    return 200, hardware.phone(found(wanted, phone_id, "a phone"), visit.world.directory)


def lines(visit: Visit) -> Answer:
    """The lines of all phones; each has one."""
    name, world = visit.request.query.get("name", "").lower(), visit.world
    wanted = [each for each in world.org.stations.values() if not name or each.name.lower() == name]
    return 200, visit.listing(wanted, partial(hardware.line, directory=world.directory))


def line(visit: Visit, line_id: str) -> Answer:
    """One line."""
    wanted = {people.line_id(each): each for each in visit.world.org.stations.values()}
    return 200, hardware.line(found(wanted, line_id, "a line"), visit.world.directory)


def sites(visit: Visit) -> Answer:
    """The sites, of which there is one; by name if it is given."""
    name = visit.request.query.get("name", "").strip("*").lower()
    one = hardware.site(visit.world.org)
    return 200, visit.listing([one] if name in str(one["name"]).lower() else [], dict)


def site(visit: Visit, site_id: str) -> Answer:
    """One site."""
    one = hardware.site(visit.world.org)
    return 200, found({str(one["id"]): one}, site_id, "a site")


def edge_groups(visit: Visit) -> Answer:
    """The groups of edges, of which there is one."""
    return 200, visit.listing([hardware.EDGE_GROUP], dict)


def edge_group(_visit: Visit, group_id: str) -> Answer:
    """One group of edges."""
    return 200, found({str(hardware.EDGE_GROUP["id"]): hardware.EDGE_GROUP}, group_id, "an edge group")


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
    Route("GET", "/telephony/providers/edges/dids", dids, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/dids/{didId}", did, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/didpools", did_pools, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/didpools/{didPoolId}", did_pool, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/didpools/dids", did_numbers, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/phones", phones, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/phones/{phoneId}", phone, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/lines", lines, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/lines/{lineId}", line, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/sites", sites, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/sites/{siteId}", site, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/edgegroups", edge_groups, any_of=PLUGIN),
    Route("GET", "/telephony/providers/edges/edgegroups/{edgeGroupId}", edge_group, any_of=PLUGIN),
]
