"""Org files: an organisation in TOML, read with the path of whatever is wrong, written so that it reads the same."""

import dataclasses
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ringonce.sandbox.default_org import AGENT, by_id, numbered_agents
from ringonce.sandbox.dice import named
from ringonce.sandbox.org import Did, DidPool, OAuthClient, Org, Role, User
from ringonce.sandbox.org_fields import TABLES, fields_of, hints, read_entry, read_field, refuse_unknown, wrong
from ringonce.sandbox.settings import MOST_A_MINUTE
from ringonce.sandbox.stories import SipReason, Story, address_of
from ringonce.sandbox.trouble import SandboxError

MOST_BYTES: Final = 64 * 2**20
_TOP: Final = {"id": str, "name": str, "short_name": str, "main_number": str, "rate_limit": int}
_TOP_CHECKS: Final = {"id": TABLES["users"].checks["id"]}
_NAMES: Final = {"roles": "name", "stations": "name", "users": "email", "wrapup_codes": "name"}
_BEFORE: Final = (
    "A file of an organisation, for `ringonce sandbox --org`. What it leaves out, the organisation has not.\n"
)


def read_org(file: Path, *, agents: int = 0) -> Org:
    """Read an org file and add numbered *agents*; `SandboxError` names the field that is wrong by its path."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise wrong(str(file), f"it is larger than {MOST_BYTES} bytes")
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as unread:
        why = (unread.strerror or str(unread)).lower() if isinstance(unread, OSError) else "it is no text in UTF-8"
        raise wrong(str(file), why) from unread
    return parse_org(text, agents=agents)


def parse_org(text: str, *, agents: int = 0) -> Org:
    """Read the text of an org file, as `read_org` does."""
    try:
        whole = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as broken:
        raise wrong("it is no TOML", str(broken)) from broken
    except ValueError as unread:
        raise wrong("it is no TOML", "a number in it has thousands of digits") from unread
    refuse_unknown(whole, {**_TOP, **TABLES}, "")
    return _Reader(whole).org(agents)


class _Reader:
    """One file: its entries first, then what they name of each other."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self._whole = whole
        self._entries = {name: list(self._read(name)) for name in TABLES if name != "did_pool"}
        self._made: dict[str, dict[str, Any]] = {}

    def org(self, agents: int) -> Org:
        top = {
            name: read_field(self._whole[name], kind, _TOP_CHECKS.get(name), name)
            for name, kind in _TOP.items()
            if name in self._whole
        }
        # Ids are known before anything is made, as stations and users name each other.
        for name, entries in self._entries.items():
            if name != "callees":
                self._give_ids(name, entries)
        for name in ("roles", "stations", "users", "wrapup_codes", "queues", "numbers", "clients"):
            self._made[name] = by_id([self._make(name, place, each) for place, each in enumerate(self._entries[name])])
        self._refuse_shared_addresses()
        self._refuse_shared_stations()
        stations, users = numbered_agents(agents, self._role_of_agents())
        limit = top.pop("rate_limit", 300)
        if not 0 <= limit <= MOST_A_MINUTE:
            raise wrong("rate_limit", f"it is a number of requests a minute up to {MOST_A_MINUTE}; 0 lifts the limit")
        main = top.pop("main_number", "+15551230000")
        read_field(main, str, TABLES["numbers"].checks["number"], "main_number")
        return Org(
            **{"id": named("org"), "name": "Example Org", "short_name": "your_org_id", **top},
            main_number=main,
            users={**self._made["users"], **by_id(users)},
            stations={**self._made["stations"], **by_id(stations)},
            queues=self._made["queues"],
            wrapup_codes=self._made["wrapup_codes"],
            dids=self._made["numbers"],
            did_pool=self._pool(),
            clients=self._made["clients"],
            rate_limit=limit or None,
            callees=dict(self._callees()),
        )

    def _read(self, name: str) -> Iterator[dict[str, Any]]:
        entries = self._whole.get(name, [])
        if not isinstance(entries, list):
            raise wrong(name, f"it must be a list of tables, each begun by [[{name}]]")
        for place, entry in enumerate(entries):
            yield read_entry(name, entry, f"{name}[{place}]")

    def _give_ids(self, name: str, entries: list[dict[str, Any]]) -> None:
        key, seen = TABLES[name].key, set()
        for place, entry in enumerate(entries):
            field = "id" if "id" in entry else key
            entry.setdefault("id", named(f"{name}/{entry[key]}"))
            if entry["id"] in seen:
                other = f"without ids, each entry needs another {key}" if field == key else "each entry needs another"
                raise wrong(f"{name}[{place}].{field}", f"{entry[field]!r} is taken; {other}")
            seen.add(entry["id"])

    def _make(self, name: str, place: int, entry: dict[str, Any]) -> Any:
        table = TABLES[name]
        fields = {**table.usual, **entry}
        for field, to in table.references.items():
            if field not in fields:
                continue
            words, path = fields.pop(field), f"{name}[{place}].{field}"
            if to.many:
                found = [self._find(to.table, each, f"{path}[{number}]") for number, each in enumerate(words)]
                fields[to.field] = tuple(self._made["roles"][each] if to.table == "roles" else each for each in found)
            else:
                fields[to.field] = self._find(to.table, words, path)
        if table.makes is Did and fields.get("owner_id"):
            fields["owner_type"] = "USER"
        return table.makes(**fields)

    def _find(self, table: str, word: str, path: str) -> str:
        """The id of what a word names."""
        name = _NAMES[table]
        found = [each["id"] for each in self._entries[table] if word in (each["id"], each[name])]
        if not found:
            raise wrong(path, f"no entry of [[{table}]] has the id or {name} {word!r}")
        if len(found) > 1:
            raise wrong(path, f"several entries of [[{table}]] have the {name} {word!r}; give the id")
        one: str = found[0]
        return one

    def _refuse_shared_addresses(self) -> None:
        seen = set()
        for place, user in enumerate(self._made["users"].values()):
            if user.email.lower() in seen:
                raise wrong(f"users[{place}].email", f"{user.email!r} is another user's already; case does not matter")
            seen.add(user.email.lower())

    def _refuse_shared_stations(self) -> None:
        holders: dict[str, str] = {}
        for place, user in enumerate(self._made["users"].values()):
            if user.station_id in holders:
                raise wrong(f"users[{place}].station", f"{holders[user.station_id]} is on that station already")
            if user.station_id:
                holders[user.station_id] = user.name

    def _role_of_agents(self) -> Role:
        return next((role for role in self._made["roles"].values() if role.name == AGENT.name), AGENT)

    def _pool(self) -> DidPool:
        given = self._whole.get("did_pool", {"first": "+15551230000", "last": "+15551239999", "comments": ""})
        fields = read_entry("did_pool", given, "did_pool")
        if int(fields["first"]) > int(fields["last"]):
            raise wrong("did_pool.last", f"{fields['last']} comes before the first number, {fields['first']}")
        return DidPool(**{"id": named("did-pool"), **TABLES["did_pool"].usual, **fields})

    def _callees(self) -> Iterator[tuple[str, Story]]:
        seen = set()
        for place, entry in enumerate(self._entries["callees"]):
            fields, path = dict(entry), f"callees[{place}]"
            address = address_of(fields.pop("number"))
            if address in seen:
                raise wrong(f"{path}.number", "an entry above has that number")
            seen.add(address)
            code, phrase = fields.pop("sip", None), fields.pop("phrase", "")
            if code is not None and not 400 <= code <= 699:  # noqa: PLR2004  # SIP's refusals
                raise wrong(f"{path}.sip", "a refusal of SIP has a code from 400 to 699")
            if (code is not None or phrase) and "refuses" not in fields:
                raise wrong(f"{path}.{'sip' if code else 'phrase'}", "it has a meaning only with refuses")
            if "refuses" in fields:
                fields["reason"] = SipReason(code or 603, phrase or "Decline")
            for field in ("hangs_up", "drops"):
                if fields.get(field) is not None and "refuses" in fields:
                    raise wrong(
                        f"{path}.{field}", "it has a meaning only once somebody has answered, and this one refuses"
                    )
            if fields.get("hangs_up") is not None and fields.get("drops") is not None:
                raise wrong(f"{path}.drops", "a call ends once: hangs_up and drops exclude each other")
            if len([each for each in ("answers", "refuses", "voicemail") if fields.get(each) is not None]) > 1:
                raise wrong(path, "answers, refuses and voicemail exclude each other")
            yield address, Story(**{"title": "as its org file says", **fields})


