"""The next allowed moment, held against a plain reading of every minute's clocks."""

import datetime as dt
import zoneinfo

from hypothesis import assume, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from ringonce.service.guard import Ask, Facts, Guard
from ringonce.service.guard.days import DAY, day_start, local, pieces, spans
from ringonce.service.guard.settings import Attempts, HoursSettings, Profile, Settings
from ringonce.service.guard.week import Week, told

LONDON = "+442079460958"
ZONES = (
    "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Africa/Cairo",
    "America/Santiago", "Antarctica/Troll", "Asia/Kathmandu", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Chatham",
    "Asia/Kolkata", "Europe/London", "UTC",
)  # fmt: skip
CHANGES = (
    "2026-03-08", "2026-03-29", "2026-04-05", "2026-04-24", "2026-09-06", "2026-10-04", "2026-10-25", "2026-11-01",
    "2027-02-07", "2027-03-14",
)  # fmt: skip

minutes = st.integers(0, 24 * 60)


@st.composite
def a_days_hours(draw: st.DrawFn) -> tuple[str, ...]:
    marks = sorted(draw(st.sets(minutes, min_size=2, max_size=4)))
    pairs = list(zip(marks[::2], marks[1::2], strict=False))
    return tuple(told([pair]) for pair in pairs)


weeks = st.builds(
    Week,
    weekdays=a_days_hours(),
    saturday=st.one_of(a_days_hours(), st.just(())),
    sunday=a_days_hours(),
)
moments = st.builds(
    lambda day, offset: dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC).timestamp() + offset,
    st.sampled_from(CHANGES),
    st.integers(-DAY, DAY),
)


def plainly_allowed(week: Week, zone: str, moment: float) -> bool:
    """Read the clock and the week as a person would, from their text."""
    clock = dt.datetime.fromtimestamp(moment, zoneinfo.ZoneInfo(zone))
    hours = week.saturday if clock.weekday() == 5 else week.sunday if clock.weekday() == 6 else week.weekdays
    now = f"{clock:%H:%M}"
    return any(text.split("-")[0] <= now < text.split("-")[1] for text in hours)


def plain_day_count(tried: list[float], zone: str, moment: float, span: int) -> int:
    today = dt.datetime.fromtimestamp(moment, zoneinfo.ZoneInfo(zone)).date()
    dates = [dt.datetime.fromtimestamp(one, zoneinfo.ZoneInfo(zone)).date() for one in tried]
    return sum(date > today - dt.timedelta(days=span) for date in dates)


@effort(max_examples=60, deadline=None)
@given(week=weeks, zone=st.sampled_from(ZONES), now=moments)
def test_the_next_moment_is_allowed_and_no_earlier_minute_is(week: Week, zone: str, now: float) -> None:
    guard = Guard(Settings(hours=HoursSettings(profile=Profile.OWN, own=week)))

    verdict = guard.check(Ask(number=LONDON, zone=zone), now)

    assert verdict.allowed == plainly_allowed(week, zone, now)
    assert verdict.next_allowed is not None
    opens = verdict.next_allowed.timestamp()
    assert plainly_allowed(week, zone, opens)
    assert not plainly_allowed(week, zone, opens - 1) or opens == now
    first = int(now // 60 + 1) * 60
    assert not any(plainly_allowed(week, zone, minute) for minute in range(first, int(opens), 60))


@effort(max_examples=40, deadline=None)
@given(
    week=weeks,
    now=moments,
    ago=st.lists(st.integers(0, 4 * DAY), max_size=6),
    per_day=st.integers(0, 2),
    per_7_days=st.integers(0, 4),
    gap=st.sampled_from((0, 30, 600)),
    zone=st.sampled_from(ZONES),
)
def test_hours_caps_and_gap_together_open_at_the_first_minute_that_suits_them_all(
    week: Week, now: float, ago: list[int], per_day: int, per_7_days: int, gap: int, zone: str
) -> None:
    attempts = Attempts(per_day=per_day, per_7_days=per_7_days, gap_minutes=gap)
    guard = Guard(Settings(hours=HoursSettings(profile=Profile.OWN, own=week), attempts=attempts))
    tried = [now - one for one in ago]

    def suits(moment: float) -> bool:
        return (
            plainly_allowed(week, zone, moment)
            and (not per_day or plain_day_count(tried, zone, moment, 1) < per_day)
            and (not per_7_days or plain_day_count(tried, zone, moment, 7) < per_7_days)
            and (not tried or moment >= max(tried) + gap * 60)
        )

    verdict = guard.check(Ask(number=LONDON, zone=zone), now, Facts(attempts=tried))

    assert verdict.allowed == suits(now)
    assert verdict.next_allowed is not None
    opens = verdict.next_allowed.timestamp()
    assert suits(opens)
    assert not suits(opens - 1) or opens == now
    first = int(now // 60 + 1) * 60
    # Every seventh minute: no window and no wait of this test hides between two of them for long.
    assert not any(suits(minute) for minute in range(first, int(opens), 60 * 7))


@effort(max_examples=60, deadline=None)
@given(week=weeks, now=moments)
def test_where_a_number_may_be_in_several_zones_the_next_moment_suits_every_one(week: Week, now: float) -> None:
    guard = Guard(Settings(hours=HoursSettings(profile=Profile.OWN, own=week)))
    zones = ("America/Halifax", "America/St_Johns")

    verdict = guard.check(Ask(number="+17092345678"), now)

    assert verdict.allowed == all(plainly_allowed(week, zone, now) for zone in zones)
    if verdict.next_allowed is None:
        assert verdict.never
        return
    opens = verdict.next_allowed.timestamp()
    assume(opens < now + 5 * DAY)
    assert all(plainly_allowed(week, zone, opens) for zone in zones)
    first = int(now // 60 + 1) * 60
    assert not any(all(plainly_allowed(week, zone, m) for zone in zones) for m in range(first, int(opens), 60))


@given(zone=st.sampled_from(ZONES), day=st.dates(dt.date(1990, 1, 1), dt.date(2040, 1, 1)))
def test_local_days_follow_each_other_without_a_hole(zone: str, day: dt.date) -> None:
    today, tomorrow = pieces(zone, day), pieces(zone, day + dt.timedelta(days=1))

    assume(today and tomorrow)
    assert today[-1][1] == tomorrow[0][0]
    assert day_start(zone, day) == today[0][0]
    assert local(today[0][0], zone).date() == day == local(today[-1][1] - 1, zone).date()
    assert list(spans(zone, day, [(0, 1440)])) == [(begin, end) for begin, end, _ in today]
