"""What stands behind a station: models Phone, Line, Site and EdgeGroup of the official SDK."""

from typing import Any, Final

from ringonce.sandbox.dice import named
from ringonce.sandbox.directory import Directory
from ringonce.sandbox.org import Org, Station
from ringonce.sandbox.shapes import people

_EDGES: Final = "/api/v2/telephony/providers/edges"
SITE: Final = {"id": named("site"), "name": "Example site", "selfUri": f"{_EDGES}/sites/{named('site')}"}
EDGE_GROUP: Final[dict[str, Any]] = {
    "id": people.EDGE_GROUP,
    "name": "Example edge group",
    "version": 1,
    "state": "active",
    "managed": True,
    "hybrid": False,
    "selfUri": f"{_EDGES}/edgegroups/{people.EDGE_GROUP}",
}


def phone_id(station: Station) -> str:
    """The phone of a station."""
    return named(f"phone/{station.id}")


def settings_of(station: Station) -> dict[str, str]:
    """The base settings of a phone: one set for each type."""
    return {"id": named(f"phone-base/{station.type}"), "name": station.type}


def phone(station: Station, directory: Directory) -> dict[str, Any]:
    """One phone, with its only line."""
    itself = phone_id(station)
    shape: dict[str, Any] = {
        "id": itself,
        "name": station.name,
        "version": 1,
        "state": "active",
        "site": SITE,
        "phoneBaseSettings": settings_of(station),
        "lineBaseSettings": _line_settings(station),
        "lines": [line(station, directory)],
        "status": {"id": itself, "operationalStatus": "OPERATIONAL", "edgesStatus": "IN_SERVICE"},
        "standAlone": False,
        "selfUri": f"{_EDGES}/phones/{itself}",
    }
    if station.web_rtc_user_id is not None:
        shape["webRtcUser"] = _user(station.web_rtc_user_id)
    return shape


def line(station: Station, directory: Directory) -> dict[str, Any]:
    """The line of a phone: who is logged in on it, and whose default it is."""
    itself = people.line_id(station)
    shape: dict[str, Any] = {
        "id": itself,
        "name": station.name,
        "version": 1,
        "state": "active",
        "site": SITE,
        "edgeGroup": {"id": EDGE_GROUP["id"], "name": EDGE_GROUP["name"]},
        "lineBaseSettings": _line_settings(station),
        "selfUri": f"{_EDGES}/lines/{itself}",
    }
    holder, default = directory.holder_of(station.id), directory.default_user_of(station.id)
    if holder is not None:
        shape["loggedInUser"] = _user(holder.id)
    if default is not None:
        shape["defaultForUser"] = _user(default.id)
    return shape


def site(org: Org) -> dict[str, Any]:
    """The only site; its caller id is the organisation's."""
    return SITE | {
        "version": 1,
        "state": "active",
        "managed": True,
        "mediaModel": "Cloud",
        "coreSite": False,
        "mediaRegionsUseLatencyBased": True,
        "callerId": org.main_number,
        "callerName": org.name,
    }


def _line_settings(station: Station) -> dict[str, str]:
    return {"id": named(f"line-base/{station.type}"), "name": station.type}


def _user(user_id: str) -> dict[str, str]:
    return {"id": user_id, "selfUri": f"/api/v2/users/{user_id}"}
