"""The command line: words in, words and exit codes out. Data goes to stdout, words to stderr."""

import signal
import types
import typing

if typing.TYPE_CHECKING:
    import collections.abc
    import sys

ENDING = (signal.SIGTERM, *((signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()))
"""What ends a process at once and without a word, unless somebody listens."""


NO_RESULT = (
    '{"event":"result","intent":null,"conversation_id":null,'
    '"state":null,"outcome":null,"replayed":null,"adopted":null}\n'
)
"""The last line of a call that was not begun, ready before anything is imported that could write it."""


class Ended(KeyboardInterrupt):
    """A signal that is to be taken like Ctrl-C; its number is its only argument."""


def main() -> None:
    """Run the command that the process was started with."""
    import sys

    begun = False
    sys.unraisablehook = _heed_anyway
    try:
        for sign in ENDING:
            # Under nohup it was decided that the signal means nothing.
            if signal.getsignal(sign) is signal.SIG_DFL:
                signal.signal(sign, _end)
        from ringonce.cli.menu import menu

        _fit_for_any_terminal()
        begun = True
        menu(prog_name="ringonce")
    except KeyboardInterrupt as stopped:
        sys.exit(tell_interrupted(sys.argv[1:], stopped, begun=begun))
    finally:
        for sign in ENDING:
            if signal.getsignal(sign) is _end:
                signal.signal(sign, signal.SIG_DFL)


def tell_interrupted(args: "collections.abc.Sequence[str]", stopped: BaseException | None, *, begun: bool) -> int:
    """Tell that a signal ended a command, and that it sent nothing if it had not *begun*; give the exit code."""
    import sys

    sys.stderr.write("error: interrupted\n" if begun else "error: interrupted; nothing was sent by this run\n")
    if not begun and args and args[0] == "call" and "--json" in args:
        try:
            sys.stdout.write(NO_RESULT)
            sys.stdout.flush()
        except OSError:
            pass
    return interrupted_by(stopped)


def interrupted_by(stopped: BaseException | None) -> int:
    """Give the exit code that shells give to a process which that signal ended."""
    return 128 + (stopped.args[0] if isinstance(stopped, Ended) else signal.SIGINT)


def _fit_for_any_terminal() -> None:
    import io
    import sys

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that has no arrow gets a question mark, not a traceback.
            stream.reconfigure(errors="replace")


def _end(number: int, _frame: types.FrameType | None) -> None:
    raise Ended(number)


def _heed_anyway(swallowed: "sys.UnraisableHookArgs") -> None:
    """Have a signal come once more that was raised where Python lets nothing out, such as an import's callback."""
    import os
    import sys
    import threading

    if isinstance(swallowed.exc_value, Ended):
        threading.Timer(0.01, os.kill, (os.getpid(), swallowed.exc_value.args[0])).start()
    else:
        sys.__unraisablehook__(swallowed)