def write_org(org: Org) -> str:
    """Write an organisation as an org file."""
    lines = [f"# {_BEFORE}"]
    top = {"id": org.id, "name": org.name, "short_name": org.short_name, "main_number": org.main_number}
    lines += [*_pairs({**top, "rate_limit": org.rate_limit or 0}), ""]
    lines += ["[did_pool]", *_pairs(dataclasses.asdict(org.did_pool)), ""]
    holders: list[User | OAuthClient] = [*org.users.values(), *org.clients.values()]
    roles = {role.id: role for holder in holders for role in holder.roles}
    things: dict[str, Iterable[Any]] = {
        "roles": roles.values(),
        "stations": org.stations.values(),
        "users": org.users.values(),
        "wrapup_codes": org.wrapup_codes.values(),
        "queues": org.queues.values(),
        "numbers": org.dids.values(),
        "clients": org.clients.values(),
    }
    for name, entries in things.items():
        for entry in entries:
            lines += [f"[[{name}]]", *_pairs(_fields(name, entry, org, roles)), ""]
    for address, story in org.callees.items():
        fields = {field: getattr(story, field) for field in hints(Story) if field != "reason"}
        if story.reason is not None:
            fields |= {"sip": story.reason.code, "phrase": story.reason.phrase}
        lines += ["[[callees]]", *_pairs({"number": address.removeprefix("tel:"), **fields}), ""]
    return "\n".join(lines)


