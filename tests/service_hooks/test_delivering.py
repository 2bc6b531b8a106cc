"""Webhooks get every event, in order and signed; one in trouble is tried again and holds up nobody else."""

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from ringonce.service import feed, hooks
from ringonce.service.hooks.delivering import HELD, LONGEST_PAUSE, MOST_FAILURES, PAGE, _take, pause_after
from ringonce.service.store import Store
from ringonce.service.store.tables import events, webhooks
from ringonce.service.vault import Vault
from service_hooks.conftest import START, receiving, serving


def test_events_arrive_in_order_and_only_those_after_the_webhook_was_made(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, serving(store, vault) as service:
            service.happens(3)
            made = service.hook(receiver.url)
            service.happens(PAGE + 5)
            while await service.deliver():
                pass
            assert [json.loads(body)["data"]["seq"] for _, body in receiver.got] == list(range(4, PAGE + 9))
            first = json.loads(receiver.got[0][1])
            assert first["type"] == "call.changed"
            assert first["timestamp"].startswith("2027-01-15T")
            assert first["data"]["state"] == "live"
            assert service.stands(made).next_seq == PAGE + 9

    asyncio.run(story())


def test_a_receiver_can_check_the_signature_with_the_secret_that_was_shown_once(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, serving(store, vault, [time.time()]) as service:
            made = service.hook(receiver.url)
            service.happens()
            await service.deliver()
            ((headers, body),) = receiver.got
            assert Webhook(made.secret).verify(body, headers)["data"]["subject"] == "call_0"
            with pytest.raises(WebhookVerificationError):
                Webhook(made.secret).verify(body + b" ", headers)
            assert made.secret not in repr(made)

    asyncio.run(story())


def test_a_replaced_secret_signs_for_one_more_day(store: Store, vault: Vault) -> None:
    async def story() -> None:
        now = [time.time()]
        async with receiving() as receiver, serving(store, vault, now) as service:
            old = service.hook(receiver.url)
            with store.write() as db:
                new = hooks.new_secret(db, vault, old.hook.id, by="tok_1", now=now[0])
            service.happens()
            await service.deliver()
            headers, body = receiver.got[0]
            assert Webhook(old.secret).verify(body, headers) == Webhook(new.secret).verify(body, headers)
            with store.read() as db:
                later = hooks.secrets_of(db, vault, old.hook.id, now[0] + hooks.OLD_SECRET)
            assert [one.value for one in later] == [new.secret]

    asyncio.run(story())


def test_kinds_that_are_not_wanted_are_passed_over(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, serving(store, vault) as service:
            made = service.hook(receiver.url, "batch.changed")
            service.happens(5)
            service.happens(1, "batch.changed")
            service.happens(5)
            await service.deliver()
            assert len(receiver.got) == 1
            assert service.stands(made).next_seq == 12
            assert await service.deliver() == 0

    asyncio.run(story())


def test_a_failure_is_tried_again_later_under_the_same_id_and_nothing_overtakes_it(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, serving(store, vault) as service:
            made = service.hook(receiver.url)
            receiver.status = 500
            service.happens(2)
            await service.deliver()
            assert service.stands(made).said == "HTTP 500"
            assert await service.passes(pause_after(1) * 0.8) == 0
            await service.passes(pause_after(1) * 0.4)
            receiver.status = 204
            await service.passes(pause_after(2) * 1.2)
            assert receiver.ids[0] == receiver.ids[1] == receiver.ids[2] != receiver.ids[3]
            assert len(receiver.got) == 4
            assert service.stands(made).failures == 0
            assert service.stands(made).said == ""

    asyncio.run(story())


def test_pauses_double_to_an_hour_and_a_receiver_may_ask_for_longer_ones() -> None:
    assert [pause_after(failures) for failures in (1, 2, 3)] == [5.0, 10.0, 20.0]
    assert pause_after(1, asked=120.0) == 120.0
    assert pause_after(1, asked=1e9) == pause_after(10_000) == LONGEST_PAUSE
    assert 2.5 * 86_400 < sum(pause_after(failures) for failures in range(1, MOST_FAILURES)) < 3.5 * 86_400


def test_after_days_of_failures_it_is_paused_with_the_reason_and_loses_nothing(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, serving(store, vault) as service:
            made = service.hook(receiver.url)
            receiver.status = 503
            service.happens()
            for _ in range(MOST_FAILURES):
                assert await service.passes(LONGEST_PAUSE * 1.2) == 1
            assert "81 tries in a row failed: HTTP 503" in service.stands(made).paused
            assert await service.passes(LONGEST_PAUSE * 1.2) == 0
            receiver.status = 204
            with store.write() as db:
                hooks.resume(db, made.hook.id, by="tok_1", now=service.now[0])
            await service.deliver()
            assert receiver.ids[-2] == receiver.ids[0]
            assert json.loads(receiver.got[-1][1])["type"] == "webhook.paused"

    asyncio.run(story())


def test_a_receiver_that_is_gone_is_sent_nothing_more(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, serving(store, vault) as service:
            made = service.hook(receiver.url)
            receiver.status = 410
            service.happens()
            await service.deliver()
            assert "gone" in service.stands(made).paused

    asyncio.run(story())


def test_a_redirect_is_not_followed(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, receiving() as elsewhere, serving(store, vault) as service:
            made = service.hook(receiver.url)
            receiver.status, receiver.headers = 307, {"location": elsewhere.url}
            service.happens()
            await service.deliver()
            assert elsewhere.got == []
            assert "redirects are not followed" in service.stands(made).said

    asyncio.run(story())


def test_one_that_hangs_delays_no_other_and_is_given_up_on(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as slow, receiving() as quick, serving(store, vault, timeout=1.5) as service:
            hanging, well = service.hook(slow.url), service.hook(quick.url)
            slow.hangs = True
            service.happens(3)
            await service.deliveries.look()
            await asyncio.wait_for(slow.came.wait(), 60)
            if going := service.deliveries._doing.get(well.hook.id):
                await going
            assert service.stands(well).next_seq == 4
            assert service.stands(hanging).failures == 0  # it is still hanging
            await service.deliveries.done()
            assert service.stands(hanging).said == "it gave no answer in time"

    asyncio.run(story())


def test_nobody_who_listens_is_a_failure_like_any_other(store: Store, vault: Vault, unused_port: int) -> None:
    async def story() -> None:
        async with serving(store, vault) as service:
            made = service.hook(f"http://127.0.0.1:{unused_port}/")
            service.happens()
            await service.deliver()
            assert service.stands(made).failures == 1
            assert "refused" in service.stands(made).said.lower()

    asyncio.run(story())


def test_two_processes_share_the_work_without_sending_twice(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, serving(store, vault) as one, serving(store, vault) as other:
            one.hook(receiver.url)
            one.happens(20)
            await asyncio.gather(one.deliver(), other.deliver())
            await asyncio.gather(one.deliver(), other.deliver())
            assert len(receiver.ids) == len(set(receiver.ids)) == 20

    asyncio.run(story())


def test_a_webhook_that_four_want_at_the_same_moment_is_taken_by_one(store: Store, vault: Vault) -> None:
    with store.write() as db:
        made = hooks.make(db, vault, "https://crm.example.com", (), by="tok_1", now=START)
        feed.tell(db, "call.changed", "call_1", {"state": "live"}, now=START)

    def take(together: threading.Barrier) -> bool:
        together.wait(60)
        with store.write() as db:
            return _take(db, made.hook.id, START) is not None

    with ThreadPoolExecutor(4) as threads:
        for _ in range(25):
            together = threading.Barrier(4)
            assert sum(threads.map(take, [together] * 4)) == 1
            with store.write() as db:
                db.execute(webhooks.update().values(due_at=START))


def test_the_work_of_a_process_that_died_is_done_by_another_under_the_same_ids(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, serving(store, vault) as dying, serving(store, vault) as other:
            made = dying.hook(receiver.url)
            receiver.hangs = True
            dying.happens(2)
            await dying.deliveries.look()
            await asyncio.wait_for(receiver.came.wait(), 60)
            await dying.deliveries.__aexit__()  # nothing is written: as a kill leaves it
            receiver.hangs = False
            assert await other.deliver() == 0
            await other.passes(HELD + 1)
            assert receiver.ids == [receiver.ids[0], receiver.ids[0], receiver.ids[2]]
            assert other.stands(made).next_seq == 3

    asyncio.run(story())


def test_a_process_that_slept_too_long_does_not_undo_what_another_has_done(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with (
            receiving() as receiver,
            serving(store, vault, timeout=1.5) as sleeping,
            serving(store, vault) as other,
        ):
            made = sleeping.hook(receiver.url)
            receiver.hangs = True
            sleeping.happens(1)
            await sleeping.deliveries.look()
            await asyncio.wait_for(receiver.came.wait(), 60)
            receiver.hangs = False
            await other.passes(HELD + 1)
            await sleeping.deliveries.done()  # its own request ends in failure
            assert other.stands(made).next_seq == 2
            assert other.stands(made).failures == 0

    asyncio.run(story())


def test_a_clock_that_was_set_back_holds_nothing_up(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, serving(store, vault) as service:
            service.hook(receiver.url)
            service.happens()
            service.now[0] = START - 30 * 86_400
            await service.deliver()
            assert len(receiver.got) == 1

    asyncio.run(story())


def test_a_vault_that_is_locked_is_said_and_is_no_failure_of_the_receiver(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, serving(store, vault) as service:
            made = service.hook(receiver.url)
            service.happens()
            async with serving(store, Vault([bytes(32)])) as locked:
                await locked.deliver()
            assert "key is missing" in service.stands(made).said
            assert service.stands(made).failures == 0
            await service.passes(61)
            assert len(receiver.got) == 1

    asyncio.run(story())


def test_a_test_message_says_how_it_went_and_changes_nothing(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, serving(store, vault) as service:
            made = service.hook(receiver.url)
            receiver.status = 418
            answer = await service.deliveries.test(made.hook.id)
            assert (answer.ok, answer.status) == (False, 418)
            assert json.loads(receiver.got[0][1])["type"] == "webhook.test"
            assert service.stands(made) == made.hook

    asyncio.run(story())


def test_events_that_were_deleted_before_they_were_sent_are_passed_over(store: Store, vault: Vault) -> None:
    async def story() -> None:
        async with receiving() as receiver, serving(store, vault) as service:
            service.hook(receiver.url)
            service.happens(5)
            with store.write() as db:
                db.execute(events.delete().where(events.c.seq < 4))
            await service.deliver()
            assert len(receiver.got) == 2

    asyncio.run(story())
