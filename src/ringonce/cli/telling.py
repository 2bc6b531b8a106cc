"""How a call's life is told: as JSON for programs, as lines for pipes, or live for a terminal."""

import contextlib
import sys
import time
import typing

import click

from ringonce.cli.words import complaint, printable, utter
from ringonce.models import Call, Outcome, Placed, State

if typing.TYPE_CHECKING:
    from rich.text import Text

WORDS = {
    State.REQUESTED: "reaching the agent's own phone",
    State.DIALING: "the agent is on the line; the number is being dialled",
    State.RINGING: "the far end is ringing",
    State.CONNECTED: "the far end answered",
}


NOTHING: dict[str, object] = dict.fromkeys(("intent", "conversation_id", "state", "outcome", "replayed", "adopted"))
"""The result of a call of which nothing is known."""


class Teller:
    """Tells what happens, and in the end what came of it."""

    def placed(self, placed: Placed, agent: str) -> None:
        """Tell that the platform has the call."""

    def call(self, call: Call) -> None:
        """Tell a new truth about a call."""

    def say(self, words: str) -> None:
        """Say something to people, on stderr."""
        self.utter(printable(words))

    def utter(self, words: str) -> None:
        """Write words on stderr that are fit for a terminal."""
        utter(words)

    def failed(self, error: "FailedWith") -> None:
        """Tell an error, in words."""
        self.utter(complaint(error.what, error.why, error.fix))

    def result(self, fields: dict[str, object]) -> None:
        """Tell the last thing that there is to tell."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class FailedWith(typing.Protocol):
    """What an error tells."""

    what: str
    why: str
    fix: str


class JsonTeller(Teller):
    """One object a line on stdout; words still go to stderr."""

    def __init__(self) -> None:
        self._ended = False

    def placed(self, placed: Placed, agent: str) -> None:
        """Tell that the platform has the call."""
        del agent
        self._line("placed", _plain(placed))

    def call(self, call: Call) -> None:
        """Tell a new truth about a call, with its state and outcome always there."""
        self._line(
            "call",
            {"conversation_id": call.conversation_id, "state": call.state, "outcome": call.outcome} | _plain(call),
        )

    def standing(self, fields: dict[str, object]) -> None:
        """Tell how a call stands that was not placed."""
        self._line("call", fields)

    def failed(self, error: FailedWith) -> None:
        """Tell an error, to programs and to people."""
        super().failed(error)
        self._line("error", {"error": type(error).__name__, "what": error.what, "why": error.why, "fix": error.fix})

    def result(self, fields: dict[str, object]) -> None:
        """Tell what came of the call; once, since it is the last line."""
        if not self._ended:
            self._ended = True
            self._line("result", fields)

    def _line(self, event: str, fields: dict[str, typing.Any]) -> None:
        import msgspec

        click.echo(msgspec.json.encode({"event": event} | fields).decode())


class LineTeller(Teller):
    """One line for each change. With *several*, each line begins with its conversation."""

    def __init__(self, *, several: bool = False) -> None:
        self._several = several
        self._start = time.monotonic()

    def placed(self, placed: Placed, agent: str) -> None:
        """Tell that the platform has the call."""
        how = ""
        if placed.replayed:
            how = " (placed before under this intent; nothing was sent)"
        elif placed.adopted:
            how = f" (the answer was lost; found again: {placed.evidence})"
        self._show(
            State.REQUESTED,
            f"{self._elapsed()}  placed     {agent} → {placed.to}, conversation {placed.conversation_id}{how}",
        )

    def call(self, call: Call) -> None:
        """Tell a new truth about a call."""
        who = f"{call.conversation_id[:8]}  " if self._several else ""
        self._show(call.state, f"{self._elapsed()}  {who}{call.state:<9}  {describe(call)}")

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._start:6.1f} s"

    def _show(self, state: State, line: str) -> None:
        del state
        click.echo(printable(line, None))


class LiveTeller(LineTeller):
    """Lines for what was, and below them one that moves with what is."""

    COLOURS: typing.ClassVar = {State.RINGING: "yellow", State.CONNECTED: "green", State.ENDED: "bold"}

    def __init__(self, *, several: bool = False) -> None:
        super().__init__(several=several)
        from rich.live import Live

        self._now: dict[str, tuple[State, float]] = {}
        # Redirection would move words from stderr to stdout.
        self._live = Live(
            get_renderable=self._moving,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def call(self, call: Call) -> None:
        """Tell a new truth about a call."""
        state, since = self._now.get(call.conversation_id, (None, 0.0))
        if call.ended:
            self._now.pop(call.conversation_id, None)
        else:
            self._now[call.conversation_id] = (call.state, since if state is call.state else time.monotonic())
        super().call(call)

    def close(self) -> None:
        """Take the moving line away."""
        with contextlib.suppress(OSError):  # a terminal that has gone needs no tidying
            self._live.stop()

    def utter(self, words: str) -> None:
        """Say something where the moving line was, which goes on below."""
        moving = self._live.is_started
        self.close()
        super().utter(words)
        if moving:
            with contextlib.suppress(OSError):
                self._live.start()

    def _show(self, state: State, line: str) -> None:
        from rich.text import Text

        self._live.console.print(Text(printable(line, None), style=self.COLOURS.get(state, "")), soft_wrap=True)

    def _moving(self) -> "Text":
        from rich.text import Text

        now = time.monotonic()
        lines = [
            f"          … {f'{conversation[:8]}  ' if self._several else ''}{state} for {now - since:.0f} s"
            for conversation, (state, since) in self._now.items()
        ]
        return Text("\n".join(lines), style="dim")


def teller(*, as_json: bool, several: bool = False) -> Teller:
    """Choose how to tell: JSON if asked for, live if people are looking, else lines."""
    if as_json:
        return JsonTeller()
    return (
        LiveTeller(several=several) if sys.stdout is not None and sys.stdout.isatty() else LineTeller(several=several)
    )


def tell_once(call: Call, *, as_json: bool) -> None:
    """Tell how one call stands, and no more."""
    if as_json:
        JsonTeller().call(call)
    else:
        click.echo(printable(f"{call.conversation_id}  {call.state}  {describe(call)}", None))


def describe(call: Call) -> str:
    """Say in words how a call stands."""
    if call.ended:
        outcome = call.outcome or Outcome.UNKNOWN
        because = call.evidence.because if call.evidence else ""
        return outcome.replace("_", " ") + (f": {because}" if because else "")
    flags = [name for name in ("held", "muted", "recording") if getattr(call, name)]
    return WORDS[call.state] + (f" ({', '.join(flags)})" if flags else "")


def _plain(value: object) -> dict[str, typing.Any]:
    import msgspec

    fields: dict[str, typing.Any] = msgspec.to_builtins(value)
    return fields
