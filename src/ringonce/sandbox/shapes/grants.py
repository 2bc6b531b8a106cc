"""Who may do what: models AuthzSubject, AuthzGrant and AuthzGrantPolicy of the official SDK."""

from typing import Any

from ringonce.sandbox.agenda import iso
from ringonce.sandbox.dice import named
from ringonce.sandbox.org import OAuthClient, Role, User


def subject(whose: User | OAuthClient) -> dict[str, Any]:
    """A user or a client with their roles, all of them in the one division there is."""
    return {
        "id": whose.id,
        "name": whose.name,
        "grants": [_grant(whose, role) for role in whose.roles],
        "version": 1,
        "selfUri": f"/api/v2/authorization/subjects/{whose.id}",
    }


def _grant(whose: User | OAuthClient, role: Role) -> dict[str, Any]:
    division = named("division")
    return {
        "subjectId": whose.id,
        "division": {
            "id": division,
            "name": "Home",
            "homeDivision": True,
            "selfUri": f"/api/v2/authorization/divisions/{division}",
        },
        "role": {
            "id": role.id,
            "name": role.name,
            "policies": _policies(role.permissions),
            "default": False,
            "selfUri": f"/api/v2/authorization/roles/{role.id}",
        },
        "grantMadeAt": iso(0),
    }


def _policies(permissions: frozenset[str]) -> list[dict[str, Any]]:
    actions: dict[tuple[str, str], list[str]] = {}
    for permission in sorted(permissions):
        domain, entity, action = permission.split(":")
        actions.setdefault((domain, entity), []).append(action)
    return [{"domain": domain, "entityName": entity, "actions": each} for (domain, entity), each in actions.items()]
