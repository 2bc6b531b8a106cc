"""`ringonce resolve`: a person's word about a call that may have rung."""

import contextlib
import getpass
import os
import time
import typing

import click

from ringonce.cli.options import Conversation, answering
from ringonce.cli.words import say
from ringonce.errors import Ambiguous, NotFound, Refused
from ringonce.ledger import OPEN, RowState

if typing.TYPE_CHECKING:
    from ringonce.ledger import Row
    from ringonce.ledger.sqlite import SqliteLedger


@click.command(short_help="Say what became of a call that may have rung.")
@click.argument("intent")
@click.option("--placed", type=Conversation(), metavar="CONVERSATION", help="It rang, as this conversation.")
@click.option("--not-placed", is_flag=True, help="It never rang; the intent may be placed again.")
@click.option("--reason", default="", metavar="WORDS", help="How you know; kept with your name.")
@answering
def command(*, intent: str, placed: str | None, not_placed: bool, reason: str) -> int:
    r"""Say what became of a call that may have rung, after you looked.

    \b
    ringonce resolve crm-4711 --placed 1b4e28ba-2fa1-11d2-883f-0016d3cca427
    ringonce resolve crm-4711 --not-placed --reason "the customer's list of calls has none"
    """
    import msgspec

    from ringonce.cli.door import ledger_of
    from ringonce.client.policy import SKEW

    if bool(placed) == not_placed:
        raise click.UsageError("give either --placed CONVERSATION or --not-placed")
    with contextlib.closing(ledger_of(os.environ)) as ledger:
        row = _open_row(ledger, intent)
        now = time.time()
        # A row from the future was armed before the clock was set back: its deadline says nothing.
        if row.state is RowState.ARMED and row.armed_at - SKEW <= now <= row.deadline:
            raise Refused(
                f"Intent {intent!r} is being placed right now",
                why=f"its request may leave for another {row.deadline - now:.0f} s",
                fix="wait until then, and look again",
            )
        word = msgspec.structs.replace(
            row,
            state=RowState.NOT_PLACED if not_placed else RowState.PLACED,
            conversation_id=placed or "",
            settled_at=now,
            evidence=f"{_who()} said so" + (f": {reason}" if reason else ""),
        )
        stands = ledger.resolve(word, at=now, who=_who(), reason=reason)
    if stands != word:
        raise Refused(
            f"Intent {intent!r} was settled meanwhile", why=f"it is {stands.state}", fix="see ringonce history"
        )
    say(f"{intent} is {word.state.replace('_', ' ')} now")
    return 0


def _open_row(ledger: "SqliteLedger", intent: str) -> "Row":
    rows = ledger.history(intent=intent)
    still_open = [row for row in rows if row.state in OPEN]
    if len(still_open) == 1:
        return still_open[0]
    if still_open:
        raise Ambiguous(
            f"Intent {intent!r} is open on {len(still_open)} platforms",
            why=", ".join(row.platform for row in still_open),
            fix="place it again on the one that you mean, which looks for it first",
        )
    if rows:
        raise Refused(
            f"Intent {intent!r} is {rows[0].state.replace('_', ' ')} already",
            why="only what is unknown can be resolved",
            fix=f"see ringonce history --intent {intent}",
        )
    raise NotFound(f"There is no intent {intent!r}", why="the ledger has none", fix="see ringonce history")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
