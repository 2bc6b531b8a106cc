"""The durable engine, and the only file that knows it: a turn is a workflow that is not lost with a process.

What DBOS does for us is to run a turn and to write down that it is under way and how it ended. How far one has come is
known by the call's own row and the ledger, so it has no steps that the engine would write down. What the engine does
not do is done here and by the worker: another process's turns are not taken over by themselves, and to resume one puts
it into a queue from which any process may take it, so whoever takes a turn over begins it anew, under a new name.
"""

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, error

from ringonce.service.dialing.sparing import Sparing, in_a_line
from ringonce.service.dialing.steps import Steps
from ringonce.service.dialing.turns import Turn
from ringonce.service.store import Store

log = logging.getLogger("ringonce.service")
VERSION = "2"
"""The shape of the workflow below. A version of the engine's own choosing would strand work at every change of code."""
THREADS = 32
AT_ONCE = 500
"""Workflows that are looked at and deleted at once."""
KEPT = 60.0
"""Seconds for which a workflow is kept that is over: somebody may be about to hear of it. What became of the call is in
our own tables."""
OVER, UNDER_WAY = ("SUCCESS", "ERROR", "CANCELLED"), ("PENDING", "ENQUEUED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_steps: Steps | None = None
_running: set[asyncio.Task[Any]] = set()
_at_work: set[str] = set()
_sparing = Sparing()


@DBOS.workflow(name="dial")
async def _dial(call_id: str) -> None:
    """Place the call, and follow it to its end."""
    task = asyncio.current_task()
    if task is not None:
        _running.add(task)
        task.add_done_callback(_running.discard)
    steps, run = _here(), DBOS.workflow_id or ""
    _at_work.add(run)
    try:
        conversation_id = await steps.place(call_id)
        if conversation_id:
            await steps.follow(call_id, conversation_id)
    finally:
        _at_work.discard(run)


def at_work(run: str) -> bool:
    """Say whether a turn's steps are being done in this process; waiting for what became of them is no work."""
    return run in _at_work


def _here() -> Steps:
    if _steps is None:
        raise RuntimeError("no worker runs in this process")
    return _steps


@contextlib.asynccontextmanager
async def engine(store: Store, steps: Steps, worker: str) -> AsyncIterator[None]:
    """Run the engine in this process, for one worker; what is under way when it is left goes on elsewhere."""
    global _steps  # noqa: PLW0603  the engine calls functions by name, and there is one engine in a process
    if _steps is not None:
        raise RuntimeError("a worker runs in this process already")
    _steps = steps
    config: DBOSConfig = {
        "name": "ringonce",
        "system_database_url": _beside(store.url),
        "application_version": VERSION,
        "executor_id": worker,
        "max_executor_threads": THREADS,
        "sys_db_pool_size": 8,
        "log_level": "ERROR",
        "serializer": DBOSPortableJSONSerializer(),
        "use_listen_notify": False,
        "notification_listener_polling_interval_sec": 1.0,
        "scheduler_polling_interval_sec": 3600.0,
    }
    if not store.lasting:
        config["system_database_engine"] = _ahead(_beside(store.url))
    DBOS._configure_asyncio_thread_pool = staticmethod(_leave_the_loop_alone)  # type: ignore[method-assign]  # noqa: SLF001  no option does it
    DBOS(config=config)
    _tell_through_ours()
    try:
        DBOS.launch()
        _tell_through_ours()
        yield
    finally:
        _steps = None
        await _end()


def _tell_through_ours() -> None:
    """Have the engine's lines be masked and written like all others; it puts a handler of its own beside them."""
    told = logging.getLogger("dbos")
    told.handlers[:], told.propagate = [], True
    told.setLevel(logging.ERROR)
    if _sparing not in told.filters:
        told.addFilter(_sparing)


async def _end() -> None:
    """End the engine. What is under way stays so in its record, which can't be written any more."""
    await asyncio.to_thread(DBOS.destroy)
    for task in tuple(_running):
        task.cancel()
    await asyncio.gather(*_running, return_exceptions=True)


async def _leave_the_loop_alone() -> None:
    """Do nothing: the engine would have everybody's `asyncio.to_thread` use its threads, and take those along."""


async def run(turn: Turn) -> None:
    """Do a turn. It returns when the turn is over, however it went."""
    with SetWorkflowID(turn.run):
        handle = await DBOS.start_workflow_async(_dial, turn.call_id)
    await handle.get_result()


async def leave(run: str) -> None:
    """Have the engine not go on with a turn, whose work is begun anew; if it can't be told, the turn bears that."""
    with contextlib.suppress(error.DBOSException, sa.exc.SQLAlchemyError):
        await DBOS.cancel_workflow_async(run)


async def forget(held: Callable[[], Awaitable[set[str]]], before: set[str], now: float) -> set[str]:
    """Delete workflows that are over, and those that nobody will go on with: give these as they are found.

    A worker that died at the very end of a turn leaves one behind. *held* gives the runs that agents' lines have;
    what is none of them now, and was none *before*, is nobody's.
    """
    try:
        over = dt.datetime.fromtimestamp(now - KEPT, dt.UTC).isoformat()
        while ended := await _some(OVER, completed_before=over):
            await DBOS.delete_workflows_async(ended)
        begun: set[str] = set()
        while more := await _some(UNDER_WAY, offset=len(begun)):
            begun |= set(more)
        # After the look at what was begun: what is begun later has its line before.
        nobodys = begun - await held() - _at_work
        left = sorted(nobodys & before)
        for start in range(0, len(left), AT_ONCE):
            await DBOS.delete_workflows_async(left[start : start + AT_ONCE])
    except (error.DBOSException, sa.exc.SQLAlchemyError) as unable:
        log.warning("turns that are over are not deleted now: %s", in_a_line(unable))
        return before
    return nobodys - before


async def _some(status: Sequence[str], **options: Any) -> list[str]:
    found = await DBOS.list_workflows_async(
        status=list(status), limit=AT_ONCE, load_input=False, load_output=False, **options
    )
    return [one.workflow_id for one in found]


def _beside(url: sa.URL) -> str:
    """Give the engine's own database: a schema in the same one, or a file beside it."""
    if url.get_backend_name() == "postgresql":
        return url.render_as_string(hide_password=False)
    return url.set(database=f"{url.database}.turns").render_as_string(hide_password=False)


def _ahead(url: str) -> sa.Engine:
    """Open the engine's file as the store opens its own: it would keep a rollback journal, at 1 s for a commit."""
    made = sa.create_engine(url)

    @sa.event.listens_for(made, "connect")
    def ahead(db: "sa.engine.interfaces.DBAPIConnection", _record: object) -> None:
        cursor = db.cursor()
        for pragma in ("busy_timeout = 30000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        db.isolation_level = "IMMEDIATE"

    return made
