"""`ringonce history`: the ledger's rows."""

import contextlib
import os
import time
import typing

import click

from ringonce.cli.options import answering
from ringonce.cli.words import printable, say
from ringonce.ledger import RowState

if typing.TYPE_CHECKING:
    from ringonce.ledger import Row


@click.command(short_help="List the intents to call, and what became of them.")
@click.option("--intent", metavar="KEY", default="", help="Only this intent.")
@click.option("--number", metavar="NUMBER", default="", help="Only calls to this number, given whole.")
@click.option("--ending", metavar="DIGITS", default="", help="Only calls to numbers with these last digits (up to 4).")
@click.option("--agent", metavar="ID", default="", help="Only calls of this agent.")
@click.option("--state", type=click.Choice([str(state) for state in RowState]), help="Only intents in this state.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many at the most.")
@click.option("--country", metavar="CODE", help="Country of a number without a country code, such as US.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout.")
@answering
def command(
    *,
    intent: str,
    number: str,
    ending: str,
    agent: str,
    state: str | None,
    limit: int,
    country: str | None,
    as_json: bool,
) -> int:
    """List the intents to call, the newest first, and what became of them.

    Numbers are not kept, only their last digits and a hash to search by.
    """
    import msgspec

    from ringonce import config, numbers
    from ringonce.cli.door import ledger_of

    if ending and not (ending.isascii() and ending.isdigit()):
        raise click.UsageError(f"{ending[:20]!r} are no digits")
    home = config.load(flags={"country": country}, environ=os.environ).country
    whole = numbers.dialable(number, country=home, allow_premium=True) if number else ""
    with contextlib.closing(ledger_of(os.environ)) as ledger:
        rows = ledger.history(number=whole, tail=ending, agent_id=agent, intent=intent, state=state or "", limit=limit)
    for row in rows:
        click.echo(msgspec.json.encode(_shown(row)).decode() if as_json else printable(_line(row)))
    if not rows:
        say("no intent fits")
    return 0


def _shown(row: "Row") -> dict[str, typing.Any]:
    import msgspec

    fields: dict[str, typing.Any] = msgspec.to_builtins(row)
    kept = {name: value for name, value in fields.items() if name not in {"mark", "incarnation"}}
    return {"event": "intent", **kept, "refusal": _refusal(row)}


def _refusal(row: "Row") -> dict[str, typing.Any] | None:
    import msgspec

    try:
        return msgspec.json.decode(row.refusal, type=dict[str, typing.Any])
    except msgspec.MsgspecError:  # none, or a damaged one
        return None


def _line(row: "Row") -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.armed_at))
    more = row.conversation_id or row.evidence
    if row.refusal:
        more = (_refusal(row) or {}).get("code") or "refused"
    return f"{at}  {row.state:10}  ……{row.tail}  {row.intent}  {more}".rstrip()
