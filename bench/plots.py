"""Bars as SVG, legible on light and dark pages."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from bench.tables import number

WIDTH, BAR, GAP, LEFT, RIGHT, TOP = 720, 18, 8, 210, 110, 44
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.ours { fill: #0969da }
.other { fill: #8c959f }
.mark { stroke: #bc4c00; stroke-width: 2; stroke-dasharray: 4 3 }
.told { fill: #bc4c00; font-size: 12px }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .ours { fill: #4493f8 }
  .other { fill: #6e7681 }
  .mark { stroke: #f0883e }
  .told { fill: #f0883e }
}
</style>"""


def bars(title: str, unit: str, values: Mapping[str, float], *, ours: Sequence[str], mark: float = 0.0) -> str:
    """Draw a bar a value; *ours* are coloured; *mark* is a line at the target."""
    most = max(*values.values(), mark) or 1.0
    room = WIDTH - LEFT - RIGHT
    height = TOP + len(values) * (BAR + GAP) + (22 if mark else 6)
    drawn = [f'<text class="title" x="8" y="22">{html.escape(title)}</text>']
    for nth, (name, value) in enumerate(values.items()):
        y = TOP + nth * (BAR + GAP)
        kind = "ours" if any(name.startswith(one) for one in ours) else "other"
        wide = max(1.0, value / most * room)
        drawn += [
            f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{html.escape(name)}</text>',
            f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{wide:.1f}" height="{BAR}" rx="2"/>',
            f'<text x="{LEFT + wide + 6:.1f}" y="{y + 14}">{number(value)} {html.escape(unit)}</text>',
        ]
    if mark:
        x = LEFT + mark / most * room
        drawn += [
            f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{height - 20}"/>',
            f'<text class="told" x="{x:.1f}" y="{height - 6}" text-anchor="middle">target {number(mark)}</text>',
        ]
    words = html.escape(f"{title}: " + ", ".join(f"{name} {number(value)} {unit}" for name, value in values.items()))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{words}">'
    return "\n".join([head, STYLE, *drawn, "</svg>", ""])


def drawings(cases: Mapping[str, Any]) -> dict[str, str]:
    """Draw every plot whose case was measured, by the name of its file."""
    drawn = {}
    ours = ("AsyncClient", "Client", "ringonce", "import ringonce", "sandbox")
    if "place" in cases:
        for task, file in (("placed", "place"), ("placed and looked at", "place-and-look")):
            rows = {name: row["cpu_us"] for name, row in cases["place"]["rows"][task].items()}
            drawn[file] = bars(f"CPU per call {task}", "µs", rows, ours=ours)
    if "start" in cases:
        rows = {name: row["wall_ms"] for name, row in cases["start"]["rows"]["started"].items()}
        drawn["start"] = bars("Getting ready", "ms", rows, ours=ours)
    if "decode" in cases:
        rows = {name: row["cpu_us"] for name, row in cases["decode"]["rows"]["decoded"].items()}
        drawn["decode"] = bars("Decoding a conversation, CPU", "µs", rows, ours=ours)
    if "spending" in cases:
        rows = {name: row["requests"] for name, row in cases["spending"]["rows"]["spent"].items()}
        drawn["spending"] = bars("Requests a call, followed to its end", "", rows, ours=ours, mark=1.1)
    if "crowd" in cases:
        there = {size: row for size, row in cases["crowd"]["rows"]["in flight"].items() if "skipped" not in row}
        late = {f"{int(size):,} in flight": row["p99_ms"] for size, row in there.items()}
        drawn["latency"] = bars("Event to follower, p99", "ms", late, ours=tuple(late), mark=20)
        grown = {f"{int(size):,} in flight": row["whole_cpu_us"] for size, row in there.items() if int(size) > 1}
        drawn["growth"] = bars("CPU per call, placed and followed to its end", "µs", grown, ours=tuple(grown))
    if "sandbox" in cases:
        rows = {
            f"{name}, {kind}": row["requests_s"]
            for kind, both in cases["sandbox"]["rows"].items()
            for name, row in both.items()
        }
        drawn["sandbox"] = bars("Requests a second on one core", "", rows, ours=ours)
    return drawn
