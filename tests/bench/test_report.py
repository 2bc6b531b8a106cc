"""What is told of measurements is what was measured."""

import xml.etree.ElementTree as ET

import pytest
from bench.measuring import interleave, ratio, summed_up
from bench.targets import Verdict, verdicts

from bench import plots, tables

_CPU = {
    "AsyncClient @16": 200.0,
    "Client @1": 300.0,
    "official SDK @16": 400.0,
    "official SDK @1": 500.0,
    "bare aiohttp @16": 100.0,
    "bare aiohttp @1": 150.0,
}


def test_turns_are_interleaved_and_medians_are_kept_with_every_turn() -> None:
    order: list[str] = []

    def turn(name: str, *values: float) -> dict[str, float]:
        order.append(name)
        return {"cpu_us": values[order.count(name) - 1]}

    rows = interleave(3, {"a": lambda: turn("a", 3, 1, 2), "b": lambda: turn("b", 9, 9, 8)})

    assert order == ["a", "b", "a", "b", "a", "b"]
    assert rows["a"] == {"cpu_us": 2, "turns": {"cpu_us": [3, 1, 2]}}
    assert rows["b"]["cpu_us"] == 9


@pytest.mark.parametrize(
    ("figure", "bound", "met"),
    [(1.1, "at most", True), (1.2, "at most", False), (1.1, "at least", True), (1.0, "at least", False)],
)
def test_a_target_is_met_up_to_its_bound(figure: float, bound: str, met: bool) -> None:
    assert Verdict("requests", figure, "", bound, 1.1).met is met


def test_what_was_skipped_is_neither_met_nor_missed() -> None:
    cases = {"crowd": {"rows": {"in flight": {"10000": {"skipped": "too many"}}}}}

    late, held = verdicts(cases)

    assert (late.met, held.met) == (None, None)
    assert tables.of_targets([late])[1] == [late.what, "skipped", "≤ 20.0 ms", "too many"]


def test_a_create_alone_is_told_beside_what_its_http_library_costs() -> None:
    row = {who: summed_up([{"cpu_us": cpu, "calls_s": 1e6 / cpu}]) for who, cpu in _CPU.items()}
    told = {one.what: one for one in verdicts({"place": {"rows": {"placed and looked at": row, "placed": row}}})}

    looked_at = told["CPU per call placed and looked at: AsyncClient @16 / official SDK @16"]
    alone = told["CPU per call placed: AsyncClient @16 / official SDK @16"]

    assert (looked_at.figure, looked_at.met) == (0.5, False)
    assert (alone.figure, alone.met) == (0.5, None)
    assert tables.of_targets([alone])[1] == [alone.what, "0.500", "", "no target; bare aiohttp @16: 0.25"]


def test_ratios_are_taken_between_rows_of_one_run() -> None:
    turn = {"requests_s": 600.0, "cpu_us": 9.0}
    row = {"sandbox": summed_up([turn]), "bare Starlette": summed_up([{**turn, "requests_s": 1000.0}])}
    cases = {"sandbox": {"rows": {"read": row}}}

    [share] = verdicts(cases)

    assert (share.figure, share.met) == (0.6, True)


def test_a_ratio_is_taken_within_each_round_for_a_machine_that_changes_its_pace_between_them() -> None:
    ours = summed_up([{"cpu_us": each} for each in (200, 400, 200, 400, 400)])
    bare = summed_up([{"cpu_us": each} for each in (100, 200, 100, 200, 100)])

    assert ours["cpu_us"] / bare["cpu_us"] == 4
    assert ratio(ours, bare, "cpu_us") == 2


def test_a_table_says_the_median_and_the_spread() -> None:
    [(_, table)] = tables.of_case(
        {"placed": {"AsyncClient": summed_up([{"cpu_us": each} for each in (90, 100, 1200)])}}
    )

    assert table == [["placed", "CPU µs"], ["AsyncClient", "100 (90.0 to 1,200)"]]
    assert tables.markdown(table).splitlines()[1] == "| --- | ---: |"


def test_a_plot_is_svg_that_says_its_figures_in_words() -> None:
    drawn = ET.fromstring(plots.bars("A & B", "µs", {"ours": 1.0, "<other>": 4.0}, ours=("ours",), mark=2.0))  # noqa: S314  # our own

    assert drawn.attrib["aria-label"] == "A & B: ours 1.00 µs, <other> 4.00 µs"
    bars = list(drawn.iter("{http://www.w3.org/2000/svg}rect"))
    assert [(one.attrib["class"], float(one.attrib["width"])) for one in bars] == [("ours", 100.0), ("other", 400.0)]
