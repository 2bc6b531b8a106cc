"""OAuth scopes: how far a user's token reaches, whatever the user may do themselves."""

from collections.abc import Iterable
from typing import Final

_AREAS: Final = {
    "analytics": "analytics",
    "authorization": "roles and permissions",
    "conversations": "conversations and calls",
    "notifications": "notifications",
    "organization": "the organization",
    "presence": "presence",
    "routing": "queues and wrap-up codes",
    "stations": "stations",
    "telephony": "numbers and telephony settings",
    "users": "users",
}
SCOPES: Final[dict[str, str]] = {
    "user-basic-info": "See who you are",
    **{f"{area}:readonly": f"See {words}" for area, words in _AREAS.items()},
    **{area: f"See and change {words}" for area, words in _AREAS.items()},
}
"""Every scope, with what it allows."""

# The tutorial asks for scopes that the platform does not have; these are what it means by them.
_TUTORIAL: Final = {
    "conversation:call:write": "conversations",
    "user:read": "users:readonly",
    "user:read:me": "user-basic-info",
}
_READING: Final = frozenset({"GET", "HEAD"})
_QUERIES: Final = frozenset({"/users/search", "/analytics/conversations/details/query"})


class UnknownScopeError(ValueError):
    """A scope that does not exist."""


def read(words: Iterable[str]) -> frozenset[str]:
    """The scopes that *words* name, the tutorial's among them; `UnknownScopeError` for a word that is none."""
    named = frozenset(_TUTORIAL.get(word, word) for word in words)
    unknown = sorted(named - SCOPES.keys())
    if unknown:
        raise UnknownScopeError(f"{unknown[0]!r} is not a scope; there are {', '.join(SCOPES)}")
    return named


def granted(asked: str, registered: frozenset[str] | None) -> frozenset[str] | None:
    """What a token gets of the scopes it *asked* for (none: all of them). None is every scope there is.

    `UnknownScopeError` for a scope that does not exist, and when nothing asked for is registered for the client.
    """
    wanted = read(asked.split())
    if not wanted:
        return registered
    if registered is None:
        return wanted
    # A registered scope that also writes allows its reading half.
    kept = frozenset(each for each in wanted if each in registered or each.partition(":")[0] in registered)
    if not kept:
        words = f"none of {', '.join(sorted(wanted))} is registered for this client"
        raise UnknownScopeError(f"{words}; it has {', '.join(sorted(registered))}")
    return kept


def needed(method: str, template: str) -> frozenset[str]:
    """Which scopes let a token ask this, any one of them; none are needed to ask about the token itself."""
    area = _area(template)
    if area not in _AREAS:
        return frozenset()
    # A user's presence is reached by what reaches the user, too.
    areas = {area, template.split("/")[1]} & _AREAS.keys()
    if method not in _READING and template not in _QUERIES:
        return frozenset(areas)
    also = {"user-basic-info"} if template in {"/users/me", "/users/stations/me"} else set()
    return frozenset({*areas, *(f"{each}:readonly" for each in areas), *also})


def _area(template: str) -> str:
    first = template.split("/")[1]
    if "/presences" in template or first in {"presencedefinitions", "systempresences"}:
        return "presence"
    return "organization" if first == "organizations" else first
