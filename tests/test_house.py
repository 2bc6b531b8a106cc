"""House rules are tests, not paragraphs."""

import ast
import importlib.util
import inspect
import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import click
import pytest

import ringonce
from ringonce.cli.menu import COMMANDS, menu
from ringonce.config import SANDBOX_URL
from ringonce.sandbox import Sandbox, serve

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
HEAVY = {
    "aiohttp",
    "phonenumbers",
    "rich",
    "click",
    "starlette",
    "uvicorn",
    "anyio",
    "joserfc",
    "keyring",
    "cryptography",
}


def test_the_public_names_are_all_there_and_in_order() -> None:
    there = {
        name
        for name, value in vars(ringonce).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }

    assert sorted(ringonce.__all__) == ringonce.__all__
    assert all(hasattr(ringonce, name) for name in ringonce.__all__)
    assert there <= set(ringonce.__all__)


@pytest.mark.parametrize("path", [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda path: path.stem)
def test_a_module_stays_under_four_hundred_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 400


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src" / "ringonce")))
def test_a_module_says_what_it_is_for_and_asserts_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text())

    assert ast.get_docstring(tree)
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, ringonce; print(*sorted({HEAVY} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # our own

    assert done.stdout.strip() == ""


def test_the_import_contracts_are_about_modules_that_exist() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = {
        module.strip()
        for contract in contracts
        for key in ("layers", "source_modules", "forbidden_modules")
        for entry in contract.get(key, [])
        for module in entry.split("|")
    }

    ours = {name for name in named if name.startswith("ringonce")}
    assert ours
    assert {name for name in ours if importlib.util.find_spec(name) is None} == set()


def test_nothing_listens_beyond_loopback_unless_told_to() -> None:
    commands = [menu.get_command(click.Context(menu), name) for name in COMMANDS]
    asked = [option.default for command in commands if command for option in command.params if option.name == "host"]
    called = [inspect.signature(opens).parameters["host"].default for opens in (Sandbox, serve)]

    assert asked == ["127.0.0.1", "127.0.0.1"]
    assert called == ["127.0.0.1", "127.0.0.1"]


def test_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)

    assert blocks
    for block in blocks:
        with Sandbox(port=0, speed=50) as sandbox:
            exec(block.replace(SANDBOX_URL, sandbox.url), {})  # noqa: S102  # our own words, run as a reader would
            assert sandbox.calls()
    assert capsys.readouterr().out


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc"])
def test_no_room_is_called_by_what_it_is_not(name: str) -> None:
    assert [path for path in SOURCES if name in (path.stem, *path.parts)] == []
