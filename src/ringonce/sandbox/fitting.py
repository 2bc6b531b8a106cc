"""Whether objects that were read from a snapshot are what their classes say they are."""

import collections.abc
import dataclasses
import functools
import math
import types
import typing
from collections.abc import Mapping
from typing import Any

import msgspec


def misfit_of(thing: Any) -> str:
    """Name the first field whose value is not of the type that its class tells; nothing if all are."""
    return misfit_among(type(thing), fields_in(thing))


def misfit_among(kind: type, has: Mapping[str, Any]) -> str:
    """Say the same of *has*, which is to become the fields of a *kind*; a field that is missing is one too."""
    told = hints(kind)
    absent = [name for name in _own(kind) if name not in has]
    wrong = (name for name, value in has.items() if name in told and not fits(value, told[name]))
    return next(iter(absent), "") or next(wrong, "")


def fields_in(thing: Any) -> dict[str, Any]:
    """The fields of an object of any class of a world's, and what they hold."""
    kind = type(thing)
    if isinstance(thing, msgspec.Struct):
        return {name: getattr(thing, name) for name in kind.__struct_fields__}
    if dataclasses.is_dataclass(kind):
        return {field.name: getattr(thing, field.name) for field in dataclasses.fields(kind)}
    return dict(vars(thing))


@functools.cache
def hints(kind: Any) -> dict[str, Any]:
    """The types of a class's fields: as it declares them, or as those of what its `__init__` takes."""
    given = typing.get_type_hints(kind.__init__) if isinstance(kind.__init__, types.FunctionType) else {}
    kept = {f"{line}{name}": hint for name, hint in given.items() for line in ("", "_") if name != "return"}
    return {**kept, **typing.get_type_hints(kind)}


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type, whatever it holds included."""
    if hint is Any:
        return True
    if hint in (int, float):
        # JSON does not tell 1.0 from 1, and truth is a number to Python.
        known = isinstance(value, int if hint is int else int | float) and not isinstance(value, bool)
        return known and math.isfinite(value)
    kind, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if kind in (typing.Union, types.UnionType):
        return any(fits(value, each) for each in inner)
    if kind is typing.Literal:
        return value in inner
    if kind is collections.abc.Callable:
        return callable(value)
    if not isinstance(value, kind):
        return False
    if issubclass(kind, tuple) and not (len(inner) == 2 and inner[1] is ...):  # noqa: PLR2004  # tuple[T, ...]
        return not inner or (len(value) == len(inner) and all(map(fits, value, inner)))
    if issubclass(kind, Mapping) and inner:
        return all(fits(name, inner[0]) and fits(each, inner[1]) for name, each in value.items())
    if issubclass(kind, collections.abc.Collection) and inner:
        return all(fits(each, inner[0]) for each in value)
    return True


@functools.cache
def _own(kind: type) -> tuple[str, ...]:
    return tuple(typing.get_type_hints(kind))
