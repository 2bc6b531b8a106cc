"""The menu of commands, and the words and exit codes in which every one of them fails.

A command's module is imported when the command is used: asking for help costs click and nothing else.
"""

import collections.abc
import dataclasses
import importlib
import os
import sys
import typing

import click

from ringonce.cli import tell_interrupted
from ringonce.cli.words import complain

if typing.TYPE_CHECKING:
    from ringonce.errors import RingonceError

COMMANDS = {
    "demo": "Place one call against an embedded sandbox and show its life; nothing real rings.",
    "call": "Place one call on behalf of an agent and follow it.",
    "check": "Say what a call would run into; nothing rings.",
    "watch": "Follow calls that are going on until they end.",
    "status": "Say how a call stands now.",
    "hangup": "End a call for everybody in it.",
    "login": "Let an agent say in their browser that this machine may act as them.",
    "logout": "Withdraw what login was given, and forget it.",
    "whoami": "Say whose token is used, what it may do, and how long.",
    "history": "List the intents to call, and what became of them.",
    "resolve": "Say what became of a call that may have rung.",
    "vault": "Change the key under which agents' refresh tokens are kept.",
    "sandbox": "Run a Genesys Cloud of your own on this machine.",
    "serve": "Run the dialing service: its HTTP API and a worker.",
    "batch": "Dial a file of calls, each row once.",
    "worker": "Dial what waits in the service's database.",
    "token": "Make, list and revoke tokens of the service.",
    "dnc": "Load, list and change do-not-call lists.",
    "audit": "Read and verify the service's audit log.",
    "ready": "Say whether a service is ready to dial.",
}

WRONG_USAGE, REFUSED, NOT_AS_ASKED, UNKNOWN, UNREACHABLE, INTERRUPTED = 2, 3, 4, 5, 6, 130

EXIT_CODES = """\b
Exit codes:
  0    as asked
  2    wrong usage or set-up; nothing was sent
  3    refused; nothing rang
  4    it rang, or was tried, but did not go as asked: busy, no answer, time ran out, …
  5    unknown: it may have rung
  6    nobody could be reached, or nobody answered; no call was sent
  130  interrupted, or the output can't be written; stderr says whether the call goes on
  143  as 130, by SIGTERM; 129 by SIGHUP
"""


@dataclasses.dataclass(slots=True)
class Course:
    """How far a command has come."""

    begun: bool
    """Whether it may have done something, and tells by itself what an interruption leaves behind."""


def begin() -> None:
    """Note that the command tells from now on what an interruption leaves behind."""
    course = click.get_current_context().find_object(Course)
    if course is not None:
        course.begun = True


def _mark(command: click.Command) -> None:
    """Make click's mark of a docstring, for lines that stay as they are; written there, it would be invisible."""
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    if isinstance(command, click.Group):
        for each in command.commands.values():
            _mark(each)


class Menu(click.Group):
    """Commands by name, imported when used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order in which one meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"ringonce.cli.{cmd_name}").command
        _mark(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name those that are near."""
        name = args[0]
        if name in COMMANDS or name.startswith("-"):
            return super().resolve_command(ctx, args)
        import difflib

        near = difflib.get_close_matches(name, COMMANDS)
        words = f"did you mean {' or '.join(near)}?" if near else f"the commands are {', '.join(COMMANDS)}"
        raise click.UsageError(f"there is no command {name[:40]!r}: {words}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(
        self,
        args: collections.abc.Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: typing.Any,
    ) -> typing.Any:
        """Run a command and end the process with its exit code."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        args = sys.argv[1:] if args is None else args
        try:
            code = self._outcome(args, prog_name, complete_var, **extra)
        except OSError as error:
            if why := output_lost(error):
                complain(why)
                code = INTERRUPTED
            else:
                complain(f"{error.filename!r} can't be used", error.strerror or str(error))
                code = WRONG_USAGE
        sys.exit(code)

    def _outcome(
        self,
        args: collections.abc.Sequence[str],
        prog_name: str | None,
        complete_var: str | None,
        **extra: typing.Any,
    ) -> int:
        # Only `call` says when it begins; of the others it isn't known that they have sent nothing.
        course = Course(begun=list(args[:1]) != ["call"])
        try:
            _check_text(args)
            return super().main(args, prog_name, complete_var, standalone_mode=False, obj=course, **extra) or 0
        except click.exceptions.NoArgsIsHelpError as bare:
            bare.show()
            return bare.exit_code
        except click.ClickException as wrong:
            return _fail(_wrong_usage(wrong), args, usage=True)
        except (click.Abort, KeyboardInterrupt) as stopped:
            return tell_interrupted(args, stopped.__cause__ or stopped, begun=course.begun)
        except Exception as error:
            from ringonce.errors import RingonceError

            if not isinstance(error, RingonceError):
                raise
            return _fail(error, args)


@click.command(
    cls=Menu, epilog=EXIT_CODES, context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="ringonce", message="%(prog)s %(version)s")
def menu() -> None:
    """Place Genesys Cloud calls for agents: one decision to call rings at most once."""


def exit_code(error: Exception) -> int:
    """Give the exit code that scripts see for *error*."""
    from ringonce import errors

    if isinstance(error, errors.StillGoing) and not error.followable:
        return UNKNOWN
    codes = {
        errors.ConfigError: WRONG_USAGE,
        errors.LedgerError: WRONG_USAGE,
        errors.Refused: REFUSED,
        errors.StillGoing: NOT_AS_ASKED,
        errors.OutcomeUnknown: UNKNOWN,
        errors.NoAnswer: UNREACHABLE,
        errors.Unreachable: UNREACHABLE,
    }
    return next((code for kind, code in codes.items() if isinstance(error, kind)), 1)


def output_lost(error: OSError) -> str:
    """Write no more to stdout, not even when the process ends, and say why; empty if *error* is about a file."""
    if error.filename is not None:
        return ""
    if sys.stdout is sys.__stdout__ and sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return "nobody reads the output any more"
    return f"the output can't be written any more: {error.strerror or error}"


def _check_text(args: collections.abc.Iterable[str]) -> None:
    try:
        "".join(args).encode()
    except UnicodeEncodeError:  # Python stands in for bytes that it can't decode
        raise click.UsageError("an argument is no text: it has bytes that are not UTF-8") from None


def _wrong_usage(wrong: click.ClickException) -> "RingonceError":
    from ringonce.errors import ConfigError

    path = wrong.ctx.command_path if isinstance(wrong, click.UsageError) and wrong.ctx else "ringonce"
    return ConfigError(wrong.format_message(), fix=f"see {path} --help")


def _fail(error: "RingonceError", args: collections.abc.Sequence[str], *, usage: bool = False) -> int:
    """Tell an error in words, and to programs that asked for JSON."""
    if "--json" not in args:
        complain(error.what, error.why, error.fix)
        return exit_code(error)
    from ringonce.cli.telling import NOTHING, JsonTeller

    told = JsonTeller()
    told.failed(error)
    if usage and args[0] == "call":
        told.result(NOTHING)
    return exit_code(error)
