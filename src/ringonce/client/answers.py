"""What the platform tells of tokens, people, phones, queues and numbers: the fields of its answers that are read."""

from datetime import datetime
from typing import Any

import msgspec


class Wire(msgspec.Struct, rename="camel"):
    """A platform shape: unknown fields are passed over, and null is absent."""


class Named(Wire):
    """Anything with an id and a name."""

    id: str | None = None
    name: str | None = None


class TokenInfo(Wire):
    """Official SDK model TokenInfo."""

    organization: Named
    authorized_scope: list[str] | None = None
    date_token_idles: datetime | None = None
    client: Named | None = msgspec.field(default=None, name="OAuthClient")


class Phone(Named):
    """Official SDK model UserStation."""

    type: str | None = None


class Phones(Wire):
    """Official SDK model UserStations."""

    effective_station: Phone | None = None
    associated_station: Phone | None = None


class Person(Wire):
    """Official SDK models User and UserMe."""

    id: str
    name: str | None = None
    email: str | None = None
    state: str | None = None
    station: Phones | None = None

    @property
    def names(self) -> frozenset[str]:
        """What people call them, folded for comparison."""
        return frozenset(name.casefold() for name in (self.email, self.name) if name)

    def __str__(self) -> str:
        return f"{self.name or self.id}" + (f" <{self.email}>" if self.email else "")


class Policy(Wire):
    """Official SDK model AuthzGrantPolicy."""

    domain: str | None = None
    entity_name: str | None = None
    actions: list[str] | None = None
    condition: Any = None

    def holds(self, permission: str) -> bool:
        """Whether it gives `domain:entity:action`; `*` stands for any of its kind."""
        domain, entity, action = permission.split(":")
        return (
            self.domain in {domain, "*"}
            and self.entity_name in {entity, "*"}
            and not {action, "*"}.isdisjoint(self.actions or ())
        )


class Role(Named):
    """Official SDK model AuthzGrantRole."""

    policies: list[Policy] | None = None


class Grant(Wire):
    """Official SDK model AuthzGrant."""

    role: Role | None = None


class Subject(Wire):
    """Official SDK model AuthzSubject."""

    grants: list[Grant] | None = None


class MyQueue(Named):
    """Official SDK model UserQueue."""

    joined: bool | None = None
    calling_party_number: str | None = None


class MyQueues(Wire):
    """A user's queues, the first page."""

    entities: list[MyQueue] = []
    total: int | None = None


class Did(Wire):
    """Official SDK model DID."""

    phone_number: str | None = None
    state: str | None = None
    owner: Named | None = None
    owner_type: str | None = None


class Dids(Wire):
    """Official SDK model DIDEntityListing."""

    entities: list[Did] = []
