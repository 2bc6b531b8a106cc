"""The guard's rules in front of every ring of the service: what the database knows, handed to `service.guard`."""

import asyncio
import collections.abc
import datetime as dt
import functools
import math
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from ringonce.errors import InvalidInput, NumberRefused
from ringonce.ledger.sql import SqlLedger
from ringonce.numbers import dialable
from ringonce.service import audit, guard, stopping
from ringonce.service.access import Role
from ringonce.service.calls import Record
from ringonce.service.dialing import Verdict
from ringonce.service.guard.settings import ListSettings
from ringonce.service.store import Store
from ringonce.service.store.inserting import insert_once
from ringonce.service.store.tables import attempts, listed, lists, tokens

VARIABLE, FILE = "RINGONCE_GUARD", "guard.toml"
SOON = 5.0
"""Seconds after which a call is looked at again that only the kill switch keeps from ringing."""
LIST_AGAIN = 300.0
"""Seconds after which a call is looked at again that only the age of a do-not-call list keeps from ringing."""
_LOCKS = 7_464_600_000
_DAY = 86_400.0


class Known(msgspec.Struct, frozen=True):
    """What the database knows that is about one call."""

    attempts: tuple[float, ...]
    """When the number was tried, this attempt left out."""
    kept: tuple[ListSettings, ...]
    """The do-not-call lists that the database has."""
    on: frozenset[str]
    """Those of them that the number is on."""
    stop: guard.Stop | None
    may_override: bool


class _Asked:
    """A list of the database, which has been asked for the one number already."""

    def __init__(self, info: guard.ListInfo, *, held: bool) -> None:
        self.info, self._held = info, held

    def holds(self, fingerprint: int) -> bool:
        """Say what the database said."""
        del fingerprint
        return self._held


class Guarding:
    """What a worker asks before anything rings. Raise `ConfigError` or `InvalidInput` for a list that is no good."""

    def __init__(self, store: Store, rules: guard.Settings | None = None, *, country: str | None = "US") -> None:
        self.store = store
        self._rules, self._country = rules or guard.Settings(), country
        # Files are read into memory at every start, so nobody else has to know the key.
        self._key = guard.FingerprintKey(secrets.token_bytes(32))
        self._files = tuple(guard.load(one, self._key) for one in self._rules.list if one.file)
        self._mark = SqlLedger(store.engine).mark
        self._guard_with = functools.lru_cache(maxsize=4)(self._made_with)

    @property
    def files(self) -> tuple[tuple[ListSettings, int], ...]:
        """The lists that the settings name files of, as they were read at the start, each with its count of numbers."""
        named = (one for one in self._rules.list if one.file)
        return tuple((one, len(read)) for one, read in zip(named, self._files, strict=True))

    def notices(self, now: float) -> list[str]:
        """Say what an operator should know before any call."""
        return self._guard_with(()).notices(now)

    async def check(self, record: Record, now: float) -> Verdict:
        """Say whether the call may be placed at *now*.

        If it may, its attempt is noted in the same transaction that sees the others, so that two calls to one number
        can't both take the last place under a cap. An override that let it through is audited there too.
        """
        return await self.store.run(self._judged, record, now)

    def foretell(self, db: sa.Connection, records: Sequence[Record], now: float) -> list[Verdict]:
        """Say of several calls at once what `check` would say, in as many queries as for one, and note nothing."""
        said = []
        for record, known in zip(records, self.known_of(db, records, now), strict=True):
            try:
                verdict = self.judge(record, now, known)
            except InvalidInput as wrong:
                said.append(Verdict(allowed=False, why={"rule": "input", "said": str(wrong)}))
            else:
                said.append(Verdict(allowed=True) if verdict.allowed else _told(verdict, now))
        return said

    async def foresee(self, record: Record, now: float) -> guard.Verdict:
        """Say what `check` would, in full, and note nothing. Raise `InvalidInput` for an override or zone that is none.

        For when a call is taken in, and for previews.
        """
        return self.judge(record, now, await self.store.look(self.known, record, now))

    def known(self, db: sa.Connection, record: Record, now: float) -> Known:
        """Look up what the rules need."""
        return self.known_of(db, [record], now)[0]

    def known_of(self, db: sa.Connection, records: Sequence[Record], now: float) -> list[Known]:
        """Look up what the rules need for several calls, in as many queries as for one."""
        overriding = {record.created_by for record in records if record.asked.get("override")}
        kept = tuple(_kept(found) for found in db.execute(_LISTS))
        tried = _tried(db, records, now - self._guard_with(kept).memory.total_seconds())
        on: dict[str, set[str]] = {}
        if kept:
            held = sa.select(listed.c.mark, lists.c.name).join(lists, lists.c.edition == listed.c.edition)
            for mark, name in db.execute(held.where(listed.c.mark.in_({record.mark for record in records}))):
                on.setdefault(mark, set()).add(name)
        query = sa.select(tokens.c.id).where(tokens.c.id.in_(overriding), tokens.c.role != Role.ADMIN)
        powerless = set(db.scalars(query)) if overriding else set()
        stop = _stop(db, now)
        return [
            Known(
                tried[record.id],
                kept,
                frozenset(on.get(record.mark, ())),
                stop,
                record.created_by not in powerless,
            )
            for record in records
        ]

    def judge(self, record: Record, now: float, known: Known) -> guard.Verdict:
        """Hold the call to the rules. Raise `InvalidInput` for an override or a zone that is none."""
        ask = record.ask
        override = None
        if ask.override and known.may_override:
            override = guard.Override.of(",".join(ask.override.rules), reason=ask.override.reason, by=record.created_by)
        kept = [
            _Asked(guard.ListInfo(name=one.name, source=one.source, taken=one.taken), held=one.name in known.on)
            for one in known.kept
            if one.taken is not None
        ]
        asked = guard.Ask(
            number=record.number,
            zone=ask.zone,
            caller_id=self._whole(ask.caller_id),
            intent=record.intent,
            override=override,
        )
        facts = guard.Facts(attempts=known.attempts, lists=[*self._files, *kept], stop=known.stop)
        return self._guard_with(known.kept).check(asked, now, facts)

    def _made_with(self, kept: tuple[ListSettings, ...]) -> guard.Guard:
        """Give the guard for the lists that there are; what guard.toml says of a list goes before what it says."""
        named = {one.name for one in self._rules.list}
        rules = msgspec.structs.replace(
            self._rules, list=(*self._rules.list, *(one for one in kept if one.name not in named))
        )
        return guard.Guard(rules, key=self._key)

    def _whole(self, caller_id: str) -> str:
        try:
            return dialable(caller_id, country=self._country, allow_premium=True) if caller_id else ""
        except NumberRefused:
            return caller_id  # which is nobody's own

    def _judged(self, db: sa.Connection, record: Record, now: float) -> Verdict:
        if db.dialect.name == "postgresql":  # where others write meanwhile: a number's calls take turns
            db.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCKS + int(record.mark[:7] or "0", 16))))
        try:
            said = self.judge(record, now, self.known(db, record, now))
        except InvalidInput as wrong:
            return Verdict(allowed=False, why={"rule": "input", "said": str(wrong)})
        if not said.allowed:
            return _told(said, now)
        row = {"intent": record.intent, "call_id": record.id, "mark": record.mark, "at": now, "outcome": ""}
        if insert_once(db, attempts, **row) and said.audit:
            rules = [one.rule for one in said.audit.overridden]
            details: dict[str, Any] = {"rules": rules, "reason": said.audit.reason, "number": said.audit.number}
            audit.note(db, record.created_by, "call.override", record.id, now=now, intent=record.intent, **details)
        return Verdict(allowed=True)


