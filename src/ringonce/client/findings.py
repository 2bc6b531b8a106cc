"""What the platform's answers mean for a call that is yet to be placed: each a pure judgement, a `Finding`."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ringonce import numbers
from ringonce.client.answers import Dids, MyQueues, Person, Phones, Subject, TokenInfo
from ringonce.client.policy import SKEW
from ringonce.client.quota import Quota
from ringonce.client.remedies import CALLER_ID, NO_STATION, OTHER_APP, ROLES, SCOPES, TOO_MANY, remedy
from ringonce.errors import RingonceError
from ringonce.models import Finding, Verdict

SOON = 300.0
"""Seconds before its end from which a token that can't be renewed is worth a warning."""
SCARCE = 20
"""Requests left of the minute below which the quota is called scarce: a call with its channel takes about 6."""
BATCH = 1000
"""Calls of a batch for which the time is told."""
SCOPE = "conversations"
MOST_ZONES = 4
"""Time zones that are named; more are counted."""


def passed(name: str, evidence: str) -> Finding:
    """Say that all is well."""
    return Finding(name=name, verdict=Verdict.PASS, evidence=evidence)


def doubtful(name: str, evidence: str, remedy: str = "") -> Finding:
    """Say what may go wrong, or can't be known."""
    return Finding(name=name, verdict=Verdict.WARN, evidence=evidence, remedy=remedy)


def failed(name: str, evidence: str, remedy: str) -> Finding:
    """Say what is wrong."""
    return Finding(name=name, verdict=Verdict.FAIL, evidence=evidence, remedy=remedy)


def refused(name: str, error: RingonceError, verdict: Verdict = Verdict.FAIL) -> Finding:
    """Say what an error says."""
    evidence = ": ".join(part for part in (error.what, error.why) if part)
    return Finding(name=name, verdict=verdict, evidence=evidence, remedy=error.fix)


def clock(date: str, before: float, after: float) -> Finding:
    """Compare the platform's Date header with our clock around the answer (epoch seconds)."""
    try:
        theirs = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return doubtful("clock", "not known: the platform's answer has no Date")
    # The header is cut to whole seconds, and was written at some moment between the two readings.
    skew = (before + after) / 2 - (theirs + 0.5)
    if abs(skew) > SKEW:
        which = "ahead of" if skew > 0 else "behind"
        return doubtful(
            "clock",
            f"this machine's clock is about {abs(skew):.0f} s {which} the platform's",
            "set the clock (NTP): signed assertions are refused by it, and lost calls are looked for by time",
        )
    return passed("clock", f"within {max(abs(skew), 1):.0f} s of the platform's")


def token(info: TokenInfo, grant: str, me: Person | None, now: float, *, renewable: bool) -> Finding:
    """Say which grant's token it is, whose, until when, and how far it reaches."""
    whose = f"it stands for {me}" if me else "it stands for the application"
    client = f"OAuth client {info.client.name or info.client.id}, " if info.client else ""
    words = f"{grant}; {whose}; {client}organization {info.organization.name or info.organization.id}"
    scopes = info.authorized_scope or []
    if me and scopes:
        words += f"; scopes {', '.join(sorted(scopes))}"
    if info.date_token_idles is not None:
        left = info.date_token_idles.timestamp() - now
        words += f"; until {_iso(info.date_token_idles)}"
        if left < SOON and not renewable:
            return doubtful("token", f"{words}, which is in {left:.0f} s", "get a new one; this one can't be renewed")
    if me and scopes and SCOPE not in scopes:
        return failed(
            "token",
            f"{words}; placing calls needs the scope {SCOPE}",
            SCOPES,
        )
    return passed("token", words)


def permission(subject: Subject, endpoint: str, any_of: Sequence[str]) -> Finding:
    """Say whether the token's identity holds one of *any_of*, which *endpoint* asks for."""
    grants = subject.grants or []
    wanted = " or ".join(any_of)
    roles = sorted({one.role.name or one.role.id or "?" for one in grants if one.role})
    held = [policy for one in grants if one.role for policy in one.role.policies or ()]
    giving = [policy for policy in held if any(policy.holds(each) for each in any_of)]
    if any(not policy.condition for policy in giving):
        return passed("permission", f"{endpoint} asks for {wanted}; the roles {', '.join(roles)} give it")
    if giving:
        return doubtful("permission", f"{endpoint} asks for {wanted}, which is given only under a condition", ROLES)
    if any(one.role and one.role.policies is None for one in grants):
        words = f"not known: {endpoint} asks for {wanted}, and what the roles {', '.join(roles)} hold is not told"
        return doubtful("permission", words, ROLES)
    has = f"of the roles {', '.join(roles)} none gives it" if roles else "the identity has no role at all"
    return failed("permission", f"{endpoint} asks for {wanted}; {has}", ROLES)


