"""What an org file may say: its tables, and what each field takes.

The fields are those of the classes in `org`, so that a file can say whatever an organisation can be.
"""

import dataclasses
import difflib
import functools
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from ringonce.sandbox.directory import WITHOUT_CALLS
from ringonce.sandbox.keys import read_key
from ringonce.sandbox.org import GRANTS, Did, DidPool, OAuthClient, Queue, Role, Station, User, WrapUpCode
from ringonce.sandbox.redirects import flaw_of
from ringonce.sandbox.registration import STATES
from ringonce.sandbox.scopes import SCOPES
from ringonce.sandbox.stories import Story, address_of
from ringonce.sandbox.trouble import SandboxError

SECONDS: Final = 86_400.0
_ID: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_FIX: Final = "`ringonce sandbox --print-org` writes a whole file to start from; docs/sandbox.md lists the fields."
_TYPES: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
}
Check = Callable[[Any], str]
"""Says what is wrong with a value; nothing if it is right."""


@dataclasses.dataclass(frozen=True, slots=True)
class Each:
    """A check of every item of a list."""

    check: Check


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """A field that names one thing (or several) of another table by id, name or e-mail."""

    field: str
    table: str
    many: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """One array of tables: what it makes, what its fields are checked for, and what refers to other tables."""

    makes: Any
    key: str
    """The field that ids are made from where a file gives none."""
    checks: Mapping[str, Check | Each] = dataclasses.field(default_factory=dict)
    references: Mapping[str, Reference] = dataclasses.field(default_factory=dict)
    usual: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What the class asks for and a file may leave out."""


def _number(value: Any) -> str:
    return "" if _E164.fullmatch(value) else f"{value!r} is no number in E.164, such as +15551234567"


def _words(value: Any) -> str:
    return "" if value.strip() and value.isprintable() else "it must not be empty"


def _one_of(*known: str) -> Check:
    return lambda value: "" if value in known else f"{value!r} is none of {', '.join(known)}"


def _identifier(value: Any) -> str:
    return "" if _ID.fullmatch(value) else f"{value!r} is no id: letters, digits, and . _ - inside, up to 100"


def _station_type(value: Any) -> str:
    known = "inin_webrtc_softphone, inin_managed_sip_phone, inin_remote or another inin_…"
    return "" if re.fullmatch(r"inin_[a-z0-9_]+", value) else f"{value!r} is none of {known}"


def _callee(value: Any) -> str:
    address = address_of(value)
    known = re.fullmatch(r"sip:[^@\s]+@[^@\s]+", address) or _E164.fullmatch(address.removeprefix("tel:"))
    return "" if known else f"{value!r} is neither a number in E.164, such as +15551234567, nor a SIP address"


def _email(value: Any) -> str:
    name, at, host = value.partition("@")
    return "" if name and at and host and not re.search(r"\s", value) else f"{value!r} is no e-mail address"


def _within(least: float, most: float) -> Check:
    return lambda value: "" if value is None or least <= value <= most else f"it must be from {least:g} to {most:g}"


def _key(value: Any) -> str:
    try:
        if value:
            read_key(value)
    except SandboxError as wrong:
        return wrong.why
    return ""


def _permission(value: Any) -> str:
    return (
        ""
        if re.fullmatch(r"[\w-]+:[\w*-]+:[\w*-]+", value)
        else f"{value!r} is no permission, such as routing:queue:view"
    )


def _maybe(check: Check) -> Check:
    return lambda value: check(value) if value else ""


_MOMENT: Final = _within(0, SECONDS)
TABLES: Final[Mapping[str, Table]] = {
    "roles": Table(
        Role, "name", {"id": _identifier, "name": _words, "permissions": Each(_permission), "caller_ids": Each(_number)}
    ),
    "stations": Table(
        Station,
        "name",
        {"id": _identifier, "name": _words, "type": _station_type},
        {"web_rtc_user": Reference("web_rtc_user_id", "users")},
    ),
    "users": Table(
        User,
        "email",
        {
            "id": _identifier,
            "name": _words,
            "email": _email,
            "caller_id": _maybe(_number),
            "state": _one_of("active", "inactive", "deleted"),
            "routing_status": _one_of(*WITHOUT_CALLS),
        },
        {"station": Reference("station_id", "stations"), "roles": Reference("roles", "roles", many=True)},
    ),
    "wrapup_codes": Table(WrapUpCode, "name", {"id": _identifier, "name": _words}),
    "queues": Table(
        Queue,
        "name",
        {
            "id": _identifier,
            "name": _words,
            "calling_party_number": _maybe(_number),
            "wrapup_prompt": _one_of("mandatory", "optional", "timeout", "forcedTimeout", "agentRequested"),
            "wrapup_timeout": _within(0, SECONDS),
        },
        {
            "members": Reference("member_ids", "users", many=True),
            "wrapup_codes": Reference("wrapup_code_ids", "wrapup_codes", many=True),
        },
        {
            "description": "",
            "calling_party_name": "",
            "calling_party_number": "",
            "member_ids": (),
            "wrapup_code_ids": (),
        },
    ),
    "numbers": Table(
        Did,
        "number",
        {"id": _identifier, "number": _number, "state": _one_of("active", "inactive")},
        {"owner": Reference("owner_id", "users")},
    ),
    "clients": Table(
        OAuthClient,
        "name",
        {
            "id": _identifier,
            "secret": _words,
            "name": _words,
            "token_lifetime": _within(300, 172_800),
            "grants": Each(_one_of(*GRANTS)),
            "scopes": Each(_one_of(*SCOPES)),
            "redirect_uris": Each(flaw_of),
            "public_key": _key,
            "state": _one_of(*STATES),
        },
        {"roles": Reference("roles", "roles", many=True)},
    ),
    "did_pool": Table(DidPool, "first", {"id": _identifier, "first": _number, "last": _number}, usual={"comments": ""}),
    "callees": Table(
        Story,
        "number",
        {"number": _callee, **dict.fromkeys(("answers", "refuses", "voicemail", "hangs_up", "drops"), _MOMENT)},
    ),
}
LEFT_OUT: Final = {"numbers": {"owner_type"}, "callees": {"title", "reason"}}
"""Fields of the classes that a file does not say: they follow from others."""


def wrong(path: str, why: str) -> SandboxError:
    """A refusal of one field of an org file."""
    return SandboxError(f"The org file was not read: {path}", why=why, fix=_FIX)


@functools.cache
def hints(makes: Any) -> dict[str, Any]:
    """The fields of a class, and their types."""
    known = typing.get_type_hints(makes)
    return {field.name: known[field.name] for field in dataclasses.fields(makes) if field.init}


def fields_of(name: str) -> dict[str, Any]:
    """The fields that a table takes, with the type of each."""
    table = TABLES[name]
    referring = {each.field for each in table.references.values()}
    plain = {
        field: kind
        for field, kind in hints(table.makes).items()
        if field not in referring and field not in LEFT_OUT.get(name, ())
    }
    extra: dict[str, Any] = {each: list[str] if to.many else str for each, to in table.references.items()}
    if name == "callees":
        extra |= {"number": str, "title": str, "sip": int, "phrase": str}
    return plain | extra


def required(name: str) -> list[str]:
    """The fields without which an entry makes no sense."""
    table = TABLES[name]
    if name == "callees":
        return ["number"]
    return [
        field.name
        for field in dataclasses.fields(table.makes)
        if field.default is field.default_factory is dataclasses.MISSING and field.init
        if field.name in fields_of(name) and field.name not in table.usual and (field.name != "id" or name == "clients")
    ]


def read_entry(name: str, entry: object, path: str) -> dict[str, Any]:
    """Read the fields of one entry, references and all as words yet; `SandboxError` names the field that is wrong."""
    if not isinstance(entry, dict):
        raise wrong(path, f"it must be a table, as [[{name}]] begins one")
    known, checks = fields_of(name), TABLES[name].checks
    refuse_unknown(entry, known, path)
    for field in required(name):
        if field not in entry:
            raise wrong(f"{path}.{field}", "it is missing")
    return {
        field: read_field(value, known[field], checks.get(field), f"{path}.{field}") for field, value in entry.items()
    }


def read_field(value: object, kind: Any, check: Check | Each | None, path: str) -> Any:
    """Read one value as what its field takes."""
    if isinstance(value, bool) and kind is not bool:
        raise wrong(path, "true and false make no sense here")
    try:
        read = msgspec.convert(value, kind)
    except msgspec.ValidationError as misfit:
        words, _, place = str(misfit).partition(" - at `$")
        raise wrong(path + place.rstrip("`"), _in_words(words)) from misfit
    if isinstance(check, Each):
        for number, each in enumerate(value if isinstance(value, list) else ()):
            if why := check.check(each):
                raise wrong(f"{path}[{number}]", why)
    elif check is not None and (why := check(read)):
        raise wrong(path, why)
    return read


def _in_words(misfit: str) -> str:
    """Say a misfit of types in the words of the file."""
    asked, _, got = misfit.partition(", got ")
    words = asked.removeprefix("Expected ").replace("`", "").replace(" | null", "")
    return f"it must be {_TYPES.get(words, words)}, not {_TYPES.get(got.strip('`').partition('`')[0], got)}"


def refuse_unknown(entry: Mapping[str, Any], known: Mapping[str, Any], path: str) -> None:
    """Refuse a field that does not exist, and say which was meant."""
    for field in entry:
        if field not in known:
            near = difflib.get_close_matches(field, known, 1)
            raise wrong(
                f"{path}.{field}".lstrip("."),
                f"there is no such field; did you mean {near[0]}?" if near else f"there are {', '.join(known)}",
            )
