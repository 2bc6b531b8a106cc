"""The loop that hands events over: in order for each webhook, at least once, by one process at a time.

A webhook is taken for a while by moving its `due_at` on; whoever dies loses it by that. What was handed over is
written down about once a second, so a crash repeats a second's worth, under the same ids.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self

import sqlalchemy as sa

from ringonce.errors import ConfigError, RingonceError
from ringonce.service import feed, hooks
from ringonce.service.calls.accepting import new_id
from ringonce.service.feed import Event
from ringonce.service.hooks import Hook, Secret
from ringonce.service.hooks.sending import Answer, Sender, body_of, encoded, message_of
from ringonce.service.store import Store
from ringonce.service.store.tables import events, webhooks
from ringonce.service.traces import span
from ringonce.service.vault import Vault

log = logging.getLogger("ringonce.service")
TICK = 0.5
"""Seconds between two looks for events to hand over."""
HELD = 60.0
"""Seconds for which a webhook is taken."""
PAGE = 200
WRITE_EVERY = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 3600.0
MOST_FAILURES = 81
"""In a row, after which a webhook is paused: with these pauses, after about three days."""
JITTER = 0.1
LOCKED = 60.0
"""Seconds until the next try when the vault can't be opened."""


def pause_after(failures: int, asked: float = 0.0) -> float:
    """Give the seconds until the next try after so many *failures* in a row, or as long as the receiver *asked* for."""
    doubling = FIRST_PAUSE * 2.0 ** min(failures - 1, 20)
    return min(LONGEST_PAUSE, max(asked, doubling))


