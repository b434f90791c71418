"""Periods: what people say, and the days it stands for."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoring.periods
from scoring.refused import Refused

WEDNESDAY = date(2026, 8, 5)  # in ISO week 32

days = st.integers(min_value=0, max_value=40_000)
kinds = st.sampled_from(["week", "month", "quarter", "weeks4", "weeks13"])


def period(kind: str, day: int) -> scoring.periods.Period:
    if kind in ("weeks4", "weeks13"):
        return scoring.periods.rolling(kind, day)  # type: ignore[arg-type]
    return {"week": scoring.periods.week, "month": scoring.periods.month, "quarter": scoring.periods.quarter}[kind](day)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "4w-2026-W32"),
        ("this week", "2026-W32"),
        ("week", "2026-W32"),
        ("last week", "2026-W31"),
        ("Last  Week", "2026-W31"),
        ("2026-W31", "2026-W31"),
        ("2026 w31", "2026-W31"),
        ("week 31", "2026-W31"),
        ("w31", "2026-W31"),
        ("week 40", "2025-W40"),
        ("week 53", "2020-W53"),
        ("week 7 2024", "2024-W07"),
        ("october", "2025-10"),
        ("August", "2026-08"),
        ("oct 2025", "2025-10"),
        ("sept 2025", "2025-09"),
        ("october, 2025", "2025-10"),
        ("2025-10", "2025-10"),
        ("2025/9", "2025-09"),
        ("april 2016", "2016-04"),
        ("may", "2026-05"),
        ("this month", "2026-08"),
        ("last month", "2026-07"),
        ("quarter", "2026-Q3"),
        ("last quarter", "2026-Q2"),
        ("Q3", "2026-Q3"),
        ("q4", "2025-Q4"),
        ("Q3 2025", "2025-Q3"),
        ("q3-2025", "2025-Q3"),
        ("2025-Q3", "2025-Q3"),
        ("last 4 weeks", "4w-2026-W32"),
        ("4 weeks", "4w-2026-W32"),
        ("four weeks", "4w-2026-W32"),
        ("13 weeks", "13w-2026-W32"),
        ("in october", "2025-10"),
        ("for October", "2025-10"),
        ("the last week", "2026-W31"),
        ("during the last quarter", "2026-Q2"),
        ("the last 13 weeks", "13w-2026-W32"),
    ],
)
def test_people_name_periods_in_their_own_words(text: str, key: str) -> None:
    assert scoring.periods.parse(text, WEDNESDAY).key == key


@pytest.mark.parametrize(
    "text",
    ["yesterday's tickets", "2026-W54", "2025-W53", "week 0", "week 60", "2026-13", "q5", "5 weeks", "ju", "ma 2025",
     "0000-W01", "octember", "9" * 400, "২০২৬-১০", "2026-W31; drop", "next week", "123456 weeks", "the", "in the"],
)  # fmt: skip
def test_what_is_not_a_period_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(Refused) as refused:
        scoring.periods.parse(text, WEDNESDAY)
    assert "last week" in refused.value.remedy
    assert len(refused.value.what) < 120


@pytest.mark.parametrize(
    ("said", "meant"),
    [("lst week", "last week"), ("octobre", "october"), ("quater", "quarter"), ("last mnth", "last month"),
     ("4 weks", "4 weeks"), ("septmber 2025", "september 2025")],
)  # fmt: skip
def test_a_typo_in_a_period_is_answered_with_what_was_meant(said: str, meant: str) -> None:
    with pytest.raises(Refused) as no:
        scoring.periods.parse(said, date(2026, 8, 5))
    assert no.value.remedy.startswith(f"Did you mean “{meant}”?")
    scoring.periods.parse(meant, date(2026, 8, 5))


@pytest.mark.parametrize("said", ["marketing", "weather", "2026-W99", "month of sundays"])
def test_what_resembles_no_period_is_not_guessed(said: str) -> None:
    with pytest.raises(Refused) as no:
        scoring.periods.parse(said, date(2026, 8, 5))
    assert no.value.remedy == scoring.periods.UNDERSTOOD


def test_a_local_day_begins_at_midnight_there() -> None:
    day = scoring.periods.day_of(date(2026, 3, 29))
    assert scoring.periods.midnight(day, "UTC") == day * 86_400
    assert scoring.periods.midnight(day, "Europe/Berlin") == day * 86_400 - 3_600
    assert scoring.periods.midnight(day + 1, "Europe/Berlin") == (day + 1) * 86_400 - 7_200


@given(st.dates(date(1970, 1, 1), date(9000, 1, 1)))
def test_a_date_is_read_as_it_is_written(day: date) -> None:
    written = scoring.periods.iso(scoring.periods.day_of(day))
    assert scoring.periods.from_iso(f" {written} ") == scoring.periods.day_of(day)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "31.3.2026", "2026-3-1", "2026-03-31T10:00"])
def test_what_is_no_date_is_no_day(text: str) -> None:
    assert scoring.periods.from_iso(text) is None


def test_a_period_so_far_ends_with_the_week_of_the_day() -> None:
    quarter = scoring.periods.quarter(scoring.periods.day_of(date(2026, 8, 5)))
    so_far = scoring.periods.so_far(quarter, scoring.periods.day_of(date(2026, 8, 5)))
    assert (so_far.first, scoring.periods.date_of(so_far.last)) == (quarter.first, date(2026, 8, 9))
    assert scoring.periods.previous(so_far) == scoring.periods.previous(quarter)
    assert scoring.periods.so_far(quarter, quarter.last) == quarter


@pytest.mark.parametrize("text", ["2026-W33", "september 2026", "Q4 2026", "2027-01"])
def test_a_period_that_has_not_begun_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="not begun"):
        scoring.periods.parse(text, WEDNESDAY)


@given(st.text(max_size=60))
def test_any_text_is_a_period_or_refused(text: str) -> None:
    try:
        found = scoring.periods.parse(text, WEDNESDAY)
    except Refused:
        return
    assert found.first <= scoring.periods.day_of(WEDNESDAY)


@given(st.dates(min_value=date(1980, 1, 1), max_value=date(2100, 1, 1)), st.integers(min_value=0, max_value=11))
def test_a_bare_month_is_the_latest_that_has_begun(today: date, index: int) -> None:
    name = date(2000, index + 1, 1).strftime("%B")
    found = scoring.periods.parse(name, today)
    at = scoring.periods.date_of(found.first)
    assert at.month == index + 1
    assert at <= today < date(at.year + 1, at.month, 1)


@given(kinds, days)
def test_a_period_holds_the_day_it_was_made_from_and_its_key_gives_it_back(kind: str, day: int) -> None:
    found = period(kind, day)
    assert found.first <= day <= found.last
    assert scoring.periods.from_key(found.key) == found


@given(kinds, st.integers(min_value=200, max_value=40_000))
def test_periods_follow_each_other_without_gap_or_overlap(kind: str, day: int) -> None:
    found = period(kind, day)
    after = scoring.periods.next(found)
    assert after.first == found.last + 1
    assert scoring.periods.previous(after) == found
    assert after.kind == found.kind


@pytest.mark.parametrize("key", ["", "2026", "2026-W3", "4w-2026-10", "5w-2026-W10", "2026-Q5", "2026-00"])
def test_a_made_up_key_is_refused(key: str) -> None:
    with pytest.raises(Refused):
        scoring.periods.from_key(key)


@given(st.integers(min_value=1, max_value=20_000))
def test_every_week_belongs_to_exactly_one_month_and_one_quarter(week: int) -> None:
    monday = scoring.periods.monday(7 * week)
    around = range(monday - 40, monday + 47)
    for make in (scoring.periods.month, scoring.periods.quarter):
        owners = {p.key for p in map(make, around) if monday in scoring.periods.weeks_of(p)}
        assert owners == {make(monday + 3).key}


def test_the_weeks_of_rolling_periods_are_their_own() -> None:
    found = scoring.periods.parse("4 weeks", WEDNESDAY)
    assert scoring.periods.weeks_of(found) == tuple(range(found.first, found.last, 7))
    assert len(scoring.periods.weeks_of(found)) == 4


def test_trend_weeks_end_with_the_week_of_the_last_day() -> None:
    april = scoring.periods.parse("april 2016", WEDNESDAY)
    weeks = scoring.periods.weeks_up_to(april, 13)
    assert len(weeks) == 13
    assert weeks[-1] <= april.last < weeks[-1] + 7
    assert all(scoring.periods.date_of(w).isoweekday() == 1 for w in weeks)


def test_a_period_matures_when_its_last_day_is_over_and_the_reopen_window_too() -> None:
    july = scoring.periods.parse("july", WEDNESDAY)
    assert scoring.periods.date_of(scoring.periods.matured_on(july, 0)) == date(2026, 8, 1)
    assert scoring.periods.date_of(scoring.periods.matured_on(july, 7)) == date(2026, 8, 8)


def test_today_is_the_subjects_day_and_not_greenwichs() -> None:
    late = datetime(2026, 8, 5, 23, 30, tzinfo=UTC)
    assert scoring.periods.today(late, "Europe/Berlin") == date(2026, 8, 6)
    assert scoring.periods.today(late, "America/New_York") == date(2026, 8, 5)
    with pytest.raises(ValueError, match="zone"):
        scoring.periods.today(datetime(2026, 8, 5), "UTC")  # noqa: DTZ001


def test_labels_are_for_people() -> None:
    assert scoring.periods.parse("week 31", WEDNESDAY).label == "Week 31, 27 Jul – 2 Aug 2026"
    assert scoring.periods.parse("week 1 2026", WEDNESDAY).label == "Week 1, 29 Dec 2025 – 4 Jan 2026"
    assert scoring.periods.parse("q3", WEDNESDAY).label == "Q3 2026"
    assert scoring.periods.parse("oct 2025", WEDNESDAY).label == "October 2025"
    assert scoring.periods.parse("", WEDNESDAY).label == "4 weeks, 13 Jul – 9 Aug 2026"
