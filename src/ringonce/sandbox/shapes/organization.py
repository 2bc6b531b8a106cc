"""The organisation itself: models Organization, OrganizationPresence and OrganizationPresenceDefinition."""

from typing import Any

from ringonce.sandbox.dice import named
from ringonce.sandbox.org import Org
from ringonce.sandbox.presences import SYSTEM_PRESENCES


def whole(org: Org) -> dict[str, Any]:
    """The organisation."""
    return {
        "id": org.id,
        "name": org.name,
        "defaultLanguage": "en-US",
        "defaultCountryCode": "US",
        "thirdPartyOrgName": org.short_name,
        "domain": org.short_name,
        "version": 1,
        "state": "active",
        "defaultSiteId": named("site"),
        "voicemailEnabled": True,
        "productPlatform": "GenesysCloud",
        "selfUri": "/api/v2/organizations/me",
    }


def presences() -> list[dict[str, Any]]:
    """What a presence can be, as `/presencedefinitions` has it."""
    return [presence(each) for each in SYSTEM_PRESENCES]


def presence(presence_id: str) -> dict[str, Any]:
    """One thing that a presence can be, as `/presencedefinitions` has it."""
    name = SYSTEM_PRESENCES[presence_id]
    return {
        "id": presence_id,
        "languageLabels": {"en_US": name},
        "systemPresence": name,
        "deactivated": False,
        "primary": True,
        "selfUri": f"/api/v2/presencedefinitions/{presence_id}",
    }


def presence_definitions() -> list[dict[str, Any]]:
    """What a presence can be, as `/presence/definitions` has it."""
    return [presence_definition(each) for each in SYSTEM_PRESENCES]


def presence_definition(presence_id: str) -> dict[str, Any]:
    """One thing that a presence can be, as `/presence/definitions` has it: its system presence has no blank."""
    name = SYSTEM_PRESENCES[presence_id]
    return {
        "id": presence_id,
        "type": "System",
        "languageLabels": {"en_US": name},
        "systemPresence": name.replace(" ", ""),
        "divisionId": "*",
        "deactivated": False,
        "selfUri": f"/api/v2/presence/definitions/{presence_id}",
    }
