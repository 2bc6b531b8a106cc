"""One call that a service dials, from the handing in to its result: told like one that is dialled here."""

import asyncio
import collections.abc
import contextlib
import dataclasses
import math
import time
import typing

import click

from ringonce.cli.errand import UNSENT, Errand, see_through
from ringonce.cli.interrupt import Interrupt, stopped
from ringonce.cli.menu import UNKNOWN
from ringonce.cli.remote import Service, Shown
from ringonce.cli.telling import JsonTeller, Teller, tell_once
from ringonce.cli.words import printable
from ringonce.errors import OutcomeUnknown, Refused, StillGoing
from ringonce.models import Call, Placed, State

NEVER_RANG = frozenset({"refused", "cancelled", "expired"})
OVER = NEVER_RANG | {"ended", "unknown"}
SOON = 0.3
"""Seconds between two tries to hang up a call that is just being placed."""
TRIES = 100
_REASONS = {
    "guard": "it is not allowed now",
    "stop": "all calls are stopped",
    "retry": "it is tried again",
    "batch": "its batch is paused",
    "worker": "the worker that had it ends",
    "platform": "the platform can't be reached now",
    "credentials": "the platform refuses the service's credentials",
}


@dataclasses.dataclass(slots=True)
class Handed(Errand):
    """An order that a service has, or may have."""

    server: str = ""
    call_id: str = ""
    """The service's name for the call, once it has said that it has it."""
    over: bool = False
    """Whether the service has said that it never rang."""

    @property
    def certain(self) -> str:
        """What is certain about the call whatever happens to this run; empty if nothing is."""
        if self.call is not None and self.call.ended:
            return "the call has ended"
        if self.over:
            return "nothing rang, and nothing will"
        if not self.call_id:
            return "" if self.begun else UNSENT
        return f"the service goes on with the call; end it with: ringonce hangup {self.call_id} --server {self.server}"

    @property
    def left_behind(self) -> str:
        """What this run leaves behind, as far as is known."""
        again = f"find out with the same command and --intent {self.intent}: it rings nobody twice"
        return self.certain or f"the service may have the call; {again}"

    def code_of(self, error: Exception) -> int:
        """Give the exit code for *error*: once the service has the call, only its own word says that nothing rang."""
        if self.call_id and not self.over and not isinstance(error, StillGoing):
            return UNKNOWN
        # In two words, since a class with slots is not the one that its methods were written in.
        return Errand.code_of(self, error)


async def carry_out(errand: Handed, service: Service, teller: Teller) -> int:
    """Hand the call in, follow it, tell everything, and give the exit code."""
    return await see_through(
        errand,
        teller,
        lambda interrupt: _carry_out(errand, service, teller, interrupt),
        left_behind=lambda: errand.left_behind,
        code_of=errand.code_of,
    )


async def _carry_out(errand: Handed, service: Service, teller: Teller, interrupt: Interrupt) -> int:
    body = {name: value for name, value in errand.order.items() if value}
    taking = await interrupt.race(service.take(errand.intent, body))
    if not taking.done():
        await stopped(taking)
        teller.say(f"interrupted: {errand.left_behind}")
        return interrupt.code
    taken, replayed = await taking
    errand.call_id = taken["id"]
    how = "had it before under this intent, as" if replayed else "has it as"
    teller.say(f"the service {how} {errand.call_id}")
    following = await interrupt.race(_follow(errand, service, teller, replayed=replayed))
    if following.done():
        await following
    else:
        await stopped(following)
    if interrupt.asked and not errand.reached:
        teller.say(f"interrupted: {errand.left_behind}")
        return interrupt.code
    return errand.code


async def _follow(errand: Handed, service: Service, teller: Teller, *, replayed: bool) -> None:
    said = ""
    try:
        async with (
            asyncio.timeout(None if math.isinf(errand.timeout) else errand.timeout),
            contextlib.aclosing(service.follow(errand.call_id, teller.say)) as changes,
        ):
            async for body in changes:
                said = _tell(errand, body, teller, said, replayed=replayed)
                if errand.reached or (errand.until == "placed" and errand.placed is not None):
                    return
    except TimeoutError:
        stands = errand.call.state if errand.call else "waiting"
        raise StillGoing(
            f"The call is still {stands} after {errand.timeout:g} s", fix=errand.certain, call=errand.call
        ) from None


