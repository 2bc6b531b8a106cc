"""`/v1/calls/{id}/…`: what a person does to a call."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import sqlalchemy as sa
from litestar import post
from litestar.connection import Request
from litestar.params import FromPath, JSONBody

from ringonce.errors import ApiRefusal, InvalidInput, NotFound, RingonceError
from ringonce.models import Call, Outcome
from ringonce.models import State as Progress
from ringonce.service import audit
from ringonce.service.access import Role
from ringonce.service.calls import OPEN, Record, State
from ringonce.service.calls import settling as words
from ringonce.service.calls.changing import cancel as cancel_waiting
from ringonce.service.dialing import turns
from ringonce.service.web.bodies import CallShown, ResolveBody, WrapUpBody, shown
from ringonce.service.web.desk import Desk, desk_of, token_of
from ringonce.service.web.problems import ProblemError

Asked = Request[Any, Any, Any]
_STEERING = {"role": Role.DIALER}
_ABOUT_THE_CALL = {400, 409}
"""Statuses with which the platform says that a call is in no state for that."""


@post("/v1/calls/{call_id:str}/cancel", status_code=200, opt=_STEERING)
async def cancel(request: Asked, call_id: FromPath[str]) -> CallShown:
    """Cancel a call that waits. One that is cancelled already is no error."""
    desk, token = desk_of(request), token_of(request)
    await _mine(request, call_id)

    def do(db: sa.Connection) -> Record | None:
        now = desk.house.clock()
        done = cancel_waiting(db, call_id, by=token.id, now=now)
        if done is not None:
            audit.note(db, token.id, "call.cancelled", call_id, now=now)
        return done

    stands = await desk.house.store.run(do) or await desk.record(call_id)
    if stands.state is not State.CANCELLED:
        fix = "hang up instead" if stands.state in OPEN else "there is nothing left to cancel"
        raise ProblemError(
            "wrong-state", f"The call is {stands.state}", why="only one that waits is cancelled", fix=fix
        )
    return shown(stands, whole_number=token.sees_numbers)


@post("/v1/calls/{call_id:str}/hangup", status_code=200, opt=_STEERING)
async def hangup(request: Asked, call_id: FromPath[str]) -> CallShown:
    """End a live call for everybody in it. One that has ended is no error."""
    desk, token = desk_of(request), token_of(request)
    record = await _mine(request, call_id)
    if record.state in {State.ENDED, State.REFUSED, State.CANCELLED, State.EXPIRED}:
        return shown(record, whole_number=token.sees_numbers)
    _check_live(record)
    now = desk.house.clock()

    def note(db: sa.Connection) -> None:
        audit.note(db, token.id, "call.hangup", call_id, now=now)

    await desk.house.store.run(note)
    return await _steered(desk, request, record, desk.house.client.hang_up(record.conversation_id))


@post("/v1/calls/{call_id:str}/hold", status_code=200, opt=_STEERING)
async def hold(request: Asked, call_id: FromPath[str]) -> CallShown:
    """Put the far end on hold."""
    return await _flag(request, call_id, desk_of(request).house.client.hold)


@post("/v1/calls/{call_id:str}/resume", status_code=200, opt=_STEERING)
async def resume(request: Asked, call_id: FromPath[str]) -> CallShown:
    """Take the far end off hold."""
    return await _flag(request, call_id, desk_of(request).house.client.resume)


@post("/v1/calls/{call_id:str}/mute", status_code=200, opt=_STEERING)
async def mute(request: Asked, call_id: FromPath[str]) -> CallShown:
    """Mute the agent."""
    return await _flag(request, call_id, desk_of(request).house.client.mute)


@post("/v1/calls/{call_id:str}/unmute", status_code=200, opt=_STEERING)
async def unmute(request: Asked, call_id: FromPath[str]) -> CallShown:
    """Let the agent be heard again."""
    return await _flag(request, call_id, desk_of(request).house.client.unmute)


@post("/v1/calls/{call_id:str}/wrapup", status_code=200, opt=_STEERING)
async def wrapup(request: Asked, call_id: FromPath[str], data: JSONBody[WrapUpBody]) -> CallShown:
    """Store how the agent wraps the call up."""
    desk = desk_of(request)
    record = await _mine(request, call_id)
    if not record.conversation_id:
        raise ProblemError("wrong-state", f"The call is {record.state}", why="it has no conversation to wrap up")
    client = desk.house.client
    return await _steered(
        desk, request, record, client.wrap_up(record.conversation_id, code=data.code, notes=data.notes)
    )


@post("/v1/calls/{call_id:str}/resolve", status_code=200)
async def resolve(request: Asked, call_id: FromPath[str], data: JSONBody[ResolveBody]) -> CallShown:
    """Say what became of a call that may have rung, after looking. It is dialled again only if that is asked for."""
    desk, token = desk_of(request), token_of(request)
    if (data.placed is not None) == data.not_placed or (data.dial_again and not data.not_placed):
        raise InvalidInput(
            "It can't be told what became of the call",
            why="it was either placed, or not placed and perhaps to be dialled again",
            fix='send {"placed": "CONVERSATION", "reason": …} or {"not_placed": true, "reason": …}',
        )
    record = await desk.record(call_id)
    if record.state is not State.UNKNOWN:
        raise ProblemError("wrong-state", f"The call is {record.state}", why="only what is unknown can be resolved")
    call = await _as_it_was(desk, data.placed) if data.placed else None
    api, by, now = desk.house.platform.api, token.id, desk.house.clock()

    def settle(db: sa.Connection) -> Record:
        if call is not None:
            return words.placed(db, record, api, call, by=by, reason=data.reason, now=now)
        if data.dial_again:
            turns.look(db, record.agent_id, now)
        return words.not_placed(db, record, api, again=data.dial_again, by=by, reason=data.reason, now=now)

    stands = await desk.house.store.run(settle)
    return shown(stands, whole_number=token.sees_numbers)


async def _as_it_was(desk: Desk, conversation_id: str) -> Call:
    """Read the conversation that a person names; where the platform can't be asked, their word has to do."""
    try:
        call = await desk.house.client.get_call(conversation_id)
    except NotFound as unknown:
        raise InvalidInput(unknown.what, why=unknown.why, fix="look the conversation's id up once more") from unknown
    except RingonceError:
        return Call(conversation_id=conversation_id.lower(), state=Progress.ENDED, outcome=Outcome.UNKNOWN)
    if not call.ended:
        raise ProblemError(
            "wrong-state",
            "That conversation is still going on",
            why=f"it is {call.state}",
            fix="resolve the call once it has ended",
        )
    return call


