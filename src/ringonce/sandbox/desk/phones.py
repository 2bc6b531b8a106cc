"""Stations, and who sits at which."""

from functools import partial

from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.users import user_of
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.directory import StationTakenError
from ringonce.sandbox.org import Station
from ringonce.sandbox.shapes import people
from ringonce.sandbox.shapes.problems import Problem, missing_permission

VIEW_OTHERS = "telephony:otherStationAssociation:view"
EDIT_OTHERS = "telephony:otherStationAssociation:edit"
DISSOCIATE = "telephony:station:disassociate"
ASSIGN = ("telephony:plugin:all", "telephony:phone:assign")


def some(visit: Visit) -> Answer:
    """Stations, by name, id, line or WebRTC user, or those that the token's user could choose."""
    world, query = visit.world, visit.request.query
    name, web_rtc_user_id, line = (query.get(each, "") for each in ("name", "webRtcUserId", "lineAppearanceId"))
    ids, selectable = set(visit.words("id")), visit.flag("userSelectable")

    def wanted(each: Station) -> bool:
        return (
            (not name or name.lower() in each.name.lower())
            and (not web_rtc_user_id or each.web_rtc_user_id == web_rtc_user_id)
            and (not line or people.line_id(each) == line)
            and (not ids or each.id in ids)
            and (selectable is None or (each.web_rtc_user_id in {None, visit.token.user_id}) == selectable)
        )

    kept = [each for each in world.org.stations.values() if wanted(each)]
    if query.get("sortBy", "") == "name":
        kept.sort(key=lambda each: each.name.lower())
    return 200, visit.listing(kept, partial(people.station, directory=world.directory), at_most=500)


def get(visit: Visit, station_id: str) -> Answer:
    """One station."""
    return 200, people.station(_station(visit, station_id), visit.world.directory)


def send_away(visit: Visit, station_id: str) -> Answer:
    """Let nobody sit at a station any more."""
    holder = visit.world.directory.holder_of(_station(visit, station_id).id)
    if holder is not None:
        visit.world.directory.dissociate(holder.id)
    return 200, None


def of_user(visit: Visit, user_id: str) -> Answer:
    """The phones of a user. One's own need no permission."""
    _oneself_or(visit, user_id, VIEW_OTHERS)
    return 200, people.user_stations(user_of(visit, user_id), visit.world.org, visit.world.directory)


def associate(visit: Visit, user_id: str, station_id: str) -> Answer:
    """Sit down at a station, unless somebody else is there."""
    _oneself_or(visit, user_id, EDIT_OTHERS)
    user_of(visit, user_id)
    _station(visit, station_id)
    try:
        visit.world.directory.associate(user_id, station_id)
    except StationTakenError:
        raise Problem(409, "userservice.stationalreadyassociated", "Station is already associated") from None
    return 202, None


def dissociate(visit: Visit, user_id: str) -> Answer:
    """Leave one's station."""
    _oneself_or(visit, user_id, DISSOCIATE)
    user_of(visit, user_id)
    visit.world.directory.dissociate(user_id)
    return 202, None


def set_default(visit: Visit, user_id: str, station_id: str) -> Answer:
    """Give a user a station to fall back on."""
    user_of(visit, user_id)
    visit.world.directory.set_default(user_id, _station(visit, station_id).id)
    return 202, None


def clear_default(visit: Visit, user_id: str) -> Answer:
    """Take a user's default station away."""
    user_of(visit, user_id)
    visit.world.directory.set_default(user_id, "")
    return 202, None


def mine(visit: Visit) -> Answer:
    """The phones of the token's user."""
    return of_user(visit, visit.token.user_id)


def associate_me(visit: Visit, station_id: str) -> Answer:
    """Sit down at a station oneself."""
    return associate(visit, visit.token.user_id, station_id)


def dissociate_me(visit: Visit) -> Answer:
    """Leave one's own station."""
    return dissociate(visit, visit.token.user_id)


def _oneself_or(visit: Visit, user_id: str, permission: str) -> None:
    if visit.token.user_id != user_id and not visit.token.allows((permission,)):
        raise missing_permission(permission)


def _station(visit: Visit, station_id: str) -> Station:
    return found(visit.world.org.stations, station_id, "a station")


ROUTES = [
    Route("GET", "/stations", some),
    Route("GET", "/stations/{stationId}", get),
    Route("DELETE", "/stations/{stationId}/associateduser", send_away, any_of=(DISSOCIATE,)),
    Route("GET", "/users/{userId}/station", of_user),
    Route("PUT", "/users/{userId}/station/associatedstation/{stationId}", associate),
    Route("DELETE", "/users/{userId}/station/associatedstation", dissociate),
    Route("PUT", "/users/{userId}/station/defaultstation/{stationId}", set_default, any_of=ASSIGN),
    Route("DELETE", "/users/{userId}/station/defaultstation", clear_default, any_of=ASSIGN),
    Route("GET", "/users/stations/me", mine, user_only=True),
    Route("PUT", "/users/stations/me/associatedstation/{stationId}", associate_me, user_only=True),
    Route("DELETE", "/users/stations/me/associatedstation", dissociate_me, user_only=True),
]
