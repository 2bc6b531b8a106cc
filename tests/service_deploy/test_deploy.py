"""What deploy/ and the docs tell people to type is what the program understands."""

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from ringonce.cli.menu import menu

ROOT = Path(__file__).parents[2]


def commands() -> list[list[str]]:
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    found = [service["command"] for service in services.values() if "command" in service]
    unit = (ROOT / "deploy/ringonce.service").read_text()
    found += [shlex.split(line)[1:] for line in re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)]
    docs = (ROOT / "docs/operate.md").read_text()
    return found + [shlex.split(line)[1:] for line in re.findall(r"`(ringonce [^`]*)`", docs)]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_line_parses(words: list[str]) -> None:
    context: click.Context = click.Context(menu, info_name="ringonce")
    command: click.Command = menu
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        context, command = click.Context(found, info_name=name, parent=context), found
    command.parse_args(context, [word.replace("${SERVER_NAME:-localhost}", "localhost") for word in words])


def test_the_files_name_what_they_need() -> None:
    assert len(commands()) >= 6
