"""One call, from the order to its result, and what a signal on the way leaves behind."""

import asyncio
import collections.abc
import contextlib
import dataclasses
import typing

from ringonce.cli.interrupt import Interrupt, stopped
from ringonce.cli.menu import INTERRUPTED, NOT_AS_ASKED, UNKNOWN, exit_code, output_lost
from ringonce.cli.telling import NOTHING, Teller
from ringonce.cli.words import printable
from ringonce.errors import LedgerError, NoAnswer, RingonceError, StillGoing
from ringonce.ledger import OPEN, RowState
from ringonce.models import Call, Outcome, Placed

if typing.TYPE_CHECKING:
    from ringonce import AsyncClient
    from ringonce.ledger import Ledger

GLANCE = 0.05
"""Seconds after which to look whether a request that had left was refused for want of quota, and is none any more."""

UNSENT = "nothing was sent by this run"

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
    named: bool = False
    """Whether somebody chose the key, so that an earlier run may have used it."""
    platform: str = ""
    """The API's address, which the ledger knows the intent by as well."""
    sandboxed: bool = False
    """Whether the platform ends with this process, and the call with it."""
    first_news: float = 2.0
    """Seconds without an answer after which that is said."""
    more_news: float = 10.0
    """Seconds after which it is said again."""
    begun: bool = False
    """Whether something may have been sent."""
    placed: Placed | None = None
    call: Call | None = None

    def result(self) -> dict[str, object]:
        """Give what came of it; every field is always there, None where not known."""
        return NOTHING | {
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

    @property
    def certain(self) -> str:
        """What is certain about the call whatever happens to this run; empty if nothing is."""
        if self.call is not None and self.call.ended:
            return "the call has ended"
        if self.sandboxed:
            return "the sandbox ends now, and its call with it"
        if self.placed is not None:
            return f"the call goes on; hang up with: ringonce hangup {self.placed.conversation_id}"
        return "" if self.begun else UNSENT

    def code_of(self, error: Exception) -> int:
        """Give the exit code for *error*: without the ledger, nobody can say that a chosen intent never rang."""
        return UNKNOWN if self.named and isinstance(error, LedgerError) else exit_code(error)


async def see_through(
    errand: Errand,
    teller: Teller,
    work: collections.abc.Callable[[Interrupt], collections.abc.Awaitable[int]],
    *,
    left_behind: collections.abc.Callable[[], str],
    code_of: collections.abc.Callable[[RingonceError], int],
) -> int:
    """Do *work* and tell everything, whatever ends it: itself, an error, a signal, or a reader who has gone.

    *left_behind* says what an end right now leaves behind. Give the exit code: the work's, or what *code_of* says.
    """

    def last_words() -> str:
        teller.close()
        with contextlib.suppress(OSError):
            teller.result(errand.result())
        return printable(left_behind())

    try:
        # A signal that comes while the end is told changes nothing about it.
        with Interrupt(last_words) as interrupt:
            await asyncio.sleep(0)  # a Ctrl-C from before we listened comes out here, and ends this
            errand.begun = True
            try:
                return await work(interrupt)
            except RingonceError as error:
                teller.failed(error)
                return code_of(error)
            finally:
                teller.close()
                teller.result(errand.result())
    except OSError as error:
        if not (why := output_lost(error)):
            raise
        teller.say(f"{why}; {left_behind()}")
        return INTERRUPTED


async def carry_out(errand: Errand, client: "AsyncClient", ledger: "Ledger", teller: Teller) -> int:
    """Place the call, follow it, tell everything, and give the exit code."""

    def code_of(error: RingonceError) -> int:
        return UNKNOWN if _may_ring(errand, ledger, error) else errand.code_of(error)

    return await see_through(
        errand,
        teller,
        lambda interrupt: _carry_out(errand, client, ledger, teller, interrupt),
        left_behind=lambda: _left_behind(errand, client, ledger),
        code_of=code_of,
    )


async def _carry_out(
    errand: Errand, client: "AsyncClient", ledger: "Ledger", teller: Teller, interrupt: Interrupt
) -> int:
    silence = asyncio.create_task(_tell_time(errand, client, teller))
    try:
        placing = await interrupt.race(client.place_call(intent=errand.intent, **errand.order))
        if interrupt.asked:
            await _give_up(errand, client, teller, placing)
            if placing.cancelled():
                teller.say(f"interrupted: {_left_behind(errand, client, ledger)}")
                return interrupt.code
        errand.placed = await placing
    finally:
        await stopped(silence)
    teller.placed(errand.placed, str(errand.order["agent"]))
    if errand.until != "placed" and not interrupt.asked:
        following = await interrupt.race(_follow(errand, client, teller))
        if following.done():
            await following
        else:
            await stopped(following)
    if interrupt.asked and not errand.reached:
        teller.say(f"interrupted: {_left_behind(errand, client, ledger)}")
        return interrupt.code
    return errand.code


async def _give_up(errand: Errand, client: "AsyncClient", teller: Teller, placing: asyncio.Task[Placed]) -> None:
    """Stop placing, unless the request has left: then wait for its answer, or until it turns out not to count."""
    if not placing.done() and client.sending(errand.intent):
        teller.say("interrupted, but the request has left: waiting for its answer (Ctrl-C again quits at once)")
    while not placing.done() and client.sending(errand.intent):
        await asyncio.wait({placing}, timeout=GLANCE)
    if not placing.done():
        await stopped(placing)


async def _tell_time(errand: Errand, client: "AsyncClient", teller: Teller) -> None:
    """Say how long the order has been without an answer: nobody should wonder, and dial by hand."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    wait = errand.first_news
    while True:
        await asyncio.sleep(wait)
        wait = errand.more_news
        passed = f"no answer after {loop.time() - start:.0f} s"
        if client.sending(errand.intent):
            teller.say(f"{passed}: the request has left; still waiting for its answer, or looking for the call …")
        else:
            teller.say(f"{passed}: this run has not sent the call yet; waiting …")


async def _follow(errand: Errand, client: "AsyncClient", teller: Teller) -> None:
    if errand.placed is None:
        return
    async with contextlib.aclosing(client.follow(errand.placed, timeout=errand.timeout)) as calls:
        async for call in calls:
            errand.call = call
            teller.call(call)
            if errand.reached:
                return


def _may_ring(errand: Errand, ledger: "Ledger", error: RingonceError) -> bool:
    if isinstance(error, StillGoing):
        return False
    return errand.placed is not None or (isinstance(error, NoAnswer) and _written(errand, ledger)[0] in OPEN)


def _left_behind(errand: Errand, client: "AsyncClient", ledger: "Ledger") -> str:
    if errand.certain:
        return errand.certain
    state, conversation_id = _written(errand, ledger)
    stamp = f"its attribute ringonce.intent is {errand.intent}"
    if client.sending(errand.intent) or state is RowState.UNKNOWN:
        return f"the request has left and the call may ring; {stamp}"
    if state is RowState.ARMED:
        return f"this run sent nothing, but another one may have: then the call may ring; {stamp}"
    if state is RowState.PLACED:
        return f"another run has placed the call; hang up with: ringonce hangup {conversation_id}"
    return "nothing was sent"


def _written(errand: Errand, ledger: "Ledger") -> tuple[RowState | None, str]:
    try:
        row = ledger.look(errand.platform, errand.intent)
    except LedgerError:
        return RowState.UNKNOWN, ""  # what can't be read rules nothing out
    return (row.state, row.conversation_id) if row else (None, "")


def run(work: collections.abc.Coroutine[typing.Any, typing.Any, int]) -> int:
    """Run *work* on an event loop of its own."""
    return asyncio.run(work)
