"""Users and their stations: models User, UserMe, UserStations and Station of the official SDK."""

from collections.abc import Iterable
from typing import Any

from ringonce.sandbox.dice import named
from ringonce.sandbox.directory import Directory, Forwarding
from ringonce.sandbox.org import Org, Station, User
from ringonce.sandbox.presences import SYSTEM_PRESENCES
from ringonce.sandbox.shapes import grants, news

HOME_DIVISION = {
    "id": named("division"),
    "name": "Home",
    "selfUri": f"/api/v2/authorization/divisions/{named('division')}",
}
EDGE_GROUP = named("edge-group")


def user(person: User, org: Org, directory: Directory, expand: Iterable[str] = ()) -> dict[str, Any]:
    """One user, with what *expand* asks for; a word that it does not know is passed over, as on the platform."""
    seat = directory.seat(person.id)
    contact = {"address": person.email, "mediaType": "EMAIL", "type": "PRIMARY"}
    shape: dict[str, Any] = {
        "id": person.id,
        "name": person.name,
        "division": HOME_DIVISION,
        "chat": {"jabberId": jabber_id(person, org)},
        "department": person.department,
        "email": person.email,
        "primaryContactInfo": [contact],
        "addresses": [],
        "state": person.state,
        "title": person.title,
        "username": person.email,
        "version": seat.version,
        "acdAutoAnswer": person.acd_auto_answer,
        "selfUri": f"/api/v2/users/{person.id}",
    }
    if seat.addresses is not None:
        shape["addresses"] = seat.addresses
    elif person.caller_id:
        shape["addresses"] = [{"address": person.caller_id, "mediaType": "PHONE", "type": "WORK"}]
    for word in expand:
        match word:
            case "station":
                shape["station"] = user_stations(person, org, directory)
            case "presence":
                shape["presence"] = presence(person, directory)
            case "routingStatus":
                shape["routingStatus"] = routing_status(person, directory)
            case "conversationSummary":
                shape["conversationSummary"] = news.summary(person.id, seat.work)
            case "authorization":
                shape["authorization"] = grants.authorization(person)
    return shape


def jabber_id(person: User, org: Org) -> str:
    """A user's address in the directory's chat."""
    return f"{person.id.replace('-', '')[:24]}@conference.{org.short_name}.orgspan.com"


def reference(person: User) -> dict[str, Any]:
    """A user as something else names them."""
    return {"id": person.id, "name": person.name, "selfUri": f"/api/v2/users/{person.id}"}


def presence(person: User, directory: Directory) -> dict[str, Any]:
    """Whether a user is there."""
    seat = directory.seat(person.id)
    return {
        "source": "PURECLOUD",
        "primary": True,
        "presenceDefinition": presence_definition(seat.presence_id),
        "message": seat.message,
        "modifiedDate": seat.present_since,
        "selfUri": f"/api/v2/users/{person.id}/presences/PURECLOUD",
    }


def presence_definition(presence_id: str) -> dict[str, str]:
    """A presence as a user's presence names it: model PresenceDefinition."""
    return {
        "id": presence_id,
        "systemPresence": SYSTEM_PRESENCES[presence_id],
        "selfUri": f"/api/v2/presencedefinitions/{presence_id}",
    }


def routing_status(person: User, directory: Directory) -> dict[str, Any]:
    """Whether queues send them work."""
    seat = directory.seat(person.id)
    return {"userId": person.id, "status": seat.status, "startTime": seat.status_since}


def call_forwarding(person: User, kept: Forwarding | None) -> dict[str, Any]:
    """Where a user's calls go: model CallForwarding."""
    shape: dict[str, Any] = {
        "id": person.id,
        "user": reference(person),
        "enabled": bool(kept and kept.enabled),
        "calls": [],
        "voicemail": kept.voicemail if kept else "PURECLOUD",
        "selfUri": f"/api/v2/users/{person.id}/callforwarding",
    }
    if kept is not None:
        shape["calls"] = [{"targets": [{"type": kind, "value": to} for kind, to in route]} for route in kept.routes]
        shape["modifiedDate"] = kept.modified
    return shape


def user_stations(person: User, org: Org, directory: Directory) -> dict[str, Any]:
    """The phones of a user. Whoever has an effective station can place calls."""
    seat = directory.seat(person.id)
    effective = directory.station_of(person.id)
    ids = {
        "associatedStation": seat.station_id,
        "effectiveStation": effective.id if effective else "",
        "defaultStation": seat.default_station_id,
        "lastAssociatedStation": seat.last_station_id,
    }
    return {
        field: _user_station(org.stations[station_id], directory)
        for field, station_id in ids.items()
        if station_id in org.stations
    }


def _user_station(phone: Station, directory: Directory) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": phone.id,
        "name": phone.name,
        "type": phone.type,
        "providerInfo": {"edgeGroupId": EDGE_GROUP},
        "webRtcCallAppearances": _appearances(phone),
    }
    holder, default = directory.holder_of(phone.id), directory.default_user_of(phone.id)
    if holder is not None:
        shape["associatedUser"] = reference(holder)
        shape["associatedDate"] = directory.seat(holder.id).associated
    if default is not None:
        shape["defaultUser"] = reference(default)
    return shape


def station(phone: Station, directory: Directory) -> dict[str, Any]:
    """One phone."""
    holder = directory.holder_of(phone.id)
    shape: dict[str, Any] = {
        "id": phone.id,
        "name": phone.name,
        "status": "ASSOCIATED" if holder else "AVAILABLE",
        "type": phone.type,
        "lineAppearanceId": line_id(phone),
        "webRtcPersistentEnabled": False,
        "webRtcForceTurn": False,
        "webRtcCallAppearances": _appearances(phone),
        "webRtcRequireMediaHelper": False,
        "selfUri": f"/api/v2/stations/{phone.id}",
    }
    if holder is not None:
        shape["userId"] = holder.id
    if phone.web_rtc_user_id is not None:
        shape["webRtcUserId"] = phone.web_rtc_user_id
    return shape


def line_id(phone: Station) -> str:
    """The only line of a phone."""
    return named(f"line/{phone.id}")


def _appearances(phone: Station) -> int:
    return 100 if phone.web_rtc_user_id else 0
