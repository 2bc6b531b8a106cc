"""Workers' signs of life, as all who share a database see them."""

import sqlalchemy as sa

from ringonce.service.store.tables import workers

RUNNING, GONE = "running", "gone"
SILENT_AFTER = 12.0
"""Seconds without a sign of life after which a worker counts for nothing, and its turns are taken over."""


def alive(now: float) -> sa.ColumnElement[bool]:
    """Pick the workers that run, and gave a sign of life lately."""
    return sa.and_(workers.c.state == RUNNING, workers.c.beat_at > now - SILENT_AFTER)
