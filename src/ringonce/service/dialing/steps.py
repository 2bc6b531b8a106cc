"""What a turn does: place the call, and follow it to its end.

All of it may be done again after a crash: the ledger and the call's own row say what has happened already, and a
create that may have left is looked for, never repeated.
"""

import dataclasses
import logging
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ringonce.client import AsyncClient
from ringonce.errors import (
    ConfigError,
    IntentConflict,
    LedgerError,
    NoAnswer,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RingonceError,
    StillGoing,
    TooLate,
    Unreachable,
)
from ringonce.models import Call, Evidence, Outcome, Placed
from ringonce.service import stopping
from ringonce.service.calls import Record, State, get
from ringonce.service.calls.changing import change
from ringonce.service.dialing import Guarding, batched, turns
from ringonce.service.dialing.retrying import again_at
from ringonce.service.dialing.sieving import in_the_ledger
from ringonce.service.store import Store
from ringonce.service.store.inserting import insert_once
from ringonce.service.store.tables import attempts, identities
from ringonce.service.traces import span

log = logging.getLogger("ringonce.service")
SOON = 5.0
"""Seconds after which a call is tried again whose request could not be sent."""
LOST_FOR = 4 * 3600.0
"""Seconds for which a call is followed that can't be read: longer talks are rare, and the agent is busy meanwhile."""
READ_AGAIN = 20.0
OUR_FAULT = 60.0
"""Seconds for which a call waits when credentials are refused, or can't be had."""


