"""Placing a call so that one intent rings at most once.

The ledger's row is written before the POST leaves, whoever did not write it never sends, and an answer that proves
nothing is followed by looking for the call, never by a second POST.
"""

import re
from typing import Any

import msgspec

from ringonce import errors
from ringonce.client import policy
from ringonce.client.flows import directory
from ringonce.client.flows.bounding import listen, within
from ringonce.client.flows.exchange import exchange, problem, refusal, token_for
from ringonce.client.flows.order import Order, Plan, checked, plan
from ringonce.client.flows.reconciling import SWEEPS_APART, Lookout, look_for, look_once, recognise
from ringonce.client.flows.session import Session
from ringonce.client.remedies import WHOSE_CALL, remedy
from ringonce.client.wishes import (
    UNREADABLE,
    Arm,
    Cancelled,
    Flow,
    Hear,
    Lane,
    Listen,
    Look,
    Mark,
    Now,
    Pace,
    Release,
    Request,
    Response,
    Send,
    Settle,
)
from ringonce.errors import (
    Ambiguous,
    ApiRefusal,
    IntentConflict,
    LedgerError,
    NoAnswer,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RingonceError,
    TooLate,
    Unreachable,
)
from ringonce.ledger import OPEN, TAIL, Row, RowState
from ringonce.models import Placed
from ringonce.numbers import masked

ECHO = 2.0
"""Seconds within which the event of a call comes that a refusal was told for, where events flow."""
CONVERSATION_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
FIRST_LOOK = 2.0
"""Seconds after arming from which a call is looked for whose program does not say what became of it."""


def plan_call(session: Session, order: Order) -> Flow[Plan]:
    """Say what `place_call` would send. Nothing that rings is sent; names may be looked up."""
    order = checked(session, order)
    began: float = yield Now()
    return (yield from plan(session, order, began + order.timeout))


def place_call(session: Session, order: Order) -> Flow[Placed]:
    """Place one call for an agent; at most once for the order's intent.

    Raise a `Refused` if nothing rang, `Unreachable` if nothing was sent, `OutcomeUnknown` if it may have rung.
    """
    order = checked(session, order)
    began: float = yield Now()
    deadline = began + order.timeout
    mark: str = yield Mark(order.to)
    there: Row | None = yield Look(session.endpoints.platform, order.intent)
    try:
        planned = yield from plan(session, order, deadline)
    except (Unreachable, NoAnswer, ApiRefusal, Ambiguous) as failed:
        if there is None or there.state is RowState.NOT_PLACED:
            yield from _in_time(failed, deadline)
            raise
        # What became of the intent is written down: it is told though its names can't be looked up any more.
        _refuse_another(there, directory.known_id(session, order.agent) or there.agent_id, mark)
        silent = None if isinstance(failed, (NotFound, Ambiguous)) else failed
        return (yield from _again(session, order, there, silent))
    request = planned.request()
    if there is None or there.state is RowState.NOT_PLACED:
        # A token that can't be had is no refusal of the call.
        try:
            token = yield from within(token_for(request, agent=planned.acts), deadline)
        except Unreachable as failed:
            yield from _in_time(failed, deadline)
            raise
        listening = yield from listen(planned.agent_id, deadline)
        # The quota is waited for before the row is written: a row says that its request is about to leave.
        yield Pace(Lane.DIAL, token, deadline)
        now: float = yield Now()
        Send(request, deadline).check(now)  # else a row would be armed that nobody may send
        row = Row(
            platform=session.endpoints.platform,
            intent=order.intent,
            agent_id=planned.agent_id,
            mark=mark,
            tail=order.to[-TAIL:],
            incarnation=session.incarnation,
            armed_at=now,
            deadline=deadline,
        )
        lookout = Lookout(row, order.to, listening)
        lookout.remember(session.board)
        there = yield Arm(row)
        if there is None:
            session.in_flight.add(order.intent)
            left = False
            try:
                return (yield from _send_once(session, planned, request, row, lookout, paced=token))
            except Cancelled:
                left = order.intent in session.on_wire
                if not left:
                    yield Release(row)
                raise
            finally:
                session.in_flight.discard(order.intent)
                if not left:  # else its answer stays unknown
                    session.on_wire.discard(order.intent)
    _refuse_another(there, planned.agent_id, mark)
    return (yield from _again(session, order, there))


def _in_time(failed: RingonceError, deadline: float) -> Flow[None]:
    """Raise `TooLate` where it was the order's time that ran out on what goes before the create."""
    now: float = yield Now()
    if isinstance(failed, (NoAnswer, Unreachable)) and now >= deadline:
        raise TooLate(
            "The call was not sent: its deadline had passed",
            why=f"{failed.what}: {failed.why}",
            fix="place it again, with more time",
        ) from failed


def _refuse_another(there: Row, agent_id: str, mark: str) -> None:
    if (there.agent_id, there.mark) != (agent_id, mark):
        raise IntentConflict(
            f"Intent {there.intent!r} stands for another call",
            why=f"it was used for agent {there.agent_id} and a number that ends in {there.tail}",
            fix="one intent is one call: give this one a key of its own",
        )


