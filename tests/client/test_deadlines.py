"""A deadline bounds all that is done within it, whoever is silent or refuses."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ringonce import AsyncClient, Call, Placed
from ringonce.client.flows.placing import place_call
from ringonce.client.wishes import Now, Request, Response, Wish
from ringonce.errors import NoAnswer, OutcomeUnknown, RateLimited, RingonceError, StillGoing, TooLate
from simulated import NUMBER as ADAS_NUMBER
from simulated import ORIGIN, Answer, Simulated, is_create, lost, on_create, row_of
from virtual import Stage

AGENT, NUMBER = "agent-00003@example.com", "+15559870000"
Trouble = Callable[[Request], Response | None]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch, agents=25)


def disturb(stage: Stage, monkeypatch: pytest.MonkeyPatch, trouble: Trouble) -> None:
    """Have requests answered otherwise, or (None) by nobody; the trouble raises LookupError where there is none."""
    send = stage.transport.send

    async def troubled(request: Request, *more: Any) -> Response:
        try:
            answer = trouble(request)
        except LookupError:
            return await send(request, *more)
        stage.sent.append(request)
        if answer is None:
            await asyncio.Event().wait()
            raise AssertionError
        await asyncio.sleep(0.01)
        return answer

    monkeypatch.setattr(stage.transport, "send", troubled)


def at(path: str, answer: Response | None) -> Trouble:
    def trouble(request: Request) -> Response | None:
        if path not in request.url:
            raise LookupError
        return answer

    return trouble


def refused(**headers: str) -> Response:
    return Response(429, {name.replace("_", "-"): value for name, value in headers.items()}, b"{}")


def placing(stage: Stage, timeout: float) -> tuple[Placed | RingonceError, float]:
    """Place one call; give what came of it, and after how many seconds."""

    async def story(genesys: AsyncClient) -> tuple[Placed | RingonceError, float]:
        began = stage.world.now
        came: Placed | RingonceError
        try:
            came = await genesys.place_call(agent=AGENT, to=NUMBER, intent="crm-4711", timeout=timeout)
        except RingonceError as error:
            came = error
        return came, stage.world.now - began

    return stage.run(story)


def test_a_create_that_is_refused_with_429_until_its_deadline_is_told_as_that() -> None:
    simulated = Simulated()
    simulated.trouble = on_create(lambda _: Response(429, {}, b'{"message":"too many"}'))
    began = simulated.world.now

    with pytest.raises(RateLimited, match="too many") as limited:
        simulated.run(place_call(simulated.session, simulated.order(timeout=2)))

    assert limited.value.status == 429
    assert "not sent" not in str(limited.value)
    assert simulated.world.now - began <= 2
    assert simulated.creates
    assert simulated.ledger.look(ORIGIN, "crm-4711") is None


def test_a_create_is_not_sent_again_where_its_deadline_cuts_short_the_look_for_its_call() -> None:
    simulated = Simulated()
    simulated.trouble = on_create(lambda _: Response(429, {"retry-after": "0.25"}, b"{}"))

    with pytest.raises(RateLimited):
        simulated.run(place_call(simulated.session, simulated.order(timeout=1)))

    assert len(simulated.creates) == 1


def test_a_create_that_was_refused_with_401_and_ran_out_of_time_is_not_told_to_have_stayed_here() -> None:
    simulated = Simulated()
    simulated.trouble = on_create(lambda _: Response(401, {}, b"{}"))

    with pytest.raises(TooLate, match="HTTP 401") as late:
        simulated.run(place_call(simulated.session, simulated.order(timeout=1)))

    assert "not sent:" not in str(late.value)
    assert len(simulated.creates) == 1


def test_a_wait_that_ends_after_the_deadline_is_not_begun() -> None:
    simulated = Simulated()
    simulated.trouble = on_create(lambda _: Response(429, {"retry-after": "11"}, b"{}"))
    began = simulated.world.now

    with pytest.raises(RateLimited) as limited:
        simulated.run(place_call(simulated.session, simulated.order(timeout=10)))

    assert limited.value.retry_after == 11
    assert simulated.world.now == began


@pytest.mark.parametrize("path", ["/users/search", "/oauth/token"])
def test_nobody_who_is_silent_before_the_create_holds_a_call_up_past_its_deadline(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    disturb(stage, monkeypatch, at(path, None))

    came, seconds = placing(stage, 2)

    assert isinstance(came, TooLate)
    assert seconds == pytest.approx(2, abs=0.1)
    assert not any(is_create(one) for one in stage.sent)


def test_a_look_up_whose_429_ends_after_the_deadline_is_told_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb(stage, monkeypatch, at("/users/search", refused(retry_after="5")))

    came, seconds = placing(stage, 2)

    assert isinstance(came, RateLimited)
    assert seconds < 0.2


READS = "/api/v2/conversations/"


def following(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, trouble: Trouble, timeout: float, *, by_id: bool
) -> tuple[Call | RingonceError, float]:
    """Follow a call that was placed before, in trouble; give what came of it, and after how many seconds."""

    async def place(genesys: AsyncClient) -> Placed:
        return await genesys.place_call(agent=AGENT, to=NUMBER)

    async def story(genesys: AsyncClient) -> tuple[Call | RingonceError, float]:
        began = stage.world.now
        came: Call | RingonceError
        try:
            came = await genesys.wait(call.conversation_id if by_id else call, timeout=timeout)
        except RingonceError as error:
            came = error
        return came, stage.world.now - began

    call = stage.run(place)
    disturb(stage, monkeypatch, trouble)
    return stage.run(story)


@pytest.mark.parametrize("by_id", [True, False], ids=["by its id", "as it was placed"])
@pytest.mark.parametrize(
    "answer",
    [None, refused(retry_after="60"), refused(retry_after="1"), Response(503, {}, b"{}")],
    ids=["silence", "429 for a minute", "429 for a second", "503"],
)
def test_a_call_that_can_not_be_read_is_told_as_going_on_when_the_time_to_follow_it_is_over(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, answer: Response | None, by_id: bool
) -> None:
    came, seconds = following(stage, monkeypatch, at(READS, answer), 2, by_id=by_id)

    assert isinstance(came, StillGoing)
    assert came.followable
    assert seconds <= 2.1


def test_events_and_reads_that_are_silent_hold_no_follower_past_his_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    came, seconds = following(stage, monkeypatch, at("/api/v2/", None), 2, by_id=False)

    assert isinstance(came, StillGoing)
    assert seconds == pytest.approx(2, abs=0.1)


def test_a_call_that_nobody_can_read_is_not_asked_after_for_all_the_time_that_is_left(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    came, seconds = following(stage, monkeypatch, at(READS, Response(503, {}, b"{}")), 60, by_id=True)

    assert isinstance(came, NoAnswer)
    assert "try again" in came.fix
    assert seconds < 10


@pytest.mark.parametrize("path", ["/notifications/channels", "/subscriptions"])
@pytest.mark.parametrize("answer", [None, refused(retry_after="1")], ids=["silence", "429"])
def test_events_that_can_not_be_had_in_time_do_not_cost_the_call(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, path: str, answer: Response | None
) -> None:
    disturb(stage, monkeypatch, at(path, answer))

    came, seconds = placing(stage, 4)

    assert isinstance(came, Placed)
    assert seconds < 2.5
    assert len(stage.world.calls()) == 1


class SetBack(Simulated):
    """A machine whose clock is set back, or forward, while a lost call is looked for."""

    by = 0.0

    def _give(self, wish: Wish) -> Any:
        given = super()._give(wish)
        return given + self.by if isinstance(wish, Now) else given


@pytest.mark.parametrize("by", [-3600.0, -15.0, 3600.0])
def test_a_clock_that_is_set_does_not_change_for_how_long_a_lost_call_is_looked_for(by: float) -> None:
    simulated = SetBack(sockets=False, settle=30)

    def trouble(request: Request, go: Answer) -> Response:
        if is_create(request):
            return lost(sent=True)
        if request.url.endswith("/details/query"):
            simulated.world.at(simulated.world.now + 0.1, lambda: setattr(simulated, "by", by))
        return go()

    simulated.trouble = trouble
    began = simulated.world.now

    with pytest.raises(OutcomeUnknown):
        simulated.run(place_call(simulated.session, simulated.order()))

    assert 30 <= simulated.world.now - began <= 40


def test_a_clock_that_is_set_back_does_not_keep_anybody_waiting_for_a_row_that_nobody_settles() -> None:
    simulated = SetBack(sockets=False, settle=30)
    now, mark = simulated.world.now, simulated.ledger.mark(ADAS_NUMBER)
    row = msgspec.structs.replace(row_of(simulated), armed_at=now, deadline=now + 30, mark=mark)
    simulated.ledger.arm(row)
    simulated.world.at(simulated.world.now + 5, lambda: setattr(simulated, "by", -3600.0))
    began = simulated.world.now

    with pytest.raises(OutcomeUnknown):
        simulated.run(place_call(simulated.session, simulated.order()))

    assert 60 <= simulated.world.now - began <= 70
