"""When it suits a person: within working hours, on no day off, and not after it has become pointless."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoring.periods
import scoring.quiet
import scoring.working_hours
from scoring.calendars import Calendar

BERLIN = Calendar("Europe/Berlin")
WEDNESDAY = datetime(2026, 8, 5, 9, 0, tzinfo=UTC)


def day(text: str) -> int:
    return scoring.periods.day_of(date.fromisoformat(text))


def test_in_working_hours_it_is_said_at_once() -> None:
    assert scoring.quiet.next_time(BERLIN, (), WEDNESDAY) == WEDNESDAY


def test_in_the_evening_it_waits_for_the_morning() -> None:
    evening = WEDNESDAY.replace(hour=18)
    assert scoring.quiet.next_time(BERLIN, (), evening) == datetime(2026, 8, 6, 7, 0, tzinfo=UTC)


def test_over_a_weekend_a_holiday_and_leave_it_waits_for_the_day_after() -> None:
    friday = datetime(2026, 8, 7, 16, 0, tzinfo=UTC)
    calendar = Calendar("Europe/Berlin", holidays=frozenset({day("2026-08-10")}))
    assert scoring.quiet.next_time(calendar, {day("2026-08-11")}, friday) == datetime(2026, 8, 12, 7, 0, tzinfo=UTC)


def test_what_would_come_too_late_is_not_said() -> None:
    evening = WEDNESDAY.replace(hour=18)
    assert scoring.quiet.next_time(BERLIN, (), evening, evening + timedelta(hours=12)) is None
    assert scoring.quiet.next_time(BERLIN, range(20_000, 40_000), evening) is None


def test_a_night_shift_that_ends_on_a_day_off_is_not_disturbed_after_midnight() -> None:
    night = Calendar("UTC", scoring.working_hours.parse("Mon-Fri 22:00-06:00"))
    late = datetime(2026, 8, 6, 1, 0, tzinfo=UTC)
    assert scoring.quiet.next_time(night, {day("2026-08-06")}, late) == datetime(2026, 8, 7, 0, 0, tzinfo=UTC)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(20_089 * 1440, 20_788 * 1440),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    st.sets(st.integers(0, 13), max_size=12),
    st.sampled_from(["Mon-Fri 09:00-17:00", "Mon-Sun 22:00-02:00", "Tue 07:30-08:15, Sat 23:00-24:00"]),
)
def test_it_is_the_first_minute_that_suits(minutes: int, zone: str, off: set[int], hours: str) -> None:
    """Against walking through the minutes one by one."""
    now = datetime.fromtimestamp(60 * minutes, UTC)
    calendar = Calendar(zone, scoring.working_hours.parse(hours))
    away = {scoring.periods.day_of(now.date()) + o for o in off}
    until = now + timedelta(days=9)
    expected, moment = None, now
    while moment < until:
        local = moment.astimezone(ZoneInfo(zone))
        minute = 60 * local.hour + local.minute
        if scoring.periods.day_of(local.date()) not in away and any(
            a <= minute < b for a, b in calendar.hours.spans[local.weekday()]
        ):
            expected = moment
            break
        moment += timedelta(minutes=1)
    assert scoring.quiet.next_time(calendar, away, now, until) == expected


def test_an_instant_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        scoring.quiet.next_time(BERLIN, (), datetime(2026, 8, 5))  # noqa: DTZ001
