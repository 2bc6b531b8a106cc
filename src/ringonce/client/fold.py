"""From everything observed of a call, in whatever order, to the one truth about it.

`Facts` only ever grow: states by rank, times and reasons as sets. So duplicates change nothing, gaps cost detail
and no more, and the same observations in any order end as the same `Call`. Only what the platform itself toggles
(held, muted, recording) is taken from the latest snapshot that is not behind what is already known.
"""

from collections.abc import Iterable
from datetime import datetime

from ringonce.client.outcome import AGENT, FAR, LegFacts, judge
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
_ORDER = {state: place for place, state in enumerate(State)}


def fold(conversation_id: str, snapshots: Iterable[Snapshot]) -> Call:
    """Fold observations into the one truth they add up to."""
    facts = Facts(conversation_id)
    for snapshot in snapshots:
        facts.absorb(snapshot)
    return facts.call()


class Facts:
    """All that is known of one conversation. It grows by `absorb`; `call` tells what it adds up to."""

    __slots__ = ("_call", "_ended", "_recording", "conversation_id", "legs", "statuses")

    def __init__(self, conversation_id: str) -> None:
        self.conversation_id = conversation_id
        self.legs: dict[str, LegFacts] = {}
        self.statuses: set[str] = set()
        self._ended = False
        self._recording = False
        self._call: Call | None = None

    def absorb(self, snapshot: Snapshot) -> bool:
        """Take in one observation; say whether the truth told by `call` changed."""
        before = self.call()
        behind = False
        for leg in snapshot.legs:
            known = self.legs.get(leg.key)
            if known is None:
                known = self.legs[leg.key] = LegFacts(leg)
            behind |= not known.absorb(leg)
        if snapshot.legs and not behind:
            self._recording = any(leg.recording for leg in snapshot.legs)
        if snapshot.status:
            self.statuses.add(snapshot.status)
        # Only a snapshot that itself shows every leg gone ends the call: legs known from different moments do not.
        self._ended |= bool(snapshot.legs) and all(LegFacts.is_over(leg.state) for leg in snapshot.legs)
        self._ended |= _STATUS.get(snapshot.status) is State.ENDED
        self._call = None
        return self.call() != before

    @property
    def settled(self) -> bool:
        """Whether the call has ended and its legs are past the last change the platform makes to them."""
        return self._ended and all(leg.state != "disconnected" for leg in self.legs.values())

    @property
    def stamp(self) -> str:
        """The intent's key that the call carries, where it was seen."""
        return next((leg.attributes[STAMP] for leg in self.legs.values() if STAMP in leg.attributes), "")

    @property
    def agent_leg(self) -> LegFacts | None:
        """The leg of the agent who called: the live one, where he has several."""
        ordered = self._ordered()
        first = next((leg for leg in ordered if leg.purpose in AGENT), None)
        if first is None:
            return None
        own = [leg for leg in ordered if leg.purpose in AGENT and leg.user_id == first.user_id]
        return next((leg for leg in reversed(own) if not leg.over), own[-1])

    @property
    def far_legs(self) -> list[LegFacts]:
        """The legs towards the dialled number, in order."""
        return [leg for leg in self._ordered() if leg.purpose in FAR]

    def call(self) -> Call:
        """Tell the truth as known so far."""
        if self._call is None:
            self._call = self._tell()
        return self._call

    def _ordered(self) -> list[LegFacts]:
        return sorted(self.legs.values(), key=lambda leg: (leg.index, leg.key))

    def _state(self) -> State:
        if self._ended:
            return State.ENDED
        told = [_STATUS[status] for status in self.statuses if status in _STATUS]
        far = self.far_legs
        agent = self.agent_leg
        if any(leg.answered for leg in far):
            told.append(State.CONNECTED)
        if any(leg.rang for leg in far) or any(leg.purpose == "voicemail" for leg in self.legs.values()):
            told.append(State.RINGING)
        if far or (agent is not None and (agent.dialled or agent.answered)):
            told.append(State.DIALING)
        return max(told, key=_ORDER.__getitem__, default=State.REQUESTED)

    def _tell(self) -> Call:
        state = self._state()
        agent, far, ended = self.agent_leg, self.far_legs, state is State.ENDED
        answered = [leg.connected_at for leg in far if leg.connected_at]
        outcome, evidence = judge(self._ordered(), agent, far, self.statuses) if ended else (None, None)
        attributes: dict[str, str] = {}
        for leg in self._ordered():
            attributes.update(leg.attributes)
        return Call(
            conversation_id=self.conversation_id,
            state=state,
            outcome=outcome,
            evidence=evidence,
            held=not ended and agent is not None and agent.held,
            muted=not ended and agent is not None and agent.muted,
            recording=not ended and self._recording,
            agent_id=agent.user_id if agent else "",
            to=_number(far[0].address) if far else "",
            intent=self.stamp,
            attributes=attributes,
            started_at=_first(leg.started_at for leg in self.legs.values()),
            connected_at=min(answered, default=None),
            ended_at=max((leg.ended_at for leg in self.legs.values() if leg.ended_at), default=None) if ended else None,
            participants=tuple(_participant(leg) for leg in self._ordered()),
        )


def _first(times: Iterable[datetime | None]) -> datetime | None:
    return min((time for time in times if time), default=None)


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
        disconnect_types=tuple(sorted(leg.disconnect_types)),
        error_code=leg.error_code,
        sip_codes=tuple(sorted(code for kind, code in leg.reasons if kind == "sip")),
        wrapup_required=leg.wrapup_required,
        wrapup_code=leg.wrapup_code,
    )
