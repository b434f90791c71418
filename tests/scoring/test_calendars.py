"""Business time against an oracle that looks at the wall clock minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoring.calendars
import scoring.periods
from scoring.calendars import Calendar
from scoring.people import OFFICE, Hours
from scoring.refused import Refused

ZONES = ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kolkata",
         "America/St_Johns", "Africa/Cairo", "Pacific/Apia"]  # fmt: skip

ALWAYS = Hours(spans=(((0, 1440),),) * 7)
NIGHTS = Hours(spans=(((0, 390), (1320, 1440)),) * 7)
NOBODY = Hours(spans=((),) * 7)

_minute = st.integers(min_value=0, max_value=1440)
_span = st.tuples(_minute, _minute).filter(lambda s: s[0] < s[1])
_hours = st.builds(Hours, st.tuples(*[st.lists(_span, max_size=2).map(tuple)] * 7))
hours = st.sampled_from([OFFICE, ALWAYS, NIGHTS]) | _hours

# Spring and autumn around clock changes of many zones, and Samoa's missing day at the end of 2011.
_bases = st.sampled_from(
    [datetime(2025, 3, 8, tzinfo=UTC), datetime(2025, 3, 29, tzinfo=UTC), datetime(2025, 10, 25, tzinfo=UTC),
     datetime(2025, 11, 1, tzinfo=UTC), datetime(2017, 10, 14, tzinfo=UTC), datetime(2018, 2, 17, tzinfo=UTC),
     datetime(2010, 11, 6, tzinfo=UTC), datetime(2011, 12, 29, tzinfo=UTC), datetime(2025, 4, 24, tzinfo=UTC),
     datetime(2026, 6, 1, tzinfo=UTC)]
)  # fmt: skip
instants = st.builds(lambda base, minutes: base + timedelta(minutes=minutes), _bases, st.integers(0, 3 * 1440))


def by_the_clock(calendar: Calendar, start: datetime, end: datetime) -> int:
    """Counts the minutes at which a clock on the wall shows working time."""
    zone, count, at = ZoneInfo(calendar.zone), 0, start
    epoch = date(1970, 1, 1)
    while at < end:
        wall = at.astimezone(zone)
        shown = wall.hour * 60 + wall.minute
        day = (wall.date() - epoch).days
        spans = calendar.hours.spans[wall.weekday()]
        count += day not in calendar.holidays and any(a <= shown < b for a, b in spans)
        at += timedelta(minutes=1)
    return count


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), hours, instants, st.integers(0, 2 * 1440), st.booleans())
def test_business_minutes_are_the_minutes_a_wall_clock_shows(
    zone: str, week: Hours, start: datetime, length: int, holiday: bool
) -> None:
    end = start + timedelta(minutes=length)
    local = (start.astimezone(ZoneInfo(zone)).date() - date(1970, 1, 1)).days + 1
    calendar = Calendar(zone, week, frozenset({local}) if holiday else frozenset())
    assert scoring.calendars.business_minutes(calendar, start, end) == by_the_clock(calendar, start, end)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), hours, instants, st.integers(1, 3000))
def test_a_due_time_is_the_first_instant_with_the_minutes_behind_it(
    zone: str, week: Hours, start: datetime, minutes: int
) -> None:
    calendar = Calendar(zone, week)
    if not any(week.spans):
        with pytest.raises(Refused):
            scoring.calendars.add_business_minutes(calendar, start, minutes)
        return
    due = scoring.calendars.add_business_minutes(calendar, start, minutes)
    assert scoring.calendars.business_minutes(calendar, start, due) == minutes
    assert scoring.calendars.business_minutes(calendar, start, due - timedelta(seconds=1)) < minutes


def test_what_is_due_by_closing_time_is_due_then_and_not_at_the_next_opening() -> None:
    start = datetime(2026, 8, 7, 16, tzinfo=UTC)  # a Friday
    assert scoring.calendars.add_business_minutes(Calendar(), start, 60) == start + timedelta(hours=1)
    assert scoring.calendars.add_business_minutes(Calendar(), start, 61) == datetime(2026, 8, 10, 9, 1, tzinfo=UTC)
    assert scoring.calendars.add_business_minutes(Calendar(), start, 0) == start


def test_a_start_on_any_weekend_waits_for_monday_in_columns_too() -> None:
    sundays = list(range(3, 2000, 7))
    assert all(scoring.periods.date_of(s).isoweekday() == 7 for s in sundays)
    for sunday in sundays:
        begin, end = sunday * 86_400 + 3_600, (sunday + 1) * 86_400 + 12 * 3_600
        found = scoring.calendars.business_minutes_between(Calendar(), pl.Series([begin]), pl.Series([end]))
        assert found.to_list() == [180.0]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(ZONES),
    hours,
    st.lists(st.tuples(st.none() | instants, st.none() | instants), max_size=12),
)
def test_a_column_gives_what_the_single_question_gives(
    zone: str, week: Hours, rows: list[tuple[datetime | None, datetime | None]]
) -> None:
    calendar = Calendar(zone, week)
    starts = pl.Series("s", [None if a is None else int(a.timestamp()) for a, _ in rows], dtype=pl.Int64)
    ends = pl.Series("e", [None if b is None else int(b.timestamp()) for _, b in rows], dtype=pl.Int64)
    found = scoring.calendars.business_minutes_between(calendar, starts, ends)
    assert found.dtype == pl.Float64
    assert found.to_list() == [
        None if a is None or b is None else scoring.calendars.business_minutes(calendar, a, b) for a, b in rows
    ]


def test_a_column_may_be_empty_or_all_null_or_meet_a_team_without_hours() -> None:
    none = pl.Series("s", [None, None], dtype=pl.Int64)
    empty = pl.Series("s", [], dtype=pl.Int64)
    some = pl.Series("s", [0, None], dtype=pl.Int64)
    assert scoring.calendars.business_minutes_between(Calendar(), none, none).to_list() == [None, None]
    assert scoring.calendars.business_minutes_between(Calendar(), empty, empty).to_list() == []
    assert scoring.calendars.business_minutes_between(Calendar(hours=NOBODY), some, some + 60).to_list() == [0.0, None]


def test_the_cumulative_table_lists_stretches_in_order() -> None:
    table = scoring.calendars.cumulative(Calendar("Europe/London"), 20_000, 20_013)
    assert table.columns == ["start", "end", "before"]
    assert table.height == 10
    assert (table["end"] - table["start"]).to_list() == [8 * 3600] * 10
    assert table["before"].to_list() == [i * 8 * 3600 for i in range(10)]


def test_seconds_count_and_a_reversed_pair_is_nothing() -> None:
    start = datetime(2026, 8, 5, 10, 0, 0, tzinfo=UTC)
    assert scoring.calendars.business_minutes(Calendar(), start, start + timedelta(seconds=90)) == 1.5
    assert scoring.calendars.business_minutes(Calendar(), start, start - timedelta(hours=2)) == 0.0


def test_a_holiday_in_the_teams_zone_does_not_count() -> None:
    christmas = (date(2025, 12, 25) - date(1970, 1, 1)).days
    calendar = Calendar("America/New_York", OFFICE, frozenset({christmas}))
    start, end = datetime(2025, 12, 24, 21, tzinfo=UTC), datetime(2025, 12, 26, 15, tzinfo=UTC)
    assert scoring.calendars.business_minutes(calendar, start, end) == 120  # 16 to 17 and 9 to 10 local


@pytest.mark.parametrize("span", [(540, 540), (1020, 540), (-1, 5), (0, 1441)])
def test_a_span_outside_the_day_is_an_error(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="1440"):
        Calendar("UTC", Hours(spans=((span,),) * 7))


def test_an_instant_without_a_zone_is_an_error() -> None:
    naive = datetime(2026, 8, 5, 10)  # noqa: DTZ001
    with pytest.raises(ValueError, match="zone"):
        scoring.calendars.business_minutes(Calendar(), naive, naive)


def test_days_without_hours_and_holidays_are_no_working_days() -> None:
    friday = date(2025, 12, 19)
    holiday = frozenset({(date(2025, 12, 22) - date(1970, 1, 1)).days})
    assert scoring.calendars.add_business_days(Calendar(holidays=holiday), friday, 1) == date(2025, 12, 23)
    assert scoring.calendars.add_business_days(Calendar(), friday, 0) == friday
    with pytest.raises(Refused):
        scoring.calendars.add_business_days(Calendar(hours=NOBODY), friday, 1)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 60))
def test_between_the_trigger_and_the_due_day_lie_exactly_that_many_working_days(day: date, count: int) -> None:
    due = scoring.calendars.add_business_days(Calendar(), day, count)
    passed = [day + timedelta(days=i) for i in range(1, (due - day).days + 1)]
    assert sum(d.weekday() < 5 for d in passed) == count
    assert due.weekday() < 5


def test_a_local_day_starts_when_its_zone_says() -> None:
    assert scoring.calendars.day_start("America/New_York", date(2026, 8, 5)) == int(
        datetime(2026, 8, 5, 4, tzinfo=UTC).timestamp()
    )
    assert scoring.calendars.hours_in_day("America/New_York", date(2025, 11, 2)) == 25.0
    assert scoring.calendars.hours_in_day("Australia/Lord_Howe", date(2025, 10, 5)) == 23.5
