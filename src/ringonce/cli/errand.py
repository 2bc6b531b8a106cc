"""One call, from the order to its result, and what a Ctrl-C on the way leaves behind."""

import asyncio
import collections.abc
import contextlib
import dataclasses
import typing

from ringonce.cli.interrupt import Interrupt, stopped
from ringonce.cli.menu import INTERRUPTED, NOT_AS_ASKED, UNKNOWN, exit_code, leave_stdout
from ringonce.cli.telling import Teller
from ringonce.errors import RingonceError, StillGoing
from ringonce.models import Call, Outcome, Placed

if typing.TYPE_CHECKING:
    from ringonce import AsyncClient
    from ringonce.ledger import Ledger

Until = typing.Literal["placed", "connected", "ended"]


@dataclasses.dataclass(slots=True)
class Errand:
    """An order to call, how far to follow it, and what is known of it so far."""

    intent: str
    order: collections.abc.Mapping[str, typing.Any]
    """The other arguments of `place_call`."""
    until: Until
    timeout: float
    """Seconds that the call is followed for, at most."""
    platform: str = ""
    """The API's address, which the ledger knows the intent by as well."""
    placed: Placed | None = None
    call: Call | None = None

    def result(self) -> dict[str, object]:
        """Give what came of it; every field is always there, None where not known."""
        return {
            "intent": self.intent,
            "conversation_id": self.placed and self.placed.conversation_id,
            "state": self.call and self.call.state,
            "outcome": self.call and self.call.outcome,
            "replayed": self.placed and self.placed.replayed,
            "adopted": self.placed and self.placed.adopted,
        }

    @property
    def reached(self) -> bool:
        """Whether the call has come as far as was asked, or can come no further."""
        return self.call is not None and (self.call.ended or (self.until == "connected" and self.call.answered))

    @property
    def code(self) -> int:
        """The exit code for a call that was followed as far as was asked."""
        if self.until == "placed" or (self.call is not None and self.call.answered):
            return 0
        unknown = self.call is None or self.call.outcome in {None, Outcome.UNKNOWN}
        return UNKNOWN if unknown else NOT_AS_ASKED


async def carry_out(errand: Errand, client: "AsyncClient", ledger: "Ledger", teller: Teller) -> int:
    """Place the call, follow it, tell everything, and give the exit code."""

    def last_words() -> str:
        teller.close()
        return _left_behind(errand, ledger)

    try:
        with Interrupt(last_words) as interrupt:
            return await _carry_out(errand, client, ledger, teller, interrupt)
    except BrokenPipeError:
        leave_stdout()
        teller.say(f"nobody reads the output any more; {_left_behind(errand, ledger)}")
        return INTERRUPTED
    except RingonceError as error:
        teller.failed(error)
        return UNKNOWN if errand.placed and not isinstance(error, StillGoing) else exit_code(error)
    finally:
        teller.close()
        try:
            teller.result(errand.result())
        except BrokenPipeError:
            leave_stdout()


async def _carry_out(
    errand: Errand, client: "AsyncClient", ledger: "Ledger", teller: Teller, interrupt: Interrupt
) -> int:
    placing = await interrupt.race(client.place_call(intent=errand.intent, **errand.order))
    if interrupt.asked and not placing.done():
        if ledger.look(errand.platform, errand.intent) is None:
            await stopped(placing)
            teller.say(f"interrupted: {_left_behind(errand, ledger)}")
            return INTERRUPTED
        teller.say("interrupted, but the request has left: waiting for its answer (Ctrl-C again quits at once)")
    errand.placed = await placing
    teller.placed(errand.placed, str(errand.order["agent"]))
    if errand.until != "placed" and not interrupt.asked:
        following = await interrupt.race(_follow(errand, client, teller))
        if following.done():
            await following
        else:
            await stopped(following)
    if interrupt.asked and not errand.reached:
        teller.say(f"interrupted: {_left_behind(errand, ledger)}")
        return INTERRUPTED
    return errand.code


async def _follow(errand: Errand, client: "AsyncClient", teller: Teller) -> None:
    if errand.placed is None:
        return
    async with contextlib.aclosing(client.follow(errand.placed, timeout=errand.timeout)) as calls:
        async for call in calls:
            errand.call = call
            teller.call(call)
            if errand.reached:
                return


def _left_behind(errand: Errand, ledger: "Ledger") -> str:
    if errand.placed is not None:
        if errand.call is not None and errand.call.ended:
            return "the call has ended"
        return f"the call goes on; hang up with: ringonce hangup {errand.placed.conversation_id}"
    if ledger.look(errand.platform, errand.intent) is None:
        return "nothing was sent"
    return f"the request has left and the call may ring; its attribute ringonce.intent is {errand.intent}"


def run(work: collections.abc.Coroutine[typing.Any, typing.Any, int]) -> int:
    """Run *work* on an event loop of its own."""
    return asyncio.run(work)
