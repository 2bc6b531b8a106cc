"""From a body to a call that can be taken in: every value looked at before anything is written."""

import re
import uuid

import msgspec

from ringonce.client.flows.directory import NAMED_BY, clean
from ringonce.client.flows.order import Order, order, sound
from ringonce.errors import InvalidInput, NumberRefused
from ringonce.service.access import Role, Token
from ringonce.service.calls import Ask
from ringonce.service.calls.accepting import LONGEST_KEY
from ringonce.service.dialing import retrying
from ringonce.service.guard import days
from ringonce.service.guard.verdict import NEVER_OVERRIDDEN, Rule
from ringonce.service.web.problems import ProblemError

_NUMBERED = re.compile(r"~\d+$")


def sound_ask(ask: Ask, *, country: str, token: Token, now: float) -> tuple[Ask, str]:
    """Give the ask in its plain form and its number in E.164. Raise `InvalidInput` or `NumberRefused`."""
    premium = ask.override is not None and Rule.PREMIUM in ask.override.rules
    wanted = order(
        intent="intent",  # the key has been looked at already
        agent=clean(ask.agent, "agent", NAMED_BY),
        to=ask.to,
        caller_id=ask.caller_id,
        caller_name=ask.caller_name,
        queue=ask.queue,
        attributes=ask.attributes,
        external_contact=ask.external_contact,
        uui=ask.uui,
        wire=ask.wire,
        allow_premium=premium,
    )
    wanted = _dialable(wanted, country)
    if ask.zone:
        days.zone(ask.zone)
    _check_override(ask, token)
    retrying.checked(ask.retry)
    if ask.expires_at is not None and ask.expires_at <= max(now, ask.not_before):
        raise InvalidInput(
            "The call expires before it may be made",
            why=f"expires_at is {ask.expires_at:.0f}, and it is {now:.0f} now",
            fix="give a later expires_at, in seconds since the epoch, or leave it out",
        )
    return msgspec.structs.replace(ask, agent=wanted.agent, caller_id=wanted.caller_id), wanted.to


def sound_key(given: str | None) -> str:
    """Give the intent's key; one is made if none was *given*."""
    if given is None:
        return f"made-{uuid.uuid4().hex}"
    key = given.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]  # as the draft standard of the header writes it
    if not key.strip() or len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidInput(
            "The Idempotency-Key can't be used",
            why=f"it is empty, longer than {LONGEST_KEY} characters, or not printable ASCII",
            fix="give a short key, such as crm-4711",
        )
    if _NUMBERED.search(key):
        raise InvalidInput(
            "The Idempotency-Key can't be used",
            why="~ and a number in the end are what second attempts of a call are told by",
            fix="give a key that ends otherwise",
        )
    return key


def _dialable(wanted: Order, country: str) -> Order:
    try:
        return sound(wanted, country)
    except NumberRefused as refused:
        try:
            sound(msgspec.structs.replace(wanted, allow_premium=True), country)
        except NumberRefused:
            raise refused from None
        fix = f"an admin may set the rule {str(Rule.PREMIUM)!r} aside for this call, with an override"
        raise NumberRefused(refused.what, why=refused.why, fix=fix) from refused


def _check_override(ask: Ask, token: Token) -> None:
    if ask.override is None:
        return
    if token.role is not Role.ADMIN:
        raise ProblemError(
            "not-allowed",
            "The token may not set rules aside",
            why=f"it is a {token.role}'s; an override is an admin's",
            fix="leave override out, or use an admin's token",
        )
    may_be = sorted(set(Rule) - NEVER_OVERRIDDEN)
    strange = sorted(set(ask.override.rules) - set(may_be))
    if strange:
        raise InvalidInput(
            f"{', '.join(strange)[:200]} can't be set aside",
            why="it is no rule, or one that always holds",
            fix=f"the rules are {', '.join(may_be)}",
        )
