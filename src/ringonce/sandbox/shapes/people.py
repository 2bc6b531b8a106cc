"""Users and their stations: models User, UserMe, UserStations and Station of the official SDK."""

from typing import Any

from ringonce.sandbox.dice import named
from ringonce.sandbox.org import Org, Station, User

AVAILABLE = {
    "id": "6a3af858-942f-489d-9700-5f9bcdcdae9b",
    "systemPresence": "Available",
    "selfUri": "/api/v2/presencedefinitions/6a3af858-942f-489d-9700-5f9bcdcdae9b",
}
HOME_DIVISION = {
    "id": named("division"),
    "name": "Home",
    "selfUri": f"/api/v2/authorization/divisions/{named('division')}",
}


def user(person: User, org: Org, since: str, expand: list[str]) -> dict[str, Any]:
    """One user; *since* is when their presence and routing status began."""
    contact = {"address": person.email, "mediaType": "EMAIL", "type": "PRIMARY"}
    shape: dict[str, Any] = {
        "id": person.id,
        "name": person.name,
        "division": HOME_DIVISION,
        "chat": {"jabberId": f"{person.id.replace('-', '')[:24]}@conference.{org.short_name}.orgspan.com"},
        "department": person.department,
        "email": person.email,
        "primaryContactInfo": [contact],
        "addresses": [],
        "state": person.state,
        "title": person.title,
        "username": person.email,
        "version": 1,
        "acdAutoAnswer": False,
        "selfUri": f"/api/v2/users/{person.id}",
    }
    if person.caller_id:
        shape["addresses"] = [{"address": person.caller_id, "mediaType": "PHONE", "type": "WORK"}]
    if "station" in expand:
        shape["station"] = user_stations(person, org, since)
    if "presence" in expand:
        shape["presence"] = presence(person, since)
    if "routingStatus" in expand:
        shape["routingStatus"] = routing_status(person, since)
    return shape


def reference(person: User) -> dict[str, Any]:
    """A user as something else names them."""
    return {"id": person.id, "name": person.name, "selfUri": f"/api/v2/users/{person.id}"}


def presence(person: User, since: str) -> dict[str, Any]:
    """Whether a user is there."""
    return {
        "source": "PURECLOUD",
        "primary": True,
        "presenceDefinition": AVAILABLE,
        "message": "",
        "modifiedDate": since,
        "selfUri": f"/api/v2/users/{person.id}/presences/PURECLOUD",
    }


def routing_status(person: User, since: str) -> dict[str, Any]:
    """Whether queues send them work."""
    return {"userId": person.id, "status": person.routing_status, "startTime": since}


def user_stations(person: User, org: Org, since: str) -> dict[str, Any]:
    """The phones of a user. Whoever has an effective station can place calls."""
    phone = org.stations.get(person.station_id or "")
    if phone is None:
        return {}
    held = {
        "id": phone.id,
        "name": phone.name,
        "type": phone.type,
        "associatedUser": reference(person),
        "associatedDate": since,
        "defaultUser": reference(person),
        "providerInfo": {"edgeGroupId": named("edge-group")},
    }
    return {"associatedStation": held, "effectiveStation": held, "defaultStation": held, "lastAssociatedStation": held}


def station(phone: Station, org: Org) -> dict[str, Any]:
    """One phone."""
    holder = org.holder_of(phone.id)
    shape: dict[str, Any] = {
        "id": phone.id,
        "name": phone.name,
        "status": "ASSOCIATED" if holder else "AVAILABLE",
        "type": phone.type,
        "lineAppearanceId": named(f"line/{phone.id}"),
        "webRtcPersistentEnabled": False,
        "webRtcForceTurn": False,
        "webRtcCallAppearances": 100 if phone.web_rtc_user_id else 0,
        "webRtcRequireMediaHelper": False,
        "selfUri": f"/api/v2/stations/{phone.id}",
    }
    if holder is not None:
        shape["userId"] = holder.id
    if phone.web_rtc_user_id is not None:
        shape["webRtcUserId"] = phone.web_rtc_user_id
    return shape
