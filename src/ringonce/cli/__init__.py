"""The command line: words in, words and exit codes out. Data goes to stdout, words to stderr."""


def main() -> None:
    """Run the command that the process was started with."""
    import io
    import sys

    from ringonce.cli.menu import menu

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that has no arrow gets a question mark, not a traceback.
            stream.reconfigure(errors="replace")

    menu(prog_name="ringonce")
