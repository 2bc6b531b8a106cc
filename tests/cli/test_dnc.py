"""Do-not-call lists from the command line: loaded whole or not at all, and every change is in the audit log."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ringonce.cli.menu import menu

Run = Callable[..., Result]


def test_a_list_is_loaded_changed_listed_and_forgotten(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ours.csv"
    file.write_text("name,number\nBob,(555) 987-6543\n", encoding="utf-8")

    loaded = run("dnc", "load", "ours", str(file), "--source", "letters", "--taken", "2026-11-20", "--json")
    added = run("dnc", "add", "ours", "+33142685300", "555 987 6543", "--json")
    removed = run("dnc", "remove", "ours", "+33142685300", "--reason", "a mistake")
    shown = run("dnc", "list")
    dropped = run("dnc", "drop", "ours")
    # Not by the fixture, which prints hashes.
    entries = [json.loads(line) for line in CliRunner().invoke(menu, ("audit", "list", "--json")).stdout.splitlines()]

    assert [one.exit_code for one in (loaded, added, removed, shown, dropped)] == [0] * 5
    assert json.loads(loaded.stdout)["numbers"] == 1
    assert json.loads(added.stdout)["numbers"] == 2
    assert "1 of them were not on it" in added.stderr
    assert shown.stdout.startswith("ours  1 numbers  taken 2026-11-20, ")
    assert [entry["what"] for entry in entries] == ["list.replaced", "list.added", "list.removed", "list.dropped"]
    assert "a mistake" in entries[2]["details"]
    assert "there are no lists" in run("dnc", "list").stderr


def test_a_file_with_faults_changes_nothing_and_its_lines_are_told(run: Run, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text("+15559876543\n", encoding="utf-8")
    bad.write_text("+15559870000\n12\n", encoding="utf-8")
    run("dnc", "load", "ours", str(good), "--source", "letters")

    refused = run("dnc", "load", "ours", str(bad), "--source", "letters")

    assert refused.exit_code == 3
    assert "line 2: " in refused.stderr
    assert "ours  1 numbers" in run("dnc", "list").stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("add", "nobody", "+15559876543"), "ringonce dnc load nobody FILE"),
        (("remove", "nobody", "+15559876543"), "ringonce dnc load nobody FILE"),
        (("drop", "nobody"), "ringonce dnc load nobody FILE"),
        (("add", "nobody", "12"), "number"),
        (("load", "a/b", __file__, "--source", "x"), "national-registry"),
        (("load", "ours", __file__, "--source", "x", "--taken", "2999-01-01"), "yet to come"),
        (("load", "ours", __file__, "--source", "x"), "column"),
    ],
    ids=str,
)
def test_what_can_not_be_done_to_a_list(run: Run, args: tuple[str, ...], says: str) -> None:
    result = run("dnc", *args)

    assert result.exit_code == 3
    assert says in result.stderr
