"""What Prometheus reads: calls, attempts, workers and agents as the database has them, and this process's requests."""

from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from ringonce.service.stopping import stands
from ringonce.service.store.tables import attempts, calls, lines, workers

SILENT_AFTER = 12.0
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Requests:
    """Counts one process's requests by door, method and status."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "door", "status")
        self._seconds = Histogram(
            "ringonce_http_request_seconds", "Time to answer a request.", labels, registry=self.registry
        )
        self._refused = Counter(
            "ringonce_http_turned_away_total",
            "Requests without a good token, too many, …",
            ("status",),
            registry=self.registry,
        )

    def count(self, method: str, door: str, status: int, seconds: float) -> None:
        """Count an answer; *door* is a path as it is declared, empty where none was reached."""
        if door:
            self._seconds.labels(method, door, str(status)).observe(seconds)
        else:
            self._refused.labels(str(status)).inc()


def page(db: sa.Connection, requests: Requests, now: float) -> bytes:
    """Give everything in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Told(list(_families(db, now))))
    return generate_latest(registry) + generate_latest(requests.registry)


class _Told(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _families(db: sa.Connection, now: float) -> Iterator[Metric]:
    count = sa.func.count()
    by_state = GaugeMetricFamily("ringonce_calls", "Calls in the database.", labels=["state", "outcome"])
    for state, outcome, number in db.execute(
        sa.select(calls.c.state, calls.c.outcome, count).group_by(calls.c.state, calls.c.outcome)
    ):
        by_state.add_metric([state, outcome], number)
    yield by_state
    yield CounterMetricFamily(
        "ringonce_attempts",
        "Attempts to call; their rate is the dial rate.",
        value=db.scalar(sa.select(count).select_from(attempts)) or 0,
    )
    for name, words, begin, end in (
        ("ringonce_call_seconds", "From a call's placing to its end.", calls.c.placed_at, calls.c.ended_at),
        ("ringonce_wait_seconds", "From a call's taking in to its placing.", calls.c.created_at, calls.c.placed_at),
    ):
        known = (begin.is_not(None), end.is_not(None))
        number, total = db.execute(sa.select(count, sa.func.coalesce(sa.func.sum(end - begin), 0)).where(*known)).one()
        yield SummaryMetricFamily(name, words, count_value=number, sum_value=float(total))
    waiting_since = db.scalar(sa.select(sa.func.min(calls.c.due_at)).where(calls.c.state == "waiting"))
    late = 0.0 if waiting_since is None else max(0.0, now - waiting_since)
    yield GaugeMetricFamily(
        "ringonce_late_seconds", "For how long the call that is due longest has waited.", value=late
    )
    alive = (workers.c.state == "running", workers.c.beat_at > now - SILENT_AFTER)
    yield GaugeMetricFamily(
        "ringonce_workers", "Workers that give signs of life.", value=db.scalar(sa.select(count).where(*alive)) or 0
    )
    busy = db.scalar(sa.select(count).where(lines.c.call_id != "")) or 0
    yield GaugeMetricFamily("ringonce_agents_busy", "Agents in a call of the service.", value=busy)
    yield GaugeMetricFamily("ringonce_stopped", "1 while the kill switch is on.", value=float(stands(db).stopped))
