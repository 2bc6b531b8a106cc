"""Who may do what: models AuthzSubject, DomainOrganizationRole and UserAuthorization of the official SDK."""

from typing import Any

from ringonce.sandbox.agenda import iso
from ringonce.sandbox.dice import named
from ringonce.sandbox.org import OAuthClient, Role, User
from ringonce.sandbox.permissions import of_roles

DIVISION = {
    "id": named("division"),
    "name": "Home",
    "description": "The only division there is",
    "homeDivision": True,
    "selfUri": f"/api/v2/authorization/divisions/{named('division')}",
}
_GRANTED_DIVISION = {key: value for key, value in DIVISION.items() if key != "description"}


def subject(whose: User | OAuthClient) -> dict[str, Any]:
    """A user or a client with their roles, all of them in the one division there is."""
    return {
        "id": whose.id,
        "name": whose.name,
        "grants": [_grant(whose, role) for role in whose.roles],
        "version": 1,
        "selfUri": f"/api/v2/authorization/subjects/{whose.id}",
    }


def authorization(person: User) -> dict[str, Any]:
    """What a user holds."""
    held = of_roles(person.roles)
    return {
        "roles": [{"id": role.id, "name": role.name} for role in person.roles],
        "unusedRoles": [],
        "permissions": sorted(held),
        "permissionPolicies": [
            {"domain": domain, "entityName": entity, "actionSet": actions, "allowConditions": False}
            for (domain, entity), actions in _actions(held).items()
        ],
    }


def role(whole: Role, holders: int) -> dict[str, Any]:
    """One role, and how many users hold it."""
    return {
        "id": whole.id,
        "name": whole.name,
        "permissions": sorted(whole.permissions),
        "permissionPolicies": [
            {"domain": domain, "entityName": entity, "actionSet": actions, "allowConditions": False}
            for (domain, entity), actions in _actions(whole.permissions).items()
        ],
        "userCount": holders,
        "roleNeedsUpdate": False,
        "default": False,
        "base": False,
        "selfUri": f"/api/v2/authorization/roles/{whole.id}",
    }


def _grant(whose: User | OAuthClient, held: Role) -> dict[str, Any]:
    return {
        "subjectId": whose.id,
        "division": _GRANTED_DIVISION,
        "role": {
            "id": held.id,
            "name": held.name,
            "policies": [
                {"domain": domain, "entityName": entity, "actions": actions}
                for (domain, entity), actions in _actions(held.permissions).items()
            ],
            "default": False,
            "selfUri": f"/api/v2/authorization/roles/{held.id}",
        },
        "grantMadeAt": iso(0),
    }


def _actions(permissions: frozenset[str]) -> dict[tuple[str, str], list[str]]:
    actions: dict[tuple[str, str], list[str]] = {}
    for permission in sorted(permissions):
        domain, entity, action = permission.split(":")
        actions.setdefault((domain, entity), []).append(action)
    return actions
