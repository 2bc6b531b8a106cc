"""What the legs of an ended call say about its outcome: a table, and the leg that gives the evidence.

Sources: states, disconnectTypes and errorInfo as in the official SDK's model Call; SIP codes RFC 3261 and RFC 8197;
Q.850 causes ITU-T Q.850. Who hung up is never concluded from one disconnectType: live captures show the customer's
own leg as `peer` after the customer hung up.
"""

import functools
from collections.abc import Sequence
from datetime import datetime
from typing import Self

import msgspec

from ringonce.client.snapshots import Leg
from ringonce.models import Evidence, Outcome

AGENT = frozenset({"agent", "user"})
FAR = frozenset({"external", "customer"})
OVER = frozenset({"disconnected", "terminated"})
RINGING = frozenset({"contacting", "alerting", "offering"})
TALKING = frozenset({"connected", "parked", "converting", "uploading", "transmitting"})

_FAR_RANK = {"dialing": 1, **dict.fromkeys(RINGING, 2), **dict.fromkeys(TALKING, 3), "disconnected": 4, "terminated": 5}
_AGENT_RANK = {**_FAR_RANK, **dict.fromkeys(RINGING, 1), "dialing": 2}

_SIP = {
    **dict.fromkeys((486, 600), Outcome.BUSY),
    **dict.fromkeys((603, 607, 608), Outcome.DECLINED),
    **dict.fromkeys((408, 480), Outcome.NO_ANSWER),
    **dict.fromkeys((404, 410, 414, 416, 484, 485, 604), Outcome.UNROUTABLE),
}
_Q850 = {
    17: Outcome.BUSY,
    21: Outcome.DECLINED,
    **dict.fromkeys((18, 19, 20), Outcome.NO_ANSWER),
    **dict.fromkeys((1, 2, 3, 22, 28), Outcome.UNROUTABLE),
}
_FAR_TYPE = {
    "uncallable": Outcome.UNROUTABLE,
    "timeout": Outcome.NO_ANSWER,
    "transfer.noanswer": Outcome.NO_ANSWER,
}
_BROKEN = frozenset({"error", "transport.failure", "system", "spam", "other"})
_AGENT_HUNG_UP = frozenset({"client", "endpoint"})
_AGENT_AWAY = _BROKEN | {
    "timeout", "transfer.noanswer", "transfer.notavailable", "endpoint.donotdisturb", "transfer.donotdisturb",
    "inactivity", "session.expired",
}  # fmt: skip
_NO_ROUTE = ".dialplan."
_SILENT = (
    "the agent's station never answered; nothing was dialled "
    "(a WebRTC phone answers only in an open browser with 'Placing calls with another app' on)"
)


_NONE: frozenset[str] = frozenset()
_NO_REASON: frozenset[tuple[str, int]] = frozenset()


@functools.lru_cache(maxsize=256)
def _only(word: str) -> frozenset[str]:
    """Give the set of one word that all legs share: most are in few states, and each set of their own is a burden."""
    return frozenset((word,))


class LegFacts(msgspec.Struct, gc=False):
    """All that is known of one leg. Everything but the flags only grows.

    Its sets and its attributes are never changed in place: what was known before is compared with what is known after.
    """

    key: str
    participant_id: str
    index: int
    purpose: str
    user_id: str
    queue_id: str
    address: str
    error_code: str
    error_message: str
    wrapup_required: bool
    wrapup_code: str
    state: str
    held: bool
    muted: bool
    states: frozenset[str]
    disconnect_types: frozenset[str]
    reasons: frozenset[tuple[str, int]]
    attributes: dict[str, str]
    started_at: datetime | None
    connected_at: datetime | None
    ended_at: datetime | None
    flags_rank: int

    @classmethod
    def of(cls, leg: Leg) -> Self:
        """Take in the first sight of a leg."""
        return cls(
            key=leg.key,
            participant_id=leg.participant_id,
            index=leg.index,
            purpose=leg.purpose,
            user_id=leg.user_id,
            queue_id=leg.queue_id,
            address=leg.address,
            error_code=leg.error_code,
            error_message=leg.error_message,
            wrapup_required=leg.wrapup_required,
            wrapup_code=leg.wrapup_code,
            state=leg.state,
            held=leg.held,
            muted=leg.muted,
            states=_only(leg.state),
            disconnect_types=_only(leg.disconnect_type) if leg.disconnect_type else _NONE,
            reasons=frozenset(leg.reasons) if leg.reasons else _NO_REASON,
            attributes=leg.attributes,
            started_at=leg.started_at,
            connected_at=leg.connected_at,
            ended_at=leg.ended_at,
            flags_rank=_rank(leg.purpose, leg.state),
        )

    @property
    def over(self) -> bool:
        """Whether the leg is gone."""
        return self.state in OVER

    @property
    def answered(self) -> bool:
        """Whether the leg was ever connected."""
        return self.connected_at is not None or not self.states.isdisjoint(TALKING)

    @property
    def rang(self) -> bool:
        """Whether the leg was ever seen ringing."""
        return not self.states.isdisjoint(RINGING)

    @property
    def dialled(self) -> bool:
        """Whether the leg was ever seen dialing."""
        return "dialing" in self.states

    def absorb(self, leg: Leg) -> tuple[bool, bool]:
        """Take in another sight of the leg; say whether it is up to date, and whether it told anything new."""
        grew, state = self._name(leg) | self._time(leg), leg.state
        if state not in self.states:
            self.states |= {state}
            grew = True
        if leg.wrapup_required and not self.wrapup_required:
            self.wrapup_required = grew = True
        if leg.disconnect_type and leg.disconnect_type not in self.disconnect_types:
            self.disconnect_types |= {leg.disconnect_type}
            grew = True
        if leg.reasons and not self.reasons.issuperset(leg.reasons):
            self.reasons |= frozenset(leg.reasons)
            grew = True
        rank = _rank(self.purpose, state)
        if state != self.state and (rank, state) > (_rank(self.purpose, self.state), self.state):
            self.state, grew = state, True
        fresh = rank >= self.flags_rank
        if fresh:
            self.flags_rank = rank
            grew |= (leg.held, leg.muted) != (self.held, self.muted)
            self.held, self.muted = leg.held, leg.muted
        if leg.attributes and leg.attributes != self.attributes:
            known = self.attributes
            self.attributes = known | leg.attributes if fresh else leg.attributes | known
            grew |= self.attributes != known
        return fresh, grew

    def _name(self, leg: Leg) -> bool:
        """Take in who and where a leg is; say whether that told anything new."""
        grew = leg.index < self.index
        if grew:
            self.index = leg.index
        # Texts: the platform fills them in and then leaves them, so the greatest is the filled one in any order.
        for name in _TEXTS:
            text = getattr(leg, name)
            if text and text > getattr(self, name):
                setattr(self, name, text)
                grew = True
        return grew

    def _time(self, leg: Leg) -> bool:
        """Take in a leg's times; say whether any told something new."""
        grew = False
        if leg.started_at and (self.started_at is None or leg.started_at < self.started_at):
            self.started_at, grew = leg.started_at, True
        if leg.connected_at and (self.connected_at is None or leg.connected_at < self.connected_at):
            self.connected_at, grew = leg.connected_at, True
        if leg.ended_at and (self.ended_at is None or leg.ended_at > self.ended_at):
            self.ended_at, grew = leg.ended_at, True
        return grew

    @property
    def codes(self) -> set[int]:
        """The SIP codes seen on the leg."""
        return {code for kind, code in self.reasons if kind == "sip"}

    @property
    def causes(self) -> set[int]:
        """The Q.850 causes seen on the leg."""
        return {code for kind, code in self.reasons if kind == "q850"}