def path_of(environ: collections.abc.Mapping[str, str], folder: Path, given: str = "") -> Path | None:
    """Find the guard's settings: *given*, else what the environment names, else `guard.toml` in *folder*, if any."""
    named = given or environ.get(VARIABLE, "").strip()
    if named:
        return Path(named).expanduser()
    here = folder / FILE
    return here if here.exists() else None


async def opened(store: Store, path: Path | None, *, country: str | None = "US") -> Guarding:
    """Make the guard with the settings at *path*, its lists read. Raise `ConfigError` or `InvalidInput`."""

    def make() -> Guarding:
        return Guarding(store, guard.read(path) if path else None, country=country)

    return await asyncio.to_thread(make)


def _told(said: guard.Verdict, now: float) -> Verdict:
    """Say it to the worker. What is no fault of the call's own, a stop or a list that is old, is waited for."""
    first = said.refusals[0]
    why = {
        "rule": str(first.rule),
        "said": first.evidence,
        "fix": first.remedy,
        "rules": [{"rule": str(one.rule), "said": one.evidence, **one.facts} for one in said.refusals],
    }
    hopeless = {one.rule for one in said.refusals if one.until is None}
    if said.next_allowed is not None:
        until: float | None = said.next_allowed.timestamp()
    elif hopeless == {guard.Rule.KILL_SWITCH}:
        until = now + SOON
    elif hopeless and hopeless <= {guard.Rule.KILL_SWITCH, guard.Rule.LIST_AGE}:
        until = now + LIST_AGAIN
    else:
        until = None
        why["never"] = said.never
    return Verdict(allowed=False, until=until, why=why)


_TRIED = sa.select(attempts.c.mark, attempts.c.intent, attempts.c.at).where(
    attempts.c.mark.in_(sa.bindparam("marks", expanding=True)), attempts.c.at > sa.bindparam("since")
)
_LISTS = lists.select().order_by(lists.c.name)


def _tried(db: sa.Connection, records: Sequence[Record], since: float) -> dict[str, tuple[float, ...]]:
    """Give when each call's number was tried before, by whatever source; a call's attempt that is under way is none."""
    found: dict[str, list[tuple[str, float]]] = {}
    for mark, intent, at in db.execute(_TRIED, {"marks": list({record.mark for record in records}), "since": since}):
        found.setdefault(mark, []).append((intent, at))
    return {
        record.id: tuple(sorted(at for intent, at in found.get(record.mark, ()) if intent != record.intent))
        for record in records
    }


def _kept(found: Any) -> ListSettings:
    taken = dt.datetime.fromtimestamp(found.taken_at, dt.UTC).date()
    days = 36_500 if found.max_age is None else max(1, math.floor(found.max_age / _DAY))
    return ListSettings(name=found.name, source=found.source, taken=taken, max_age_days=days, required=False)


def _stop(db: sa.Connection, now: float) -> guard.Stop | None:
    stands = stopping.stands(db)
    if not stands.stopped:
        return None
    since = dt.datetime.fromtimestamp(stands.since or now, dt.UTC)
    return guard.Stop(by=stands.by or "somebody", reason=stands.reason or "no reason", since=since)
