"""The organisation, its division, its roles, and who holds them."""

from collections import Counter

from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.org import Role
from ringonce.sandbox.shapes import grants, organization
from ringonce.sandbox.shapes.problems import not_found

VIEW_ROLES = ("authorization:role:view",)
VIEW_GRANTS = ("authorization:grant:view",)


def me(visit: Visit) -> Answer:
    """The token's organisation."""
    return 200, organization.whole(visit.world.org)


def divisions(visit: Visit) -> Answer:
    """All divisions, of which there is one; by name or id if they are given."""
    name, ids = visit.request.query.get("name", "").strip("*").lower(), set(visit.words("id"))
    one = grants.DIVISION
    shown = [one] if name in str(one["name"]).lower() and (not ids or one["id"] in ids) else []
    return 200, visit.listing(shown, dict)


def home(_visit: Visit) -> Answer:
    """The home division."""
    return 200, grants.DIVISION


def division(_visit: Visit, division_id: str) -> Answer:
    """One division."""
    return 200, found({str(grants.DIVISION["id"]): grants.DIVISION}, division_id, "a division")


def roles(visit: Visit) -> Answer:
    """All roles that somebody holds; by name or id if they are given, and with how many users hold them."""
    known, holders = _roles(visit)
    name, ids = visit.request.query.get("name", "").strip("*").lower(), set(visit.words("id"))
    shown = [each for each in known.values() if name in each.name.lower() and (not ids or each.id in ids)]
    shown.sort(key=lambda each: each.name.lower())
    return 200, visit.listing(shown, lambda each: grants.role(each, holders[each.id]), at_most=500)


def role(visit: Visit, role_id: str) -> Answer:
    """One role."""
    known, holders = _roles(visit)
    return 200, grants.role(found(known, role_id, "a role"), holders[role_id])


def _roles(visit: Visit) -> tuple[dict[str, Role], Counter[str]]:
    world = visit.world
    held_by_users = [each for user in world.org.users.values() for each in user.roles]
    held = [*held_by_users, *(each for client in world.clients.values() for each in client.roles)]
    return {each.id: each for each in held}, Counter(each.id for each in held_by_users)


def me_as_subject(visit: Visit) -> Answer:
    """The roles of the token's user, or of the client that it was given to as a service."""
    issued = visit.token
    whose = visit.world.org.users[issued.user_id] if issued.user_id else issued.client
    return 200, grants.subject(whose)


def subject(visit: Visit, subject_id: str) -> Answer:
    """The roles of a user or a client."""
    world = visit.world
    whose = world.org.users.get(subject_id) or world.clients.get(subject_id)
    if whose is None:
        raise not_found(f"Unable to find a subject with the id {subject_id}.")
    return 200, grants.subject(whose)


ROUTES = [
    Route("GET", "/organizations/me", me),
    Route("GET", "/authorization/divisions", divisions),
    Route("GET", "/authorization/divisions/home", home),
    Route("GET", "/authorization/divisions/{divisionId}", division),
    Route("GET", "/authorization/roles", roles, any_of=VIEW_ROLES),
    Route("GET", "/authorization/roles/{roleId}", role, any_of=VIEW_ROLES),
    Route("GET", "/authorization/subjects/me", me_as_subject),
    Route("GET", "/authorization/subjects/{subjectId}", subject, any_of=VIEW_GRANTS),
]
