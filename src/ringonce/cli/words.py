"""Words for people, on stderr: what comes from outside is made fit for a terminal first."""

import contextlib
import unicodedata

import click

LONGEST = 500
"""Characters of one saying; a page of HTML in place of an error is no help to anybody."""


def printable(text: str, most: int | None = LONGEST) -> str:
    """Show control characters instead of sending them to a terminal, and cut what is longer than *most*."""
    if most is not None and len(text) > most:
        text = text[: most - 1] + "…"
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def say(words: str) -> None:
    """Say one thing on stderr."""
    utter(printable(words))


def complain(what: str, why: str = "", fix: str = "") -> None:
    """Say on stderr what went wrong, why, and what to do."""
    utter(complaint(what, why, fix))


def complaint(what: str, why: str = "", fix: str = "") -> str:
    """Put an error in words for people."""
    words = f"error: {printable(what)}" + (f": {printable(why)}" if why else "")
    return words + (f"\n\nhint: {printable(fix)}" if fix else "")


def utter(words: str) -> None:
    """Write on stderr. Where that can't be written, there is nobody left to tell."""
    with contextlib.suppress(OSError):
        click.echo(words, err=True)


def _escaped(char: str) -> str:
    # A no-break space is no control character, though Python calls it unprintable.
    return " " if unicodedata.category(char) == "Zs" else char.encode("unicode_escape").decode()