def agent(person: Person) -> Finding:
    """Say whether the agent is active."""
    words = f"{person}, id {person.id}"
    if person.state not in {None, "active"}:
        return failed("agent", f"{words}: the user is {person.state}", "name an active user")
    return passed("agent", words)


def station(phones: Phones) -> Finding:
    """Say from which phone the agent would call, and what that asks of them."""
    phone = phones.effective_station or phones.associated_station
    if phone is None:
        return failed("station", "the agent has no phone to call from", NO_STATION)
    kind = phone.type or ""
    words = f"{phone.name or phone.id} ({kind or 'of unknown type'})"
    if "webrtc" in kind:
        return doubtful(
            "station",
            f"{words}: whether it takes calls that another app places, no request tells; "
            "if not, the call is accepted and never leaves `contacting`",
            OTHER_APP,
        )
    if "remote" in kind:
        return passed("station", f"{words}: the agent has to pick up by hand")
    return passed("station", words)


def membership(mine: MyQueues, wanted: str) -> Finding | None:
    """Say whether the agent is in the queue (an id or a name); None if the page does not show it."""
    key = wanted.strip().casefold()
    found = [one for one in mine.entities if key in {(one.id or "").casefold(), (one.name or "").casefold()}]
    if not found:
        return None
    queue = found[0]
    words = f"the agent is a member of {queue.name or queue.id}"
    if queue.calling_party_number:
        words += f", which shows {queue.calling_party_number}"
    if queue.joined is False:
        return doubtful("queue", f"{words}, but is not joined to it now", "have the agent activate the queue")
    return passed("queue", words)


def stranger(mine: MyQueues, wanted: str) -> Finding:
    """Say that the agent is not in a queue that there is."""
    if (mine.total or 0) > len(mine.entities):
        return doubtful(
            "queue", f"not known: the agent is in {mine.total} queues, and {wanted} is not on the first page"
        )
    return doubtful(
        "queue",
        f"the agent is no member of {wanted}; whether the platform lets them call for it is not documented",
        "add the agent to the queue's members in Admin > Contact Center > Queues",
    )


def caller_id(dids: Dids, number: str, agent_id: str, *, tutorial: bool) -> Finding:
    """Say whether the number is the organization's, active, and the agent's.

    The tutorial's wire refuses one that is not, save for another user's that a role of the agent's allows. The
    platform's documents no refusal: trunks may replace it, and numbers of an own carrier are not on its list.
    """
    fix = remedy(403, "", tutorial=True).fix if tutorial else CALLER_ID
    did = next((one for one in dids.entities if one.phone_number == number), None)
    if did is None:
        wrong = f"{number} is not a number of this organization"
    elif did.state not in {None, "active"}:
        wrong = f"{number} is a number of this organization, but {did.state}"
    elif did.owner is None or did.owner.id == agent_id:
        whose = "the agent's" if did.owner else "assigned to nobody else"
        return passed("caller id", f"{number} is the organization's, active and {whose}")
    else:
        wrong = f"{number} is assigned to {did.owner.name or did.owner.id} ({did.owner_type or 'of unknown kind'})"
        if tutorial:
            words = f"{wrong}; it is refused unless a role of the agent's allows it, which no request tells"
            return doubtful("caller id", words, fix)
    if tutorial:
        return failed("caller id", f"{wrong}, so it is refused", fix)
    return doubtful("caller id", f"{wrong}; whether it is shown is up to the trunk", fix)


def number(e164: str) -> Finding:
    """Say where the number may ring."""
    place = numbers.place(e164)
    zones = ", ".join(place.zones[:MOST_ZONES])
    if len(place.zones) > MOST_ZONES:
        zones += f" and {len(place.zones) - MOST_ZONES} more"
    words = f"{e164}, country {place.country or 'not told by its range'}, "
    words += f"time zone{'s' if len(place.zones) > 1 else ''} {zones or 'not told by its range'}"
    return passed("number", words + ("" if place.assigned else " (the numbering tables don't know it)"))


def quota(headers: Mapping[str, str]) -> Finding:
    """Say what is left of the token's requests and how long a batch takes, by the last answer's `inin-ratelimit-*`."""
    try:
        spent, allowed, reset = (int(headers[f"inin-ratelimit-{word}"]) for word in ("count", "allowed", "reset"))
    except (KeyError, ValueError):
        return doubtful("quota", "not known: the platform's answers don't tell")
    words = f"{max(0, allowed - spent)} of {allowed} requests a minute left, all of them again in {reset} s"
    takes = Quota(allowed=allowed, used=spent, resets_in=reset, waiting=0).seconds_for(BATCH) if allowed > 0 else 0.0
    words += f"; {BATCH:,} calls take about {math.ceil(takes / 60)} min"
    if spent >= allowed:
        return failed("quota", words, f"wait {reset} s; {TOO_MANY}")
    return doubtful("quota", words, TOO_MANY) if allowed - spent < SCARCE else passed("quota", words)


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