class _Careful:
    """Care for one create: where it is, and whether its call shows though it was refused."""

    def __init__(self, session: Session, lookout: Lookout) -> None:
        self._session, self._lookout, self.deadline = session, lookout, lookout.row.deadline
        self.left = False

    def leaving(self) -> None:
        self.left = True
        self._session.on_wire.add(self._lookout.row.intent)

    def stopped(self) -> None:
        self._session.on_wire.discard(self._lookout.row.intent)

    def again(self, *, answered: bool, waited: float) -> Flow[None]:
        # A gateway may say 401 or 429 for a create that went through: its event comes close behind, or a read shows it.
        board, agent_id = self._session.board, self._lookout.row.agent_id
        now: float = yield Now()
        until = min(now + ECHO - waited, self.deadline) if answered and self._lookout.listening else now
        while not (yield from self._shows()) and now < until:
            yield Hear(agent_id, board.count(agent_id), until - now)
            now = yield Now()
        if answered:
            yield from look_once(self._session, self._lookout, self.deadline)
        if (yield from self._shows()):
            raise NoAnswer(
                "The call was refused, and yet a new call of the agent is there", why="the refusal is in doubt"
            )

    def _shows(self) -> Flow[bool]:
        found, awaited = yield from recognise(self._session.board, self._lookout)
        return bool(found) or awaited


def _send_once(
    session: Session, planned: Plan, request: Request, row: Row, lookout: Lookout, *, paced: str
) -> Flow[Placed]:
    care = _Careful(session, lookout)
    try:
        response = yield from exchange(request, care=care, agent=planned.acts, lane=Lane.DIAL, paced=paced)
    except (Unreachable, RateLimited, TooLate):
        # Nothing was placed, and nothing was decided about the call either: the same intent may try again.
        yield Release(row)
        raise
    except ApiRefusal as refused:
        yield from _settle(row, RowState.REFUSED, refusal=_kept(refused))
        raise
    except NoAnswer as lost:
        return (yield from _reconcile(session, row, lookout, lost.why))
    except RingonceError:
        if not care.left:  # the token could not be had, because of a safe that is locked, for one
            yield Release(row)
        raise
    if response.ok:
        conversation_id = _conversation_id(response)
        if conversation_id:
            return (yield from _placed(session, row, lookout, conversation_id))
        return (yield from _reconcile(session, row, lookout, "the answer is no conversation"))
    if policy.proves_nothing_was_placed(response):
        error = _why_refused(planned, response)
        yield from _settle(row, RowState.REFUSED, refusal=_kept(error))
        raise error
    said = problem(response)
    told = f"HTTP {response.status}" + (
        f" {said.code}: {remedy(response.status, said.code).means}" if said.code else ""
    )
    return (yield from _reconcile(session, row, lookout, told))


def _settle(row: Row, state: RowState, **became: Any) -> Flow[Row]:
    """Write what became of the intent, and give what stands: somebody else may have written it before."""
    now: float = yield Now()
    stands: Row = yield Settle(msgspec.structs.replace(row, state=state, settled_at=now, **became))
    return stands


def _placed(session: Session, row: Row, lookout: Lookout, conversation_id: str, evidence: str = "") -> Flow[Placed]:
    if lookout.listening:
        session.board.claim(conversation_id, row.agent_id, lookout.gaps)
    became: dict[str, Any] = {"conversation_id": conversation_id, "adopted": bool(evidence), "evidence": evidence}
    stands = yield from _settle(row, RowState.PLACED, **became)
    if stands.state is not RowState.PLACED:
        # A person has said otherwise meanwhile, and may have had it placed anew; there is this call all the same.
        stands = msgspec.structs.replace(row, **became)
    return _told(stands, lookout.to)


def _told(row: Row, to: str, *, replayed: bool = False) -> Placed:
    return Placed(
        conversation_id=row.conversation_id,
        intent=row.intent,
        agent_id=row.agent_id,
        to=to,
        replayed=replayed,
        adopted=row.adopted,
        evidence=row.evidence,
    )


def _reconcile(session: Session, row: Row, lookout: Lookout, why: str) -> Flow[Placed]:
    found = yield from look_for(session, lookout)
    if found:
        return (yield from _placed(session, row, lookout, *found))
    stands = yield from _settle(row, RowState.UNKNOWN, evidence=why)
    if stands.state is RowState.PLACED:
        return _told(stands, lookout.to)
    raise _unknown(session, msgspec.structs.replace(row, evidence=why), lookout.to)


def _unknown(session: Session, row: Row, to: str, silent: RingonceError | None = None) -> OutcomeUnknown:
    why = f"{row.evidence or 'no answer'}; no such call showed within {session.settle:g} s"
    if silent is not None:
        why += f", and the platform can't be asked now: {silent.why or silent.what}"
    return OutcomeUnknown(
        f"The call of intent {row.intent!r} may have rung",
        why=why,
        fix="look at the agent's conversations before anybody dials again; ringonce will not",
        intent=row.intent,
        agent_id=row.agent_id,
        to=to,
    )