def _fields(name: str, entry: Any, org: Org, roles: Mapping[str, Role]) -> Iterator[tuple[str, Any]]:
    usual = {field.name: field.default for field in dataclasses.fields(entry)}
    referring = TABLES[name].references
    for field in fields_of(name):
        if field not in referring:
            value = getattr(entry, field)
            if value != usual[field]:
                yield field, value
            continue
        held = getattr(entry, referring[field].field)
        named_in: dict[str, Mapping[str, Any]] = {
            "users": org.users,
            "stations": org.stations,
            "wrapup_codes": org.wrapup_codes,
            "roles": roles,
        }
        things = named_in[referring[field].table]
        if referring[field].many:
            yield (
                field,
                [_word(each if isinstance(each, str) else each.id, referring[field].table, things) for each in held],
            )
        elif held:
            yield field, _word(held, referring[field].table, things)


def _word(thing_id: str, table: str, things: Mapping[str, Any]) -> str:
    """What to call a thing by: its name, if nothing else has it."""
    if thing_id not in things:
        return thing_id
    word: str = getattr(things[thing_id], _NAMES[table])
    return word if [getattr(each, _NAMES[table]) for each in things.values()].count(word) == 1 else thing_id


def _pairs(fields: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Iterator[str]:
    for name, value in dict(fields).items():
        if value is not None:
            yield f"{name} = {_toml(value)}"


def _toml(value: Any) -> str:
    if isinstance(value, frozenset):
        value = sorted(value)
    if isinstance(value, list | tuple):
        inner = [_toml(each) for each in value]
        flat = f"[{', '.join(inner)}]"
        return flat if len(flat) < 100 else "[\n" + "".join(f"  {each},\n" for each in inner) + "]"  # noqa: PLR2004
    # JSON's words for text, numbers and truth are TOML's as well.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


__all__ = ["SandboxError", "parse_org", "read_org", "write_org"]
