"""Options that several commands share, and what their values must look like."""

import collections.abc
import functools
import math
import re
import typing

import click
from click.core import ParameterSource

from ringonce.config import SANDBOX_URL

F = typing.TypeVar("F", bound=collections.abc.Callable[..., typing.Any])
LONGEST_WAIT = 7 * 86_400.0


class Seconds(click.ParamType[float]):
    """A length of time in seconds, above zero and at most a week."""

    name = "seconds"

    def convert(self, value: typing.Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds <= LONGEST_WAIT:
            self.fail(f"{value!r} is no number of seconds above 0 and up to {LONGEST_WAIT:.0f}", param, ctx)
        return seconds


class Conversation(click.ParamType[str]):
    """A conversation's id."""

    name = "conversation"

    def convert(self, value: typing.Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check that it can be part of a path."""
        if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
            self.fail(
                f"{value[:40]!r} is no conversation id; one looks like 1b4e28ba-2fa1-11d2-883f-0016d3cca427", param, ctx
            )
        return str(value)


class Called(Conversation):
    """A conversation's id, or a call's of a service."""

    def convert(self, value: typing.Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check that it can be part of a path."""
        return str(value) if re.fullmatch(r"call_[0-9a-f]{8,40}", str(value)) else super().convert(value, param, ctx)


def of_the_platform(*names: str) -> None:
    """Refuse a service's name for a call where no service is asked."""
    if strange := [name for name in names if name.startswith("call_")]:
        raise click.UsageError(f"{strange[0]} is a call of a service: give --server, or its conversation's id")


def connection(command: F) -> F:
    """Add the options that say where the platform is and how to answer."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout."),
        click.option("--region", metavar="REGION", help="Region id, domain or API host, such as eu_central_1."),
        click.option("--base-url", metavar="URL", help=f"A gateway or a sandbox, such as {SANDBOX_URL}."),
    ):
        command = option(command)
    return command


def answering(command: collections.abc.Callable[..., int]) -> collections.abc.Callable[..., None]:
    """End the process with the exit code that *command* returns. What was given empty is wrong usage."""

    @functools.wraps(command)
    def ended(**options: typing.Any) -> None:
        context = click.get_current_context()
        _refuse_empty(context)
        context.exit(command(**options))

    return ended


def _refuse_empty(context: click.Context) -> None:
    for param in context.command.params:
        value = context.params.get(param.name or "")
        given = context.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
        if given and isinstance(value, str) and not value.strip():
            # Most often a shell's variable that is not set: to go on without it would be a guess.
            raise click.BadParameter("it is empty; give a value, or leave it out", context, param)