def _again(session: Session, order: Order, row: Row, silent: RingonceError | None = None) -> Flow[Placed]:
    """Tell what became of an intent that is in the ledger already, without sending anything.

    *silent* is why the platform can't be asked; a row that is armed is waited for even so: its program may know more.
    """
    listening: bool = False
    if row.state in OPEN and silent is None:
        listening = yield Listen(row.agent_id)
    lookout = Lookout(row, order.to, listening)
    if row.state is RowState.UNKNOWN and silent is None:
        found = yield from look_once(session, lookout)
        if found:
            yield from _placed(session, row, lookout, *found)
        # Reads take their time: meanwhile others may have found it, or a person may have had it placed anew.
        row = (yield Look(row.platform, row.intent)) or row
    if row.state is RowState.ARMED:
        row = yield from _await_other(session, row, lookout)
    if row.intent not in session.in_flight:  # what was cancelled on its way is known now
        session.on_wire.discard(row.intent)
    if row.state is RowState.PLACED:
        return _told(row, order.to, replayed=True)
    if row.state is RowState.REFUSED:
        raise _refusal_again(row)
    if row.state is RowState.NOT_PLACED:
        raise Refused(
            f"A person has just said that intent {order.intent!r} was not placed",
            why=row.evidence,
            fix="place it again",
        )
    raise _unknown(session, row, order.to, silent)


def _await_other(session: Session, row: Row, lookout: Lookout) -> Flow[Row]:
    """Wait for whoever armed the row to settle it. If nobody does (a crash), look for the call and settle it here."""
    board, wait = session.board, 0.02
    now: float = yield Now()
    attempt, met = row.attempt, now
    next_look = min(row.armed_at, met) + FIRST_LOOK
    while True:
        there: Row | None = yield Look(row.platform, row.intent)
        if there is None:
            raise TooLate(
                f"Intent {row.intent!r} was given up by whoever placed it",
                why="its request never left",
                fix="place it again",
            )
        if there.state is not RowState.ARMED:
            return there
        # It may be another attempt than a moment ago: taken back, and armed anew.
        seen, last, now = board.count(row.agent_id), now, (yield Now())
        if now < last:  # the clock was set back
            met, next_look = met - (last - now), next_look - (last - now)
        if there.attempt != attempt:
            attempt, met = there.attempt, now
        lookout.row = there
        # Where the clock was set back, the deadline may be days ahead; but nobody has longer left than he had in all.
        until = min(there.deadline, met + there.deadline - there.armed_at) + session.settle
        found = (yield from recognise(board, lookout))[0]
        if found is None and row.intent not in session.in_flight and (now >= next_look or now >= until):
            found = yield from look_once(session, lookout)
            next_look = now + SWEEPS_APART
        if found:
            yield from _placed(session, there, lookout, *found)
        elif now >= until:
            why = "whoever placed it stopped before an answer"
            there = yield from _settle(there, RowState.UNKNOWN, evidence=why)
            if there.state is not RowState.ARMED:  # else it has been armed anew
                return there
        else:
            yield Hear(row.agent_id, seen, min(wait, max(until - now, 0.0)))
            wait = min(1.0, wait * 2)


def _conversation_id(response: Response) -> str:
    try:
        answer = response.json()
    except UNREADABLE:
        return ""
    found = answer.get("id") if isinstance(answer, dict) else None
    return found if isinstance(found, str) and CONVERSATION_ID.fullmatch(found) else ""


def _why_refused(planned: Plan, response: Response) -> ApiRefusal:
    what = f"Genesys Cloud refused the call of agent {planned.agent_id} to {masked(planned.to)}"
    tutorial = "from" in planned.body
    # The tutorial has one status for a wrong caller id and a wrong agent; the words name the field.
    whose = tutorial and response.status == 403 and "from.id" in problem(response).message  # noqa: PLR2004
    error = refusal(response, what, fix=WHOSE_CALL if whose else "", tutorial=tutorial)
    if isinstance(error, ApiRefusal):
        return error
    raise error


def _kept(error: ApiRefusal) -> str:
    return msgspec.json.encode({"kind": type(error).__name__, **error.__dict__}).decode()


def _refusal_again(row: Row) -> Refused:
    try:
        told = msgspec.json.decode(row.refusal)
        error: Refused = getattr(errors, told.pop("kind"))(told.pop("what"), **told)
    except (msgspec.MsgspecError, AttributeError, KeyError, TypeError):
        return LedgerError(
            f"Intent {row.intent!r} was refused, but with what words can't be read",
            why="its row in the ledger is damaged; nothing was sent by this run",
            fix="give the next try a key of its own",
        )
    error.fix += "; the intent stays refused, so give the next try a key of its own"
    error.replayed = True
    return error