def _rank(purpose: str, state: str) -> int:
    return (_AGENT_RANK if purpose in AGENT else _FAR_RANK).get(state, 0)


_TEXTS = ("purpose", "user_id", "queue_id", "address", "error_code", "error_message", "wrapup_code")


def judge(  # noqa: C901  a table reads best in one piece
    legs: Sequence[LegFacts], agent: LegFacts | None, far: Sequence[LegFacts], statuses: frozenset[str]
) -> tuple[Outcome, Evidence]:
    """Say what became of an ended call, and why."""
    for leg in far:
        if leg.answered:
            return Outcome.ANSWERED, _evidence(leg, "the far end answered" + _how_it_ended(leg))
    for leg in legs:
        if leg.purpose == "voicemail" and leg.answered:
            return Outcome.VOICEMAIL, _evidence(leg, "a voicemail took the call")
    for leg in far:
        told = _from_far_end(leg)
        if told:
            return told
    if agent is not None and agent.disconnect_types & _AGENT_HUNG_UP and not agent.error_code:
        return Outcome.ABANDONED, _evidence(agent, "the agent's side ended the call before an answer")
    for leg in far:
        if leg.error_code or leg.disconnect_types & _BROKEN or leg.reasons:
            return Outcome.FAILED, _evidence(leg, "the far leg broke before an answer")
    if not far and agent is not None and (agent.error_code or agent.disconnect_types & _AGENT_AWAY):
        if _NO_ROUTE in agent.error_code:
            return Outcome.UNROUTABLE, _evidence(agent, "the dial plan has no route to the number")
        return Outcome.AGENT_UNREACHABLE, _evidence(agent, _SILENT)
    return _from_status(statuses, [*far, *([agent] if agent else [])])


def _from_far_end(leg: LegFacts) -> tuple[Outcome, Evidence] | None:
    for code in sorted(leg.codes):
        if code in _SIP:
            return _SIP[code], _evidence(leg, f"the far end's network answered SIP {code}", sip=code)
    for cause in sorted(leg.causes):
        if cause in _Q850:
            return _Q850[cause], _evidence(leg, f"the far end's network gave Q.850 cause {cause}", q850=cause)
    if _NO_ROUTE in leg.error_code:
        return Outcome.UNROUTABLE, _evidence(leg, "the dial plan has no route to the number")
    for kind in sorted(leg.disconnect_types):
        if kind in _FAR_TYPE:
            return _FAR_TYPE[kind], _evidence(leg, f"the far leg ended as {kind}")
    return None


def _from_status(statuses: frozenset[str], legs: Sequence[LegFacts]) -> tuple[Outcome, Evidence]:
    """Fall back on the tutorial wire's `status`, where the legs tell nothing."""
    if "connected" in statuses:
        return Outcome.ANSWERED, Evidence(because="status was connected")
    if "failed" in statuses:
        return Outcome.FAILED, Evidence(because="status is failed")
    because = "nothing observed says how the call ended"
    return Outcome.UNKNOWN, _evidence(legs[0], because) if legs else Evidence(because=because)


def _how_it_ended(leg: LegFacts) -> str:
    broken = sorted(leg.disconnect_types & _BROKEN)
    return f"; later the leg broke off ({broken[0]})" if broken else ""


def _evidence(leg: LegFacts, because: str, *, sip: int = 0, q850: int = 0) -> Evidence:
    return Evidence(
        because=because,
        participant_id=leg.participant_id,
        purpose=leg.purpose,
        state=leg.state,
        disconnect_type="/".join(sorted(leg.disconnect_types)),
        error_code=leg.error_code,
        error_message=leg.error_message,
        sip_code=sip or min(leg.codes, default=0),
        q850_code=q850 or min(leg.causes, default=0),
        at=leg.ended_at,
    )
