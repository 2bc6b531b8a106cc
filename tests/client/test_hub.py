"""The notification hub: many agents on few channels, and every silence found out at a bounded cost."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from ringonce import AsyncClient, Call, NotFound, Outcome, Placed
from ringonce.client import policy
from ringonce.client.flows import subscribing
from ringonce.client.hub import hub
from ringonce.sandbox import channels
from virtual import Stage

CHANNELS, READS = "/notifications/channels", "/conversations"
TALKS, ENDS = "+15559870000", "+15559876543"


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch, agents=25)


async def place(genesys: AsyncClient, agents: list[str], number: str = ENDS) -> list[Placed]:
    return await asyncio.gather(*(genesys.place_call(agent=one, to=number) for one in agents))


async def all_ended(genesys: AsyncClient, placed: list[Placed]) -> list[Call]:
    return await asyncio.gather(*(genesys.wait(one, timeout=600) for one in placed))


async def talking(genesys: AsyncClient, agents: list[str]) -> list[Placed]:
    """Place calls that talk until somebody hangs up, and wait until they do."""
    placed = await place(genesys, agents, TALKS)
    await asyncio.gather(*(genesys.wait(one, until="connected") for one in placed))
    return placed


def hang_up_soon(stage: Stage, count: int, seconds: float = 3.0) -> None:
    """Have the far ends of *count* calls hang up, a while from now."""

    def hang_up() -> None:
        for _ in range(count):
            stage.world.phone(TALKS, "hangup")

    stage.world.at(stage.world.now + seconds, hang_up)


def made(stage: Stage) -> int:
    return sum(one.method == "POST" and one.url.endswith(CHANNELS) for one in stage.sent)


def subscribed(stage: Stage) -> int:
    return sum("/subscriptions" in one.url for one in stage.sent)


def test_what_many_callers_wish_at_once_is_one_channel_and_one_subscription(stage: Stage) -> None:
    async def story(genesys: AsyncClient) -> list[Call]:
        return await all_ended(genesys, await place(genesys, stage.agents()))

    calls = stage.run(story)

    assert {call.outcome for call in calls} == {Outcome.ANSWERED}
    assert (made(stage), subscribed(stage), stage.asked("GET", READS)) == (1, 1, 0)


def test_more_agents_than_a_channel_holds_are_heard_on_several(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribing, "MOST_TOPICS", 10)

    async def story(genesys: AsyncClient) -> list[Call]:
        return await all_ended(genesys, await place(genesys, stage.agents()))

    calls = stage.run(story)

    assert {call.outcome for call in calls} == {Outcome.ANSWERED}
    assert sorted(len(one.topics) for one in stage.channels()) == [5, 10, 10]
    assert (made(stage), subscribed(stage), stage.asked("GET", READS)) == (3, 3, 0)


def test_where_all_channels_are_full_an_agents_call_is_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribing, "MOST_TOPICS", 2)
    monkeypatch.setattr(hub, "MOST_CHANNELS", 1)

    async def story(genesys: AsyncClient) -> list[Call]:
        placed = await talking(genesys, stage.agents()[:2])
        followers = [asyncio.create_task(genesys.wait(one, timeout=None)) for one in placed]
        await asyncio.sleep(1)
        ended = await all_ended(genesys, await place(genesys, stage.agents()[2:3]))
        for follower in followers:
            follower.cancel()
        return ended

    assert stage.run(story)[0].outcome is Outcome.ANSWERED
    assert stage.asked("GET", READS) > 3
    assert made(stage) == 1


def test_agents_whom_nobody_follows_make_room_in_one_request(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribing, "MOST_TOPICS", 10)
    monkeypatch.setattr(hub, "MOST_CHANNELS", 1)

    async def story(genesys: AsyncClient) -> None:
        await all_ended(genesys, await place(genesys, stage.agents()[:10]))
        await all_ended(genesys, await place(genesys, stage.agents()[10:18]))

    stage.run(story)

    assert (made(stage), subscribed(stage), stage.asked("GET", READS)) == (1, 2, 0)
    assert {agent for agent in stage.agents()[10:18] if stage.world.channels.heard(subscribing.topic(agent))} == set(
        stage.agents()[10:18]
    )


def test_topics_that_nobody_needs_are_dropped_after_a_while_all_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "DROPPED_AT_ONCE", 5)

    async def story(genesys: AsyncClient) -> int:
        placed = await talking(genesys, stage.agents()[:1])
        follower = asyncio.create_task(genesys.wait(placed[0], timeout=None))
        await all_ended(genesys, await place(genesys, stage.agents()[1:9]))
        before = subscribed(stage)
        await asyncio.sleep(hub.RESTED + 2 * hub.SWEEP)
        follower.cancel()
        return subscribed(stage) - before

    assert stage.run(story) == 1
    assert [list(one.topics) for one in stage.channels()] == [[subscribing.topic(stage.agents()[0])]]


def test_an_agent_whose_topic_was_dropped_meanwhile_has_his_call_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribing, "MOST_TOPICS", 1)
    monkeypatch.setattr(hub, "MOST_CHANNELS", 1)
    ada, grace = stage.agents()[:2]

    async def story(genesys: AsyncClient) -> Call:
        (left_alone,) = await place(genesys, [ada], TALKS)
        await all_ended(genesys, await place(genesys, [grace]))
        hang_up_soon(stage, 1, 0.0)
        await asyncio.sleep(1)
        return await genesys.wait(left_alone)

    assert stage.run(story).ended
    assert stage.asked("GET", READS) == 1


def test_a_mute_socket_is_noticed_by_a_ping_and_costs_one_read_a_call(stage: Stage) -> None:
    async def story(genesys: AsyncClient) -> tuple[list[Call], float]:
        placed = await talking(genesys, stage.agents()[:5])
        muted = stage.world.now
        stage.world.channels.mute(stage.channels()[0].id)
        hang_up_soon(stage, 5)
        return await all_ended(genesys, placed), stage.world.now - muted

    calls, took = stage.run(story)

    assert {call.outcome for call in calls} == {Outcome.ANSWERED}
    assert stage.asked("GET", READS) == 5
    assert (made(stage), subscribed(stage)) == (2, 2)
    assert took < 25


def test_an_evicted_channel_is_convicted_by_one_read_and_the_others_are_not_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribing, "MOST_TOPICS", 4)

    async def story(genesys: AsyncClient) -> list[Call]:
        placed = await talking(genesys, stage.agents()[:8])
        stage.world.channels._evict(stage.channels()[0])
        hang_up_soon(stage, 8)
        return await all_ended(genesys, placed)

    calls = stage.run(story)

    assert {call.outcome for call in calls} == {Outcome.ANSWERED}
    assert stage.asked("GET", READS) <= 5
    assert made(stage) == 3


def test_a_channel_that_is_behind_is_not_taken_for_a_silent_one(stage: Stage) -> None:
    async def story(genesys: AsyncClient) -> list[Call]:
        placed = await talking(genesys, stage.agents()[:2])
        (ear,) = stage.ears
        ear.behind = 8.0
        hang_up_soon(stage, 1, 14.0)
        hang_up_soon(stage, 1, 60.0)
        return await all_ended(genesys, placed)

    assert all(call.ended for call in stage.run(story))
    assert stage.asked("GET", READS) > 0
    assert made(stage) == 1


def test_a_channel_is_not_convicted_of_what_happened_before_it_was_opened(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "apart", lambda _: 20.0)

    async def story(genesys: AsyncClient) -> list[Call]:
        placed = await talking(genesys, stage.agents()[:5])
        stage.world.channels.close()
        hang_up_soon(stage, 5, 0.0)
        return await all_ended(genesys, placed)

    assert all(call.ended for call in stage.run(story))
    assert made(stage) == 1


def test_long_talks_on_one_channel_cost_as_few_reads_as_one(stage: Stage) -> None:
    async def story(genesys: AsyncClient) -> list[Call]:
        placed = await talking(genesys, stage.agents()[:20])
        hang_up_soon(stage, 20, 280.0)
        return await all_ended(genesys, placed)

    calls = stage.run(story)

    assert {call.outcome for call in calls} == {Outcome.ANSWERED}
    assert stage.asked("GET", READS) < 10
    assert made(stage) == 1


def test_a_socket_that_closes_is_opened_again_without_a_request_and_each_call_read_once(stage: Stage) -> None:
    async def story(genesys: AsyncClient) -> list[Call]:
        placed = await talking(genesys, stage.agents()[:5])
        stage.world.channels.close()
        hang_up_soon(stage, 5, 10.0)
        return await all_ended(genesys, placed)

    calls = stage.run(story)

    assert {call.outcome for call in calls} == {Outcome.ANSWERED}
    assert (made(stage), subscribed(stage)) == (1, 1)
    assert stage.asked("GET", READS) == 5


def test_followers_of_one_call_share_its_reads(stage: Stage) -> None:
    async def story(genesys: AsyncClient) -> list[Call]:
        placed = await talking(genesys, stage.agents()[:1])
        followers = asyncio.create_task(all_ended(genesys, placed * 10))
        await asyncio.sleep(1)
        stage.world.channels.close()
        hang_up_soon(stage, 1, 10.0)
        return await followers

    assert [call.outcome for call in stage.run(story)] == [Outcome.ANSWERED] * 10
    assert stage.asked("GET", READS) == 1


def test_a_call_that_speaks_after_the_gap_before_its_turn_is_not_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "apart", lambda _: 5.0)

    async def story(genesys: AsyncClient) -> list[Call]:
        placed = await talking(genesys, stage.agents()[:5])
        stage.world.channels.close()
        hang_up_soon(stage, 5, 3.0)
        return await all_ended(genesys, placed)

    assert all(call.ended for call in stage.run(story))
    assert stage.asked("GET", READS) == 1


def test_a_platform_that_announces_the_end_of_a_socket_gets_another_before_the_old_one_is_left(stage: Stage) -> None:
    async def story(genesys: AsyncClient) -> list[Call]:
        placed = await talking(genesys, stage.agents()[:5])
        (old,) = stage.ears
        old.put(b'{"topicName":"v2.system.socket_closing","eventBody":{}}')
        hang_up_soon(stage, 5)
        return await all_ended(genesys, placed)

    assert all(call.ended for call in stage.run(story))
    assert len(stage.ears) == 2
    assert (made(stage), subscribed(stage), stage.asked("GET", READS)) == (1, 1, 0)


def test_a_channel_is_renewed_before_its_end_and_nothing_is_missed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "LIFETIME", 640.0)

    async def story(genesys: AsyncClient) -> list[Call]:
        placed = await talking(genesys, stage.agents()[:5])
        await asyncio.sleep(60)
        hang_up_soon(stage, 5)
        return await all_ended(genesys, placed)

    assert all(call.ended for call in stage.run(story))
    assert (made(stage), subscribed(stage)) == (2, 2)
    assert stage.asked("GET", READS) == 0


def test_several_channels_are_used_again_by_the_next_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(subscribing, "MOST_TOPICS", 10)

    async def story(genesys: AsyncClient) -> None:
        await all_ended(genesys, await place(genesys, stage.agents()))

    stage.run(story, store=tmp_path)
    stage.run(story, store=tmp_path)

    assert made(stage) == 3
    assert stage.asked("GET", READS) == 0


def test_calls_that_a_restarted_platform_forgot_are_not_found_after_two_reads_each(stage: Stage) -> None:
    async def story(genesys: AsyncClient) -> list[Call | BaseException]:
        placed = await talking(genesys, stage.agents()[:5])
        stage.restart()
        waits = (genesys.wait(one, timeout=600) for one in placed)
        return await asyncio.gather(*waits, return_exceptions=True)

    assert [type(end) for end in stage.run(story)] == [NotFound] * 5
    assert stage.asked("GET", "/conversations") <= 10
    assert made(stage) == 2


def test_a_slow_follower_delays_nobody_and_gets_the_latest_truth(stage: Stage) -> None:
    async def story(genesys: AsyncClient) -> tuple[list[str], list[str], float]:
        began = stage.world.now
        (placed,) = await place(genesys, stage.agents()[:1])
        slow: list[str] = []

        async def dawdle() -> None:
            async for call in genesys.follow(placed):
                slow.append(call.state)
                await asyncio.sleep(60)

        dawdler = asyncio.create_task(dawdle())
        quick = [call.state async for call in genesys.follow(placed)]
        took = stage.world.now - began
        await dawdler
        return [*quick], slow, took

    quick, slow, took = stage.run(story)

    assert quick == ["requested", "dialing", "ringing", "connected", "ended"]
    assert slow == ["requested", "ended"]
    assert took < 30


def test_an_agent_whose_topic_is_refused_is_read_and_not_asked_for_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[[str], str] = subscribing.topic
    refused = stage.agents()[0]
    monkeypatch.setattr(subscribing, "topic", lambda agent: real(agent)[:-1] if agent == refused else real(agent))

    async def story(genesys: AsyncClient) -> list[Call]:
        return await all_ended(genesys, await place(genesys, stage.agents()[:2]))

    assert {call.outcome for call in stage.run(story)} == {Outcome.ANSWERED}
    assert subscribed(stage) == 1
    assert stage.asked("GET", READS) > 3
