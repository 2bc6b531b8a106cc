"""Answers and events that are right and yet unheard of: an enum value or a field that no program knows.

The platform adds both without notice. Whoever reads strictly breaks on the day it happens.
"""

import random
from collections.abc import Iterator
from typing import Any, Final

import msgspec

UNHEARD_OF: Final = "unheard_of"
_ENUMS: Final = frozenset(
    {
        "direction",
        "disconnectType",
        "initialState",
        "participantType",
        "provider",
        "purpose",
        "recordingState",
        "routingStatus",
        "state",
        "status",
        "wrapupPrompt",
    }
)


def with_unknown_value(body: bytes, dice: random.Random) -> bytes:
    """Put an unknown word where one of an enum stands. A body without any is left as it is."""
    whole = msgspec.json.decode(body)
    places = [(each, name) for each in _objects(whole) for name in each if name in _ENUMS and _is_word(each[name])]
    if not places:
        return body
    thing, name = dice.choice(places)
    thing[name] = UNHEARD_OF
    return msgspec.json.encode(whole)


def with_extra_field(body: bytes, dice: random.Random) -> bytes:
    """Add a field that nobody knows to one of a body's objects."""
    whole = msgspec.json.decode(body)
    objects = list(_objects(whole))
    if not objects:
        return body
    dice.choice(objects)["unheardOf"] = {"since": "today", "values": [UNHEARD_OF]}
    return msgspec.json.encode(whole)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _objects(thing: Any) -> Iterator[dict[str, Any]]:
    """Every object of a body, but for those whose names are data: a participant's attributes."""
    if isinstance(thing, dict):
        yield thing
        for name, value in thing.items():
            if name != "attributes":
                yield from _objects(value)
    elif isinstance(thing, list):
        for each in thing:
            yield from _objects(each)
