"""Starting, pausing, draining and cancelling a batch. Nothing new rings from the moment that its row says so."""

import sqlalchemy as sa

from ringonce.errors import NotFound, Refused
from ringonce.service import audit
from ringonce.service.calls.batch import Batch, BatchState, get
from ringonce.service.dialing import batched

_FROM = {
    BatchState.RUNNING: {BatchState.READY, BatchState.PAUSED, BatchState.DRAINING},
    BatchState.PAUSED: {BatchState.RUNNING, BatchState.DRAINING},
    BatchState.DRAINING: {BatchState.RUNNING, BatchState.PAUSED},
    BatchState.CANCELLED: {BatchState.READY, BatchState.RUNNING, BatchState.PAUSED, BatchState.DRAINING},
}
_TO = {
    "start": BatchState.RUNNING,
    "resume": BatchState.RUNNING,
    "pause": BatchState.PAUSED,
    "drain": BatchState.DRAINING,
    "cancel": BatchState.CANCELLED,
}
ACTS = tuple(_TO)


def steer(db: sa.Connection, batch_id: str, act: str, *, by: str, now: float) -> Batch:
    """Do one of `ACTS` to a batch. What is so already is no error; raise `Refused` where it can't be."""
    batch = found(db, batch_id)
    state = _TO[act]
    if batch.state is state:
        return batch
    if state is BatchState.RUNNING:
        batched.wake_all(db, batch_id, now)
    if not batched.became(db, batch_id, _FROM[state], state, now):
        raise Refused(
            f"The batch can't be {_SAID[act]}",
            why=f"it is {batch.state}",
            fix="nothing is left to do"
            if batch.state in {BatchState.DONE, BatchState.CANCELLED}
            else "wait until its file is whole"
            if batch.state is BatchState.DRAFT
            else "its report says what to correct in the file"
            if batch.state is BatchState.INVALID
            else f"it can be when it is {' or '.join(sorted(_FROM[state]))}",
        )
    if state is BatchState.CANCELLED:
        # The rest of a long batch is taken away piece by piece, by the worker; none of it rings meanwhile.
        batched.withdraw(db, batch_id, now)
    audit.note(db, by, f"batch.{_SAID[act]}", batch_id, now=now)
    return found(db, batch_id)


def found(db: sa.Connection, batch_id: str) -> Batch:
    """Give the batch. Raise `NotFound` if there is none."""
    batch = get(db, batch_id)
    if batch is None:
        raise NotFound(f"There is no batch {batch_id[:60]!r}", fix="list those that there are")
    return batch


_SAID = {"start": "started", "resume": "resumed", "pause": "paused", "drain": "drained", "cancel": "cancelled"}
