"""What a channel's silence calls for, and who is followed: plain decisions from moments that are handed in."""

from ringonce.client.hub.doubt import BUSY_QUIET, PONG_WITHIN, QUIET, Silence, Step
from ringonce.client.hub.roster import Roster


def steps(silence: Silence, until: int, *, followed: bool, alive: bool) -> list[tuple[int, Step]]:
    """Look every second; an *alive* channel answers pings."""
    taken: list[tuple[int, Step]] = []
    for now in range(1, until + 1):
        step = silence.step(now, followed=followed)
        if step is not Step.NOTHING:
            taken.append((now, step))
        if step is Step.PING and alive:
            silence.frame(now + 0.1)
        if step is Step.MUTE:
            break
    return taken


def test_a_channel_that_answers_no_ping_is_mute_and_no_read_is_spent_on_it() -> None:
    taken = steps(Silence(0), 60, followed=True, alive=False)

    assert taken == [(BUSY_QUIET, Step.PING), (BUSY_QUIET + PONG_WITHIN, Step.MUTE)]


def test_a_channel_that_answers_pings_and_tells_no_event_has_a_call_read_now_and_then() -> None:
    reads = [when for when, step in steps(Silence(0), 600, followed=True, alive=True) if step is Step.READ]

    assert reads[:3] == [15, 39, 78]
    assert 9 <= len(reads) <= 12


def test_where_nobody_is_followed_nothing_is_read_and_a_heartbeat_is_waited_for() -> None:
    taken = steps(Silence(0), 60, followed=False, alive=False)

    assert taken == [(QUIET, Step.PING), (QUIET + PONG_WITHIN, Step.MUTE)]


def test_silence_counts_only_from_when_somebody_follows() -> None:
    silence = Silence(0)
    for now in range(1, 1000):
        silence.frame(now)
        assert silence.step(now, followed=False) is Step.NOTHING

    assert silence.step(1000, followed=True) is Step.NOTHING


def test_an_event_about_anybody_clears_the_whole_channel() -> None:
    silence = Silence(0)
    taken = []
    for now in range(1, 300):
        silence.event(now)
        taken.append(silence.step(now, followed=True))

    assert set(taken) == {Step.NOTHING}
    assert silence.heard_since(298)
    assert not silence.heard_since(299)


def test_an_agent_is_idle_once_his_last_follower_has_left_for_long_enough() -> None:
    roster = Roster()
    roster.join("one", "ada")
    roster.join("two", "ada")
    roster.join("two", "ada")
    roster.leave("one", 10)

    assert roster.followed("ada")
    assert roster.idle(["ada"], before=100) == []

    roster.leave("two", 20)

    assert not roster.followed("ada")
    assert roster.idle(["ada"], before=19) == []
    assert roster.idle(["ada"], before=20) == ["ada"]


def test_whoever_comes_back_is_not_idle_and_leaving_twice_does_no_harm() -> None:
    roster = Roster()
    roster.join("one", "ada")
    roster.leave("one", 10)
    roster.leave("one", 11)
    roster.join("two", "ada")

    assert roster.idle(["ada"], before=100) == []