class Deliveries:
    """Hands events over while it is entered; as many processes as you like may do so.

    *vault* opens the vault, and is asked when there is a webhook. *clock* gives epoch seconds.
    """

    def __init__(
        self,
        store: Store,
        vault: Callable[[], Awaitable[Vault]],
        sender: Sender,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store, self._open, self._sender = store, vault, sender
        self._clock, self._sleep = clock, sleep
        self._vault: Vault | None = None
        self._loop: asyncio.Task[None] | None = None
        self._doing: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        self._loop = asyncio.create_task(self._forever(), name="webhooks")
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [task for task in (self._loop, *self._doing.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._sender.close()

    async def look(self) -> int:
        """Begin with every webhook whose turn it is; give how many."""
        now = self._clock()
        due = [one for one in await self._store.look(_due, now) if one not in self._doing]
        taken = [hook for one in due if (hook := await self._store.run(_take, one, now))]
        for hook in taken:
            self._begin(hook)
        return len(taken)

    def _begin(self, hook: Hook) -> None:
        task = self._doing[hook.id] = asyncio.create_task(self._hand_over(hook), name=hook.id)
        task.add_done_callback(lambda _: self._doing.pop(hook.id, None))

    async def done(self) -> None:
        """Wait for what was begun."""
        while self._doing:
            await asyncio.gather(*self._doing.values())

    async def test(self, hook_id: str) -> Answer:
        """Send a message of type webhook.test, once, and say how it went. Raise `NotFound` or `VaultLocked`."""
        now = self._clock()
        hook = await self._store.look(hooks.get, hook_id)
        secrets = await self._secrets(hook)
        body = encoded("webhook.test", now, {"webhook": hook.id})
        return await self._sender.send(hook, secrets, new_id("msg_test", now), body, now)

    async def _forever(self) -> None:
        while True:
            try:
                await self.look()
            except RingonceError as down:
                log.warning("webhooks wait: %s", down)
            await self._sleep(TICK)

    async def _hand_over(self, hook: Hook) -> None:
        try:
            secrets = await self._secrets(hook)
            await self._page(hook, secrets)
        except ConfigError as locked:
            log.error("webhook %s can't be signed: %s", hook.id, locked)  # noqa: TRY400  our errors tell all
            await self._write(hook, due_at=self._clock() + LOCKED, said=str(locked))
        except RingonceError as down:
            # It is taken again once this process's hold of it ends.
            log.warning("webhook %s waits: %s", hook.id, down)
        except Exception:  # one webhook's trouble is not the others'
            log.exception("webhook %s waits", hook.id)

    async def _page(self, hook: Hook, secrets: list[Secret]) -> None:
        page = await self._store.look(feed.since, hook.next_seq - 1, limit=PAGE)
        written = self._clock()
        for event in page:
            if not hook.wants(event.kind):
                continue
            answer = await self._send(hook, secrets, event)
            now = self._clock()
            if not answer.ok:
                return await self._failed(hook, event, answer)
            if not written <= now < written + WRITE_EVERY:
                taken = await self._write(hook, next_seq=event.seq + 1, failures=0, said="", due_at=now + HELD)
                if taken is None:
                    return None  # somebody else has it: this process slept for too long
                hook, written = taken, now
        after = page[-1].seq + 1 if page else hook.next_seq
        await self._write(hook, next_seq=after, failures=0, said="", due_at=self._clock())
        return None

    async def _send(self, hook: Hook, secrets: list[Secret], event: Event) -> Answer:
        with span("webhook", hook=hook.id, seq=event.seq, kind=event.kind, failures=hook.failures) as noted:
            answer = await self._sender.send(hook, secrets, message_of(hook, event), body_of(event), self._clock())
            noted.set_attribute("http.response.status_code", answer.status)
        return answer

    async def _failed(self, hook: Hook, event: Event, answer: Answer) -> None:
        # Failures count for one event: if another went through on the way, it is that event's first.
        failures = hook.failures + 1 if event.seq == hook.next_seq or hook.failures == 0 else 1
        now = self._clock()
        wait = pause_after(failures, answer.retry_after) * (1 + random.uniform(-JITTER, JITTER))  # noqa: S311  no secret
        log.info("webhook %s failed %d times: %s", hook.id, failures, answer.said)
        kept = await self._write(hook, next_seq=event.seq, failures=failures, said=answer.said[:500], due_at=now + wait)
        if kept is None or not (answer.gone or failures >= MOST_FAILURES):
            return
        why = "its receiver says that it is gone" if answer.gone else f"{failures} tries in a row failed: {answer.said}"
        log.error("webhook %s is paused: %s", hook.id, why)
        with contextlib.suppress(RingonceError):
            await self._store.run(hooks.pause, hook.id, why=why, by="system", now=now)

    async def _secrets(self, hook: Hook) -> list[Secret]:
        if self._vault is None:
            self._vault = await self._open()
        return await self._store.look(hooks.secrets_of, self._vault, hook.id, self._clock())

    async def _write(self, hook: Hook, **became: Any) -> Hook | None:
        return await self._store.run(_write, hook, became)


def _due(db: sa.Connection, now: float) -> list[str]:
    return list(db.scalars(sa.select(webhooks.c.id).where(*_is_due(now))))


def _is_due(now: float) -> tuple[sa.ColumnElement[bool], ...]:
    # A moment further away than any pause is from before the clock was set back.
    now_or_never = sa.or_(webhooks.c.due_at <= now, webhooks.c.due_at > now + 2 * LONGEST_PAUSE)
    newest = sa.select(sa.func.max(events.c.seq)).scalar_subquery()
    return webhooks.c.paused == "", now_or_never, webhooks.c.next_seq <= newest


def _take(db: sa.Connection, hook_id: str, now: float) -> Hook | None:
    """Take a webhook that is still due; None if another process was quicker."""
    # One statement: between two, another process could take it, and would be taken for nobody.
    taken = webhooks.update().where(webhooks.c.id == hook_id, *_is_due(now)).values(due_at=now + HELD)
    return hooks.get(db, hook_id) if db.execute(taken).rowcount == 1 else None


def _write(db: sa.Connection, hook: Hook, became: dict[str, Any]) -> Hook | None:
    """Change a webhook that is still ours."""
    ours = webhooks.update().where(webhooks.c.id == hook.id, webhooks.c.due_at == hook.due_at)
    return hooks.get(db, hook.id) if db.execute(ours.values(became)).rowcount == 1 else None
