"""The page stays small while 2,000 calls are in flight and a hundred of them change each second.

How smooth it is depends on the machine: it is told (`make browser TESTS="-rP -k two_thousand"`), and fails nothing.
"""

import json
import threading
import time
from collections.abc import Callable

import pytest

from browser.conftest import Visiting, signed_in
from browser.seeding import PHASES, in_flight
from ringonce.service.calls.changing import change
from service_web.conftest import Service

pytestmark = pytest.mark.browser
CALLS, A_SECOND, SECONDS = 2_000, 100, 8
WATCH = """() => {
  const seen = { frames: [], long: [] };
  window.seen = seen;
  new PerformanceObserver((list) => list.getEntries().forEach((one) => seen.long.push(one.duration)))
    .observe({ entryTypes: ["longtask"] });
  let last = performance.now();
  const frame = (at) => { seen.frames.push(at - last); last = at; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""


def changing(service: Service, ids: list[str], over: threading.Event) -> None:
    turn = 0
    while not over.is_set():
        began = time.monotonic()
        with service.store.write() as db:
            for _ in range(A_SECOND // 4):
                turn += 1
                progress = PHASES[(turn // len(ids) + turn) % len(PHASES)]
                change(db, ids[(turn * 7) % len(ids)], progress=progress)
        over.wait(max(0.0, began + 0.25 - time.monotonic()))


def test_two_thousand_calls_in_flight_cost_few_nodes_and_one_stream(
    visiting: Visiting, opening: Callable[..., Service], record_property: Callable[[str, object], None]
) -> None:
    service = opening(dialling=False)
    ids = service.do(lambda db: in_flight(db, CALLS))
    page = visiting(service.url)
    streams: list[str] = []
    page.on("request", lambda request: streams.append(request.url) if "/v1/events" in request.url else None)
    signed_in(page, service.admin)
    page.get_by_role("table", name="Calls in flight").get_by_role("row").nth(5).wait_for()
    over = threading.Event()
    busy = threading.Thread(target=changing, args=(service, ids, over))
    busy.start()
    try:
        page.wait_for_timeout(1500)
        page.evaluate(WATCH)
        for step in range(SECONDS * 2):
            page.mouse.wheel(0, 2000 if step % 4 < 2 else -1500)
            page.wait_for_timeout(500)
        seen = page.evaluate("window.seen")
    finally:
        over.set()
        busy.join()
    frames = sorted(seen["frames"])
    figures = {
        "rows": page.get_by_role("table", name="Calls in flight").get_attribute("aria-rowcount"),
        "nodes": page.evaluate("document.querySelectorAll('*').length"),
        "frames": len(frames),
        "frame_median_ms": round(frames[len(frames) // 2], 1),
        "frame_p95_ms": round(frames[int(len(frames) * 0.95)], 1),
        "frame_worst_ms": round(frames[-1], 1),
        "long_tasks": len(seen["long"]),
        "longest_ms": round(max(seen["long"], default=0.0)),
        "streams": len(streams),
    }
    record_property("figures", json.dumps(figures))
    print(json.dumps(figures))  # noqa: T201  `-rP` shows it

    assert figures["rows"] == str(CALLS + 1)
    assert figures["nodes"] < 1_500
    assert figures["streams"] == 1
