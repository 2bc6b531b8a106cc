"""A world as JSON, and back: everything that is, and everything that is still to happen.

A snapshot is a list of objects that refer to each other by their places (`{"&": 3}`), as who holds whom is part of a
world: two legs may share one dictionary, and what is due in a minute names the very leg that it is about. Nothing is
listed by hand, so a part that the sandbox gains is in the next snapshot; what cannot be kept is refused, not left out.
Two things belong to connections and stay behind: open sockets, and answers that are being held back.

It holds every token and secret of the world. Reading one makes objects of the sandbox's own classes only.
"""

import asyncio
import base64
import collections
import copy
import dataclasses
import enum
import functools
import importlib
import itertools
import random
import re
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from ringonce.sandbox.agenda import Agenda
from ringonce.sandbox.channels import Socket
from ringonce.sandbox.fitting import fields_in, misfit_among, misfit_of
from ringonce.sandbox.trouble import SandboxError

FORMAT: Final = 1
ROOM: Final = "ringonce.sandbox."
_CLOSED: Final = frozenset(
    {"server", "running", "settings", "door", "admin", "origins", "protocol", "line", "sockets", "snapshot"}
)
"""Modules of the network: nothing of theirs is in a world."""
_Rest = dict[str, Any]


def pack(root: object, outside: Mapping[str, object]) -> dict[str, Any]:
    """Write whatever *root* leads to as JSON's own types. What is *outside* is named and not described."""
    packer = _Packer(outside)
    top = packer.value(root)
    return {"format": FORMAT, "root": top, "objects": packer.nodes}


def unpack(packed: object, outside: Mapping[str, object], living: Sequence[object]) -> tuple[Any, Callable[[], None]]:
    """Make again what `pack` wrote, and give it with what puts it into force; `SandboxError` for anything else.

    What is *living* stands in for those of its class, and changes only when that is called.
    """
    if not isinstance(packed, dict) or packed.get("format") != FORMAT:
        raise _unread(f"it is no snapshot of format {FORMAT}")
    try:
        unpacker = _Unpacker(packed["objects"], outside, {type(each): each for each in living})
    except (KeyError, TypeError) as wrong:
        raise _unread("it has no objects") from wrong
    try:
        top = unpacker.value(packed.get("root"))
        unpacker.check()
    except SandboxError:
        raise
    except Exception as wrong:  # a stranger's text may break Python's own classes in any way
        raise _unread(f"{unpacker.place} cannot be read") from wrong
    return top, unpacker.come_alive


class _Packer:
    def __init__(self, outside: Mapping[str, object]) -> None:
        self.nodes: list[Any] = []
        self._places: dict[int, int] = {}
        self._held: list[object] = []  # keeps ids from being given out again
        self._outside = {id(thing): name for name, thing in outside.items()}

    def value(self, thing: Any) -> Any:
        if thing is None or (isinstance(thing, bool | int | float | str) and not isinstance(thing, enum.Enum)):
            return thing
        if id(thing) in self._outside:
            return {"outside": self._outside[id(thing)]}
        whole = self._whole(thing)
        if whole is not None:
            return whole
        if id(thing) not in self._places:
            self._places[id(thing)] = len(self.nodes)
            self._held.append(thing)
            place = len(self.nodes)
            self.nodes.append(None)
            self.nodes[place] = self._node(thing)
        return {"&": self._places[id(thing)]}

    def _whole(self, thing: Any) -> _Rest | None:
        """What cannot change, and so need not be told from its like."""
        match thing:
            case bytes():
                return {"bytes": base64.b64encode(thing).decode()}
            case tuple():
                return {"tuple": [self.value(each) for each in thing]}
            case frozenset():
                return {"frozenset": [self.value(each) for each in sorted(thing)]}
            case functools.partial():
                return {
                    "partial": self.value(thing.func),
                    "args": [self.value(each) for each in thing.args],
                    "kwargs": {name: self.value(each) for name, each in thing.keywords.items()},
                }
            case types.MethodType():
                return {"method": thing.__func__.__name__, "of": self.value(thing.__self__)}
            case types.FunctionType():
                return {"function": _name(thing)}
            case enum.Enum():
                return {"enum": _name(type(thing)), "name": thing.name}
            case re.Pattern():
                return {"pattern": thing.pattern}
        return None

    def _node(self, thing: Any) -> _Rest:
        match thing:
            case dict() if all(isinstance(name, str) for name in thing):
                return {"map": {name: self.value(each) for name, each in thing.items()}}
            case dict():
                return {"pairs": [[self.value(name), self.value(each)] for name, each in thing.items()]}
            case list():
                return {"list": [self.value(each) for each in thing]}
            case set():
                return {"set": [self.value(each) for each in thing]}
            case collections.deque():
                return {"deque": [self.value(each) for each in thing], "most": thing.maxlen}
            case random.Random():
                return {"dice": self.value(thing.getstate())}
            case itertools.count():
                return {"count": int(re.sub(r"\D", "", repr(thing)))}
        _name(type(thing))
        fields = fields_in(thing)
        if isinstance(thing, Socket):
            fields |= {"deliver": None, "closed": None}
        if isinstance(thing, Agenda):
            fields["_due"] = [each for each in fields["_due"] if not _holds_back(each[2])]
        return {"is": _name(type(thing)), "has": {name: self.value(each) for name, each in fields.items()}}


