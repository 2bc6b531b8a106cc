"""Walks an answer of the sandbox against the official SDK's models: every key, every type and every enum value."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

_PLAIN: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "object": (object,),
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_allowed: dict[tuple[str, str], list[str] | None] = {}


def allowed_values(class_: Any, attribute: str) -> list[str] | None:
    """The values that a model's setter knows; None when it takes any."""
    key = (class_.__name__, attribute)
    if key not in _allowed:
        source = inspect.getsource(getattr(class_, attribute).fset)
        listed = re.search(r"allowed_values = (\[.*?\])", source)
        _allowed[key] = ast.literal_eval(listed[1]) if listed else None
    return _allowed[key]


def misfits(value: Any, type_: str, where: str) -> Iterator[str]:
    """Say what in *value* is not in the model *type_*."""
    if type_.startswith("list["):
        if not isinstance(value, list):
            yield f"{where}: {value!r} is no list"
            return
        for index, item in enumerate(value):
            yield from misfits(item, type_[5:-1], f"{where}[{index}]")
    elif type_.startswith("dict("):
        inner = type_[5:-1].split(", ")[1]
        for key, item in value.items():
            yield from misfits(item, inner, f"{where}[{key!r}]")
    elif type_ == "datetime":
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            yield f"{where}: {value!r} is not how the platform writes a time"
    elif type_ in _PLAIN:
        if not isinstance(value, _PLAIN[type_]) or (type_ == "int" and isinstance(value, bool)):
            yield f"{where}: {value!r} is no {type_}"
    else:
        models = importlib.import_module("PureCloudPlatformClientV2.models")
        yield from _misfits_of_a_model(value, getattr(models, type_), where)


def _misfits_of_a_model(value: Any, class_: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: {value!r} is no {class_.__name__}"
        return
    model = class_()
    attribute_of = {wire: attribute for attribute, wire in model.attribute_map.items()}
    for key, item in value.items():
        attribute = attribute_of.get(key)
        if attribute is None:
            yield f"{where}: {class_.__name__} has no {key}"
            continue
        if item is None:
            yield f"{where}.{key}: the platform leaves out what is not set"
            continue
        values = allowed_values(class_, attribute)
        if values is not None and item not in values:
            yield f"{where}.{key}: {item!r} is none of {values}"
        yield from misfits(item, model.swagger_types[attribute], f"{where}.{key}")