@dataclasses.dataclass
class Steps:
    """One worker's way of dialling. *clock* gives epoch seconds, *sleep* waits for some."""

    store: Store
    client: AsyncClient
    guard: Guarding
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    after_call: float = 0.0
    """Seconds of after-call work before the agent's next call."""
    wrap_up: float = 30.0
    """Seconds that an agent is given for a required wrap-up code, on top."""
    draining: bool = False
    """No new ring: what is not placed yet goes back."""
    placing: set[str] = dataclasses.field(default_factory=set)
    """Calls whose create is about to leave, or has left without an answer yet."""
    refusals: int = 0
    """Refusals in a row that were about the service's own rights, not about the call nor an agent's own token."""

    async def place(self, call_id: str) -> str:
        """Place the call if it may ring now; give its conversation id, or nothing if the turn is over."""
        with span("place", call=call_id):
            return await self._place_if_it_may(call_id)

    async def _place_if_it_may(self, call_id: str) -> str:
        stands = await self.store.look(_standing, call_id)
        if stands is None or stands.record.state not in {State.DIALING, State.LIVE}:
            return ""
        record = stands.record
        if record.conversation_id:
            return record.conversation_id
        # Once its create may have left, a call is past holding back: all that is left is to find out.
        if not stands.begun and await self._held_back(stands):
            return ""
        self.placing.add(call_id)
        try:
            if stands.begun:
                # The guard, which notes an attempt together with its word, was not asked.
                await self.store.run(_attempted, record, self.clock())
            return await self._place(record)
        finally:
            self.placing.discard(call_id)

    async def _place(self, record: Record) -> str:
        try:
            placed = await self.client.place_call(**_order(record))
        except LedgerError:
            raise  # nothing was sent, and nothing can be written down either
        except (Unreachable, RateLimited, TooLate) as unsent:
            await self._wait(record, max(SOON, getattr(unsent, "retry_after", 0.0)), "platform", unsent)
        except OutcomeUnknown as unknown:
            await self._end(record, State.UNKNOWN, why={"said": str(unknown)}, outcome=Outcome.UNKNOWN)
        except NoAnswer as unsent:
            # A name could not be looked up: the create was not even made.
            await self._wait(record, SOON, "platform", unsent)
        except ConfigError as unable:
            # The vault can't be opened, above all. Others' calls go on.
            log.error("call %s waits: %s", record.id, unable)  # noqa: TRY400  our errors tell all by themselves
            await self._wait(record, OUR_FAULT, "credentials", unable)
        except NotAuthenticated as refused:
            # It says nothing of the call, which gets another intent: this one's refusal would be told for ever.
            await self._count_refusal(record)
            await self._wait(record, OUR_FAULT, "credentials", refused, attempt=record.attempt + 1)
        except Refused as refused:
            if isinstance(refused, NotPermitted):
                await self._count_refusal(record)
            else:
                self.refusals = 0
            rule = "intent" if isinstance(refused, IntentConflict) else "platform"
            await self._end(record, State.REFUSED, why={"rule": rule, "said": str(refused)})
        else:
            self.refusals = 0
            await self._placed(record, placed)
            return placed.conversation_id
        return ""

    async def _count_refusal(self, record: Record) -> None:
        if not await self.store.look(_has_own_token, record.agent_id):
            self.refusals += 1

    async def _placed(self, record: Record, placed: Placed) -> None:
        now = self.clock()
        why = {"adopted": placed.evidence} if placed.adopted else {}

        def live(db: sa.Connection) -> None:
            known = {"conversation_id": placed.conversation_id, "placed_at": now, "why": why}
            change(db, record.id, of={State.DIALING}, now=now, state=State.LIVE, **known)

        await self.store.run(live)

    async def follow(self, call_id: str, conversation_id: str) -> None:
        """Follow the call to its end, and keep how far it is where everybody sees it."""
        with span("follow", call=call_id, conversation=conversation_id):
            await self._follow(call_id, conversation_id)

    async def _follow(self, call_id: str, conversation_id: str) -> None:
        record = await self.store.look(get, call_id)
        if record is None or record.state is not State.LIVE:
            return None
        which = Placed(
            conversation_id=conversation_id, intent=record.intent, agent_id=record.agent_id, to=record.number
        )
        began, last = self.clock(), None
        while True:
            try:
                async for last in self.client.follow(which):
                    await self._show(call_id, last)
            except NotFound as gone:
                return await self._unseen(record, gone)
            except (NoAnswer, RateLimited, StillGoing, Unreachable) as lost:
                if self.clock() > began + LOST_FOR:
                    return await self._unseen(record, lost)
                log.warning("call %s can't be read now: %s", call_id, lost)
                await self.sleep(READ_AGAIN)
                continue
            return await self._over(record, last)

    async def _unseen(self, record: Record, error: RingonceError) -> None:
        """End a call whose end nobody saw: one that was seen connected was answered, whatever came after."""
        latest = await self.store.look(get, record.id)
        # A worker that takes over begins to see anew, so what the one before it saw counts as well.
        told = [one.told for one in (latest, record) if one is not None and one.told]
        seen = next((one for one in msgspec.convert(told, list[Call]) if one.answered or one.connected_at), None)
        if seen is None:
            return await self._end(record, State.ENDED, outcome=Outcome.UNKNOWN, why={"said": str(error)})
        because = "the far end was connected when the call was last seen; its end was not seen"
        known = msgspec.structs.replace(seen, outcome=Outcome.ANSWERED, evidence=Evidence(because=because))
        why = {"said": f"{because}: {error}"}
        return await self._end(record, State.ENDED, outcome=Outcome.ANSWERED, why=why, told=msgspec.to_builtins(known))

    async def _show(self, call_id: str, call: Call) -> None:
        now, progress, told = self.clock(), str(call.state), msgspec.to_builtins(call)

        def show(db: sa.Connection) -> None:
            change(db, call_id, of={State.LIVE}, now=now, progress=progress, told=told)

        await self.store.run(show)

    async def _over(self, record: Record, call: Call | None) -> None:
        outcome = str(call.outcome or Outcome.UNKNOWN) if call else Outcome.UNKNOWN
        now = self.clock()
        due = again_at(record, outcome, now)
        free_at = now + self._wrapping_up(call)

        def over(db: sa.Connection) -> None:
            turns.give_back(db, record, free_at)
            db.execute(_CAME_TO, {"this": record.intent, "came_to": str(outcome)})
            if due is None:
                became: dict[str, Any] = {"state": State.ENDED, "ended_at": now}
            else:
                why = {"for": "retry", "after": outcome}
                became = {
                    "state": State.WAITING,
                    "attempt": record.attempt + 1,
                    "due_at": due,
                    "why": why,
                    "conversation_id": "",
                    "progress": "",
                }
            change(db, record.id, of={State.LIVE}, now=now, outcome=outcome, **became)
            batched.to_pool(db, record)

        await self.store.run(over)

    def _wrapping_up(self, call: Call | None) -> float:
        agent = (
            next((one for one in call.participants if one.user_id and one.user_id == call.agent_id), None)
            if call
            else None
        )
        owed = agent is not None and agent.wrapup_required and not agent.wrapup_code
        return self.after_call + (self.wrap_up if owed else 0.0)

    async def _held_back(self, stands: "_Standing") -> bool:
        """Say whether the call may not ring now, after putting it back or refusing it."""
        record, now = stands.record, self.clock()
        if self.draining:
            await self._wait(record, 0.0, "worker")
        elif record.expires_at is not None and record.expires_at <= now:
            await self._end(record, State.EXPIRED)
        elif stands.stopped:
            await self._wait(record, SOON, "stop")
        elif stands.paused:
            await self._wait(record, 0.0, "batch")
        else:
            verdict = await self.guard.check(record, now)
            if verdict.allowed:
                return False
            if verdict.until is None:
                await self._end(record, State.REFUSED, why=verdict.why)
            else:
                await self._wait(record, verdict.until - now, "guard", **verdict.why)
        return True

    async def _wait(
        self,
        record: Record,
        seconds: float,
        reason: str,
        error: RingonceError | None = None,
        attempt: int = 0,
        **why: Any,
    ) -> None:
        """Put the call back, to be looked at again in some *seconds*, and free its agent's line."""
        now = self.clock()
        why |= {"for": reason} | ({"said": str(error)} if error else {})
        became = {"due_at": now + seconds, "why": why, "attempt": attempt or record.attempt}

        def back(db: sa.Connection) -> None:
            turns.give_back(db, record, now)
            db.execute(attempts.delete().where(attempts.c.intent == record.intent))
            change(db, record.id, of={State.DIALING}, now=now, state=State.WAITING, **became)
            batched.to_pool(db, record)

        await self.store.run(back)

    async def _end(
        self, record: Record, state: State, *, outcome: str = "", why: dict[str, Any] | None = None, **seen: Any
    ) -> None:
        now = self.clock()

        def end(db: sa.Connection) -> None:
            turns.give_back(db, record, now + self.after_call)
            if state is State.REFUSED:
                db.execute(attempts.delete().where(attempts.c.intent == record.intent))
            else:
                db.execute(_CAME_TO, {"this": record.intent, "came_to": str(outcome)})
            became = {"outcome": str(outcome), "why": why or {}, "ended_at": now} | seen
            change(db, record.id, of={State.DIALING, State.LIVE}, now=now, state=state, **became)

        await self.store.run(end)


