"""From everything observed of a call, in whatever order, to the one truth about it.

`Facts` only ever grow: states by rank, times and reasons as sets. So duplicates change nothing, gaps cost detail
and no more, and the same observations in any order end as the same `Call`. Only what the platform itself toggles
(held, muted, recording) is taken from the latest snapshot that is not behind what is already known.
"""

import operator
from collections.abc import Iterable

import msgspec

from ringonce.client.outcome import AGENT, FAR, OVER, LegFacts, judge
from ringonce.client.snapshots import Snapshot
from ringonce.models import Call, Participant, State

STAMP = "ringonce.intent"
"""The attribute that carries an intent's key on the far end's participant."""

_STATUS = {
    "queued": State.REQUESTED,
    "initiated": State.DIALING,
    "ringing": State.RINGING,
    "connected": State.CONNECTED,
    "disconnected": State.ENDED,
    "failed": State.ENDED,
}
_RANK = {state: rank for rank, state in enumerate(State)}
_PLACE = operator.attrgetter("index", "key")


def fold(conversation_id: str, snapshots: Iterable[Snapshot]) -> Call:
    """Fold observations into the one truth they add up to."""
    facts = Facts(conversation_id)
    for snapshot in snapshots:
        facts.absorb(snapshot)
    return facts.call()


class Facts(msgspec.Struct, gc=False):
    """All that is known of one conversation. It grows by `absorb`; `call` tells what it adds up to.

    Thousands of them are kept, and nothing in one refers back to it: the collector need not look through them.
    """

    conversation_id: str
    legs: dict[str, LegFacts] = {}
    statuses: frozenset[str] = frozenset()
    ended: bool = False
    recording: bool = False
    order: tuple[LegFacts, ...] = ()
    """The legs in the platform's order."""
    told: Call | None = None
    """What they add up to, once somebody has asked."""

    def absorb(self, snapshot: Snapshot) -> bool:
        """Take in one observation; say whether it told anything new."""
        fresh, grew, shown = True, False, snapshot.legs
        now_recording, all_gone = False, bool(shown)
        for leg in shown:
            now_recording |= leg.recording
            all_gone = all_gone and leg.state in OVER
            known = self.legs.get(leg.key)
            if known is None:
                self.legs[leg.key] = LegFacts.of(leg)
                grew = True
            else:
                leg_fresh, leg_grew = known.absorb(leg)
                fresh &= leg_fresh
                grew |= leg_grew
        recording = now_recording if shown and fresh else self.recording
        if snapshot.status and snapshot.status not in self.statuses:
            self.statuses |= {snapshot.status}
            grew = True
        # Only a snapshot that itself shows every leg gone ends the call: legs known from different moments do not.
        ended = self.ended or all_gone or _STATUS.get(snapshot.status) is State.ENDED
        if not grew and recording == self.recording and ended == self.ended:
            return False
        self.recording, self.ended = recording, ended
        self.told = None
        self.order = tuple(sorted(self.legs.values(), key=_PLACE))
        return True

    @property
    def settled(self) -> bool:
        """Whether the call has ended and its legs are past the last change the platform makes to them."""
        return self.ended and all(leg.state != "disconnected" for leg in self.legs.values())

    @property
    def stamp(self) -> str:
        """The intent's key that the call carries, where it was seen."""
        for leg in self.legs.values():
            if STAMP in leg.attributes:
                return leg.attributes[STAMP]
        return ""

    @property
    def agent_leg(self) -> LegFacts | None:
        """The leg of the agent who called: the live one, where he has several."""
        own: LegFacts | None = None
        for leg in self.order:
            if leg.purpose in AGENT and (own is None or (leg.user_id == own.user_id and (own.over or not leg.over))):
                own = leg
        return own

    @property
    def far_legs(self) -> list[LegFacts]:
        """The legs towards the dialled number, in order."""
        return [leg for leg in self.order if leg.purpose in FAR]

    def call(self) -> Call:
        """Tell the truth as known so far."""
        if self.told is None:
            self.told = self._tell()
        return self.told

    def _state(self, agent: LegFacts | None, far: list[LegFacts]) -> State:
        if self.ended:
            return State.ENDED
        told = [_STATUS[status] for status in self.statuses if status in _STATUS]
        if any(leg.answered for leg in far):
            told.append(State.CONNECTED)
        elif any(leg.rang for leg in far) or any(leg.purpose == "voicemail" for leg in self.order):
            told.append(State.RINGING)
        elif far or (agent is not None and (agent.dialled or agent.answered)):
            told.append(State.DIALING)
        return max(told, key=_RANK.__getitem__, default=State.REQUESTED)

    def _tell(self) -> Call:
        legs, agent, far = self.order, self.agent_leg, self.far_legs
        state = self._state(agent, far)
        ended = state is State.ENDED
        answered = [leg.connected_at for leg in far if leg.connected_at]
        outcome, evidence = judge(legs, agent, far, self.statuses) if ended else (None, None)
        attributes: dict[str, str] = {}
        for leg in legs:
            attributes.update(leg.attributes)
        return Call(
            conversation_id=self.conversation_id,
            state=state,
            outcome=outcome,
            evidence=evidence,
            held=not ended and agent is not None and agent.held,
            muted=not ended and agent is not None and agent.muted,
            recording=not ended and self.recording,
            agent_id=agent.user_id if agent else "",
            to=_number(far[0].address) if far else "",
            intent=self.stamp,
            attributes=attributes,
            started_at=min([leg.started_at for leg in legs if leg.started_at], default=None),
            connected_at=min(answered, default=None),
            ended_at=max([leg.ended_at for leg in legs if leg.ended_at], default=None) if ended else None,
            participants=tuple([_participant(leg) for leg in legs]),
        )


def _number(address: str) -> str:
    """Give what was dialled: the number of a `tel:` or `sip:` address, or the address itself."""
    scheme, _, rest = address.partition(":")
    return rest.partition("@")[0].partition(";")[0] if scheme in {"tel", "sip"} and rest else address


def _participant(leg: LegFacts) -> Participant:
    return Participant(
        id=leg.participant_id,
        purpose=leg.purpose,
        state=leg.state,
        user_id=leg.user_id,
        queue_id=leg.queue_id,
        address=leg.address,
        held=leg.held and not leg.over,
        muted=leg.muted and not leg.over,
        connected_at=leg.connected_at,
        ended_at=leg.ended_at,
        disconnect_types=tuple(sorted(leg.disconnect_types)) if leg.disconnect_types else (),
        error_code=leg.error_code,
        sip_codes=tuple(sorted(leg.codes)) if leg.reasons else (),
        wrapup_required=leg.wrapup_required,
        wrapup_code=leg.wrapup_code,
    )
