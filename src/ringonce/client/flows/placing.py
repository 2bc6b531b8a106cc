"""Placing a call so that one intent rings at most once.

The ledger's row is written before the POST leaves, whoever did not write it never sends, and an answer that proves
nothing is followed by looking for the call, never by a second POST.
"""

import msgspec

from ringonce import errors
from ringonce.client import policy
from ringonce.client.flows.exchange import exchange, problem, refusal
from ringonce.client.flows.order import Order, Plan, checked, plan
from ringonce.client.flows.reconciling import Lookout, look_for, look_once
from ringonce.client.flows.session import Session
from ringonce.client.remedies import remedy
from ringonce.client.wishes import Arm, Flow, Listen, Look, Now, Release, Response, Settle, Sleep
from ringonce.errors import (
    ApiRefusal,
    IntentConflict,
    NoAnswer,
    OutcomeUnknown,
    RateLimited,
    Refused,
    TooLate,
    Unreachable,
)
from ringonce.ledger import Row, RowState
from ringonce.models import Placed
from ringonce.numbers import masked


def plan_call(session: Session, order: Order) -> Flow[Plan]:
    """Say what `place_call` would send. Nothing that rings is sent; names may be looked up."""
    return (yield from plan(session, checked(session, order)))


def place_call(session: Session, order: Order) -> Flow[Placed]:
    """Place one call for an agent; at most once for the order's intent.

    Raise a `Refused` if nothing rang, `Unreachable` if nothing was sent, `OutcomeUnknown` if it may have rung.
    """
    order = checked(session, order)
    planned = yield from plan(session, order)
    there: Row | None = yield Look(order.intent)
    if there is None:
        listening: bool = yield Listen(planned.agent_id)
        lookout = Lookout(planned.agent_id, order.to, order.intent, listening)
        lookout.remember(session.board)
        now: float = yield Now()
        row = Row(
            intent=order.intent,
            agent_id=planned.agent_id,
            to=order.to,
            incarnation=session.incarnation,
            armed_at=now,
            deadline=now + order.timeout,
        )
        there = yield Arm(row)
        if there is None:
            return (yield from _send_once(session, planned, row, lookout))
    return (yield from _again(session, order, planned, there))


def _send_once(session: Session, planned: Plan, row: Row, lookout: Lookout) -> Flow[Placed]:
    try:
        response = yield from exchange(planned.request(), deadline=row.deadline, fenced=True, agent=planned.acts)
    except (Unreachable, RateLimited, TooLate):
        # Nothing was placed, and nothing was decided about the call either: the same intent may try again.
        yield Release(row)
        raise
    except ApiRefusal as refused:
        yield Settle(_refused(row, refused))
        raise
    except NoAnswer as lost:
        return (yield from _reconcile(session, row, lookout, lost.why))
    if response.ok:
        conversation_id = _conversation_id(response)
        if conversation_id:
            return (yield from _placed(session, row, lookout, conversation_id))
        return (yield from _reconcile(session, row, lookout, "the answer is no conversation"))
    if policy.proves_nothing_was_placed(response):
        error = _why_refused(planned, response)
        yield Settle(_refused(row, error))
        raise error
    said = problem(response)
    told = f"HTTP {response.status}" + (
        f" {said.code}: {remedy(response.status, said.code).means}" if said.code else ""
    )
    return (yield from _reconcile(session, row, lookout, told))


def _placed(session: Session, row: Row, lookout: Lookout, conversation_id: str, evidence: str = "") -> Flow[Placed]:
    if lookout.listening:
        session.board.claim(conversation_id)
    settled = msgspec.structs.replace(
        row, state=RowState.PLACED, conversation_id=conversation_id, adopted=bool(evidence), evidence=evidence
    )
    yield Settle(settled)
    return _told(settled)


def _told(row: Row, *, replayed: bool = False) -> Placed:
    return Placed(
        conversation_id=row.conversation_id,
        intent=row.intent,
        agent_id=row.agent_id,
        to=row.to,
        replayed=replayed,
        adopted=row.adopted,
        evidence=row.evidence,
    )


def _reconcile(session: Session, row: Row, lookout: Lookout, why: str) -> Flow[Placed]:
    found = yield from look_for(session, lookout, row.armed_at)
    if found:
        return (yield from _placed(session, row, lookout, *found))
    unknown = msgspec.structs.replace(row, state=RowState.UNKNOWN, evidence=why)
    yield Settle(unknown)
    raise _unknown(session, unknown)


def _unknown(session: Session, row: Row) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"The call of intent {row.intent!r} may have rung",
        why=f"{row.evidence or 'no answer'}; no such call showed within {session.settle:g} s",
        fix="look at the agent's conversations before anybody dials again; ringonce will not",
        intent=row.intent,
        agent_id=row.agent_id,
        to=row.to,
    )


def _again(session: Session, order: Order, planned: Plan, row: Row) -> Flow[Placed]:
    """Tell what became of an intent that somebody else wrote into the ledger, without sending anything."""
    if (row.agent_id, row.to) != (planned.agent_id, order.to):
        raise IntentConflict(
            f"Intent {order.intent!r} stands for another call",
            why=f"it was used for agent {row.agent_id} and a number that ends in {row.to[-4:]}",
            fix="one intent is one call: give this one a key of its own",
        )
    until = row.deadline + session.settle
    wait = 0.02
    while row.state is RowState.ARMED and (yield Now()) < until:
        yield Sleep(wait)
        wait = min(1.0, wait * 1.5)
        now_there: Row | None = yield Look(order.intent)
        if now_there is None:
            raise Refused(
                f"Intent {order.intent!r} was given up by whoever placed it",
                why="its request never left",
                fix="place it again",
            )
        row = now_there
    listening: bool = yield Listen(row.agent_id)
    lookout = Lookout(row.agent_id, row.to, row.intent, listening)
    if row.state is RowState.PLACED:
        return _told(row, replayed=True)
    if row.state is RowState.REFUSED:
        raise _refusal_again(row)
    found = yield from look_once(session, lookout, row.armed_at)
    if found:
        yield from _placed(session, row, lookout, *found)
        return _told((yield Look(row.intent)), replayed=True)
    raise _unknown(session, row)


def _conversation_id(response: Response) -> str:
    try:
        answer = response.json()
    except msgspec.MsgspecError:
        return ""
    found = answer.get("id") if isinstance(answer, dict) else None
    return found if isinstance(found, str) else ""


def _why_refused(planned: Plan, response: Response) -> ApiRefusal:
    what = f"Genesys Cloud refused the call of agent {planned.agent_id} to {masked(planned.to)}"
    error = refusal(response, what, tutorial="from" in planned.body)
    if isinstance(error, ApiRefusal):
        return error
    raise error


def _refused(row: Row, error: ApiRefusal) -> Row:
    told = {"kind": type(error).__name__, "what": error.what, **error.__dict__}
    return msgspec.structs.replace(row, state=RowState.REFUSED, refusal=msgspec.json.encode(told).decode())


def _refusal_again(row: Row) -> Refused:
    told = msgspec.json.decode(row.refusal)
    error: Refused = getattr(errors, told.pop("kind"))(told.pop("what"), **told)
    error.replayed = True
    return error