_CAME_TO = attempts.update().where(attempts.c.intent == sa.bindparam("this")).values(outcome=sa.bindparam("came_to"))


class _Standing(NamedTuple):
    """How a call stands whose turn it is, all of one moment."""

    record: Record
    begun: bool
    """Whether its intent is in the ledger."""
    stopped: bool
    paused: bool
    """Whether its batch does not run."""


def _standing(db: sa.Connection, call_id: str) -> _Standing | None:
    record = get(db, call_id)
    if record is None:
        return None
    return _Standing(
        record,
        begun=bool(in_the_ledger(db, [(record.mark, record.intent)])),
        stopped=stopping.stands(db).stopped,
        paused=record.batch_id is not None and not batched.runs(db, record.batch_id),
    )


def _has_own_token(db: sa.Connection, agent_id: str) -> bool:
    query = sa.select(identities.c.name).where(identities.c.agent_id == agent_id).limit(1)
    return db.scalar(query) is not None


def _attempted(db: sa.Connection, record: Record, now: float) -> None:
    """Note the attempt before it is made: caps for each number count it even if a crash hides what became of it."""
    insert_once(db, attempts, intent=record.intent, call_id=record.id, mark=record.mark, at=now, outcome="")


def _order(record: Record) -> dict[str, Any]:
    ask = record.ask
    return {
        "agent": record.agent_id,
        "to": record.number,
        "caller_id": ask.caller_id,
        "caller_name": ask.caller_name,
        "queue": ask.queue,
        "attributes": ask.attributes,
        "external_contact": ask.external_contact,
        "uui": ask.uui,
        "wire": str(ask.wire),
        "intent": record.intent,
        "allow_premium": True,  # the guard has said yes, and knows which are
    }
