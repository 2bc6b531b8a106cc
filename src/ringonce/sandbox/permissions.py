"""Permissions: `domain:entity:action`, where a role may hold `*` for any entity or action."""

import functools

from ringonce.sandbox.org import Role


@functools.lru_cache(maxsize=1_024)
def of_roles(roles: tuple[Role, ...]) -> frozenset[str]:
    """Every permission that somebody with these roles holds."""
    return frozenset().union(*(role.permissions for role in roles))


@functools.lru_cache(maxsize=4_096)
def holds_any(held: frozenset[str], any_of: tuple[str, ...]) -> bool:
    """Whether one of *any_of* is *held*; asking for none is always allowed."""
    return not any_of or any(_holds(held, each) for each in any_of)


def _holds(held: frozenset[str], permission: str) -> bool:
    domain, entity, _ = permission.split(":")
    return not held.isdisjoint((permission, f"{domain}:{entity}:*", f"{domain}:*:*"))