class _Unpacker:
    """Makes objects when they are first named, and fills them afterwards: they may name each other in a circle."""

    def __init__(self, nodes: list[Any], outside: Mapping[str, object], living: Mapping[type, object]) -> None:
        self._nodes = nodes
        self._living = living
        self._later: list[tuple[int, object, _Rest]] = []
        self._outside = outside
        self._made: dict[int, Any] = {}
        self.place = "its root"
        """What is being read."""

    def value(self, packed: Any) -> Any:
        if not isinstance(packed, dict):
            return packed
        match packed:
            case {"&": place}:
                return self._made[place] if place in self._made else self._make(place)
            case {"outside": name}:
                return self._outside[name]
            case {"tuple": each}:
                return tuple(self.value(one) for one in each)
            case {"frozenset": each}:
                return frozenset(self.value(one) for one in each)
            case {"bytes": text}:
                return base64.b64decode(text, validate=True)
        return self._doing(packed)

    def check(self) -> None:
        """Refuse what is not as its class tells; only once all is read, as things may name each other in a circle."""
        for place, made in self._made.items():
            # A connection's two ways to talk are the door's to give.
            kind = type(made)
            if kind.__module__.startswith(ROOM) and kind not in self._living and kind is not Socket:
                self._refuse_misfit(place, kind, misfit_of(made))
        for place, thing, has in self._later:
            self._refuse_misfit(place, type(thing), misfit_among(type(thing), has))

    @staticmethod
    def _refuse_misfit(place: int, kind: type, field: str) -> None:
        if field:
            raise _unread(f"{field} of object {place}, a {kind.__name__}, is missing or nothing that belongs there")

    def come_alive(self) -> None:
        """Let what lives be what was read."""
        for _, thing, has in self._later:
            vars(thing).clear()
            vars(thing).update(has)

    def _doing(self, packed: _Rest) -> Any:
        match packed:
            case {"partial": do, "args": args, "kwargs": kwargs}:
                given = {name: self.value(each) for name, each in kwargs.items()}
                return functools.partial(self.value(do), *(self.value(each) for each in args), **given)
            case {"method": name, "of": owner}:
                return self._method(self.value(owner), name)
            case {"function": name}:
                return _find(name, types.FunctionType)
            case {"enum": kind, "name": name}:
                return _find(kind, enum.EnumMeta)[name]
            case {"pattern": text}:
                return re.compile(text)
        raise _unread(f"it names something unknown: {', '.join(packed)[:80]}")

    def _make(self, place: int) -> Any:
        self.place = f"object {place}"
        node = self._nodes[place] if place >= 0 else None
        made: Any
        match node:
            case {"map": each}:
                made = self._made[place] = {}
                made.update((name, self.value(one)) for name, one in each.items())
            case {"pairs": each}:
                made = self._made[place] = {}
                made.update((self.value(name), self.value(one)) for name, one in each)
            case {"list": each}:
                made = self._made[place] = []
                made.extend(self.value(one) for one in each)
            case {"set": each}:
                made = self._made[place] = set()
                made.update(self.value(one) for one in each)
            case {"deque": each, "most": most}:
                made = self._made[place] = collections.deque(maxlen=most)
                made.extend(self.value(one) for one in each)
            case {"dice": state}:
                made = self._made[place] = random.Random()  # noqa: S311  # as it was
                made.setstate(self.value(state))
            case {"count": first}:
                made = self._made[place] = itertools.count(first)
            case {"is": name, "has": has}:
                kind = _find(name, type)
                made = self._made[place] = self._living[kind] if kind in self._living else _blank(kind)
                fields = {field: self.value(each) for field, each in has.items()}
                if kind in self._living:
                    self._later.append((place, made, fields))
                else:
                    _fill(made, fields)
            case _:
                raise _unread(f"object {place} is of no known kind")
        return made

    def _method(self, owner: Any, name: str) -> Callable[..., Any]:
        kind = type(owner)
        if not kind.__module__.startswith(ROOM) or not isinstance(getattr(kind, name), types.FunctionType):
            raise _unread(f"{kind.__name__} has no method {name}")
        method: Callable[..., Any] = getattr(owner, name)
        return method