async def _flag(request: Asked, call_id: str, steer: Callable[[str], Awaitable[Call]]) -> CallShown:
    record = await _mine(request, call_id)
    _check_live(record)
    return await _steered(desk_of(request), request, record, steer(record.conversation_id))


async def _steered(desk: Desk, request: Asked, record: Record, steered: Awaitable[Call]) -> CallShown:
    try:
        call = await steered
    except ApiRefusal as refused:
        if refused.status not in _ABOUT_THE_CALL:
            raise
        raise ProblemError("wrong-state", refused.what, why=refused.why, fix=refused.fix) from refused
    stands = await desk.record(record.id)
    if stands.state is State.LIVE:
        # The worker hears of it in its own time; whoever asked should see it now.
        seen = msgspec.to_builtins(call)
        stands = msgspec.structs.replace(stands, told=seen, progress=str(call.state))
    return shown(stands, whole_number=token_of(request).sees_numbers)


async def _mine(request: Asked, call_id: str) -> Record:
    """Give the call if the token may steer it."""
    desk = desk_of(request)
    record = await desk.record(call_id)
    await desk.check_agent(token_of(request), record.agent, record.agent_id)
    return record


def _check_live(record: Record) -> None:
    if record.state is State.LIVE:
        return
    fix = {
        State.WAITING: "cancel it instead",
        State.DIALING: "try again in a moment: it is being placed",
        State.UNKNOWN: "look on the platform whether it rang, and resolve it",
    }.get(record.state, "there is nothing left to do")
    raise ProblemError("wrong-state", f"The call is {record.state}", why="it is not live", fix=fix)


DOORS: tuple[Any, ...] = (cancel, hangup, hold, resume, mute, unmute, wrapup, resolve)
