"""What the guard says: a verdict with its refusals, their evidence, and when a call would be allowed."""

import enum
from datetime import datetime
from typing import Any

import msgspec

from ringonce.errors import InvalidInput
from ringonce.numbers import shown


class Rule(enum.StrEnum):
    """What can refuse a call."""

    KILL_SWITCH = "kill switch"
    """Somebody stopped all calls."""
    EMERGENCY = "emergency"
    """The number of an emergency service."""
    NUMBER = "number"
    """No number that can be dialled."""
    PREMIUM = "premium rate"
    """The callee earns on every minute."""
    COUNTRY = "country"
    """The number is, or may be, in a country that is not allowed."""
    CALLER_ID = "caller id"
    """The caller id is not one of the caller's own."""
    DO_NOT_CALL = "do-not-call"
    """The number is on a list."""
    LIST_AGE = "list age"
    """A do-not-call list is too old, dated in the future, or missing."""
    HOURS = "calling hours"
    """The callee's clock, or one of those that may be the callee's, shows a time outside of the hours."""
    CAP = "attempt cap"
    """The number was tried too often."""
    GAP = "gap"
    """The number was tried too short a time ago."""


NEVER_OVERRIDDEN = frozenset({Rule.KILL_SWITCH, Rule.EMERGENCY, Rule.NUMBER})


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that refuses the call."""

    rule: Rule
    evidence: str
    """What was seen, in a sentence."""
    until: datetime | None = None
    """From when on this rule alone would allow the call; None if no passing of time within a year helps."""
    remedy: str = ""
    """What to do about it, where time alone does not help."""
    facts: dict[str, Any] = {}
    """The evidence, for programs."""


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word that some rules do not hold for this one call."""

    rules: frozenset[Rule]
    reason: str
    by: str
    """Who says so."""

    def __post_init__(self) -> None:
        """Refuse an override without a reason or a name, and one of what nobody may override."""
        if fixed := sorted(self.rules & NEVER_OVERRIDDEN):
            raise InvalidInput(
                f"the rule {fixed[0].value!r} cannot be overridden",
                why="it holds for every call",
                fix="lift the stop itself" if fixed[0] is Rule.KILL_SWITCH else "leave it out of the override",
            )
        if not self.rules:
            raise InvalidInput("the override names no rule", fix=f"name some of {', '.join(_OVERRIDABLE)}")
        for name, text in (("reason", self.reason), ("by", self.by)):
            if not text.strip():
                raise InvalidInput(
                    f"the override has no {name}",
                    why="an audit must be able to tell who let the call through, and why",
                    fix="say it in words",
                )

    @classmethod
    def of(cls, rules: str, *, reason: str, by: str) -> "Override":
        """Read rules by name, separated by commas."""
        names = [name.strip() for name in rules.split(",") if name.strip()]
        if unknown := [name for name in names if name not in set(Rule)]:
            raise InvalidInput(f"there is no rule {shown(unknown[0])}", fix=f"the rules are {', '.join(_OVERRIDABLE)}")
        return cls(rules=frozenset(Rule(name) for name in names), reason=reason, by=by)


_OVERRIDABLE = tuple(rule.value for rule in Rule if rule not in NEVER_OVERRIDDEN)


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """The record of an override that let a call through, or would have without other refusals."""

    at: datetime
    by: str
    reason: str
    number: str
    """Masked."""
    intent: str
    overridden: tuple[Refusal, ...]
    allowed: bool
    """Whether the call was allowed in the end."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one call may be made now."""

    allowed: bool
    at: datetime
    """When this was true."""
    refusals: tuple[Refusal, ...] = ()
    """Those that stand."""
    next_allowed: datetime | None = None
    """The first moment at which every rule would allow the call, as far as is known now; *at* if it is allowed."""
    never: str = ""
    """Why there is no such moment within a year."""
    warnings: tuple[str, ...] = ()
    """What did not refuse the call but should be looked at."""
    overridden: tuple[Refusal, ...] = ()
    """Refusals that an override set aside."""
    audit: Audit | None = None
    """To be kept wherever the call is made, if there was something to override."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that refuse, each once."""
        return tuple(dict.fromkeys(refusal.rule for refusal in self.refusals))

    def __str__(self) -> str:
        """Say it to a person."""
        if self.allowed:
            return "allowed" + (
                f", {', '.join(one.rule for one in self.overridden)} overridden" * bool(self.overridden)
            )
        why = "; ".join(f"{refusal.rule}: {refusal.evidence}" for refusal in self.refusals)
        when = f"allowed from {self.next_allowed:%Y-%m-%d %H:%M:%S %Z}" if self.next_allowed else f"never: {self.never}"
        return f"refused by {why} ({when})"