def _name(thing: Any) -> str:
    """Say where a class or function is; refuse what is nowhere."""
    module, name = thing.__module__, thing.__qualname__
    if not _allowed(module) or "<" in name:
        raise SandboxError(
            "No snapshot was made",
            why=f"{module}.{name} cannot be written down",
            fix="Give `world.at` a method or a function of the sandbox's, in functools.partial if need be.",
        )
    return f"{module.removeprefix(ROOM)}:{name}"


def _find(name: str, kind: type) -> Any:
    """The class or function of that name, if a world may have one."""
    module, _, path = name.partition(":")
    if not _allowed(ROOM + module):
        raise _unread(f"{name} belongs to no world")
    found: Any = importlib.import_module(ROOM + module)
    for part in path.split("."):
        found = getattr(found, part)
    if not isinstance(found, kind) or found.__module__ != ROOM + module:
        raise _unread(f"{name} is not what a world is made of")
    return found


def _allowed(module: str) -> bool:
    return module.startswith(ROOM) and module.removeprefix(ROOM).partition(".")[0] not in _CLOSED


def _blank(kind: Any) -> Any:
    """An object with nothing in it; none of its class's own words are run."""
    if issubclass(kind, msgspec.Struct):
        return copy.copy(_template(kind))
    return object.__new__(kind)


@functools.cache
def _template(kind: Any) -> Any:
    # Structures cannot be made blank; a copy of one is made without its __post_init__.
    return kind(**{field.name: None for field in msgspec.structs.fields(kind) if field.required})


def _fill(thing: Any, has: Mapping[str, Any]) -> None:
    kind = type(thing)
    if isinstance(thing, msgspec.Struct):
        _refuse_others(kind, set(kind.__struct_fields__), has)
        for name, each in has.items():
            msgspec.structs.force_setattr(thing, name, each)
    elif dataclasses.is_dataclass(kind):
        _refuse_others(kind, {field.name for field in dataclasses.fields(kind)}, has)
        for name, each in has.items():
            object.__setattr__(thing, name, each)
    else:
        vars(thing).update(has)


def _refuse_others(kind: type, fields: set[str], has: Mapping[str, Any]) -> None:
    if fields != set(has):
        odd = ", ".join(sorted(fields ^ set(has)))
        raise _unread(f"a {kind.__name__} differs in {odd}: another version of the sandbox made it")


def _holds_back(work: Any) -> bool:
    return isinstance(work, functools.partial) and any(isinstance(each, asyncio.Future) for each in work.args)


def _unread(why: str) -> SandboxError:
    return SandboxError(
        "The snapshot was not put back", why=why, fix="Send what GET /_sandbox/snapshot of the same version gave."
    )
