"""Steering a call: each change is asked for once, and confirmed by what is then observed.

The platform takes every change with 202 and lets the effect follow, so a change counts when it shows. What sets a
state (hold, mute, end) may be asked twice; digits and transfers may not.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ringonce import numbers
from ringonce.client import policy
from ringonce.client.flows import directory, following
from ringonce.client.flows.exchange import exchange, problem, read, refusal
from ringonce.client.flows.session import Session, token_user
from ringonce.client.fold import Facts
from ringonce.client.outcome import LegFacts
from ringonce.client.wishes import Flow, Hear, Lane, Listen, Now, Request
from ringonce.errors import InvalidInput, NoAnswer, NotFound
from ringonce.models import Call

CONFIRMED_WITHIN = 10.0
"""Seconds within which a change has to show."""
DIGITS = re.compile(r"[0-9A-D*#,]{1,64}")
NUMBER = re.compile(r"\s*(tel:|\+|\(|[0-9][0-9 ()./-]*$)")
"""What is read as a number where an agent's id, e-mail or name could stand too."""
LONGEST_NOTES = 2000


def hang_up(session: Session, conversation_id: str) -> Flow[Call]:
    """End the call for everybody in it and give its last truth. A call that has ended already is no error."""
    known = session.board.facts(conversation_id).call()
    if known.ended:
        return known
    request = Request(
        "PATCH",
        session.url(f"/conversations/calls/{conversation_id}"),
        body={"state": "disconnected"},
        repeatable=True,
    )
    response = yield from exchange(request, lane=Lane.URGENT)
    if not response.ok and problem(response).code != "conversation.error.call.disconnected":
        call: Call | None = None
        if response.status in {400, 404, 409}:
            call = yield from following.get_call(session, conversation_id)
        if call is None or not call.ended:
            raise refusal(response, f"Call {conversation_id} can't be ended")
    return (yield from _confirmed(session, conversation_id, lambda call: call.ended, "ended"))


def set_flag(session: Session, conversation_id: str, name: str, on: bool) -> Flow[Call]:
    """Set the agent's `held` or `muted`, and give the call once that shows."""
    leg = yield from _agent_leg(session, conversation_id)
    verb = {"held": "held" if on else "resumed", "muted": "muted" if on else "unmuted"}[name]
    yield from _patch(session, conversation_id, leg, {name: on}, f"Call {conversation_id} can't be {verb}")
    return (yield from _confirmed(session, conversation_id, lambda call: getattr(call, name) is on, verb))


def send_digits(session: Session, conversation_id: str, digits: str) -> Flow[None]:
    """Play DTMF to the far end: 0-9, A-D, * and #; a comma waits."""
    if not DIGITS.fullmatch(digits):
        raise InvalidInput(
            f"{digits[:40]!r} are no digits to send",
            why="DTMF has 0-9, A-D, * and #, and a comma for a pause; 64 at most",
            fix="leave out everything else",
        )
    leg = yield from _agent_leg(session, conversation_id)
    url = session.url(f"/conversations/{conversation_id}/participants/{leg.participant_id}/digits")
    what = f"Digits can't be sent to call {conversation_id}"
    yield from read(Request("POST", url, body={"digits": digits}), what, lane=Lane.URGENT)


def transfer(session: Session, conversation_id: str, to: str, queue: str) -> Flow[Call]:
    """Hand the far end over to an agent or number (*to*) or to a queue, without asking there; the agent's leg ends."""
    if bool(to) == bool(queue):
        raise InvalidInput("A transfer has one target", why="both or none were given", fix="give either to or queue")
    leg = yield from _agent_leg(session, conversation_id)
    target: Mapping[str, Any]
    if queue:
        target = {"queueId": (yield from directory.queue_id(session, queue))}
    elif NUMBER.match(to):
        target = {"address": numbers.dialable(to, country=session.country)}
    else:
        target = {"userId": (yield from directory.agent_id(session, to))}
    url = session.url(f"/conversations/calls/{conversation_id}/participants/{leg.participant_id}/replace")
    request = Request("POST", url, body={**target, "transferType": "Unattended"})
    yield from read(request, f"Call {conversation_id} can't be transferred", lane=Lane.URGENT)

    def handed_over(_: Call) -> bool:
        return session.board.facts(conversation_id).legs[leg.key].over

    return (yield from _confirmed(session, conversation_id, handed_over, "transferred"))


