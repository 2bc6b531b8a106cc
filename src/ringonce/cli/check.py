"""`ringonce check`: say before anything rings what would go wrong, and what to do about it."""

import os
import typing

import click

from ringonce.cli.menu import REFUSED
from ringonce.cli.options import answering, connection
from ringonce.cli.words import printable

if typing.TYPE_CHECKING:
    from ringonce.models import Finding

COLOURS = {"pass": "green", "warn": "yellow", "fail": "red"}


@click.command(short_help="Say what a call would run into; nothing rings.")
@click.option("--agent", required=True, metavar="ID|EMAIL", help="Who would talk.")
@click.option("--to", required=True, metavar="NUMBER", help="Whom to call.")
@click.option("--caller-id", metavar="NUMBER", default="", help="The number to show.")
@click.option("--queue", metavar="ID|NAME", default="", help="The queue to call for.")
@click.option(
    "--wire",
    type=click.Choice(["platform", "tutorial"]),
    default="platform",
    show_default=True,
    help="Shape of the request.",
)
@click.option("--country", metavar="CODE", help="Country of numbers without a country code, such as US.")
@click.option("--allow-premium", is_flag=True, help="Dial premium-rate numbers too.")
@connection
@answering
def command(
    *, as_json: bool, region: str | None, base_url: str | None, country: str | None, **asked: typing.Any
) -> int:
    """Say what a call with the same options would run into, one finding a line. Nothing rings.

    It sends at most 8 requests, all of them reads. The exit code is 3 if anything fails, and 0 otherwise.
    """
    from ringonce.cli.door import looking, settings_of
    from ringonce.cli.errand import run

    settings = settings_of(os.environ, agent=asked["agent"], region=region, base_url=base_url, country=country)

    async def checking() -> int:
        async with looking(settings, os.environ) as client:
            findings = await client.check(**asked)
        for finding in findings:
            click.echo(_line(finding, as_json=as_json))
        return REFUSED if any(finding.verdict == "fail" for finding in findings) else 0

    return run(checking())


def _line(finding: "Finding", *, as_json: bool) -> str:
    if as_json:
        import msgspec

        return msgspec.json.encode({"event": "finding", **msgspec.structs.asdict(finding)}).decode()
    verdict = click.style(f"{finding.verdict:<4}", fg=COLOURS[finding.verdict])
    words = finding.evidence + (f" → {finding.remedy}" if finding.remedy else "")
    # What the platform says may have line breaks; a finding has one line.
    return f"{verdict}  {finding.name:<10}  {printable(' '.join(words.split()), None)}"