def _tell(errand: Handed, body: Shown, teller: Teller, said: str, *, replayed: bool) -> str:
    """Tell one change; give what was said last of the waiting. Raise what the service says became of it."""
    why = body["why"]
    if body["state"] in NEVER_RANG:
        errand.over = True
        raise Refused(
            f"The call was {body['state']}: nothing rang",
            why=printable(str(why.get("said") or "")),
            fix=printable(str(why.get("fix") or "")),
        )
    if body["state"] == "unknown":
        raise OutcomeUnknown(
            "Nobody knows whether the call rang",
            why=printable(str(why.get("said") or "")),
            fix=f"look on the platform; an admin settles it: POST {errand.server}/v1/calls/{errand.call_id}/resolve",
            intent=errand.intent,
            agent_id=body["agent_id"],
        )
    words = _waiting(body)
    if words and words != said:
        teller.say(words)
    call = call_of(body)
    if call is None or _ending(body):
        return words
    if errand.placed is None:
        adopted = why.get("adopted") or ""
        errand.placed = Placed(
            conversation_id=call.conversation_id,
            intent=errand.intent,
            agent_id=body["agent_id"],
            to=body["to"],
            replayed=replayed,
            adopted=bool(adopted),
            evidence=adopted,
        )
        teller.placed(errand.placed, str(errand.order["agent"]))
    if call != errand.call and (body["progress"] or call.ended):
        errand.call = call
        if errand.until != "placed":
            teller.call(call)
    return words


def call_of(body: Shown) -> Call | None:
    """Give what a call of the service's says as one of the platform's; nothing if it was not placed."""
    import msgspec

    if not body["conversation_id"] or body["state"] not in {"live", "ended"}:
        return None
    known = {"conversation_id": body["conversation_id"], "agent_id": body["agent_id"], "intent": body["key"]}
    known |= {"held": body["held"], "muted": body["muted"]}
    known["state"] = State.ENDED if body["state"] == "ended" else body["progress"] or State.REQUESTED
    if body["state"] == "ended":
        known |= {"outcome": body["outcome"] or None, "evidence": body["evidence"]}
    return msgspec.convert(known, Call)


def tell_standing(body: Shown, *, as_json: bool) -> None:
    """Tell how one call of the service's stands, and no more."""
    call = call_of(body)
    if call is not None:
        tell_once(call, as_json=as_json)
    elif as_json:
        names = ("id", "key", "state", "outcome", "why")
        JsonTeller().standing({"conversation_id": body["conversation_id"] or None} | {n: body[n] for n in names})
    else:
        click.echo(printable(f"{body['id']}  {body['state']}  {_waiting(body) or body['why'].get('said', '')}", None))


async def standing(service: Service, name: str) -> Shown:
    """Give the call as it stands; one that is just ending, once its outcome is known."""
    body = await service.find(name)
    for _ in range(TRIES):
        if not _ending(body):
            break
        await asyncio.sleep(SOON)
        body = await service.find(body["id"])
    return body


async def hang_up(service: Service, name: str) -> Shown:
    """End the call, wherever it is: one that waits never rings, one that is being placed is waited for."""
    body = await standing(service, name)
    for _ in range(TRIES):
        if body["state"] in OVER:
            return body
        try:
            if body["state"] == "waiting":
                return await service.act(body["id"], "cancel")
            if body["state"] == "live":
                await service.act(body["id"], "hangup")
        except Refused as refused:
            if type(refused) is not Refused:
                raise
            # It has moved on between the look and the asking.
        await asyncio.sleep(SOON)
        body = await standing(service, body["id"])
    raise StillGoing(
        f"The call {body['id']} is still going on", why=f"the service says that it is {body['state']}", fix="ask again"
    )


async def watch(service: Service, name: str, teller: Teller, patience: float | None) -> None:
    """Tell the changes of a call until it is over."""
    errand = Handed(intent="", order={"agent": ""}, until="ended", timeout=patience or math.inf, server=service.url)
    body = await service.find(name)
    errand.intent, errand.call_id, errand.order = body["key"], body["id"], {"agent": body["agent"]}
    await _follow(errand, service, teller, replayed=False)


def _ending(body: Shown) -> bool:
    """Say whether the call is over and the service is about to say how it went."""
    return bool(body["state"] == "live" and body["progress"] == "ended")


def _waiting(body: Shown) -> str:
    if body["state"] != "waiting":
        return ""
    why: collections.abc.Mapping[str, typing.Any] = body["why"]
    if not (reason := _REASONS.get(why.get("for", ""))):
        return ""
    at = body["due_at"]
    when = f"; looked at again at {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(at))}" if at and at < 1e11 else ""  # noqa: PLR2004  a pause has no end
    return f"waiting: {reason}" + (f": {why['said']}" if why.get("said") else "") + when
