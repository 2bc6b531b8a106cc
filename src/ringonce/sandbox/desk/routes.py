"""The table of everything that the desk answers: one walk over a path's segments finds its route."""

import dataclasses
import difflib
from collections.abc import Callable, Iterable

from ringonce.sandbox import scopes
from ringonce.sandbox.desk.visit import Answer

# No segment of a path can be this, so nobody can ask for a place-holder itself.
_ANY = "/"


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """One method on one path below `/api/v2`. *any_of* are permissions; *user_only* refuses a service's token.

    *scopes* are those that let a user's token ask this, any one of them.
    """

    method: str
    template: str
    handler: Callable[..., Answer]
    any_of: tuple[str, ...] = ()
    user_only: bool = False
    scopes: frozenset[str] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scopes", scopes.needed(self.method, self.template))


class _Node:
    __slots__ = ("children", "routes", "template")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.routes: dict[str, Route] = {}
        self.template = ""


class Table:
    """All routes, by their segments; a word in a template goes before a place-holder."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        self.templates: list[str] = []
        for route in routes:
            node = self._root
            for segment in route.template.strip("/").split("/"):
                node = node.children.setdefault(_ANY if segment.startswith("{") else segment, _Node())
            if not node.template:
                node.template = route.template
                self.templates.append(route.template)
            node.routes[route.method] = route

    def match(self, path: str) -> tuple[dict[str, Route], list[str]]:
        """The routes of a path by method, and what stands in its place-holders; no routes when nothing is there."""
        node: _Node | None = self._root
        values: list[str] = []
        for segment in path.strip("/").split("/"):
            if node is None:
                break
            after = node.children.get(segment)
            if after is None and segment:
                after = node.children.get(_ANY)
                values.append(segment)
            node = after
        return (node.routes, values) if node is not None else ({}, [])

    def nearest(self, path: str) -> str | None:
        """The known path that is most like *path*, with place-holders."""
        likely = difflib.get_close_matches(path.rstrip("/"), self.templates, n=1, cutoff=0.3)
        return likely[0] if likely else None