def wrap_up(session: Session, conversation_id: str, code: str, notes: str) -> Flow[Call]:
    """Store the agent's wrap-up code (id or name) and notes."""
    if len(notes) > LONGEST_NOTES:
        raise InvalidInput("The notes are too long", why=f"{LONGEST_NOTES} characters are the most", fix="shorten them")
    facts = yield from _facts(session, conversation_id)
    leg = _own_leg(facts)
    code_id = yield from directory.wrapup_code_id(session, conversation_id, leg.participant_id, code)
    wrapup = {"code": code_id, "notes": notes} if notes else {"code": code_id}
    yield from _patch(session, conversation_id, leg, {"wrapup": wrapup}, f"Call {conversation_id} can't be wrapped up")

    def stored(_: Call) -> bool:
        return session.board.facts(conversation_id).legs[leg.key].wrapup_code == code_id

    return (yield from _confirmed(session, conversation_id, stored, "wrapped up", after_end=True))


def _patch(session: Session, conversation_id: str, leg: LegFacts, body: Mapping[str, Any], what: str) -> Flow[None]:
    """Change the agent's participant: as himself, or for him with an application's token."""
    path = f"/conversations/calls/{conversation_id}/participants/{leg.participant_id}"
    if (yield from token_user(session)) != leg.user_id:
        path += f"/user/{leg.user_id}"
    yield from read(Request("PATCH", session.url(path), body=body, repeatable=True), what, lane=Lane.URGENT)


def _facts(session: Session, conversation_id: str) -> Flow[Facts]:
    facts = session.board.facts(conversation_id)
    if facts.agent_leg is None or not session.board.seen_whole(conversation_id):
        yield from following.get_call(session, conversation_id)
    return facts


def _agent_leg(session: Session, conversation_id: str) -> Flow[LegFacts]:
    leg = _own_leg((yield from _facts(session, conversation_id)))
    if leg.over:
        raise NotFound(
            f"The agent has no live leg in call {conversation_id}",
            why="it has ended",
            fix="only a live call can be steered",
        )
    return leg


def _own_leg(facts: Facts) -> LegFacts:
    leg = facts.agent_leg
    if leg is None:
        raise NotFound(
            f"Call {facts.conversation_id} has no agent", why="no participant is an agent's", fix="check the id"
        )
    return leg


def _confirmed(
    session: Session,
    conversation_id: str,
    shows: Callable[[Call], bool],
    verb: str,
    *,
    after_end: bool = False,
) -> Flow[Call]:
    """Wait until the change shows, by events or by reads, and give the call."""
    board = session.board
    leg = board.facts(conversation_id).agent_leg
    if leg is not None:
        yield Listen(leg.user_id)
    deadline = (yield Now()) + CONFIRMED_WITHIN
    reads = 0
    while True:
        call = board.facts(conversation_id).call()
        if shows(call):
            return call
        if call.ended and not after_end:
            raise NotFound(f"Call {conversation_id} ended before it could be {verb}", why="the call is over")
        now: float = yield Now()
        if now >= deadline:
            raise NoAnswer(
                f"Call {conversation_id} was asked to be {verb}, and nothing shows that it is",
                why=f"the platform took the request and {CONFIRMED_WITHIN:g} s passed",
                fix="read the call again before asking once more",
            )
        due = min(deadline, now + 2 * policy.polling_pause(reads))
        seen = board.count(conversation_id)
        yield Hear(conversation_id, seen, due - now)
        if board.count(conversation_id) == seen and (yield Now()) >= due:
            reads += 1
            yield from following.get_call(session, conversation_id)
