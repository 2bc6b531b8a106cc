"""What Prometheus reads: calls, attempts, workers and agents as the database has them, and this process's requests."""

import heapq
from collections.abc import Iterable, Iterator

import msgspec
import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from ringonce.ledger import Meter
from ringonce.service import feed, hooks
from ringonce.service.lifesigns import alive
from ringonce.service.stopping import stands
from ringonce.service.store.tables import attempts, calls, events, identities, lines, meters

LATEST, MOST_TOKENS, NAMED = 1_000, 20, 12
"""Of the tokens used last so many are looked at, so many are told, by so many characters of their marks."""
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
    yield from _waiting(db)
    yield from _quota(db, now)
    yield from _webhooks(db, now)
    yield GaugeMetricFamily(
        "ringonce_workers", "Workers that give signs of life.", value=db.scalar(sa.select(count).where(alive(now))) or 0
    )
    busy = db.scalar(sa.select(count).where(lines.c.call_id != "")) or 0
    yield GaugeMetricFamily("ringonce_agents_busy", "Agents in a call of the service.", value=busy)
    yield GaugeMetricFamily("ringonce_stopped", "1 while the kill switch is on.", value=float(stands(db).stopped))
    who = sa.select(count).select_from(identities).where(identities.c.agent_id != "")
    yield GaugeMetricFamily("ringonce_agents_enrolled", "Agents who are called as.", value=db.scalar(who) or 0)


def _waiting(db: sa.Connection) -> Iterator[Metric]:
    reason = sa.func.coalesce(calls.c.why["for"].as_string(), "turn")
    query = sa.select(reason, sa.func.count()).where(calls.c.state == "waiting").group_by(reason)
    family = GaugeMetricFamily("ringonce_calls_waiting", "Waiting calls, by what they wait for.", labels=["for"])
    for name, number in db.execute(query):
        family.add_metric([name], number)
    yield family


def _quota(db: sa.Connection, now: float) -> Iterator[Metric]:
    """Tell of the tokens that are used most; each is named by the beginning of its mark, a keyed hash."""
    query = sa.select(meters.c.mark, meters.c.meter).order_by(meters.c.at.desc()).limit(LATEST)
    known = [(mark, msgspec.convert(found, Meter)) for mark, found in db.execute(query)]
    # A window that is over says nothing of now.
    current = [(mark, meter) for mark, meter in known if meter.allowed and meter.ends > now]
    current = heapq.nlargest(MOST_TOKENS, current, key=lambda one: one[1].taken / one[1].allowed)
    allowed = GaugeMetricFamily("ringonce_quota_allowed", "Requests a minute that a token may make.", labels=["token"])
    used = GaugeMetricFamily("ringonce_quota_used", "Requests of them that were made.", labels=["token"])
    waiting = GaugeMetricFamily("ringonce_quota_waiting", "1 while calls wait for the token's quota.", labels=["token"])
    for mark, meter in current:
        name = [mark[:NAMED]]
        allowed.add_metric(name, meter.allowed)
        used.add_metric(name, meter.taken)
        waiting.add_metric(name, float(max(meter.dials_until, meter.shut_until) > now))
    yield from (allowed, used, waiting)


def _webhooks(db: sa.Connection, now: float) -> Iterator[Metric]:
    behind = GaugeMetricFamily("ringonce_webhook_behind", "Events not handed over yet.", labels=["webhook"])
    lag = GaugeMetricFamily("ringonce_webhook_lag_seconds", "Age of the oldest of them.", labels=["webhook"])
    failures = GaugeMetricFamily("ringonce_webhook_failures", "Failures in a row.", labels=["webhook"])
    paused = GaugeMetricFamily("ringonce_webhook_paused", "1 while it is paused.", labels=["webhook"])
    newest = feed.latest(db)
    for hook in hooks.every(db):
        oldest = db.scalar(sa.select(sa.func.min(events.c.at)).where(events.c.seq == _first(hook.next_seq)))
        behind.add_metric([hook.id], max(0, newest + 1 - hook.next_seq))
        lag.add_metric([hook.id], 0.0 if oldest is None else max(0.0, now - oldest))
        failures.add_metric([hook.id], hook.failures)
        paused.add_metric([hook.id], float(bool(hook.paused)))
    yield from (behind, lag, failures, paused)


def _first(seq: int) -> sa.ScalarSelect[int]:
    """Give the first event from *seq* on: those before may have been deleted."""
    return sa.select(sa.func.min(events.c.seq)).where(events.c.seq >= seq).scalar_subquery()
